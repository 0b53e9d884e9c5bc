"""Hosts and endpoints from ~/.ssh/config."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Any

from oz_installer.errors import ConnectError
from oz_installer.frozen import dataclass
from oz_installer.remote.ssh.paramiko_import import enable_match_exec, paramiko
from oz_installer.text import parse_int, safe_line

SYSTEM_KNOWN_HOSTS = Path("/etc/ssh/ssh_known_hosts")


@dataclass(frozen=True, kw_only=True)
class SshEndpoint:
    """One hop: address, login, keys to try, and the known_hosts files for its host key."""

    host: str
    port: int
    user: str
    key_alias: str
    key_files: tuple[Path, ...] = ()
    identities_only: bool = False
    jump: str | None = None
    known_hosts: tuple[Path, ...] = ()

    @property
    def label(self) -> str:
        """The hop as an operator types it."""
        return f"{self.user}@{self.host}" + (f":{self.port}" if self.port != 22 else "")


def split_jump(text: str) -> tuple[str | None, str, int | None]:
    """Split ``[user@]host[:port]``; a host with colons is in brackets. Raises ValueError."""
    user, at, address = text.strip().rpartition("@")
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


def _config_of(host: str, home: Path) -> dict[str, Any]:
    path = home / ".ssh" / "config"
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    if "exec" in text.lower():
        enable_match_exec()
    try:
        return dict(paramiko.SSHConfig.from_text(text).lookup(host))
    except Exception as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> ConnectError:
    return ConnectError(
        f"{path} cannot be read: {error}", "Correct the file; `ssh -G HOST` shows how OpenSSH reads it."
    )


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
    """List the Hosts of ~/.ssh/config that name one machine each, in the file's order.

    Patterns and hosts behind a proxy command are left out. Raises ConnectError for an invalid file."""
    home = Path.home()
    path = home / ".ssh" / "config"
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ()
    if "exec" in text.lower():
        enable_match_exec()
    try:
        config = paramiko.SSHConfig.from_text(text)
        known = config.get_hostnames()
        words = [word for line in text.splitlines() for word in line.replace("=", " ").split()]
        order = [name for name in dict.fromkeys(words) if name in known and not set(name) & set("*?!")]
        found = [(name, dict(config.lookup(name))) for name in order]
    except Exception as error:
        raise _unreadable(path, error) from error
    return tuple(_ssh_host(name, settings) for name, settings in found if _is_direct(settings))


def _is_direct(settings: dict[str, Any]) -> bool:
    return "proxyjump" in settings or str(settings.get("proxycommand", "none")).lower() == "none"


def _ssh_host(name: str, settings: dict[str, Any]) -> SshHost:
    jump, port = str(settings.get("proxyjump", "none")), str(settings.get("port", ""))
    keys = [Path(str(one)) for one in settings.get("identityfile", ())]
    return SshHost(
        name=name,
        host=str(settings.get("hostname", name)),
        user=str(settings["user"]) if "user" in settings else None,
        port=int(port) if port.isdigit() else None,
        key_file=keys[0] if keys else None,
        jump=None if jump.lower() == "none" else jump,
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


def resolve_host(
    host: str, *, user: str | None = None, port: int | None = None, known_hosts: Path | None = None
) -> SshEndpoint:
    """Complete a host by ~/.ssh/config.

    Raises ConnectError for an invalid file, and for a proxy command, which is not supported."""
    home = Path.home()
    found = _config_of(host, home)
    proxy = str(found.get("proxycommand", "none"))
    if proxy.lower() != "none" and "proxyjump" not in found:
        raise ConnectError(
            f"~/.ssh/config reaches {host} by a ProxyCommand, which oz-install does not run",
            "Set the machine in between as `jump:` of the node, or as ProxyJump in ~/.ssh/config.",
        )
    known_hosts_names = str(found.get("userknownhostsfile", "")).split() or [
        str(home / ".ssh/known_hosts"),
        str(home / ".ssh/known_hosts2"),
    ]
    jump = str(found.get("proxyjump", "none"))
    address = str(found.get("hostname", host))
    return SshEndpoint(
        host=address,
        port=port or _port(str(found.get("port", 22)), host),
        user=user or str(found.get("user") or getpass.getuser()),
        key_alias=str(found.get("hostkeyalias", address)),
        key_files=tuple(Path(str(name)).expanduser() for name in found.get("identityfile", ())),
        identities_only=str(found.get("identitiesonly", "no")).lower() == "yes",
        jump=None if jump.lower() == "none" else jump,
        known_hosts=(
            *((known_hosts,) if known_hosts else ()),
            *(Path(name).expanduser() for name in known_hosts_names),
            SYSTEM_KNOWN_HOSTS,
        ),
    )
