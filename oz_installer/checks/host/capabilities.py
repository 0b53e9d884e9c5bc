"""What a node has for mending what is wrong with its engine: rights, packages, services."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from oz_installer.text import parse_int

PACKAGES = (
    "docker.io", "docker-cli", "docker-compose", "docker-compose-v2", "docker-ce", "docker-ce-cli",
    "containerd.io", "podman", "podman-compose", "netavark", "aardvark-dns", "crun", "nftables",
)  # fmt: skip
"""Those that it matters of whether they are installed."""

MEANS = f"""
means() {{
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
"""A shell function that prints them; ``soon`` is there. Called only where something is wrong."""

LOGIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
"""A login that may stand in a command: no domain, and nothing that looks like an option."""

_NEWEST = (99,)  # Debian's testing and unstable have no number
# Distributions made of Debian or Ubuntu have numbers of their own, but name what they are made of.
_CODENAMES = {
    "bookworm": ("debian", (12,)),
    "trixie": ("debian", (13,)),
    "jammy": ("ubuntu", (22, 4)),
    "noble": ("ubuntu", (24, 4)),
}


@dataclass(frozen=True, kw_only=True)
class NodeCapabilities:
    """``root``: commands run as root; ``sudo``: where not, sudo asks for no password. ``login`` is empty
    where it is no plain name. ``member``: the login is in the group docker; None where there is no such
    group.

    ``base`` is the distribution by whose packages it goes, debian, ubuntu, fedora or rhel, with its version.
    ``service`` is systemd or init, empty where docker is no service; ``active`` and ``enabled`` are systemd's
    words; ``process``: a dockerd runs.
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
        """The command as this login has to give it."""
        return argv if self.root else ("sudo", "-n", *argv)

    @property
    def can_become_root(self) -> bool:
        """Whether commands can be run as root."""
        return self.root or self.sudo


NO_CAPABILITIES = NodeCapabilities()
"""Where nothing was wrong, nothing was asked."""


def parse_capabilities(told: Mapping[str, str]) -> NodeCapabilities:
    """From the lines of ``means``; without any rights where they were not printed."""
    uid, _, login = told.get("login", "").partition(" ")
    service, active, enabled = (*told.get("service", "").split(), "", "", "")[:3]
    return NodeCapabilities(
        root=parse_int(uid) == 0,
        sudo=parse_int(uid) is not None and told.get("sudo") == "yes",
        login=login if LOGIN.fullmatch(login) else "",
        member={"member": True, "other": False}.get(told.get("group", "")),
        base=_base(told),
        manager=told.get("manager", ""),
        installed=frozenset(told.get("installed", "").split()) & frozenset(PACKAGES),
        service=service,
        active=active,
        enabled=enabled,
        process=told.get("process") == "yes",
    )


def is_masked(enabled: str) -> bool:
    """By systemd's word: ``masked`` or ``masked-runtime``; neither starts by any means."""
    return enabled.startswith("masked")


def unmask_command(enabled: str, unit: str = "docker.service") -> str:
    """The command that makes a masked unit one that can be started."""
    return f"systemctl unmask {'--runtime ' if enabled == 'masked-runtime' else ''}{unit}"


def _base(told: Mapping[str, str]) -> tuple[str, tuple[int, ...]]:
    name, _, release = told.get("system", "").partition(" ")
    version = tuple(int(part) for part in release.split(".") if part.isascii() and part.isdigit())
    if name in ("debian", "ubuntu", "fedora", "rhel"):
        return name, version or _NEWEST
    like = told.get("like", "").split()
    if {"rhel", "centos"} & set(like):
        return "rhel", version
    return _CODENAMES.get(told.get("codename", ""), ("", ()))
