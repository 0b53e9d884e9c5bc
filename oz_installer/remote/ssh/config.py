"""Hosts and endpoints as the OpenSSH configuration describes them."""

from __future__ import annotations

import getpass
import os
from pathlib import Path

from oz_installer.errors import ConnectError
from oz_installer.frozen import dataclass
from oz_installer.remote.ssh.openssh.effective import effective_settings
from oz_installer.remote.ssh.openssh.patterns import split_paths
from oz_installer.remote.ssh.openssh.query import HostQuery, Settings, first, is_on
from oz_installer.remote.ssh.openssh.tokens import TokenValues, expand
from oz_installer.remote.ssh.openssh.unsupported import unused_settings
from oz_installer.text import parse_int, safe_line

USUAL_KEYS = tuple(
    f"~/.ssh/id_{kind}" for kind in ("rsa", "ecdsa", "ecdsa_sk", "ed25519", "ed25519_sk", "xmss", "dsa")
)
USUAL_KNOWN_HOSTS = "~/.ssh/known_hosts ~/.ssh/known_hosts2"
SYSTEM_KNOWN_HOSTS = "/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2"
METHODS = {
    "publickey": "pubkeyauthentication",
    "keyboard-interactive": "kbdinteractiveauthentication",
    "password": "passwordauthentication",
}


@dataclass(frozen=True, kw_only=True)
class SshEndpoint:
    """One hop: address, login, keys to try, and the known_hosts files for its host key.

    ``agent``: the socket of the SSH agent; None for no agent. ``methods`` are the ways to log in that the
    configuration allows, ``unused`` its settings that oz-install does not support.
    """

    host: str
    port: int
    user: str
    host_key_alias: str | None = None
    key_files: tuple[Path, ...] = ()
    certificate_files: tuple[Path, ...] = ()
    identities_only: bool = False
    agent: str | None = None
    methods: tuple[str, ...] = tuple(METHODS)
    jump: str | None = None
    known_hosts: tuple[Path, ...] = ()
    revoked_host_keys: Path | None = None
    unused: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The hop as an operator types it."""
        return f"{self.user}@{self.host}" + (f":{self.port}" if self.port != 22 else "")


def split_jump(text: str) -> tuple[str | None, str, int | None]:
    """Split ``[user@]host[:port]``; a host with colons is in brackets. Raises ValueError."""
    user, at, address = text.strip().removeprefix("ssh://").rpartition("@")
    if address.startswith("["):
        host, bracket, port = address[1:].partition("]")
        if not bracket or (port and not port.startswith(":")):
            raise ValueError(text)
        port = port[1:]
    elif address.count(":") == 1:
        host, _, port = address.partition(":")
    else:
        host, port = address, ""
    if not host or (at and not user):
        raise ValueError(text)
    return (user or None), host, (int(port) if port else None)


@dataclass(frozen=True, kw_only=True)
class SshHost:
    """A Host of ~/.ssh/config with its settings; None for one that is not set."""

    name: str
    host: str
    user: str | None = None
    port: int | None = None
    key_file: Path | None = None
    jump: str | None = None


def list_hosts() -> tuple[SshHost, ...]:
    """List the Hosts of ~/.ssh/config and its Includes that name one machine each.

    Patterns and hosts behind a proxy command are left out. Raises ConnectError for an invalid file."""
    from oz_installer.remote.ssh.openssh.reader import ConfigReader

    reader = ConfigReader()
    queries = [HostQuery(host=name) for name in reader.hosts()]
    found = [(query, reader.settings(query, strict=False)) for query in queries]
    return tuple(_ssh_host(query, settings) for query, settings in found if _proxy_command(settings) is None)


def _proxy_command(settings: Settings) -> str | None:
    command = first(settings, "proxycommand", "none")
    return None if command.lower() == "none" or _jump(settings) is not None else command


def _jump(settings: Settings) -> str | None:
    jump = first(settings, "proxyjump", "none")
    return None if jump.lower() == "none" else jump


def _ssh_host(query: HostQuery, settings: Settings) -> SshHost:
    port = parse_int(first(settings, "port"))
    values = _values(query, settings, port or 22)
    keys = [expand(name, values, "IdentityFile") for name in settings.get("identityfile", ())]
    return SshHost(
        name=query.host,
        host=values.host,
        user=first(settings, "user") or None,
        port=port,
        key_file=Path(keys[0]) if keys and keys[0].lower() != "none" else None,
        jump=values.jump or None,
    )


def _port(text: str, host: str) -> int:
    """Return the port. Raises ConnectError for anything else."""
    number = parse_int(text)
    if number is None or not 0 < number < 65536:
        raise ConnectError(
            f"~/.ssh/config has no port for {host} but {safe_line(text, 60)!r}",
            "Write a number from 1 to 65535 after Port.",
        )
    return number


def _values(query: HostQuery, settings: Settings, port: int) -> TokenValues:
    login = getpass.getuser()
    values = TokenValues(
        original=query.host,
        host=first(settings, "hostname", query.host),
        port=port,
        user=query.user or first(settings, "user") or login,
        login=login,
        alias=first(settings, "hostkeyalias").lower(),
    )
    jump = _jump(settings)
    if jump is None:
        return values
    from dataclasses import replace

    return replace(values, jump=expand(jump, values, "ProxyJump"))


def resolve_host(
    host: str,
    *,
    user: str | None = None,
    port: int | None = None,
    known_hosts: Path | None = None,
    jumped: bool = False,
) -> SshEndpoint:
    """Complete a host by the OpenSSH configuration.

    ``jumped``: the way to it is known, so that its ProxyJump and ProxyCommand do not matter, as with
    ``ssh -J``. Raises ConnectError for an invalid configuration, and for a proxy command."""
    query = HostQuery(host=host, user=user, port=port)
    settings = effective_settings(query)
    values = _values(query, settings, port or _port(first(settings, "port", "22"), host))
    if _proxy_command(settings) and not jumped:
        raise ConnectError(
            f"~/.ssh/config reaches {host} by a ProxyCommand, which oz-install does not run",
            "Set the machine in between as `jump:` of the node, or as ProxyJump in ~/.ssh/config.",
        )

    return _endpoint(settings, values, known_hosts, jumped=jumped)


def _endpoint(
    settings: Settings, values: TokenValues, known_hosts: Path | None, *, jumped: bool
) -> SshEndpoint:
    def paths(keyword: str, default: str) -> list[Path]:
        names = split_paths(first(settings, keyword) or default)
        return [Path(expand(name, values, keyword)) for name in names if name.lower() != "none"]

    def files(keyword: str, default: tuple[str, ...] = ()) -> tuple[Path, ...]:
        names = settings.get(keyword, default)
        return tuple(Path(expand(name, values, keyword)) for name in names if name.lower() != "none")

    revoked = paths("revokedhostkeys", "none")
    return SshEndpoint(
        host=values.host,
        port=values.port,
        user=values.user,
        host_key_alias=values.alias or None,
        key_files=files("identityfile", USUAL_KEYS),
        certificate_files=files("certificatefile"),
        identities_only=is_on(settings, "identitiesonly"),
        agent=_agent(settings, values),
        methods=tuple(method for method, keyword in METHODS.items() if is_on(settings, keyword, True)),
        jump=None if jumped else values.jump or None,
        known_hosts=(
            *((known_hosts,) if known_hosts else ()),
            *paths("userknownhostsfile", USUAL_KNOWN_HOSTS),
            *paths("globalknownhostsfile", SYSTEM_KNOWN_HOSTS),
        ),
        revoked_host_keys=revoked[0] if revoked else None,
        unused=unused_settings(settings),
    )


def _agent(settings: Settings, values: TokenValues) -> str | None:
    """Return the socket of IdentityAgent, else of $SSH_AUTH_SOCK."""
    named = first(settings, "identityagent", "SSH_AUTH_SOCK")
    if named.lower() == "none":
        return None
    if named == "SSH_AUTH_SOCK":
        return os.environ.get("SSH_AUTH_SOCK") or None
    if named.startswith("$") and not named.startswith("${"):
        return os.environ.get(named[1:]) or None
    return expand(named, values, "IdentityAgent")
