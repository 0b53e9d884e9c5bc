"""The interface to the container engine of the nodes: states, logs, pulls, diagnostics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from oz_installer.deploy.command_output import collapse_repeats
from oz_installer.deploy.compose.docker_engine import DockerSdk
from oz_installer.deploy.compose.facts import ContainerFact
from oz_installer.deploy.compose.podman_engine import PodmanCli
from oz_installer.deploy.compose.run import NodesRun
from oz_installer.deploy.errors import hint_for
from oz_installer.errors import ConnectError, DeployError
from oz_installer.remote import docker_commands
from oz_installer.remote.transport import CommandResult

LOG_LINES = 20
LOGIN_HINT = (
    "Correct the user name and password of the registry (answers: registry), or the name of the image."
)
IMAGE_HINT = (
    "Correct the name of the image (answers: images), and check that the node reaches the registry "
    "(answers: registry)."
)


class ContainerEngine(Protocol):
    """One kind of container engine. Every method works on the engine of one node."""

    @property
    def recreates_in_place(self) -> bool:
        """Whether its Compose can create a container while one of the same name exists."""
        ...

    def preload(self) -> None:
        """Load libraries in the background."""
        ...

    def states(self, run: NodesRun, node: str) -> Mapping[str, ContainerFact]:
        """Return every container of the project, by name. Raises DeployError, ConnectError."""
        ...

    def require_started(self, run: NodesRun, node: str, names: Sequence[str], result: CommandResult) -> None:
        """Raise DeployError when a container was not started although ``result`` is a success."""
        ...

    def logs(self, run: NodesRun, node: str, service: str, lines: int) -> str:
        """Return the last log lines of a container, or why they cannot be read."""
        ...

    def pull(self, run: NodesRun, node: str, image: str, text: str) -> None:
        """Pull one image, with progress as ``text`` where the engine reports it. Raises DeployError."""
        ...


_ENGINES: dict[str, ContainerEngine] = {"docker": DockerSdk(), "podman": PodmanCli()}


def engine_of(run: NodesRun) -> ContainerEngine:
    """Return the engine of the answers."""
    return _ENGINES[run.settings.engine]


def diagnostics(run: NodesRun, node: str, service: str) -> str:
    """Return the last log lines and the last health output of a service, secrets masked.

    A lost connection does not hide the error that they explain.
    """
    try:
        text = engine_of(run).logs(run, node, service, LOG_LINES)
        health = run.transports[node].run(docker_commands.health_output(run.settings.engine, service))
    except ConnectError as error:
        return f"--- {node}/{service}: the log cannot be read: {error.message}"
    log, output = (run.settings.masker(one).rstrip() for one in (text, health.text))
    parts = [f"--- {node}/{service}: last {LOG_LINES} log lines", collapse_repeats(log) or "(no log)"]
    if health.ok and output.strip():
        parts += [f"--- {node}/{service}: output of the health check", collapse_repeats(output.strip())]
    return "\n".join(parts)


def pull(run: NodesRun, node: str, image: str, text: str) -> None:
    """Pull one image through the gate. Raises DeployError with a hint when it cannot be pulled."""

    def pull_image() -> bool:
        try:
            engine_of(run).pull(run, node, image, text)
        except DeployError as error:
            error.hint = _pull_hint(error.message)
            raise
        return True

    run.gate.run_on_node(run.transports[node], f"pull {image}", pull_image)


def _pull_hint(message: str) -> str:
    if any(
        words in message.lower() for words in ("unauthorized", "authentication required", "access denied")
    ):
        return LOGIN_HINT
    return IMAGE_HINT if hint_for(message) == hint_for("") else hint_for(message)
