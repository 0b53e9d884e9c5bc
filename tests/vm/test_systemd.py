"""What only a whole machine has: systemd, cgroup v2, a clock that something keeps right."""

from __future__ import annotations

import pytest

from tests.vm.pair import PATIENCE_SECONDS, Pair, bad

NODES = ("node1", "node2")


def test_an_engine_that_does_not_start_at_boot(pair: Pair) -> None:
    assert "runtime.boot" not in str(bad(pair.check("runtime")))
    with pair.during("node2", "systemctl disable docker.service", "systemctl enable docker.service"):
        found = pair.check("runtime")
    assert {name: level for name, level in bad(found).items() if "boot" in name} == {
        "runtime.boot/node2": "warning"
    }
    assert found["runtime.boot/node2"].seen == "docker.service is disabled"
    assert found["runtime.boot/node2"].hint == "Run as root: systemctl enable docker.service"
    assert pair.check("runtime")["runtime.boot/node2"].seen == "docker.service is enabled"


def test_an_engine_that_is_stopped(pair: Pair) -> None:
    stop = "systemctl stop docker.socket docker.service"
    with pair.during("node2", stop, "systemctl start docker.socket docker.service"):
        found = pair.check("engine")
    assert bad(found) == {"engine/node2": "failure"}
    assert "Cannot connect to the Docker daemon" in found["engine/node2"].seen
    assert bad(pair.check("engine")) == {}


@pytest.mark.parametrize("name", NODES)
def test_cgroups_are_told_as_they_are(pair: Pair, name: str) -> None:
    found = pair.check("runtime")
    assert pair.node(name).on("stat -fc %T /sys/fs/cgroup").strip() == "cgroup2fs"
    assert (found[f"runtime.cgroup/{name}"].seen, found[f"runtime.cgroup/{name}"].level) == (
        "systemd, v2",
        "ok",
    )
    assert found[f"runtime.driver/{name}"].seen == "overlay2"


def test_a_container_really_starts(pair: Pair) -> None:
    found = pair.check("container")
    assert set(found) == {"container/node1", "container/node2"}
    assert bad(found) == {}


def test_a_clock_that_nothing_keeps_right(pair: Pair) -> None:
    pair.node("node2").until('[ "$(timedatectl show -p NTPSynchronized --value)" = yes ]', PATIENCE_SECONDS)
    assert bad(pair.check("clock")) == {}
    wrong = "timedatectl set-ntp false; date -s '+3 minutes'"
    with pair.during("node2", wrong, "date -s '-3 minutes'; timedatectl set-ntp true"):
        found = pair.check("clock")
    assert bad(found) == {"clock.skew/node2": "failure"}
    assert "s ahead of the other nodes'; it is not synchronised" in found["clock.skew/node2"].seen
    pair.node("node2").until('[ "$(timedatectl show -p NTPSynchronized --value)" = yes ]', PATIENCE_SECONDS)
    assert bad(pair.check("clock")) == {}


def test_an_engine_is_started_and_enabled_and_that_is_taken_back(pair: Pair) -> None:
    """By systemd's own commands, for now and for the next boot."""
    is_active, is_enabled = (
        "systemctl is-active docker.service || true",
        "systemctl is-enabled docker.service || true",
    )
    node = pair.node("node2")
    stop = "systemctl disable docker.service; systemctl stop docker.socket docker.service"
    with pair.during("node2", stop, "systemctl enable --now docker.socket docker.service"):
        fixed = pair.command("--fix", "--yes", "--only", "engine")
        said, _ = fixed.communicate()
        assert fixed.returncode == 0, said
        assert "systemctl enable --now docker.service" in said
        assert (node.on(is_active).strip(), node.on(is_enabled).strip()) == ("active", "enabled")
        assert bad(pair.check("engine")) == {}
        undone = pair.command("--undo", "--yes")
        said, _ = undone.communicate()
        assert undone.returncode == 0, said
        assert (node.on(is_active).strip(), node.on(is_enabled).strip()) == ("inactive", "disabled")
    assert bad(pair.check("runtime")) == {}
