"""Connecting to an endpoint: socket, handshake, host key, login."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from oz_installer.errors import ConnectError
from oz_installer.frozen import dataclass
from oz_installer.remote.ssh.auth import Credentials, authenticate
from oz_installer.remote.ssh.config import SshEndpoint
from oz_installer.remote.ssh.keepalive import KeepaliveTransport, set_tcp_options
from oz_installer.remote.ssh.known_hosts import (
    HostKeyStatus,
    KnownKey,
    fingerprint,
    keys_for,
    lookup_name,
    match_host_key,
    pinned_fingerprint,
    preferred_key_types,
    read_known_hosts,
)
from oz_installer.remote.ssh.paramiko_import import IncompatiblePeer, paramiko
from oz_installer.remote.ssh.target import AcceptHostKey, HostKeyQuestion, HostKeyRefused

BUSY_SECONDS = 15.0

ChooseKeyTypes = Callable[[tuple[str, ...]], tuple[str, ...]]
"""Selects from paramiko's host key types those to accept, the preferred one first."""

_accepted: dict[str, str] = {}
_accepting = threading.Lock()


class _Busy(Exception):
    """The connection was closed before sshd's banner: MaxStartups or a penalty; try again."""


@dataclass(frozen=True, kw_only=True)
class Hop:
    """A machine on the route with its credentials; ``jump``: a jump host, not the node itself."""

    node: str
    endpoint: SshEndpoint
    credentials: Credentials
    host_key: str | None = None
    jump: bool = False


def dial(
    hop: Hop, via: KeepaliveTransport | None, on_unknown: AcceptHostKey | None, timeout: float
) -> KeepaliveTransport:
    """Connect and log in; ``timeout`` in seconds for each step. Raises ConnectError."""
    transport = _shake_hands(hop, via, on_unknown, timeout)
    try:
        transport.auth_timeout = timeout
        authenticate(transport, hop.endpoint, hop.credentials)
    except BaseException:
        transport.close()
        raise
    transport.start_keepalive()
    return transport


def _shake_hands(
    hop: Hop, via: KeepaliveTransport | None, on_unknown: AcceptHostKey | None, timeout: float
) -> KeepaliveTransport:
    """Connect and accept the host key.

    Tries other key types when the pinned key is not of the type that the server prefers."""
    known = keys_for(read_known_hosts(hop.endpoint.known_hosts), hop.endpoint.key_alias, hop.endpoint.port)
    families: list[ChooseKeyTypes] = [partial(preferred_key_types, known)]
    if hop.host_key is not None:
        families = [partial(_key_types_of, family) for family in ("", "ecdsa", "rsa")]
    refusal: ConnectError | None = None
    for key_types in families:
        try:
            transport = _negotiate(hop, via, key_types, timeout)
        except ConnectError as error:
            raise (refusal or error) from None
        try:
            _check_host_key(hop, known, transport, on_unknown)
        except BaseException as error:
            transport.close()
            if not isinstance(error, ConnectError) or hop.host_key is None:
                raise
            refusal = refusal or error
            continue
        return transport
    raise refusal or ConnectError("no host key", node=hop.node)


def _key_types_of(family: str, offered: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in offered if name.startswith(family))


def _negotiate(
    hop: Hop, via: KeepaliveTransport | None, key_types: ChooseKeyTypes, timeout: float
) -> KeepaliveTransport:
    time_limit = min(BUSY_SECONDS, timeout)
    deadline = time.monotonic() + time_limit
    pause = 0.3
    while True:
        try:
            return _negotiate_once(hop, via, key_types, timeout)
        except _Busy as error:
            pause *= 1.5
            rest = random.uniform(0.5, 1.0) * pause  # noqa: S311
            if time.monotonic() + rest > deadline:
                raise ConnectError(
                    f"sshd at {hop.endpoint.label} closes the connection before sending its banner "
                    f"({error}); tried for {time_limit:.0f} s",
                    "Check that the port is SSH; sshd may be at MaxStartups, or may be penalising this "
                    "address (PerSourcePenalties).",
                    node=hop.node,
                ) from None
            time.sleep(rest)


def _negotiate_once(
    hop: Hop, via: KeepaliveTransport | None, key_types: ChooseKeyTypes, timeout: float
) -> KeepaliveTransport:
    transport = KeepaliveTransport(_open_socket(hop, via, timeout))
    security = transport.get_security_options()
    security.key_types = key_types(tuple(security.key_types))
    transport.banner_timeout = transport.handshake_timeout = timeout
    begin = time.monotonic()
    try:
        transport.start_client(timeout=timeout)
        if not transport.initial_kex_done:
            raise TimeoutError
        return transport
    except (paramiko.SSHException, EOFError, OSError) as error:
        transport.close()
        late = time.monotonic() - begin >= timeout * 0.9 or isinstance(error, TimeoutError)
        raise _handshake_error(hop, error, late, transport.remote_version, timeout) from None


def _handshake_error(hop: Hop, error: Exception, late: bool, version: str, timeout: float) -> Exception:
    address = hop.endpoint.label
    if late:
        return ConnectError(
            f"{address} accepted the connection but did not finish the SSH handshake in {timeout:.0f} s",
            "Check that sshd is running there, and that this is its port.",
            node=hop.node,
        )
    if isinstance(error, IncompatiblePeer):
        return ConnectError(
            f"{address} and oz-install have no SSH algorithm in common: {error}",
            "Update sshd there, or allow a newer algorithm in its sshd_config.",
            node=hop.node,
        )
    if not version or isinstance(error, EOFError | ConnectionResetError):
        return _Busy(str(error) or type(error).__name__)
    return ConnectError(f"the SSH handshake with {address} failed: {error}", "", node=hop.node)


def _open_socket(hop: Hop, via: KeepaliveTransport | None, timeout: float) -> Any:
    host, port = hop.endpoint.host, hop.endpoint.port
    try:
        if via is not None:
            return via.open_channel("direct-tcpip", (host, port), ("127.0.0.1", 0), timeout=timeout)
        sock = socket.create_connection((host, port), timeout=timeout)
    except (OSError, paramiko.SSHException, UnicodeError) as error:
        raise socket_error(error, hop, via is not None, timeout) from None
    set_tcp_options(sock)
    return sock


def socket_error(error: Exception, hop: Hop, jumped: bool, timeout: float) -> ConnectError:
    """Turn the error of a failed connection into a message and a hint."""
    host, port = hop.endpoint.host, hop.endpoint.port
    if jumped:
        message, hint = (
            f"the jump host could not reach {host}:{port} ({error})",
            "Check the address as the jump host sees it, and AllowTcpForwarding in its sshd_config.",
        )
    elif isinstance(error, socket.gaierror | UnicodeError):
        message, hint = (
            f"host name {host} does not resolve",
            "Correct `host` of the node (try `getent hosts` with it), or set its address.",
        )
    elif isinstance(error, ConnectionRefusedError):
        message, hint = (
            f"port {port} of {host} is closed",
            "Check that sshd is running there, and `port` of the node.",
        )
    elif isinstance(error, TimeoutError):
        message, hint = (
            f"{host}:{port} did not answer within {timeout:.0f} s",
            "Check that the machine is on and that no firewall drops the packets, or set a `jump` host.",
        )
    else:
        reason = getattr(error, "strerror", None) or str(error)
        message, hint = f"{host}:{port} cannot be reached: {reason}", "Check address, route and firewall."
    return ConnectError(message, hint, node=hop.node)


def _check_host_key(
    hop: Hop, known: list[KnownKey], transport: KeepaliveTransport, on_unknown: AcceptHostKey | None
) -> None:
    key = transport.get_remote_server_key()
    shown = fingerprint(key.asbytes())
    address = lookup_name(hop.endpoint.key_alias, hop.endpoint.port)
    if hop.host_key is not None:
        wanted = pinned_fingerprint(hop.host_key)
        if wanted != shown:
            raise _not_pinned(hop, address, shown, wanted or hop.host_key)
        return
    status = match_host_key(known, key.asbytes())
    if status is HostKeyStatus.KNOWN:
        return
    if status is HostKeyStatus.REVOKED:
        raise _refused(
            hop, f"the host key {shown} of {address} is marked as revoked", "", shown, changed=True
        )
    if status is HostKeyStatus.CHANGED:
        same = [item for item in known if item.key_type == key.get_name()] or known
        raise _changed(hop, address, shown, fingerprint(same[0].blob), same[0].where)
    with _accepting:
        _confirm_unknown(hop, address, key.get_name(), shown, on_unknown)


def _confirm_unknown(
    hop: Hop, address: str, key_type: str, shown: str, on_unknown: AcceptHostKey | None
) -> None:
    accepted = _accepted.get(address)
    if accepted == shown:
        return
    if accepted is not None:
        raise _changed(hop, address, shown, accepted, "what was accepted earlier in this run")
    host, port = hop.endpoint.key_alias, hop.endpoint.port
    question = HostKeyQuestion(node=hop.node, host=host, port=port, key_type=key_type, fingerprint=shown)
    if on_unknown is not None and on_unknown(question):
        _accepted[address] = shown
        return
    what = "jump host " if hop.jump else ""
    answer = "" if hop.jump else f'set `host_key: "{shown}"` of the node, or '
    raise _refused(
        hop,
        f"the host key of {what}{address} is unknown: {key_type} {shown}",
        f"If this is the right machine, {answer}run: ssh-keyscan -p {port} {host} >> ~/.ssh/known_hosts",
        shown,
        changed=False,
    )


def _not_pinned(hop: Hop, address: str, shown: str, wanted: str) -> HostKeyRefused:
    return _refused(
        hop,
        f"{address} shows the host key {shown}, but its `host_key` in the answers is {wanted}",
        "On the server, run: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub (or another of its keys). "
        "If it prints the shown fingerprint, correct `host_key`; if not, somebody may be intercepting the "
        "connection.",
        shown,
        changed=True,
    )


def _changed(hop: Hop, address: str, shown: str, wanted: str, where: str) -> HostKeyRefused:
    return _refused(
        hop,
        f"the host key of {address} has changed: it shows {shown}, but {where} says {wanted}",
        "Find out whether the machine was reinstalled or somebody is intercepting the connection; "
        f"if it was reinstalled, run: ssh-keygen -R '{address}'",
        shown,
        changed=True,
    )


def _refused(hop: Hop, message: str, hint: str, shown: str, *, changed: bool) -> HostKeyRefused:
    return HostKeyRefused(message, hint, node=hop.node, fingerprint=shown, changed=changed, jump=hop.jump)
