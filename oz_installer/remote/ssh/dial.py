"""Connecting to an endpoint: socket, handshake, host key, login."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from oz_installer.errors import ConnectError
from oz_installer.remote.ssh.auth import authenticate
from oz_installer.remote.ssh.keepalive import KeepaliveTransport, set_tcp_options
from oz_installer.remote.ssh.known_hosts import KnownKey
from oz_installer.remote.ssh.login.hop import Hop
from oz_installer.remote.ssh.login.host_key import check_host_key as _check_host_key
from oz_installer.remote.ssh.login.host_key import family_of, key_types_to_ask, known_keys, no_key
from oz_installer.remote.ssh.openssh.unsupported import ROUTE, unused_hint
from oz_installer.remote.ssh.paramiko_import import IncompatiblePeer, paramiko
from oz_installer.remote.ssh.target import AcceptHostKey

__all__ = ["Hop", "_check_host_key", "dial", "socket_error"]

BUSY_SECONDS = 15.0

ChooseKeyTypes = Callable[[tuple[str, ...]], tuple[str, ...]]
"""Selects from paramiko's host key types those to accept, the preferred one first."""


class _Busy(Exception):
    """The connection was closed before sshd's banner: MaxStartups or a penalty; try again."""


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
    known: list[KnownKey] = []
    if hop.host_key is not None:
        families: list[ChooseKeyTypes] = [partial(family_of, family) for family in ("", "ecdsa", "rsa")]
    else:
        known = known_keys(hop)
        families = [partial(key_types_to_ask, known)]
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
    raise refusal or no_key(hop)


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
    return ConnectError(message, hint + unused_hint(hop.endpoint.unused, ROUTE), node=hop.node)
