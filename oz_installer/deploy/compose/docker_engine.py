"""Docker through its SDK, over the node's SSH connection."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence

from oz_installer.deploy.compose import node_commands as commands
from oz_installer.deploy.compose.facts import ContainerFact
from oz_installer.deploy.compose.run import NodesRun
from oz_installer.deploy.events import NodeProgress
from oz_installer.deploy.settings import PULL_SILENCE_SECONDS
from oz_installer.errors import ConnectError, DeployError
from oz_installer.remote import docker_commands
from oz_installer.remote.docker_engine import DIAL, ContainerState, DockerEngine, RegistryAuth
from oz_installer.remote.transport import CommandResult
from oz_installer.render.project import DIGEST_LABEL, PROJECT

_making = threading.Lock()


class DockerSdk:
    """Implements ContainerEngine by the Docker SDK."""

    recreates_in_place = True

    def preload(self) -> None:
        """Load the SDK in the background: it takes half a second and is not needed yet."""
        threading.Thread(target=_load_sdk, name="docker-sdk", daemon=True).start()

    def states(self, run: NodesRun, node: str) -> Mapping[str, ContainerFact]:
        """Return every container of the project on a node, by name."""
        found = _client(run, node).containers(f"com.docker.compose.project={PROJECT}")
        return {state.name: _fact(state) for state in found}

    def require_started(self, run: NodesRun, node: str, names: Sequence[str], result: CommandResult) -> None:
        """Do nothing: Compose itself fails when a container does not start."""

    def logs(self, run: NodesRun, node: str, service: str, lines: int) -> str:
        """Return the last log lines of a container, or why they cannot be read."""
        return _quietly(lambda: _client(run, node).logs(service, lines))

    def pull(self, run: NodesRun, node: str, image: str, text: str) -> None:
        """Pull one image and report its progress in bytes. Raises DeployError."""
        login = run.settings.login_for(image)
        auth = RegistryAuth(username=login.username, password=login.password) if login else None

        def report(done: int, total: int) -> None:
            run.check_cancelled()
            run.emit(NodeProgress(node=node, text=text, done=done, total=total, unit="bytes"))

        what = f"pull {image}"
        dial = commands.under_lock(run.settings.install_dir, run.id, what, DIAL)
        engine = DockerEngine(run.transports[node], timeout=PULL_SILENCE_SECONDS, dial=dial)
        try:
            engine.pull(image, on_progress=report, auth=auth)
        except DeployError:
            # without a login in the answers, the node's own docker command may be logged in at the registry
            own = docker_commands.pull("docker", image)
            if (
                auth
                or not run.try_change(
                    node, what, own, timeout=PULL_SILENCE_SECONDS, on_output=lambda _: run.check_cancelled()
                ).ok
            ):
                raise
        except ConnectError:
            run.change(node, what, commands.refresh_lock(run.settings.install_dir, run.id))
            raise
        finally:
            engine.close()


def _load_sdk() -> None:
    from oz_installer.remote.docker_engine import load_sdk

    load_sdk()


def _client(run: NodesRun, node: str) -> DockerEngine:
    with _making:
        engine = run.engines.get(node)
        if engine is None:
            engine = run.engines[node] = DockerEngine(run.transports[node])
        return engine


def _fact(state: ContainerState) -> ContainerFact:
    status = state.state if state.exit_code is None else f"{state.state} ({state.exit_code})"
    return ContainerFact(
        name=state.name,
        running=state.state == "running",
        health=state.health,
        digest=state.labels.get(DIGEST_LABEL, ""),
        image=state.image,
        status=status,
    )


def _quietly(read: Callable[[], str]) -> str:
    try:
        return read()
    except (DeployError, ConnectError) as error:
        return f"(cannot be read: {error})"
