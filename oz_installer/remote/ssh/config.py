"""Where a host really is, by ~/.ssh/config."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Any

from oz_installer.errors import ConnectError
from oz_installer.frozen import dataclass
from oz_installer.remote.ssh.paramiko_import import enable_match_exec, paramiko

SYSTEM_KNOWN_HOSTS = Path("/etc/ssh/ssh_known_hosts")


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """One hop: address, login, keys to try, and the known_hosts files that judge it."""

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
        """The hop as the operator would type it."""
        return f"{self.user}@{self.host}" + (f":{self.port}" if self.port != 22 else "")


def split_jump(text: str) -> tuple[str | None, str, int | None]:
    """Split ``[user@]host[:port]`` (a host with colons stands in brackets). Raises ValueError."""
    user, at, place = text.strip().rpartition("@")
    if place.startswith("["):
        host, bracket, port = place[1:].partition("]")
        if not bracket or (port and not port.startswith(":")):
            raise ValueError(text)
        port = port[1:]
    elif place.count(":") == 1:
        host, _, port = place.partition(":")
    else:
        host, port = place, ""
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
        f"{path} cannot be read: {error}", "Correct it; `ssh -G HOST` shows how it is understood."
    )


@dataclass(frozen=True, kw_only=True)
class SshHost:
    """A Host of ~/.ssh/config with what it says of it; None: it says nothing."""

    name: str
    host: str
    user: str | None = None
    port: int | None = None
    key_file: Path | None = None
    jump: str | None = None


def list_hosts() -> tuple[SshHost, ...]:
    """The Hosts of ~/.ssh/config that are one machine each, in its order: no patterns, none behind a proxy
    command. Raises ConnectError when the file is broken."""
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
        named = [word for line in text.splitlines() for word in line.replace("=", " ").split()]
        order = [name for name in dict.fromkeys(named) if name in known and not set(name) & set("*?!")]
        found = [(name, dict(config.lookup(name))) for name in order]
    except Exception as error:
        raise _unreadable(path, error) from error
    return tuple(_ssh_host(name, told) for name, told in found if _direct(told))


def _direct(told: dict[str, Any]) -> bool:
    return "proxyjump" in told or str(told.get("proxycommand", "none")).lower() == "none"


def _ssh_host(name: str, told: dict[str, Any]) -> SshHost:
    jump, port = str(told.get("proxyjump", "none")), str(told.get("port", ""))
    keys = [Path(str(one)) for one in told.get("identityfile", ())]
    return SshHost(
        name=name,
        host=str(told.get("hostname", name)),
        user=str(told["user"]) if "user" in told else None,
        port=int(port) if port.isdigit() else None,
        key_file=keys[0] if keys else None,
        jump=None if jump.lower() == "none" else jump,
    )


def resolve_host(
    host: str, *, user: str | None = None, port: int | None = None, known_hosts: Path | None = None
) -> Endpoint:
    """Complete a host by ~/.ssh/config. Raises ConnectError when that file is broken or wants a proxy
    command, which is not supported."""
    home = Path.home()
    found = _config_of(host, home)
    proxy = str(found.get("proxycommand", "none"))
    if proxy.lower() != "none" and "proxyjump" not in found:
        raise ConnectError(
            f"~/.ssh/config reaches {host} by a ProxyCommand, which oz-install does not run",
            "Name the machine in between as `jump:` of the node, or as ProxyJump in ~/.ssh/config.",
        )
    own = str(found.get("userknownhostsfile", "")).split() or [
        str(home / ".ssh/known_hosts"),
        str(home / ".ssh/known_hosts2"),
    ]
    jump = str(found.get("proxyjump", "none"))
    address = str(found.get("hostname", host))
    return Endpoint(
        host=address,
        port=port or int(found.get("port", 22)),
        user=user or str(found.get("user") or getpass.getuser()),
        key_alias=str(found.get("hostkeyalias", address)),
        key_files=tuple(Path(str(name)).expanduser() for name in found.get("identityfile", ())),
        identities_only=str(found.get("identitiesonly", "no")).lower() == "yes",
        jump=None if jump.lower() == "none" else jump,
        known_hosts=(
            *((known_hosts,) if known_hosts else ()),
            *(Path(name).expanduser() for name in own),
            SYSTEM_KNOWN_HOSTS,
        ),
    )
