"""How what is wrong with an engine is mended safely: remedies from what a node has for it. Pure."""

from __future__ import annotations

import shlex
from dataclasses import replace

from oz_installer.checks.context import CheckContext, CheckedNode, Remedy
from oz_installer.checks.host.capabilities import NodeCapabilities
from oz_installer.remote.engine_requirements import NAMES

_Row = tuple[str, tuple[int, ...], tuple[str, ...]]
_PODMAN = ("podman", "podman-compose", "netavark", "aardvark-dns", "crun", "nftables")
# From which version on a distribution has an engine and a Compose that are new enough, and what they are
# called there. The newest comes first. RHEL's own repositories have no Docker; podman-compose is in EPEL.
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
# Without systemd nobody tells when the engine is up, and a package may start it or not.
_UP = ("timeout", "60", "sh", "-c", "until docker version > /dev/null 2>&1; do sleep 1; done")
_BEGUN = (*_UP[:-1], "until docker version > /dev/null 2>&1; do service docker start; sleep 1; done")
# gpasswd refuses to take out whom somebody else took out already.
_LEAVE = 'case " $(id -nG "$1") " in *" docker "*) gpasswd -d "$1" docker ;; esac'
# The init script fails where there is nothing to stop.
_DOWN = ("sh", "-c", "! pidof dockerd > /dev/null || service docker stop")
_COMPOSES = ("docker-compose", "docker-compose-v2", "podman-compose")
_FOREIGN = frozenset({"docker-ce", "docker-ce-cli", "containerd.io"})
"""Docker's own packages: the distribution's cannot stand beside them."""

# Nothing is removed, nobody is asked, another run of apt is waited for, the operator's files stay.
_APT = ("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-y", "-o", "DPkg::Lock::Timeout=300")
_INSTALL = ("install", "--no-install-recommends", "--no-remove", "-o", "Dpkg::Options::=--force-confold")
# An installation that failed may have brought none of the packages, some, or halves; apt removes nothing
# where it does not know a name. dpkg-query ends with 1 for such a name, with 2 where it cannot tell.
_APT_REMOVE = (
    "have=; for one; do"
    " state=$(dpkg-query -W -f '${db:Status-Status}' \"$one\") || [ $? = 1 ] || exit 2;"
    " case $state in '' | config-files | not-installed) ;; *) have=\"$have $one\" ;; esac; done;"
    f' [ -z "$have" ] || exec {shlex.join(_APT)} remove $have'
)
# rpm itself is always there: where it is not found, nothing can be told.
_DNF_REMOVE = (
    "rpm -q rpm > /dev/null || exit; have=;"
    ' for one; do ! rpm -q "$one" > /dev/null || have="$have $one"; done;'
    ' [ -z "$have" ] || exec dnf -y remove --noautoremove $have'
)


def install_engine(context: CheckContext, node: CheckedNode, means: NodeCapabilities) -> Remedy | None:
    """The engine with its Compose; None where the distribution has none that is new enough."""
    if context.answers.engine == "docker" and means.installed & _FOREIGN:
        return None
    name, wanted = NAMES[context.answers.engine][0], _packages(context.answers.engine, means)
    remedy = _install(node, means, name, wanted)
    if remedy and context.answers.engine == "docker" and means.service != "systemd":
        return replace(remedy, commands=(*remedy.commands, means.as_root(*_BEGUN)))
    return remedy


def install_compose(context: CheckContext, node: CheckedNode, means: NodeCapabilities) -> Remedy | None:
    """The Compose alone, from where the engine came from; None where that is not known."""
    engine = context.answers.engine
    if engine == "docker" and "docker-ce-cli" in means.installed:
        return _install(node, means, NAMES[engine][1], ("docker-compose-plugin",), "Docker's repository")
    if {"docker": "docker.io", "podman": "podman"}[engine] not in means.installed:
        return None
    wanted = tuple(name for name in _packages(engine, means) if name in _COMPOSES)
    return _install(node, means, NAMES[engine][1], wanted)


def start_engine(node: CheckedNode, means: NodeCapabilities) -> Remedy | None:
    """Docker's service, now and at boot; None where it runs, hangs, or is no service that may be started."""
    title = "start Docker, now and at boot"
    if not means.can_become_root or means.process:
        return None
    if means.service == "init":
        return Remedy(
            title="start Docker",
            node=node.name,
            commands=(means.as_root("service", "docker", "start"), means.as_root(*_UP)),
            undo=(means.as_root(*_DOWN),),
        )
    if means.active not in ("inactive", "failed") or means.enabled not in ("enabled", "disabled"):
        return None
    undo = [means.as_root("systemctl", "stop", "docker.socket", "docker.service")]
    if means.enabled == "disabled":
        undo.append(means.as_root("systemctl", "disable", "docker.service"))
    return Remedy(
        title=title,
        node=node.name,
        commands=(means.as_root("systemctl", "enable", "--now", "docker.service"),),
        undo=tuple(undo),
    )


def join_group(node: CheckedNode, means: NodeCapabilities) -> Remedy | None:
    """The login into the group docker, which takes effect with the next connection."""
    if means.root or not means.sudo or means.member is not False or not means.login:
        return None
    return Remedy(
        title=f"add {means.login} to the group docker, whose members are as good as root",
        node=node.name,
        commands=(means.as_root("usermod", "-aG", "docker", means.login),),
        undo=(means.as_root("sh", "-c", _LEAVE, "sh", means.login),),
    )


def _packages(engine: str, means: NodeCapabilities) -> tuple[str, ...]:
    name, version = means.base
    fitting = (row[2] for row in _ENGINES[engine] if row[0] == name and version >= row[1])
    return next(fitting, ())


def _install(
    node: CheckedNode,
    means: NodeCapabilities,
    what: str,
    wanted: tuple[str, ...],
    source: str = "the distribution",
) -> Remedy | None:
    """Only what is not there yet: only that is removed by taking it back, as far as it is there then."""
    missing = tuple(name for name in wanted if name not in means.installed)
    if not missing or not means.can_become_root or not means.manager:
        return None
    commands: tuple[tuple[str, ...], ...]
    if means.manager == "apt-get":
        commands = (means.as_root(*_APT, "update"), means.as_root(*_APT, *_INSTALL, *missing))
        undo_of = 1  # lists of packages stay
        undo = means.as_root("sh", "-c", _APT_REMOVE, "sh", *missing)
    else:
        commands, undo_of = (means.as_root("dnf", "-y", "install", *missing),), 0
        undo = means.as_root("sh", "-c", _DNF_REMOVE, "sh", *missing)
    return Remedy(
        title=f"install {what} from {source}",
        node=node.name,
        commands=commands,
        undo=(undo,),
        undo_of=(undo_of,),
    )
