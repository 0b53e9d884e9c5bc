"""What phases ask of a node's engine: states, logs, pulls. Docker through its SDK over the node's own
SSH connection; Podman, which the SDK does not speak to, through its command."""

from __future__ import annotations

from collections.abc import Mapping

from oz_installer.deploy.events import NodeProgress
from oz_installer.deploy.facts import ContainerFact, parse_containers
from oz_installer.deploy.run import Run, hint_for
from oz_installer.errors import DeployError
from oz_installer.remote import commands
from oz_installer.render.compose import DIGEST_LABEL, PROJECT

LOG_LINES = 20


def states(run: Run, node: str) -> Mapping[str, ContainerFact]:
    """Every container of the project on a node, by name."""
    argv = commands.list_containers(run.settings.engine, PROJECT, DIGEST_LABEL)
    return parse_containers(run.transports[node].run(argv, check=True).text)


def why(run: Run, node: str, service: str) -> str:
    """The last log lines and the last health output of a service, secrets masked."""
    transport, engine = run.transports[node], run.settings.engine
    logs = transport.run(commands.logs(engine, service, LOG_LINES))
    health = transport.run(commands.health_output(engine, service))
    text = (logs.stdout + logs.stderr).decode("utf-8", "replace").rstrip()
    parts = [f"--- {node}/{service}: last {LOG_LINES} log lines", text or "(no log)"]
    if health.ok and health.text.strip() not in ("", "<no value>", "null"):
        parts += [f"--- {node}/{service}: health check said", health.text.strip()]
    return run.settings.masker("\n".join(parts))


def pull(run: Run, node: str, image: str, text: str) -> None:
    """Pull one image, telling its progress. Raises DeployError when it cannot be had."""
    result = run.gate.change(
        run.transports[node], f"pull {image}", commands.pull(run.settings.engine, image), timeout=900
    )
    if not result.ok:
        said = result.errors or result.text.strip()
        raise DeployError(
            f"cannot pull the image {image}: {' '.join(said.split())[:300]}",
            "Is its name right (answers: images), and can the node reach the registry (answers: registry)?"
            if hint_for(said) == hint_for("")
            else hint_for(said),
            node=node,
        )
    run.emit(NodeProgress(node=node, text=text))
