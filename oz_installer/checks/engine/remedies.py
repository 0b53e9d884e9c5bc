"""Remedies for the faults of an engine, chosen by the capabilities of the node. Pure."""

from __future__ import annotations

import shlex
from dataclasses import replace

from oz_installer.catalog.engine import ENGINES
from oz_installer.checks.context import CheckContext, CheckedNode, Remedy
from oz_installer.checks.host.capabilities import NodeCapabilities

_Row = tuple[str, tuple[int, ...], tuple[str, ...]]
_PODMAN = ("podman", "podman-compose", "netavark", "aardvark-dns", "crun", "nftables")
# The first version of a distribution that has a recent enough engine and Compose, and their package names.
# The newest comes first. RHEL's own repositories have no Docker; podman-compose is in EPEL.
_ENGINES: dict[str, tuple[_Row, ...]] = {
    "docker": (
        ("debian", (13,), ("docker.io", "docker-cli", "docker-compose")),
        ("debian", (12,), ("docker.io", "docker-compose")),
        ("ubuntu", (22, 4), ("docker.io", "docker-compose-v2")),
    ),
    "podman": (
        ("debian", (13,), _PODMAN),
        ("ubuntu", (25, 4), _PODMAN),
        ("fedora", (40,), ("podman", "podman-compose")),
        ("rhel", (8,), ("podman", "podman-compose")),
    ),
}
# Without systemd nothing reports when the engine is up, and a package may or may not start it.
_UP = ("timeout", "60", "sh", "-c", "until docker version > /dev/null 2>&1; do sleep 1; done")
_BEGUN = (*_UP[:-1], "until docker version > /dev/null 2>&1; do service docker start; sleep 1; done")
# gpasswd fails for a login that is no longer a member.
_LEAVE = 'case " $(id -nG "$1") " in *" docker "*) gpasswd -d "$1" docker ;; esac'
# The init script fails when there is nothing to stop.
_DOWN = ("sh", "-c", "! pidof dockerd > /dev/null || service docker stop")
_COMPOSES = ("docker-compose", "docker-compose-v2", "podman-compose")
_FOREIGN = frozenset({"docker-ce", "docker-ce-cli", "containerd.io"})
"""Docker's own packages; they conflict with the distribution's."""

# Remove nothing, ask nothing, wait for another run of apt, keep the operator's configuration files.
_APT = ("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-y", "-o", "DPkg::Lock::Timeout=300")
_INSTALL = ("install", "--no-install-recommends", "--no-remove", "-o", "Dpkg::Options::=--force-confold")
# A failed installation may have left none, some or broken ones of the packages; apt removes nothing when it
# does not know one of the names. dpkg-query exits with 1 for an unknown name, with 2 on an error.
_APT_REMOVE = (
    "have=; for one; do"
    " state=$(dpkg-query -W -f '${db:Status-Status}' \"$one\") || [ $? = 1 ] || exit 2;"
    " case $state in '' | config-files | not-installed) ;; *) have=\"$have $one\" ;; esac; done;"
    f' [ -z "$have" ] || exec {shlex.join(_APT)} remove $have'
)
# The package rpm is always installed: when the query does not find it, the query itself fails.
_DNF_REMOVE = (
    "rpm -q rpm > /dev/null || exit; have=;"
    ' for one; do ! rpm -q "$one" > /dev/null || have="$have $one"; done;'
    ' [ -z "$have" ] || exec dnf -y remove --noautoremove $have'
)


_PACKAGE_OF_ENGINE = {"docker": "docker.io", "podman": "podman"}
"""The distribution's package of the engine itself."""


def install_engine(context: CheckContext, node: CheckedNode, capabilities: NodeCapabilities) -> Remedy | None:
    """Install the engine with its Compose; None when the distribution's are not recent enough."""
    if ENGINES[context.answers.engine].has_daemon and capabilities.installed & _FOREIGN:
        return None
    name, wanted = ENGINES[context.answers.engine].title, _packages(context.answers.engine, capabilities)
    remedy = _install(node, capabilities, name, wanted)
    if remedy and ENGINES[context.answers.engine].has_daemon and capabilities.service != "systemd":
        return replace(remedy, commands=(*remedy.commands, capabilities.as_root(*_BEGUN)))
    return remedy


def install_compose(
    context: CheckContext, node: CheckedNode, capabilities: NodeCapabilities
) -> Remedy | None:
    """Install Compose alone, from the engine's own source; None when that source is unknown."""
    engine = context.answers.engine
    title = ENGINES[engine].compose_title
    if ENGINES[engine].has_daemon and "docker-ce-cli" in capabilities.installed:
        return _install(
            node,
            capabilities,
            ENGINES[engine].compose_title,
            ("docker-compose-plugin",),
            "Docker's repository",
        )
    if _PACKAGE_OF_ENGINE[engine] not in capabilities.installed:
        return None
    wanted = tuple(name for name in _packages(engine, capabilities) if name in _COMPOSES)
    return _install(node, capabilities, title, wanted)


def start_engine(node: CheckedNode, capabilities: NodeCapabilities) -> Remedy | None:
    """Start Docker now and at boot; None when it runs, hangs, or is not a startable service."""
    title = "start Docker, now and at boot"
    if not capabilities.can_become_root or capabilities.process:
        return None
    if capabilities.service == "init":
        return Remedy(
            title="start Docker",
            node=node.name,
            commands=(capabilities.as_root("service", "docker", "start"), capabilities.as_root(*_UP)),
            undo=(capabilities.as_root(*_DOWN),),
        )
    if capabilities.active not in ("inactive", "failed") or capabilities.enabled not in (
        "enabled",
        "disabled",
    ):
        return None
    undo = [capabilities.as_root("systemctl", "stop", "docker.socket", "docker.service")]
    if capabilities.enabled == "disabled":
        undo.append(capabilities.as_root("systemctl", "disable", "docker.service"))
    return Remedy(
        title=title,
        node=node.name,
        commands=(capabilities.as_root("systemctl", "enable", "--now", "docker.service"),),
        undo=tuple(undo),
    )


def join_group(node: CheckedNode, capabilities: NodeCapabilities) -> Remedy | None:
    """Add the login to the group docker; it takes effect with the next connection."""
    if (
        capabilities.root
        or not capabilities.sudo
        or capabilities.member is not False
        or not capabilities.login
    ):
        return None
    return Remedy(
        title=f"add {capabilities.login} to the group docker (its members have the rights of root)",
        node=node.name,
        commands=(capabilities.as_root("usermod", "-aG", "docker", capabilities.login),),
        undo=(capabilities.as_root("sh", "-c", _LEAVE, "sh", capabilities.login),),
    )


def _packages(engine: str, capabilities: NodeCapabilities) -> tuple[str, ...]:
    name, version = capabilities.base
    matching = (row[2] for row in _ENGINES[engine] if row[0] == name and version >= row[1])
    return next(matching, ())


def _install(
    node: CheckedNode,
    capabilities: NodeCapabilities,
    what: str,
    wanted: tuple[str, ...],
    source: str = "the distribution",
) -> Remedy | None:
    """Install only the missing packages; undo removes those of them that are installed then."""
    missing = tuple(name for name in wanted if name not in capabilities.installed)
    if not missing or not capabilities.can_become_root or not capabilities.manager:
        return None
    commands: tuple[tuple[str, ...], ...]
    if capabilities.manager == "apt-get":
        commands = (capabilities.as_root(*_APT, "update"), capabilities.as_root(*_APT, *_INSTALL, *missing))
        undo_of = 1  # the package lists stay updated
        undo = capabilities.as_root("sh", "-c", _APT_REMOVE, "sh", *missing)
    else:
        commands, undo_of = (capabilities.as_root("dnf", "-y", "install", *missing),), 0
        undo = capabilities.as_root("sh", "-c", _DNF_REMOVE, "sh", *missing)
    return Remedy(
        title=f"install {what} from {source}",
        node=node.name,
        commands=commands,
        undo=(undo,),
        undo_of=(undo_of,),
    )
