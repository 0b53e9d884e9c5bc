"""How findings are mended: facts in, commands out; and what a node says it has for that."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import pytest

from oz_installer.catalog.engine import ENGINES
from oz_installer.checks.context import Remedy
from oz_installer.checks.engine.engine import EngineCheck, EngineCheckFacts
from oz_installer.checks.host.capabilities import NodeCapabilities, parse_capabilities
from oz_installer.checks.host.host import HostCheck
from oz_installer.remote.engine_requirements import EngineFacts, check_engine
from oz_installer.text import parse_fields
from tests.unit.checks.checks_support import judged, printed_by, site
from tests.unit.checks.test_checks_judges import HOST, SEEN
from tests.unit.checks.test_checks_scripts import here, program, tools

__all__ = ["tools"]
MISSING = EngineFacts(answers=False, message="docker: not found")
SILENT = EngineFacts(
    answers=False, message="Cannot connect to the Docker daemon at unix:///var/run/docker.sock."
)
DENIED = EngineFacts(answers=False, message="permission denied while trying to connect to the Docker daemon")
HANGS = EngineFacts(answers=False, message="it did not answer within 5 s")
DEBIAN = NodeCapabilities(
    root=True, login="root", base=("debian", (13,)), manager="apt-get", service="systemd"
)
UP = "timeout 60 sh -c until docker version > /dev/null 2>&1; do sleep 1; done"
DOWN = "sh -c ! pidof dockerd > /dev/null || service docker stop"
ALL = frozenset({"docker.io", "docker-cli", "docker-compose"})


def remedy(
    engine: EngineFacts, capabilities: NodeCapabilities, *, about: str = "engine", name: str = "docker"
) -> Remedy | None:
    """What the judge of the engine hands out."""
    found = judged(
        EngineCheck(),
        EngineCheckFacts(engine=engine, name=name, capabilities=capabilities),
        at=site(engine=name),
    )
    return found[about].remedy


def packages(one: Remedy | None) -> tuple[str, ...]:
    """What is installed: the last words of the last command."""
    if one is None:
        return ()
    words = one.commands[-1]
    return tuple(word for word in words[words.index("install") + 1 :] if not word.startswith(("-", "Dpkg::")))


# ---- packages


@pytest.mark.parametrize(
    ("engine", "capabilities", "wanted"),
    [
        ("docker", {}, ("docker.io", "docker-cli", "docker-compose")),
        ("docker", {"base": ("debian", (99,))}, ("docker.io", "docker-cli", "docker-compose")),
        ("docker", {"base": ("debian", (12,))}, ("docker.io", "docker-compose")),
        ("docker", {"base": ("debian", (11,))}, ()),
        ("docker", {"base": ("ubuntu", (24, 4))}, ("docker.io", "docker-compose-v2")),
        ("docker", {"base": ("ubuntu", (22, 4))}, ("docker.io", "docker-compose-v2")),
        ("docker", {"base": ("ubuntu", (20, 4))}, ()),
        ("docker", {"base": ("rhel", (9, 4)), "manager": "dnf"}, ()),
        ("docker", {"base": ("", ())}, ()),
        ("docker", {"manager": ""}, ()),
        ("docker", {"root": False}, ()),
        ("docker", {"root": False, "sudo": True}, ("docker.io", "docker-cli", "docker-compose")),
        ("docker", {"installed": frozenset({"docker.io"})}, ("docker-cli", "docker-compose")),
        ("docker", {"installed": frozenset({"containerd.io"})}, ()),
        ("podman", {"base": ("debian", (12,))}, ()),
        ("podman", {"base": ("ubuntu", (24, 4))}, ()),
        ("podman", {"base": ("rhel", (9, 4)), "manager": "dnf"}, ("podman", "podman-compose")),
        ("podman", {"base": ("rhel", (7, 9)), "manager": ""}, ()),
        ("podman", {"base": ("fedora", (42,)), "manager": "dnf"}, ("podman", "podman-compose")),
    ],
)
def test_an_engine_that_is_not_there(
    engine: str, capabilities: dict[str, Any], wanted: tuple[str, ...]
) -> None:
    facts = replace(MISSING, message=f"{engine}: not found")
    one = remedy(facts, replace(DEBIAN, **capabilities), name=engine)
    assert packages(one) == wanted
    if one is not None:
        assert one.undo[0][-len(wanted) :] == wanted
        assert len(one.undo) == 1
        assert (one.commands[0][:2] == ("sudo", "-n")) is (not replace(DEBIAN, **capabilities).root)


def test_podman_of_debian_brings_what_it_needs() -> None:
    one = remedy(replace(MISSING, message="podman: not found"), DEBIAN, name="podman")
    assert {"podman", "podman-compose", "netavark"} <= set(packages(one))


def test_apt_asks_nobody_and_removes_nothing() -> None:
    one = remedy(MISSING, DEBIAN)
    assert one is not None
    assert [command[:3] for command in one.commands] == [
        ("env", "DEBIAN_FRONTEND=noninteractive", "apt-get")
    ] * 2
    assert one.commands[0][-1] == "update"
    assert {"-y", "--no-remove", "--no-install-recommends"} <= set(one.commands[1])
    assert one.title == "install Docker from the distribution"
    assert one.undo_for(1) == ()  # apt-get update
    assert one.undo_for(2) == one.undo  # an installation that broke off
    elsewhere = remedy(MISSING, replace(DEBIAN, service=""))
    assert elsewhere is not None
    assert elsewhere.commands[:2] == one.commands
    assert elsewhere.commands[2][:4] == ("timeout", "60", "sh", "-c")
    assert "service docker start" in elsewhere.commands[2][4]


@pytest.mark.parametrize(
    ("installed", "wanted"),
    [
        ({"docker.io", "docker-cli"}, ("docker-compose",)),
        ({"docker-ce", "docker-ce-cli"}, ("docker-compose-plugin",)),
        (set(), ()),
    ],
)
def test_a_compose_comes_from_where_its_engine_came_from(
    installed: set[str], wanted: tuple[str, ...]
) -> None:
    capabilities = replace(DEBIAN, installed=frozenset(installed))
    facts = EngineFacts(answers=True, version="26.1.5")
    assert packages(remedy(facts, capabilities, about="engine.compose")) == wanted
    assert remedy(facts, capabilities) is None


def test_a_compose_that_is_too_old_stays() -> None:
    facts = EngineFacts(answers=True, version="26.1.5", compose_v1="1.25.0")
    capabilities = replace(DEBIAN, installed=frozenset({"docker.io"}))
    assert remedy(facts, capabilities, about="engine.compose") is None


def test_what_is_well_has_no_remedy() -> None:
    assert all(
        one.remedy is None for one in judged(EngineCheck(), replace(SEEN, capabilities=DEBIAN)).values()
    )


# ---- services

SYSTEMD = replace(DEBIAN, active="inactive", enabled="disabled", installed=ALL)


@pytest.mark.parametrize(
    ("changes", "commands", "undo"),
    [
        (
            {},
            ("systemctl enable --now docker.service",),
            ("systemctl stop docker.socket docker.service", "systemctl disable docker.service"),
        ),
        (
            {"active": "failed", "enabled": "enabled"},
            ("systemctl enable --now docker.service",),
            ("systemctl stop docker.socket docker.service",),
        ),
        (
            {"root": False, "sudo": True, "enabled": "enabled"},
            ("sudo -n systemctl enable --now docker.service",),
            ("sudo -n systemctl stop docker.socket docker.service",),
        ),
        ({"service": "init", "active": ""}, ("service docker start", UP), (DOWN,)),
        ({"root": False}, (), ()),
        ({"process": True}, (), ()),
        ({"active": "active"}, (), ()),
        ({"enabled": "masked"}, (), ()),
        ({"enabled": "not-found"}, (), ()),
        ({"service": "", "active": "", "enabled": ""}, (), ()),
    ],
)
def test_an_engine_that_does_not_run(
    changes: dict[str, Any], commands: tuple[str, ...], undo: tuple[str, ...]
) -> None:
    one = remedy(SILENT, replace(SYSTEMD, **changes))
    assert tuple(map(" ".join, one.commands if one else ())) == commands
    assert tuple(map(" ".join, one.undo if one else ())) == undo


def test_an_engine_that_hangs_and_podman_are_not_started() -> None:
    assert remedy(HANGS, replace(SYSTEMD, process=True, active="active")) is None
    hangs = check_engine(HANGS, ENGINES["docker"], "19.03")
    assert hangs is not None
    assert hangs.message == "Docker hangs: it did not answer within 5 s"
    assert "journalctl -u docker" in hangs.hint  # to start it would hang, too
    assert remedy(replace(SILENT, message="no"), SYSTEMD, name="podman") is None


# ---- the group


@pytest.mark.parametrize(
    ("changes", "able"),
    [
        ({}, True),
        ({"sudo": False}, False),
        ({"root": True}, False),
        ({"member": True}, False),
        ({"member": None}, False),
        ({"login": ""}, False),
    ],
)
def test_a_login_that_the_engine_denies(changes: dict[str, Any], able: bool) -> None:
    capabilities = NodeCapabilities(sudo=True, login="oz", member=False)
    one = remedy(DENIED, replace(capabilities, **changes))
    assert (one is not None) is able
    if one is not None:
        assert one.commands == (("sudo", "-n", "usermod", "-aG", "docker", "oz"),)
        assert [command[:4] for command in one.undo] == [("sudo", "-n", "sh", "-c")]
        assert one.undo[0][-1] == "oz"
        assert "the rights of root" in one.title


# ---- the folder


@pytest.mark.parametrize(
    ("changes", "folder", "undo"),
    [
        ({}, "/opt/oz", ["/opt/oz"]),
        ({"place": "/", "access": "denied /"}, "/srv/a/oz", ["/srv/a/oz", "/srv/a", "/srv"]),
        ({"place": "/opt/oz", "access": "denied /opt/oz"}, "/opt/oz", None),
        ({"access": "read-only /opt"}, "/opt/oz", None),
        ({"sudo": False}, "/opt/oz", None),
        ({"login": "-R"}, "/opt/oz", None),
        ({"place": "/somewhere/else"}, "/opt/oz", None),
    ],
)
def test_a_folder_that_cannot_be_made(changes: dict[str, Any], folder: str, undo: list[str] | None) -> None:
    facts = replace(HOST, uid=1000, login="oz", sudo=True, access="denied /opt", place="/opt")
    one = judged(HostCheck(), replace(facts, **changes), at=site(install_dir=folder))["host.folder"].remedy
    if undo is None:
        assert one is None
        return
    assert one is not None
    assert one.commands == (("sudo", "-n", "install", "-d", "-m", "700", "-o", "oz", folder),)
    assert [command[-2:] for command in one.undo] == [("sh", path) for path in undo]


# ---- what a node says


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("", {}),
        ("login 0 root\nsystem debian 13", {"root": True, "login": "root", "base": ("debian", (13,))}),
        ("login 1000 oz\nsudo yes\ngroup other", {"sudo": True, "login": "oz", "member": False}),
        ("login 1000 oz\ngroup member", {"login": "oz", "member": True}),
        ("sudo yes", {}),
        ("login 1000 -o\n", {}),
        ("login 1000 CORP\\oz", {}),
        ("login 1000 a b", {}),
        ("system debian ", {"base": ("debian", (99,))}),
        ("system ubuntu 22.04", {"base": ("ubuntu", (22, 4))}),
        ("system linuxmint 22\nlike ubuntu debian\ncodename noble", {"base": ("ubuntu", (24, 4))}),
        ("system linuxmint 99\nlike ubuntu debian\ncodename new", {}),
        ("system rocky 9.4\nlike rhel centos fedora", {"base": ("rhel", (9, 4))}),
        ("system arch rolling\nlike arch", {}),
        ("installed docker.io rm podman", {"installed": frozenset({"docker.io", "podman"})}),
        (
            "service systemd inactive enabled\nprocess yes",
            {"service": "systemd", "active": "inactive", "enabled": "enabled", "process": True},
        ),
        ("service init", {"service": "init"}),
    ],
)
def test_what_a_node_has_for_it(text: str, changes: dict[str, Any]) -> None:
    assert parse_capabilities(parse_fields(text)) == replace(NodeCapabilities(), **changes)


def test_this_machine_tells_what_it_has(tools: Any) -> None:
    program(tools, "docker", "#!/bin/sh\necho 'Cannot connect to the Docker daemon' >&2; exit 1\n")
    program(tools, "dpkg-query", '#!/bin/sh\n[ "$4" != docker.io ] || echo "install ok installed"\n')
    program(tools, "apt-get", "#!/bin/sh\n")
    capabilities = EngineCheck().parse(printed_by(EngineCheck(), here())).capabilities
    assert capabilities.root is (os.getuid() == 0)
    assert capabilities.login
    assert capabilities.base[0]
    assert (capabilities.manager, capabilities.installed) == ("apt-get", frozenset({"docker.io"}))


def test_nothing_more_is_asked_where_all_is_well(tools: Any) -> None:
    text = (
        '#!/bin/sh\ncase "$1 $2" in "info "*) echo version 26.1.5 ;; "compose version") echo 2.26.1 ;; esac\n'
    )
    program(tools, "docker", text)
    assert EngineCheck().parse(printed_by(EngineCheck(), here())).capabilities == NodeCapabilities()
    program(tools, "docker", text.replace("echo 2.26.1", "exit 1"))
    program(tools, "docker-compose", "#!/bin/sh\nexit 1\n")
    assert EngineCheck().parse(printed_by(EngineCheck(), here())).capabilities.login
