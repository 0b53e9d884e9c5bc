"""Machines, clocks, identities and engines of lab nodes: made wrong for real, named, mended."""

from __future__ import annotations

import json

import pytest

from tests.e2e.checked_nodes import Bench, bad

SHIM = "/usr/local/bin"
RUNTIME = "$(readlink -f /usr/sbin/runc)"


def test_a_clock_that_is_wrong(bench: Bench) -> None:
    """The nodes of the lab share one clock, so a command tells another time."""
    text = '#!/bin/sh\\nexec /bin/date -d "+150 seconds" "$@"\\n'
    shim = f"printf '{text}' > {SHIM}/date; chmod 755 {SHIM}/date"
    with bench.during("node2", shim, f"rm -f {SHIM}/date"):
        found = bench.check()
    assert bad(found) == {"clock.skew/node2": "failure"}
    assert "150 s ahead of the other nodes'" in found["clock.skew/node2"].seen
    found = bench.check()
    assert bad(found) == {}
    assert found["clock.skew/node2"].level == "ok"


def test_a_cloned_machine(bench: Bench) -> None:
    own = bench.site.on("node2", "cat /etc/machine-id").strip()
    twin = bench.site.on("node1", "cat /etc/machine-id").strip()
    assert own != twin
    with bench.during("node2", f"echo {twin} > /etc/machine-id", f"echo {own} > /etc/machine-id"):
        found = bench.check()
    assert bad(found) == {"identity.machine/node1": "warning", "identity.machine/node2": "warning"}
    assert found["identity.machine/node1"].seen == "has the same machine ID as node2"
    with bench.during("node2", "hostname node1", "hostname node2"):
        found = bench.check()
    assert bad(found) == {"identity.name/node1": "warning", "identity.name/node2": "warning"}
    assert bad(bench.check()) == {}


def test_one_machine_entered_twice(bench: Bench) -> None:
    """By two names: the answers refuse one name twice."""
    document = bench.site.answers("medium-2")
    first = document["nodes"][0]
    address, fingerprint = first["host"], "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub | cut -d ' ' -f 2"
    key = bench.site.on("node1", fingerprint).strip()
    nodes = [
        {**first, "roles": ["api"]},
        {**first, "name": "node2", "host": f"::ffff:{address}", "host_key": key, "roles": ["bio"]},
    ]
    found = bench.check(nodes=nodes)
    failed = {name: level for name, level in bad(found).items() if name.startswith("identity")}
    assert failed == {"identity.machine/node1": "failure", "identity.machine/node2": "failure"}
    assert found["identity.machine/node2"].seen == "is the same machine as node1"


def test_a_stopped_engine_is_named_and_starts_again(bench: Bench) -> None:
    """The engine itself is stopped: nothing else of that node is blamed for it."""
    stop = "kill -STOP $(pidof dockerd)"
    with bench.during("node2", stop, "kill -CONT $(pidof dockerd)"):
        found = bench.check()
    assert found["engine/node2"].level == "failure"
    assert "did not answer within 5 s" in found["engine/node2"].seen
    failed = {name for name, one in found.items() if one.level == "failure"}
    assert failed <= {"engine/node2", "container/node2"}
    assert bad(bench.check()) == {}


def test_a_container_that_cannot_start(bench: Bench) -> None:
    """The engine answers, its runtime does not work: only a start shows it."""
    with bench.during("node2", f"chmod 644 {RUNTIME}", f"chmod 755 {RUNTIME}"):
        found = bench.check()
    assert bad(found) == {"container/node2": "failure"}
    assert "does not start" in found["container/node2"].seen
    assert bad(bench.check()) == {}


def test_an_install_folder_that_anybody_may_write(bench: Bench) -> None:
    with bench.during("node1", "mkdir -m 777 /opt/oz", "rmdir /opt/oz"):
        found = bench.check()
        assert bad(found) == {"host.owner/node1": "warning"}
        bench.site.on("node1", "chmod 755 /opt/oz; chown ozpw /opt/oz")
        found = bench.check()
        assert bad(found) == {"host.owner/node1": "warning"}
        assert found["host.owner/node1"].seen == "/opt/oz belongs to ozpw"
    mount = "mkdir /opt/oz && mount -t tmpfs -o noexec,size=1g,mode=755 none /opt/oz"
    with bench.during("node1", mount, "umount /opt/oz; rmdir /opt/oz"):
        assert bad(bench.check()) == {"host.noexec/node1": "warning"}
    assert bad(bench.check()) == {}


def test_a_full_disk(bench: Bench) -> None:
    mount = "mkdir /opt/oz && mount -t tmpfs -o size=16m,mode=755 none /opt/oz"
    with bench.during("node1", mount, "umount /opt/oz; rmdir /opt/oz"):
        found = bench.check()
    assert found["host.disk/node1"].level == "failure"
    assert {name for name, one in found.items() if one.level == "failure"} == {"host.disk/node1"}
    assert "16 MB free, 512 MB are needed" in found["host.disk/node1"].seen


def test_a_failure_and_a_warning_stop_an_installation(bench: Bench) -> None:
    """Exit code 3, and nothing is changed: the fixture holds the nodes against what they were."""
    answers = bench.answers()
    with bench.during("node1", "mkdir -m 777 /opt/oz", "rmdir /opt/oz"):
        done = bench.site.install(answers)
        assert done.status == 3
        assert "1 warning not accepted; nothing was changed" in done.stderr
        assert "--accept host.owner" in done.stderr
        shown = bench.site.run("--answers", str(answers), "--yes", "--json")
        assert shown.status == 3
        first = json.loads(shown.stdout.splitlines()[0])
        assert (first["event"], first["id"]) == ("Finding", "host.owner/node1")
    with bench.during("node2", "kill -STOP $(pidof dockerd)", "kill -CONT $(pidof dockerd)"):
        assert bench.site.install(answers).status == 3


def test_junit_of_lab_nodes(bench: Bench) -> None:
    junit = bench.folder / "checks.xml"
    done = bench.site.run("check", "--answers", str(bench.answers()), "--junit", str(junit), "--only", "host")
    assert done.status == 0, done.stderr
    text = junit.read_text()
    assert '<testsuite name="node1"' in text
    assert 'failures="0"' in text
    assert "database" not in text


@pytest.mark.parametrize("engine", ["docker", "podman"])
def test_a_container_starts_with_either_engine_and_leaves_nothing(bench: Bench, engine: str) -> None:
    before = bench.site.on("node1", f"{engine} images -aq | sort; {engine} ps -aq")
    changes = {} if engine == "docker" else {"engine": "podman"}
    found = bench.check(**changes)
    assert found["container/node1"].level == "ok", found["container/node1"]
    assert bench.site.on("node1", f"{engine} images -aq | sort; {engine} ps -aq") == before
