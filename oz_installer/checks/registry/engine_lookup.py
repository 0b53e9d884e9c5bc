"""Image lookup by a node's own engine, with its proxy, mirrors, CA certificates and logins."""

from __future__ import annotations

import base64
import json

from oz_installer.checks.registry.facts import LookupResult, RegistryOutcome
from oz_installer.checks.registry.http_client import SECONDS
from oz_installer.errors import ConnectError, DeployError
from oz_installer.image_reference import registry_host
from oz_installer.remote.docker_engine import DockerEngine, RegistryAuth
from oz_installer.remote.transport import TIMED_OUT, Transport
from oz_installer.text import safe_line

_STATES: dict[int, RegistryOutcome] = {401: "refused", 403: "refused", 404: "missing"}


def look_up_by_engine(
    transport: Transport, engine: str, image: str, login: RegistryAuth | None, platform: str
) -> LookupResult:
    """Look up an image by the engine. Downloads nothing and leaves nothing on the node."""
    return _LOOKUPS[engine](transport, image, login, platform)


def _docker(transport: Transport, image: str, login: RegistryAuth | None, platform: str) -> LookupResult:
    docker = DockerEngine(transport, timeout=SECONDS)
    try:
        answer = docker.distribution(image, login)
    except (DeployError, ConnectError) as error:
        return LookupResult(outcome="error", message=safe_line(error.message))
    finally:
        docker.close()
    if answer.status == 200:
        mismatch = answer.platforms and platform and platform not in answer.platforms
        others = tuple(safe_line(one) for one in answer.platforms)
        return LookupResult(outcome="platform", others=others) if mismatch else LookupResult(outcome="in")
    if login is None and answer.status in _STATES and _with_own_login(transport, image):
        return LookupResult(outcome="in")
    return LookupResult(outcome=_STATES.get(answer.status, "error"), message=safe_line(answer.message))


def _with_own_login(transport: Transport, image: str) -> bool:
    """Return whether the node's docker login can read the image; a pull falls back to it."""
    argv = ("timeout", f"{SECONDS:.0f}", "docker", "manifest", "inspect", image)
    return transport.run(argv, timeout=2 * SECONDS).ok


def _podman(transport: Transport, image: str, login: RegistryAuth | None, _platform: str) -> LookupResult:
    """Look up an image by Podman, which reads a login from a file only: here from /dev/stdin."""
    argv: tuple[str, ...] = ("timeout", f"{SECONDS:.0f}", "podman", "manifest", "inspect", image)
    stdin = b""
    if login:
        argv = ("env", "REGISTRY_AUTH_FILE=/dev/stdin", *argv)
        pair = base64.b64encode(f"{login.username}:{login.password.reveal()}".encode()).decode()
        stdin = json.dumps({"auths": {registry_host(image): {"auth": pair}}}).encode()
    result = transport.run(argv, stdin=stdin, timeout=2 * SECONDS)
    if result.ok:
        return LookupResult(outcome="in")
    if result.status in TIMED_OUT:
        return LookupResult(outcome="error", message=f"no answer within {SECONDS:.0f} s")
    return LookupResult(
        outcome="error", message=safe_line(result.stderr_text.splitlines()[-1] if result.stderr_text else "")
    )


_LOOKUPS = {"docker": _docker, "podman": _podman}
