"""Commands of Docker, Podman and the three variants of Compose, as argv.

Pure: nothing runs here.

``engine`` is ``docker`` or ``podman``; ``folder`` is the install folder, whose ``current`` holds the
Compose files. All options are known to the oldest supported versions: docker-compose 1.27 and
podman-compose 1.2 (which has neither ``--project-directory`` nor ``rm``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

from oz_installer.frozen import dataclass

Argv = tuple[str, ...]

SERVICES_FILE = "current/compose.yaml"
JOBS_FILE = "current/jobs.yaml"
_VERSION = re.compile(r"(?<![\w.])v?(\d+(?:\.\d+)+)")


class ComposeVariant(Enum):
    """The three variants of Compose."""

    PLUGIN = "docker compose"
    V1 = "docker-compose"
    PODMAN = "podman-compose"


@dataclass(frozen=True, kw_only=True)
class ComposeTool:
    """A Compose found on a node: its variant, the argv that calls it, and its version."""

    variant: ComposeVariant
    argv: Argv
    version: tuple[int, ...] = ()


class _Dialect(NamedTuple):
    """The differences of an engine's commands.

    ``label``: the format of a label's value in ``ps``."""

    compose: tuple[tuple[ComposeVariant, Argv], ...]
    label: str
    reads_authfile: bool = False


_DIALECTS = {
    "docker": _Dialect(
        compose=((ComposeVariant.PLUGIN, ("docker", "compose")), (ComposeVariant.V1, ("docker-compose",))),
        label='{{{{.Label "{}"}}}}',
    ),
    "podman": _Dialect(
        compose=((ComposeVariant.PODMAN, ("podman-compose",)),),
        label='{{{{index .Labels "{}"}}}}',
        reads_authfile=True,
    ),
}


def parse_version(text: str) -> tuple[int, ...] | None:
    """Parse the first dotted version in a text; None without one.

    ``Docker version 20.10.24+dfsg1, build`` is (20, 10, 24)."""
    match = _VERSION.search(text)
    return tuple(int(part) for part in match.group(1).split(".")) if match else None


def detect_compose(engine: str, *, plugin: str, v1: str, podman_compose: str) -> ComposeTool | None:
    """Choose the Compose to use by the version that each printed (empty: not installed)."""
    # podman-compose prints the version of podman beside its own
    own = podman_compose.partition("podman-compose")[2] or podman_compose
    printed = {ComposeVariant.PLUGIN: plugin, ComposeVariant.V1: v1, ComposeVariant.PODMAN: own}
    for variant, argv in _DIALECTS[engine].compose:
        version = parse_version(printed[variant])
        if version is not None:
            return ComposeTool(variant=variant, argv=argv, version=version)
    return None


def _compose(tool: ComposeTool, project: str, folder: str, file: str) -> Argv:
    directory = () if tool.variant is ComposeVariant.PODMAN else ("--project-directory", f"{folder}/current")
    return (*tool.argv, "-p", project, *directory, "-f", f"{folder}/{file}")


def compose_up(
    tool: ComposeTool, project: str, folder: str, services: Sequence[str], file: str = SERVICES_FILE
) -> Argv:
    """Create or recreate exactly these services and start them, without their dependencies."""
    plain = () if tool.variant is ComposeVariant.PODMAN else ("--no-color",)
    options = ("--detach", "--no-deps", "--no-build", *plain)
    return (*_compose(tool, project, folder, file), "up", *options, *services)


def compose_create(tool: ComposeTool, project: str, folder: str, services: Sequence[str]) -> Argv:
    """Create or recreate exactly these services, without starting them."""
    plain = () if tool.variant is ComposeVariant.PODMAN else ("--no-color",)
    options = ("--no-start", "--no-deps", "--no-build", *plain)
    return (*_compose(tool, project, folder, SERVICES_FILE), "up", *options, *services)


def compose_run(
    tool: ComposeTool,
    project: str,
    folder: str,
    service: str,
    command: Sequence[str] = (),
    file: str = JOBS_FILE,
) -> Argv:
    """Run one job in a container that is removed afterwards; the exit status is the job's.

    Compose would warn of the services as orphans, because they are defined in another file."""
    quiet = () if tool.variant is ComposeVariant.PODMAN else ("env", "COMPOSE_IGNORE_ORPHANS=true")
    tail = ("run", "--rm", "--no-deps", "-T", service, *command)
    return (*quiet, *_compose(tool, project, folder, file), *tail)


def compose_down(tool: ComposeTool, project: str, folder: str, *, volumes: bool = False) -> Argv:
    """Stop and remove the project's containers and networks, and with ``volumes`` its volumes."""
    options = ("--remove-orphans", *(("--volumes",) if volumes else ()))
    return (*_compose(tool, project, folder, SERVICES_FILE), "down", *options)


def list_containers(engine: str, project: str, label: str) -> Argv:
    """List a project's containers, one per line: name, status, ``label``, image, with tabs."""
    value = _DIALECTS[engine].label.format(label)
    form = f"{{{{.Names}}}}\t{{{{.Status}}}}\t{value}\t{{{{.Image}}}}"
    wanted = f"label=com.docker.compose.project={project}"
    return (engine, "ps", "--all", "--no-trunc", "--filter", wanted, "--format", form)


def inspect_containers(engine: str, names: Sequence[str]) -> Argv:
    """Inspect containers; prints a JSON list."""
    return (engine, "container", "inspect", *names)


def logs(engine: str, name: str, lines: int) -> Argv:
    """Print the last lines of a container's log, on stdout and stderr as it wrote them."""
    return (engine, "logs", "--tail", str(lines), name)


def with_stderr(argv: Sequence[str]) -> Argv:
    """Redirect a command's stderr to stdout, so that its lines keep the order of writing."""
    return ("sh", "-c", 'exec "$@" 2>&1', "oz-install-in-order", *argv)


def health_output(engine: str, name: str) -> Argv:
    """Print the output of a container's last health checks; nothing without a health check."""
    form = "{{with .State.Health}}{{range .Log}}[{{.ExitCode}}] {{.Output}}{{println}}{{end}}{{end}}"
    return (engine, "container", "inspect", "--format", form, name)


def restart_container(engine: str, name: str, seconds: int = 30) -> Argv:
    """Restart one container; kill it after ``seconds``."""
    return (engine, "restart", "--time", str(seconds), name)


def start_container(engine: str, name: str) -> Argv:
    """Start a container that exists."""
    return (engine, "start", name)


def stop_containers(engine: str, names: Sequence[str], seconds: int = 30) -> Argv:
    """Stop containers; kill them after ``seconds``."""
    return (engine, "stop", "--time", str(seconds), *names)


def remove_containers(engine: str, names: Sequence[str]) -> Argv:
    """Stop and remove containers and their anonymous volumes; named volumes stay."""
    return (engine, "rm", "--force", "--volumes", *names)


def pull(engine: str, image: str, authfile: str | None = None) -> Argv:
    """Pull one image. ``authfile`` (Podman) holds credentials that replace the login's own."""
    extra = ("--authfile", authfile) if authfile and _DIALECTS[engine].reads_authfile else ()
    return (engine, "pull", "--quiet", *extra, image)


def login(engine: str, server: str, username: str) -> Argv:
    """Log in to a registry with the password on stdin.

    Docker keeps it in ~/.docker/config.json: for Docker prefer ``DockerEngine.pull`` with credentials."""
    return (engine, "login", "--username", username, "--password-stdin", server)


def logout(engine: str, server: str) -> Argv:
    """Delete a registry's credentials."""
    return (engine, "logout", server)
