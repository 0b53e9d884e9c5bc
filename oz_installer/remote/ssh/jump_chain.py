"""The chain of jump hosts to a node, with the credentials for each."""

from __future__ import annotations

from oz_installer.errors import ConnectError
from oz_installer.remote.ssh.auth import Credentials
from oz_installer.remote.ssh.config import resolve_host, split_jump
from oz_installer.remote.ssh.dial import Hop
from oz_installer.remote.ssh.target import AskSecret, SshTarget


def jump_chain(target: SshTarget, ask_secret: AskSecret | None) -> list[Hop]:
    """Return the hops to a node, the node last. Raises ConnectError."""
    last = resolve_host(target.host, user=target.user, port=target.port, known_hosts=target.known_hosts)
    jump = last.jump if target.jump is None else target.jump
    hops = [_jump_hop(target, text, ask_secret) for text in (jump or "").split(",") if text.strip()]
    login = Credentials(
        key_file=target.key_file,
        key_passphrase=target.key_passphrase,
        password=target.password,
        ask_secret=ask_secret,
    )
    return [*hops, Hop(node=target.name, endpoint=last, credentials=login, host_key=target.host_key)]


def _jump_hop(target: SshTarget, text: str, ask_secret: AskSecret | None) -> Hop:
    try:
        user, host, port = split_jump(text)
    except ValueError:
        raise ConnectError(
            f"{text.strip()!r} is not a jump host", "Write it as [user@]host[:port].", node=target.name
        ) from None
    endpoint = resolve_host(host, user=user, port=port, known_hosts=target.known_hosts)
    login = Credentials(
        key_file=target.key_file,
        key_passphrase=target.key_passphrase,
        password=target.jump_password,
        ask_secret=ask_secret,
    )
    return Hop(
        node=target.name, endpoint=endpoint, credentials=login, host_key=target.jump_host_key, jump=True
    )
