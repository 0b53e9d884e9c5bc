# ruff: noqa: E501 - tables read best with a rule a row
"""A test container and what it reaches: recorded output in, findings out."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from oz_installer.checks.context import CheckContext, Finding
from oz_installer.checks.engine.container import ContainerCheck, container_argv
from oz_installer.checks.engine.container_facts import ContainerFacts, parse_container
from oz_installer.checks.engine.container_targets import container_targets
from oz_installer.checks.engine.tiny_image import image, minimal_elf
from oz_installer.topology.planner import plan_topology
from tests.unit.checks.checks_support import API, BIO, judged, levels, site

RECORDED = """\
watch database 10.0.9.9 dns -
watch ssh 192.0.2.7
security [name=seccomp,profile=builtin]
next 172.18.0.0/16
safe 172.18.0.0/16
create auto
forward 1
node database 10.0.9.9 file 0 open full
inside database 10.0.9.9 dns 0 open full
inside-mtu 1500
inside-boot a352c5d8-654b-4435-8688-c38f3b89b0ab
status 7
uid 0
"""
"""What the script prints on a node of the lab (addresses changed)."""

REFUSED = (
    "1 10.0.9.9: connect: Connection refused 10.0.9.9: line 1: /dev/tcp/10.0.9.9/5432: Connection refused"
)
UNKNOWN = "1 db.example.com: line 1: db.example.com: Name or service not known"


def found(text: str, at: CheckContext | None = None) -> dict[str, Finding]:
    """The findings of such an output."""
    return judged(ContainerCheck(), parse_container(text), API, at)


def changed(*pairs: tuple[str, str]) -> str:
    """The recorded output with other lines."""
    text = RECORDED
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return text


# ---- a container starts


@pytest.mark.parametrize(
    ("facts", "bad", "words"),
    [
        (ContainerFacts(status=7), {}, "starts and exits"),
        (ContainerFacts(status=0), {"container": "failure"}, "does not start: status 0"),
        (ContainerFacts(status=125, message="no cgroup"), {"container": "failure"}, "no cgroup"),
        (ContainerFacts(status=124), {"container": "failure"}, "within 8 s"),
        (ContainerFacts(status=143), {"container": "failure"}, "within 8 s"),  # busybox
    ],
)
def test_container(facts: ContainerFacts, bad: dict[str, str], words: str) -> None:
    told = judged(ContainerCheck(), facts)
    assert levels(told) == bad
    assert words in told["container"].seen


def test_without_an_engine_nothing_is_said_of_containers() -> None:
    assert judged(ContainerCheck(), parse_container("engine none\n")) == {}


def test_the_program_ends_as_it_should(tmp_path: Path) -> None:
    path = tmp_path / "program"
    path.write_bytes(minimal_elf(62, bytes.fromhex("bf07000000b83c0000000f05")))
    path.chmod(0o755)
    if os.uname().machine != "x86_64":
        pytest.fail("this program is for x86_64, as the vendor's images are")
    assert subprocess.run([path], check=False).returncode == 7
    listed = subprocess.run(["tar", "-tf", "-"], input=image(), capture_output=True, check=True).stdout
    assert listed.decode().split() == ["x86_64/oz-install-check", "aarch64/oz-install-check"]


# ---- what it reaches


def test_all_is_well() -> None:
    told = found(RECORDED)
    assert levels(told) == {}
    assert told["container.network"].seen == "a container reaches the database"


@pytest.mark.parametrize(
    ("inside", "node", "name", "level", "words"),
    [
        (f"- dns {UNKNOWN}", "10.0.9.9 file 0 open full", "container.database", "failure",
         ("does not resolve db.example.com (the database); the node does: 10.0.9.9", "/etc/hosts, which containers do not",
          "set database.host to 10.0.9.9")),
        (f"- dns {UNKNOWN}", "10.0.9.9 dns 0 open full", "container.database", "failure",
         ("does not resolve", "in a way of its own")),
        (f"10.0.9.9 dns {REFUSED}", "10.0.9.9 dns 0 open full", "container.database", "failure",
         ("does not reach the database at db.example.com:5432: Connection refused; the node does", "DOCKER-USER")),
        ("10.0.9.9 dns 124 ", "10.0.9.9 dns 0 open full", "container.database", "failure",
         ("no answer within 3 s", "route back")),
        (f"10.1.1.1 dns {REFUSED}", "10.0.9.9 dns 0 open full", "container.database", "failure",
         ("does not reach", "10.0.9.9 on the node and 10.1.1.1 in a container")),
        (f"- dns {UNKNOWN}", "127.0.1.1 file 0 open full", "container.database", "failure",
         ("db.example.com is 127.0.1.1 on the node", "Correct db.example.com in the node's /etc/hosts")),
        (f"- dns {UNKNOWN}", "::1 file 1 connect: Connection refused", "container.database", "failure",
         ("is ::1 on the node", "other machines")),
        ("10.0.9.9 dns 124 open ", "10.0.9.9 dns 0 open full", "container.database-packets", "warning",
         ("full-size packets (MTU 1500) do not arrive", "network.mtu")),
        ("10.0.9.9 dns 127 bash: not found", "10.0.9.9 dns 127 bash: not found", "container.network", "warning",
         ("not checked: the node has no bash", "by hand")),
    ],
)  # fmt: skip
def test_what_differs_is_named(inside: str, node: str, name: str, level: str, words: tuple[str, str]) -> None:
    text = changed(
        ("inside database 10.0.9.9 dns 0 open full", f"inside database {inside}"),
        ("node database 10.0.9.9 file 0 open full", f"node database {node}"),
    )
    told = found(f"{text}again database {node}\n")
    assert levels(told) == {name: level}
    assert words[0] in told[name].seen
    for one in words[1:]:
        assert one in told[name].hint


def test_what_the_node_does_not_reach_either_is_told_by_the_other_checks() -> None:
    told = found(
        changed(
            ("inside database 10.0.9.9 dns 0 open full", f"inside database 10.0.9.9 dns {REFUSED}"),
            ("node database 10.0.9.9 file 0 open full", f"node database 10.0.9.9 dns {REFUSED}"),
        )
    )
    assert levels(told) == {}
    assert "nothing that it connects to answers yet" in told["container.network"].seen


def test_what_listens_only_now_and_then_is_no_difference() -> None:
    """The check of the network listens on other nodes for a moment, while containers try them."""
    text = changed(("inside database 10.0.9.9 dns 0 open full", f"inside database 10.0.9.9 dns {REFUSED}"))
    assert levels(found(text)) == {}
    assert levels(found(f"{text}again database 10.0.9.9 dns {REFUSED}\n")) == {}
    assert levels(found(f"{text}again database 10.0.9.9 dns 0 open full\n")) == {
        "container.database": "failure"
    }


def test_large_packets_that_the_node_loses_too_are_no_matter_of_containers() -> None:
    lost = changed(("0 open full", "124 open "))
    assert levels(found(lost)) == {}


# ---- its network


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (
            "refused Error response from daemon: could not find an available, non-overlapping IPv4 address pool "
            "among the defaults to assign to the network",
            ("available, non-overlapping", "such as 172.18.0.0/16; or remove networks without containers (docker"),
        ),
        (
            "refused Error response from daemon: Failed to Setup IP tables: Unable to enable NAT rule: (iptables "
            "failed: iptables --wait -t nat -I POSTROUTING: No chain/target/match by that name.)",
            ("No chain", "systemctl restart docker", "live-restore"),
        ),
        (
            "outside 125 docker: Error response from daemon: failed to create endpoint x on network y: failed to "
            "add the host (veth1) <=> sandbox (veth2) pair interfaces: operation not supported.",
            ("pair interfaces", "Reboot the node"),
        ),
        ("refused Pool overlaps with other one on this address space", ("Pool overlaps", "Set network.subnet")),
        ("outside 125 something else", ("something else", "journalctl")),
        ("outside 124 ", ("status 124", "journalctl")),
    ],
)  # fmt: skip
def test_a_network_that_cannot_be_made(lines: str, words: tuple[str, ...]) -> None:
    told = found(
        f"next 172.18.0.0/16\nsafe 172.18.0.0/16\ncreate auto\n{lines}\nforward 1\nstatus 7\nuid 0\n"
    )
    assert levels(told) == {"container.network": "failure"}
    assert words[0] in told["container.network"].seen
    for one in words[1:]:
        assert one in told["container.network"].hint
    assert "was not checked" in told["container.network"].why


def test_a_container_that_runs_none_of_the_nodes_programs_saw_nothing() -> None:
    told = found("create auto\noutside 127 exec: /bin/sh: no such file or directory\nforward 1\nstatus 7\n")
    assert levels(told) == {"container.network": "warning"}
    assert told["container.network"].seen.startswith("not checked: ")


@pytest.mark.parametrize(
    ("lines", "level", "words"),
    [
        ("risk database 172.18.0.10 172.18.0.0/16\ncreate none", "failure",
         "the next network of containers gets 172.18.0.0/16, which covers the database (172.18.0.10)"),
        ("risk ssh 172.22.0.10 172.22.0.0/16\nrisk dns 172.22.0.1 172.22.0.0/16\ncreate 172.18.0.0/16", "warning",
         "may give 172.22.0.0/16 to a network, which covers the other end of this SSH connection (172.22.0.10) and a DNS"),
        ("overlap 10.0.0.0/24 network shop_default\ncreate none", "failure",
         "network.subnet 10.0.0.0/24 overlaps with the network shop_default of the node"),
    ],
)  # fmt: skip
def test_a_subnet_that_takes_addresses_away(lines: str, level: str, words: str) -> None:
    told = found(f"next 172.18.0.0/16\nsafe 172.19.0.0/16\n{lines}\nforward 1\nstatus 7\nuid 0\n")
    assert levels(told) == {"container.subnet": level}
    assert words in told["container.subnet"].seen
    assert "Set network.subnet to a network that nothing in your network uses, such as 172.19.0.0/16" in (
        told["container.subnet"].hint
    )


def test_a_network_that_has_the_database_now() -> None:
    covered = "covered database 10.0.9.9 shop 10.0.0.0/16\n"
    assert levels(found(RECORDED + covered)) == {}  # a container of the node may have that address
    lost = changed(
        ("node database 10.0.9.9 file 0 open full", "node database 10.0.9.9 dns 1 No route to host")
    )
    told = found(lost + covered)
    assert levels(told) == {"container.subnet": "failure"}
    assert "the network shop of the node has 10.0.0.0/16, which covers the database (10.0.9.9)" in (
        told["container.subnet"].seen
    )


# ---- forwarding


def test_forwarding_that_is_off() -> None:
    lost = changed(
        ("forward 1", "forward 0"),
        ("inside database 10.0.9.9 dns 0 open full", "inside database 10.0.9.9 dns 124 "),
    )
    told = found(lost)
    assert levels(told) == {"container.forwarding": "failure"}
    remedy = told["container.forwarding"].remedy
    assert remedy is not None
    assert remedy.commands == (("sysctl", "-w", "net.ipv4.ip_forward=1"),)
    assert remedy.undo == (("sysctl", "-w", "net.ipv4.ip_forward=0"),)
    assert found(lost.replace("uid 0", "uid 1000"))["container.forwarding"].remedy is None
    assert "container.forwarding" not in found(f"{lost}security [name=rootless]\n")


def test_forwarding_that_will_be_off() -> None:
    told = found(RECORDED + "sysctl 0 /etc/sysctl.d/60-cis.conf\n")
    assert levels(told) == {"container.forwarding": "warning"}
    assert told["container.forwarding"].seen == "/etc/sysctl.d/60-cis.conf sets net.ipv4.ip_forward to 0"
    assert levels(found(RECORDED + "sysctl 1 /etc/sysctl.d/99-oz.conf\n")) == {}


# ---- what is tried


def test_what_containers_of_a_node_connect_to() -> None:
    at = site()
    planned = replace(at, topology=plan_topology(at.answers))
    keys = {one.key: one for one in container_targets(planned, API)}
    assert keys["database"].words == ("database", "db.example.com", "5432", "postgres")
    assert keys["n2-8501"].words == ("n2-8501", "10.0.0.2", "8501", "-")
    assert keys["node-n1"].port == 0
    assert not any(one.startswith("n1-8") for one in keys)
    assert "storage" not in keys
    argv = container_argv(planned, BIO, "x")
    assert container_argv(planned, API, "x")[11].startswith("/mnt/oz oz-api")
    assert argv[4:11] == ("docker", "x", "oz_default", "-", "com.docker.network.driver.mtu", "-", "8")
    assert "canary-password" not in repr(argv)


# ---- the kind of engine


@pytest.mark.parametrize(
    ("lines", "name", "level", "words"),
    [
        ("endpoint tcp://other:2375\n", "container.engine", "failure", ("engine of tcp://other:2375", "DOCKER_HOST")),
        ("remote true\n", "container.engine", "failure", ("engine of another machine", "DOCKER_HOST")),
        (f"{RECORDED}boot 0\n", "container.engine", "failure", ("engine of another machine", "context use default")),
        (RECORDED + "security [name=seccomp,profile=builtin name=userns]\n", "container.users", "failure",
         ("userns-remap", "daemon.json")),
        (RECORDED + "media 66 2049\n", "container.media", "failure", ("started before the mount", "unmount /mnt/oz")),
        (RECORDED + "rootless true\nlogin oz\nlinger no\n", "container.linger", "warning",
         ("belongs to oz and ends", "loginctl enable-linger oz")),
        (RECORDED + "rootless true\nports-from 9000\n", "container.ports", "failure",
         ("may not publish port 8880", "ip_unprivileged_port_start=8880")),
    ],
)  # fmt: skip
def test_an_engine_that_is_not_the_nodes_own_or_not_roots(
    lines: str, name: str, level: str, words: tuple[str, str]
) -> None:
    told = found(lines)
    assert levels(told) == {name: level}
    assert words[0] in told[name].seen
    assert words[1] in told[name].hint


def test_an_engine_in_order() -> None:
    more = "endpoint unix:///var/run/docker.sock\nboot a352c5d8-654b-4435-8688-c38f3b89b0ab\nports-from 1024\nremote false\n"
    more += "media 66 66\n"
    assert levels(found(RECORDED + more)) == {}
    assert levels(found(RECORDED + "rootless true\nports-from 1024\n")) == {}
