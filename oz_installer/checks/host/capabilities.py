"""Capabilities of a node that decide how its engine is fixed: rights, packages, services."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from oz_installer.text import parse_int

PACKAGES = (
    "docker.io", "docker-cli", "docker-compose", "docker-compose-v2", "docker-ce", "docker-ce-cli",
    "containerd.io", "podman", "podman-compose", "netavark", "aardvark-dns", "crun", "nftables",
)  # fmt: skip
"""The packages whose presence decides which remedy fits."""

CAPABILITIES_SCRIPT = f"""
capabilities() {{
  echo "login $(id -u) $(id -un)"
  [ "$(id -u)" = 0 ] || ! soon sudo -n true || echo "sudo yes"
  if soon getent group docker > /dev/null; then
    case " $(soon id -nG "$(id -un)") " in *" docker "*) echo "group member" ;; *) echo "group other" ;; esac
  fi
  (. /etc/os-release
   echo "system $ID $VERSION_ID"
   echo "like $ID_LIKE"
   echo "codename ${{UBUNTU_CODENAME:-$DEBIAN_CODENAME}}")
  if command -v apt-get > /dev/null; then echo "manager apt-get"
  elif command -v dnf > /dev/null; then echo "manager dnf"; fi
  echo "installed $(for one in {" ".join(PACKAGES)}; do
    if command -v dpkg-query > /dev/null; then dpkg-query -W -f '${{Status}}\\n' $one | grep -q 'ok installed'
    else rpm -q $one > /dev/null; fi && printf '%s ' $one; done)"
  if [ -d /run/systemd/system ]; then
    unit=docker.service
    echo "service systemd $(soon systemctl is-active $unit) $(soon systemctl is-enabled $unit)"
  elif [ -x /etc/init.d/docker ]; then echo "service init"; fi
  ! pidof dockerd > /dev/null || echo "process yes"
}}
"""
"""A shell function that prints the capabilities by means of ``soon``.

Called only for a faulty engine.
"""

LOGIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
"""A login that is safe in a command: without a domain, and not mistaken for an option."""

_NEWEST = (99,)  # Debian testing and unstable have no version number
# Derivatives of Debian and Ubuntu have version numbers of their own, but state the codename of their base.
_CODENAMES = {
    "bookworm": ("debian", (12,)),
    "trixie": ("debian", (13,)),
    "jammy": ("ubuntu", (22, 4)),
    "noble": ("ubuntu", (24, 4)),
}


@dataclass(frozen=True, kw_only=True)
class NodeCapabilities:
    """Rights, packages and services of a node.

    ``root``: commands run as root; ``sudo``: they do not, but sudo works without a password. ``login`` is
    empty unless it is a plain name. ``member``: the login is in the group docker; None without that group.

    ``base`` is the distribution whose packages it uses (debian, ubuntu, fedora, rhel), with the version.
    ``service`` is systemd or init, empty when docker is not a service; ``active`` and ``enabled`` are
    systemd's words; ``process``: a dockerd is running.
    """

    root: bool = False
    sudo: bool = False
    login: str = ""
    member: bool | None = None
    base: tuple[str, tuple[int, ...]] = ("", ())
    manager: str = ""
    installed: frozenset[str] = frozenset()
    service: str = ""
    active: str = ""
    enabled: str = ""
    process: bool = False

    def as_root(self, *argv: str) -> tuple[str, ...]:
        """Return the command with sudo where this login needs it."""
        return argv if self.root else ("sudo", "-n", *argv)

    @property
    def can_become_root(self) -> bool:
        """Return whether commands can run as root."""
        return self.root or self.sudo


NO_CAPABILITIES = NodeCapabilities()
"""The value for a node without faults: its capabilities were not read."""


def parse_capabilities(values: Mapping[str, str]) -> NodeCapabilities:
    """Parse the lines of ``capabilities``; without these lines there are no rights at all."""
    uid, _, login = values.get("login", "").partition(" ")
    service, active, enabled = (*values.get("service", "").split(), "", "", "")[:3]
    return NodeCapabilities(
        root=parse_int(uid) == 0,
        sudo=parse_int(uid) is not None and values.get("sudo") == "yes",
        login=login if LOGIN.fullmatch(login) else "",
        member={"member": True, "other": False}.get(values.get("group", "")),
        base=_base(values),
        manager=values.get("manager", ""),
        installed=frozenset(values.get("installed", "").split()) & frozenset(PACKAGES),
        service=service,
        active=active,
        enabled=enabled,
        process=values.get("process") == "yes",
    )


def is_masked(enabled: str) -> bool:
    """Return whether a unit is ``masked`` or ``masked-runtime`` and therefore cannot be started."""
    return enabled.startswith("masked")


def unmask_command(enabled: str, unit: str = "docker.service") -> str:
    """Return the command that unmasks a unit."""
    return f"systemctl unmask {'--runtime ' if enabled == 'masked-runtime' else ''}{unit}"


def _base(values: Mapping[str, str]) -> tuple[str, tuple[int, ...]]:
    name, _, release = values.get("system", "").partition(" ")
    version = tuple(int(part) for part in release.split(".") if part.isascii() and part.isdigit())
    if name in ("debian", "ubuntu", "fedora", "rhel"):
        return name, version or _NEWEST
    like = values.get("like", "").split()
    if {"rhel", "centos"} & set(like):
        return "rhel", version
    return _CODENAMES.get(values.get("codename", ""), ("", ()))
