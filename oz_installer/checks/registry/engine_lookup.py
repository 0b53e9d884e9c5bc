"""Lets a node's own engine ask a registry: with its proxy, mirrors, authorities and logins."""

from __future__ import annotations

import base64
import json

from oz_installer.checks.registry.facts import Ended, LookupResult
from oz_installer.checks.registry.http_client import SECONDS
from oz_installer.errors import ConnectError, DeployError
from oz_installer.remote.docker_engine import DockerEngine, RegistryAuth
from oz_installer.remote.image_reference import registry_host
from oz_installer.remote.transport import TIMED_OUT, Transport
from oz_installer.text import safe_line

_STATES: dict[int, Ended] = {401: "refused", 403: "refused", 404: "missing"}


def look_up_by_engine(
    transport: Transport, engine: str, image: str, login: RegistryAuth | None, platform: str
) -> LookupResult:
    """What the engine learns of an image. Downloads nothing, keeps nothing on the node."""
    if engine == "podman":
        return _podman(transport, image, login)
    docker = DockerEngine(transport, timeout=SECONDS)
    try:
        told = docker.distribution(image, login)
    except (DeployError, ConnectError) as error:
        return LookupResult(outcome="error", said=safe_line(error.message))
    finally:
        docker.close()
    if told.status == 200:
        wrong = told.platforms and platform and platform not in told.platforms
        others = tuple(safe_line(one) for one in told.platforms)
        return LookupResult(outcome="platform", others=others) if wrong else LookupResult(outcome="in")
    if login is None and told.status in _STATES and _with_own_login(transport, image):
        return LookupResult(outcome="in")
    return LookupResult(outcome=_STATES.get(told.status, "error"), said=safe_line(told.message))


def _with_own_login(transport: Transport, image: str) -> bool:
    """Whether the node's docker command may read it: a pull falls back to its login."""
    argv = ("timeout", f"{SECONDS:.0f}", "docker", "manifest", "inspect", image)
    return transport.run(argv, timeout=2 * SECONDS).ok


def _podman(transport: Transport, image: str, login: RegistryAuth | None) -> LookupResult:
    """Podman reads a login from a file only: it gets stdin as one."""
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
        return LookupResult(outcome="error", said=f"no answer within {SECONDS:.0f} s")
    return LookupResult(
        outcome="error", said=safe_line(result.stderr_text.splitlines()[-1] if result.stderr_text else "")
    )
