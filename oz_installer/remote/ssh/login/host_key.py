"""Judgement on a server's host key: known_hosts, certificates, what the operator accepts."""

from __future__ import annotations

import shlex
import threading
from dataclasses import replace
from pathlib import Path

from oz_installer.errors import ConnectError
from oz_installer.remote.ssh.keepalive import KeepaliveTransport
from oz_installer.remote.ssh.known_hosts import (
    HostKeyStatus,
    KnownKey,
    fingerprint,
    keys_named,
    match_host_key,
    pinned_fingerprint,
    read_host_keys,
    read_revoked,
)
from oz_installer.remote.ssh.login.hop import Hop
from oz_installer.remote.ssh.openssh.unsupported import HOST_KEY, unused_hint
from oz_installer.remote.ssh.target import AcceptHostKey, HostKeyQuestion, HostKeyRefused

DEFAULT_PORT = 22

_accepted: dict[str, str] = {}
_accepting = threading.Lock()


def known_keys(hop: Hop) -> list[KnownKey]:
    """Return the keys and certificate authorities that known_hosts names for a hop.

    As OpenSSH does, a name without the port counts where none with the port is known."""
    every = read_host_keys(hop.endpoint.known_hosts)
    named = keys_named(every, hop.known_name)
    if not named and not hop.endpoint.host_key_alias and hop.endpoint.port != DEFAULT_PORT:
        named = [replace(key, without_port=True) for key in keys_named(every, hop.endpoint.host.lower())]
    if hop.endpoint.revoked_host_keys is not None:
        named = [*named, *read_revoked(hop.endpoint.revoked_host_keys)]
    return named


def check_host_key(
    hop: Hop, known: list[KnownKey], transport: KeepaliveTransport, on_unknown: AcceptHostKey | None
) -> None:
    """Raise ConnectError unless the server's host key is the right one."""
    key = transport.get_remote_server_key()
    shown = fingerprint(key.asbytes())
    if hop.host_key is not None:
        wanted = pinned_fingerprint(hop.host_key)
        if wanted != shown:
            raise _not_pinned(hop, shown, wanted or hop.host_key)
        return
    certificate = getattr(key, "public_blob", None)
    problem = _certificate_problem(hop, known, certificate.key_blob) if certificate else None
    status = match_host_key(known, key.asbytes())
    if status is HostKeyStatus.REVOKED:
        message = f"the host key {shown} of {hop.known_name} is marked as revoked"
        raise _refused(hop, message, "Find out why it was revoked before you go on.", shown, changed=True)
    if problem == "" or status is HostKeyStatus.KNOWN:
        return
    if problem:
        raise _refused(
            hop,
            f"the certificate of the host key {shown} of {hop.known_name} is not accepted: {problem}",
            "Have the host key signed again (ssh-keygen -s CA -h -n NAME), or set `host_key` of the node.",
            shown,
            changed=True,
        )
    if status is HostKeyStatus.CHANGED:
        plain = [item for item in known if not (item.authority or item.revoked or item.without_port)]
        same = [item for item in plain if item.key_type == key.get_name()] or plain
        raise _changed(hop, shown, fingerprint(same[0].blob), same[0].where)
    with _accepting:
        _confirm_unknown(hop, key.get_name(), shown, on_unknown)


def _certificate_problem(hop: Hop, known: list[KnownKey], certificate: bytes) -> str | None:
    from oz_installer.remote.ssh.login.host_certificate import certificate_problem

    revoked = {item.blob for item in known if item.revoked}
    trusted = {item.blob for item in known if item.authority} - revoked
    name = hop.endpoint.host_key_alias or hop.endpoint.host
    return certificate_problem(certificate, name, trusted)


def _confirm_unknown(hop: Hop, key_type: str, shown: str, on_unknown: AcceptHostKey | None) -> None:
    address = hop.known_name
    accepted = _accepted.get(address)
    if accepted == shown:
        return
    if accepted is not None:
        raise _changed(hop, shown, accepted, "what was accepted earlier in this run")
    host, port = hop.endpoint.host_key_alias or hop.endpoint.host, hop.endpoint.port
    question = HostKeyQuestion(node=hop.node, host=host, port=port, key_type=key_type, fingerprint=shown)
    if on_unknown is not None and on_unknown(question):
        _accepted[address] = shown
        return
    what = "jump host " if hop.jump else ""
    answer = "" if hop.jump else f'set `host_key: "{shown}"` of the node, or '
    raise _refused(
        hop,
        f"the host key of {what}{address} is unknown: {key_type} {shown}",
        f"If this is the right machine, {answer}run: {keyscan_command(hop)}"
        + unused_hint(hop.endpoint.unused, HOST_KEY),
        shown,
        changed=False,
    )


def keyscan_command(hop: Hop) -> str:
    """Return the command that adds the host key to the first known_hosts file that is read."""
    endpoint = hop.endpoint
    command = f"ssh-keyscan -p {endpoint.port} {shlex.quote(endpoint.host)}"
    if hop.behind:
        *before, last = (f"ssh://{name}" for name in hop.behind)
        jump = f"-J {','.join(before)} " if before else ""
        command = f"ssh {jump}{last} {command}"
    if endpoint.host_key_alias:
        command += f" | sed 's/^[^ ]*/{endpoint.host_key_alias}/'"
    return f"{command} >> {_file_text(_first_file(endpoint.known_hosts))}"


def _first_file(paths: tuple[Path, ...]) -> Path:
    usable = [path for path in paths if path != Path("/dev/null")]
    return usable[0] if usable else Path.home() / ".ssh" / "known_hosts"


def _file_text(path: Path) -> str:
    """Return a path for a shell, with ~ for the home directory."""
    try:
        return f"~/{shlex.quote(str(path.relative_to(Path.home())))}"
    except ValueError:
        return shlex.quote(str(path))


def _not_pinned(hop: Hop, shown: str, wanted: str) -> HostKeyRefused:
    return _refused(
        hop,
        f"{hop.known_name} shows the host key {shown}, but its `host_key` in the answers is {wanted}",
        "On the server, run: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub (or another of its keys). "
        "If it prints the shown fingerprint, correct `host_key`; if not, somebody may be intercepting the "
        "connection.",
        shown,
        changed=True,
    )


def _changed(hop: Hop, shown: str, wanted: str, where: str) -> HostKeyRefused:
    path = Path(where.rpartition(":")[0])
    usual = not path.is_absolute() or path == Path.home() / ".ssh" / "known_hosts"
    file = "" if usual else f"-f {_file_text(path)} "
    return _refused(
        hop,
        f"the host key of {hop.known_name} has changed: it shows {shown}, but {where} says {wanted}",
        "Find out whether the machine was reinstalled or somebody is intercepting the connection; "
        f"if it was reinstalled, run: ssh-keygen {file}-R '{hop.known_name}'",
        shown,
        changed=True,
    )


def _refused(hop: Hop, message: str, hint: str, shown: str, *, changed: bool) -> HostKeyRefused:
    return HostKeyRefused(message, hint, node=hop.node, fingerprint=shown, changed=changed, jump=hop.jump)


def key_types_to_ask(known: list[KnownKey], offered: tuple[str, ...]) -> tuple[str, ...]:
    """Sort the ``offered`` host key algorithms: those of the known keys first.

    Where an authority is known, certificates come before them."""
    from oz_installer.remote.ssh.known_hosts import preferred_key_types
    from oz_installer.remote.ssh.login.key_files import CERTIFICATE

    plain = preferred_key_types(known, offered)
    if not any(key.authority for key in known):
        return plain
    return (*(f"{name}{CERTIFICATE}" for name in plain), *plain)


def family_of(family: str, offered: tuple[str, ...]) -> tuple[str, ...]:
    """Return the algorithms of a family, such as ``rsa``."""
    return tuple(name for name in offered if name.startswith(family))


def no_key(hop: Hop) -> ConnectError:
    """Return the error for a server that showed no key at all."""
    return ConnectError("no host key", "Check that the port is SSH.", node=hop.node)
