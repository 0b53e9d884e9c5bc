"""The chain of jump hosts to a node, with the credentials for each."""

from __future__ import annotations

from dataclasses import replace

from oz_installer.errors import ConnectError
from oz_installer.remote.ssh.config import SshEndpoint, resolve_host, split_jump
from oz_installer.remote.ssh.login.attempt import Credentials
from oz_installer.remote.ssh.login.hop import Hop
from oz_installer.remote.ssh.openssh.effective import prefetch
from oz_installer.remote.ssh.target import AskCode, AskSecret, SshTarget

MOST_HOPS = 8


def jump_chain(
    target: SshTarget, ask_secret: AskSecret | None, ask_code: AskCode | None = None
) -> list[tuple[Hop, tuple[str, ...]]]:
    """Return the hops to a node with the route to each, the node last. Raises ConnectError."""
    jumps = None if target.jump is None else _parts(target.jump)
    _prefetch_all(target, jumps or [])
    last = resolve_host(
        target.host,
        user=target.user,
        port=target.port,
        known_hosts=target.known_hosts,
        jumped=jumps is not None,
    )
    if jumps is None:
        jumps = _parts(last.jump or "")
    base = Credentials(
        key_file=target.key_file,
        key_passphrase=target.key_passphrase,
        ask_secret=ask_secret,
        ask_code=ask_code,
    )
    hops = [
        Hop(
            node=target.name,
            endpoint=endpoint,
            credentials=replace(base, password=target.jump_password),
            host_key=target.jump_host_key,
            jump=True,
        )
        for endpoint in _jump_endpoints(target, jumps, [])
    ]
    login = replace(base, password=target.password)
    hops.append(Hop(node=target.name, endpoint=last, credentials=login, host_key=target.host_key))
    names = [hop.endpoint.label for hop in hops]
    hops = [replace(hop, behind=tuple(names[:number])) for number, hop in enumerate(hops)]
    labels = [f"{hop.endpoint.label} {target.key_file or ''}" for hop in hops]
    return [(hop, tuple(labels[: number + 1])) for number, hop in enumerate(hops)]


def _parts(text: str) -> list[str]:
    """Split a list of jump hosts; ``none`` means no jump host."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    return [] if [part.lower() for part in parts] == ["none"] else parts


def _prefetch_all(target: SshTarget, jumps: list[str]) -> None:
    """Start to find out the settings of all hops at once."""
    for text in jumps:
        user, host, port = _split(target, text)
        prefetch(host, user, port)
    prefetch(target.host, target.user, target.port)


def _split(target: SshTarget, text: str) -> tuple[str | None, str, int | None]:
    try:
        return split_jump(text)
    except ValueError:
        raise ConnectError(
            f"{text.strip()!r} is not a jump host", "Write it as [user@]host[:port].", node=target.name
        ) from None


def _jump_endpoints(target: SshTarget, jumps: list[str], seen: list[str]) -> list[SshEndpoint]:
    """Return the jump hosts in order.

    The first one may have jump hosts of its own, as with ``ssh``."""
    endpoints: list[SshEndpoint] = []
    for number, text in enumerate(jumps):
        user, host, port = _split(target, text)
        endpoint = resolve_host(host, user=user, port=port, known_hosts=target.known_hosts, jumped=number > 0)
        if endpoint.label in seen or len(seen) == MOST_HOPS:
            raise ConnectError(
                f"the jump hosts form a loop: {' -> '.join([*seen, endpoint.label])}",
                "Correct ProxyJump in ~/.ssh/config: a jump host must not be reached through itself.",
                node=target.name,
            )
        seen.append(endpoint.label)
        if endpoint.jump:
            endpoints += _jump_endpoints(target, _parts(endpoint.jump), seen)
        endpoints.append(endpoint)
    return endpoints
