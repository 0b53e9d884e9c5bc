"""Podman through its command line: the Docker SDK does not support it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from oz_installer.deploy.compose.facts import ContainerFact, parse_containers
from oz_installer.deploy.compose.run import NodesRun
from oz_installer.deploy.errors import hint_for
from oz_installer.deploy.settings import PULL_SILENCE_SECONDS
from oz_installer.errors import DeployError
from oz_installer.image_reference import registry_host
from oz_installer.remote import docker_commands
from oz_installer.remote.transport import CommandResult
from oz_installer.render.project import DIGEST_LABEL, PROJECT


class PodmanCli:
    """Implements ContainerEngine by the podman command."""

    recreates_in_place = False  # podman-compose creates no container while one of the same name exists

    def preload(self) -> None:
        """Do nothing: there is no library to load."""

    def states(self, run: NodesRun, node: str) -> Mapping[str, ContainerFact]:
        """Return every container of the project on a node, by name."""
        argv = docker_commands.list_containers("podman", PROJECT, DIGEST_LABEL)
        return parse_containers(run.transports[node].run(argv, check=True).text)

    def require_started(self, run: NodesRun, node: str, names: Sequence[str], result: CommandResult) -> None:
        """Raise DeployError when a container was not started: podman-compose always exits with 0."""
        there = self.states(run, node)
        missing = [name for name in names if name not in there or there[name].status.startswith("Created")]
        if not missing:
            return
        output = run.settings.masker(result.stderr_text)
        errors = [line.removeprefix("Error: ") for line in output.splitlines() if line.startswith("Error: ")]
        problem = errors[-1] if errors else output[-300:]  # earlier errors only report missing containers
        raise DeployError(
            f"cannot start {', '.join(missing)}: {problem}", hint_for(output), node=node, details=output
        )

    def logs(self, run: NodesRun, node: str, service: str, lines: int) -> str:
        """Return the last log lines of a container, or why they cannot be read."""
        result = run.transports[node].run(docker_commands.logs("podman", service, lines))
        return (result.stdout + result.stderr).decode("utf-8", "replace")

    def pull(self, run: NodesRun, node: str, image: str, text: str) -> None:  # noqa: ARG002
        """Pull one image; podman reports no progress. Raises DeployError."""
        login = run.settings.login_for(image)
        server = registry_host(image)
        if login:
            argv = docker_commands.login("podman", server, login.username)
            result = run.try_change(
                node, f"log in to {server}", argv, stdin=login.password.reveal().encode() + b"\n"
            )
            if not result.ok:
                message = run.settings.masker(result.stderr_text)[-300:]
                raise DeployError(f"cannot log in to the registry {server}: {message}", node=node)
        try:
            own = docker_commands.pull("podman", image)
            result = run.try_change(
                node,
                f"pull {image}",
                own,
                timeout=PULL_SILENCE_SECONDS,
                on_output=lambda _: run.check_cancelled(),
            )
            if not result.ok:
                message = " ".join(run.settings.masker(result.stderr_text).split())[-300:]
                raise DeployError(f"cannot pull the image {image}: {message}", node=node)
        finally:
            if login:
                run.try_change(node, f"log out of {server}", docker_commands.logout("podman", server))
