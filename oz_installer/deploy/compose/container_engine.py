"""What phases ask of a node's engine: states, logs, pulls. Docker through its SDK over the node's own
SSH connection; Podman, which the SDK does not speak to, through its command."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence

from oz_installer.deploy.command_output import collapse_repeats
from oz_installer.deploy.compose.facts import ContainerFact, parse_containers
from oz_installer.deploy.compose.run import NodesRun
from oz_installer.deploy.errors import hint_for
from oz_installer.deploy.events import NodeProgress
from oz_installer.deploy.settings import RegistryLogin
from oz_installer.errors import ConnectError, DeployError
from oz_installer.remote import docker_commands
from oz_installer.remote.docker_engine import ContainerState, DockerEngine, RegistryAuth
from oz_installer.remote.image_reference import DOCKER_HUB, registry_host
from oz_installer.remote.transport import CommandResult
from oz_installer.render.project import DIGEST_LABEL, PROJECT

LOG_LINES = 20
PULL_SILENCE = 900.0
LOGIN_HINT = "Correct the registry's user name and password (answers: registry), or the image's name."
IMAGE_HINT = "Is its name right (answers: images), and can the node reach the registry (answers: registry)?"


def preload_docker_sdk() -> None:
    """Load the docker SDK in the background: it takes half a second, and is wanted only later."""
    threading.Thread(target=_load_sdk, name="docker-sdk", daemon=True).start()


def _load_sdk() -> None:
    from oz_installer.remote.docker_engine import load_sdk

    load_sdk()


def container_states(run: NodesRun, node: str) -> Mapping[str, ContainerFact]:
    """Every container of the project on a node, by name."""
    if run.settings.engine == "podman":
        argv = docker_commands.list_containers("podman", PROJECT, DIGEST_LABEL)
        return parse_containers(run.transports[node].run(argv, check=True).text)
    found = _engine(run, node).containers(f"com.docker.compose.project={PROJECT}")
    return {state.name: _fact(state) for state in found}


def require_started(run: NodesRun, node: str, names: Sequence[str], result: CommandResult) -> bool:
    """Raises DeployError when podman-compose, which always says that all went well, started not all."""
    if run.settings.engine != "podman":
        return True
    there = container_states(run, node)
    missing = [name for name in names if name not in there or there[name].status.startswith("Created")]
    if missing:
        said = run.settings.masker(result.stderr_text)
        errors = [line.removeprefix("Error: ") for line in said.splitlines() if line.startswith("Error: ")]
        problem = errors[-1] if errors else said[-300:]  # the first ones only say what was not there yet
        raise DeployError(
            f"cannot start {', '.join(missing)}: {problem}", hint_for(said), node=node, details=said
        )
    return True


def diagnostics(run: NodesRun, node: str, service: str) -> str:
    """The last log lines and the last health output of a service, secrets masked."""
    transport = run.transports[node]
    if run.settings.engine == "podman":
        logs = transport.run(docker_commands.logs("podman", service, LOG_LINES))
        text = (logs.stdout + logs.stderr).decode("utf-8", "replace")
    else:
        text = _quietly(lambda: _engine(run, node).logs(service, LOG_LINES))
    health = transport.run(docker_commands.health_output(run.settings.engine, service))
    log, said = (run.settings.masker(one).rstrip() for one in (text, health.text))
    parts = [f"--- {node}/{service}: last {LOG_LINES} log lines", collapse_repeats(log) or "(no log)"]
    if health.ok and said.strip():
        parts += [f"--- {node}/{service}: health check said", collapse_repeats(said.strip())]
    return "\n".join(parts)


def pull(run: NodesRun, node: str, image: str, text: str) -> None:
    """Pull one image, telling its progress in bytes. Raises DeployError when it cannot be had."""

    def bring() -> bool:
        try:
            if run.settings.engine == "podman":
                _pull_with_podman(run, node, image)
            else:
                _pull_with_docker(run, node, image, text)
        except DeployError as error:
            error.hint = _pull_hint(error.message)
            raise
        return True

    run.gate.run_on_node(run.transports[node], f"pull {image}", bring)


def _pull_hint(said: str) -> str:
    if any(words in said.lower() for words in ("unauthorized", "authentication required", "access denied")):
        return LOGIN_HINT
    return IMAGE_HINT if hint_for(said) == hint_for("") else hint_for(said)


def _login_for(run: NodesRun, image: str) -> RegistryLogin | None:
    """The login of the answers, if the image comes from its registry: no other one is shown it."""
    login = run.settings.registry
    if login is None:
        return None
    server = login.server.partition("/")[0] or DOCKER_HUB
    return login if registry_host(image) == server else None


def _pull_with_docker(run: NodesRun, node: str, image: str, text: str) -> None:
    login = _login_for(run, image)
    auth = RegistryAuth(username=login.username, password=login.password) if login else None

    def tell(done: int, total: int) -> None:
        run.check_cancelled()
        run.emit(NodeProgress(node=node, text=text, done=done, total=total, unit="bytes"))

    engine = DockerEngine(run.transports[node], timeout=PULL_SILENCE)
    try:
        engine.pull(image, on_progress=tell, auth=auth)
    except DeployError:
        # The SDK asks as nobody; the node's own command may be logged in at the registry.
        if (
            auth
            or not run.transports[node].run(docker_commands.pull("docker", image), timeout=PULL_SILENCE).ok
        ):
            raise
    finally:
        engine.close()


def _pull_with_podman(run: NodesRun, node: str, image: str) -> None:
    transport, login = run.transports[node], _login_for(run, image)
    server = registry_host(image)
    if login:
        argv = docker_commands.login("podman", server, login.username)
        answer = transport.run(argv, stdin=login.password.reveal().encode() + b"\n")
        if not answer.ok:
            said = run.settings.masker(answer.stderr_text)[-300:]
            raise DeployError(f"cannot log in to the registry {server}: {said}", node=node)
    try:
        result = transport.run(docker_commands.pull("podman", image), timeout=PULL_SILENCE)
        if not result.ok:
            said = " ".join(run.settings.masker(result.stderr_text).split())[-300:]
            raise DeployError(f"cannot pull the image {image}: {said}", node=node)
    finally:
        if login:
            transport.run(docker_commands.logout("podman", server))


def _engine(run: NodesRun, node: str) -> DockerEngine:
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
