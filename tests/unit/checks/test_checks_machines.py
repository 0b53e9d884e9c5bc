"""Clocks, identities, engine settings and the install folder: facts in, findings out."""

from __future__ import annotations

import os
import stat
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from oz_installer.checks.engine.runtime import RuntimeCheck, RuntimeFacts
from oz_installer.checks.host.clock import ClockCheck, ClockFacts
from oz_installer.checks.host.disk_query import disk_of
from oz_installer.checks.host.facts import FolderOwner, HostFacts
from oz_installer.checks.host.host import HostCheck
from oz_installer.checks.host.identity import IdentityCheck, MachineIds
from oz_installer.checks.runner import run_shell_checks
from tests.local_transport import LocalTransport
from tests.unit.checks.checks_support import API, BIO, judged, levels, printed_by, site
from tests.unit.checks.test_checks_judges import HOST
from tests.unit.checks.test_checks_scripts import program

GIB = 1024 * 1024
RUNTIME = RuntimeFacts(
    driver="overlay2",
    cgroup="systemd, v2",
    root="/var/lib/docker",
    free=60 * GIB,
    mounts=frozenset({"/mnt/oz"}),
)


# ---- clocks


@pytest.mark.parametrize(
    ("ahead", "bad"),
    [
        ({"n1": 0.1, "n2": -0.3}, {}),
        ({"n1": 1.0, "n2": 2.9}, {}),
        ({"n1": 0.0, "n2": 4.4}, {"clock.skew/n2": "warning"}),
        ({"n1": 0.0, "n2": 200.0}, {"clock.skew/n2": "failure"}),
        ({"n1": 300.0, "n2": 300.5}, {"clock.workstation": "warning"}),
        ({"n2": 5.0}, {"clock.skew/n2": "warning"}),
        ({"n2": 500.0}, {"clock.skew/n2": "warning"}),
        ({}, {}),
    ],
)
def test_clocks(ahead: dict[str, float], bad: dict[str, str]) -> None:
    found = list(ClockCheck().across(site(), {name: ClockFacts(ahead=by) for name, by in ahead.items()}))
    told = {one.id: one.level for one in found if one.level != "ok"}
    assert told == bad
    assert all(one.hint for one in found if one.level != "ok")
    assert {one.node for one in found if one.node} == set(ahead)


def test_of_three_clocks_the_odd_one_is_named() -> None:
    spots = (API, BIO, replace(BIO, name="n3"))
    facts = {name: ClockFacts(ahead=0.1) for name in ("n1", "n2")}
    facts["n3"] = ClockFacts(ahead=-3700.0, synchronised=False)
    found = {one.id: one for one in ClockCheck().across(site(spots=spots), facts)}
    assert [name for name, one in found.items() if one.level != "ok"] == ["clock.skew/n3"]
    assert found["clock.skew/n3"].seen == "62 min behind the other nodes'; it is not synchronised"


def test_a_clock_is_read_to_a_fraction_of_a_second() -> None:
    assert abs(ClockCheck().parse(f"synchronised \ntime {time.time() + 60:.9f}").ahead - 60) < 0.5
    assert ClockCheck().parse(f"time {int(time.time())}.%N").synchronised is None
    assert ClockCheck().parse(f"synchronised no\ntime {time.time():.9f}").synchronised is False


# ---- identities

ONE = MachineIds(host="a", machine="1", boot="x 02:01")


@pytest.mark.parametrize(
    ("other", "bad"),
    [
        (MachineIds(host="b", machine="2", boot="y 02:02"), {}),
        (MachineIds(host="b", machine="2", boot="x 02:01"), {"identity.machine": "failure"}),
        (MachineIds(host="b", machine="1", boot="y 02:02"), {"identity.machine": "warning"}),
        (MachineIds(host="a", machine="2", boot="y 02:02"), {"identity.name": "warning"}),
        (MachineIds(), {}),
    ],
)
def test_identities(other: MachineIds, bad: dict[str, str]) -> None:
    found = list(IdentityCheck().across(site(), {"n1": ONE, "n2": other}))
    assert {one.id: one.level for one in found if one.level != "ok"} == {
        f"{name}/{node}": level for name, level in bad.items() for node in ("n1", "n2")
    }
    assert [one.node for one in found] == ["n1", "n2"]
    assert all(one.hint for one in found if one.level != "ok")


def test_one_machine_alone_and_machines_that_tell_nothing() -> None:
    assert list(IdentityCheck().across(site(), {"n1": ONE})) == []
    assert (
        levels(
            {one.id: one for one in IdentityCheck().across(site(), {"n1": MachineIds(), "n2": MachineIds()})}
        )
        == {}
    )


# ---- engine settings


@pytest.mark.parametrize(
    ("changes", "bad"),
    [
        ({}, {}),
        ({"driver": "vfs"}, {"runtime.driver": "warning"}),
        ({"driver": "devicemapper"}, {"runtime.driver": "warning"}),
        ({"driver": "btrfs"}, {}),
        ({"limits": False}, {"runtime.cgroup": "warning"}),
        ({"boot": "enabled"}, {}),
        ({"boot": "disabled"}, {"runtime.boot": "warning"}),
        ({"free": GIB}, {}),
        ({"free": GIB, "shared": False}, {"runtime.disk": "warning"}),
        ({"free": None, "shared": False}, {"runtime.disk": "warning"}),
    ],
)
def test_engine_settings(changes: dict[str, Any], bad: dict[str, str]) -> None:
    assert levels(judged(RuntimeCheck(), replace(RUNTIME, **changes))) == bad


def test_an_engine_that_tells_nothing_is_not_judged_twice() -> None:
    assert RuntimeCheck().parse("") == RuntimeFacts(known=False)
    assert judged(RuntimeCheck(), RuntimeFacts(known=False)) == {}


def test_an_engine_that_is_not_enabled_can_be_enabled_and_disabled_again() -> None:
    assert judged(RuntimeCheck(), replace(RUNTIME, boot="disabled"))["runtime.boot"].remedy is None
    remedy = judged(RuntimeCheck(), replace(RUNTIME, boot="disabled", as_root=True))["runtime.boot"].remedy
    assert remedy is not None
    assert remedy.commands == (("systemctl", "enable", "docker.service"),)
    assert remedy.undo == (("systemctl", "disable", "docker.service"),)
    sudo = judged(RuntimeCheck(), replace(RUNTIME, boot="disabled", sudo=True))["runtime.boot"].remedy
    assert sudo is not None
    assert sudo.commands == (("sudo", "-n", "systemctl", "enable", "docker.service"),)
    assert sudo.undo == (("sudo", "-n", "systemctl", "disable", "docker.service"),)
    masked = judged(RuntimeCheck(), replace(RUNTIME, boot="masked", as_root=True))["runtime.boot"]
    assert masked.hint == "Run as root: systemctl unmask docker.service && systemctl enable docker.service"
    for word in ("masked", "static", "not-found"):  # systemctl enable would fail
        assert (
            judged(RuntimeCheck(), replace(RUNTIME, boot=word, as_root=True))["runtime.boot"].remedy is None
        )


@pytest.mark.parametrize(
    ("line", "cgroup", "limits", "root"),
    [
        ("overlay2 systemd 2 true /var/lib/docker", "systemd, v2", True, "/var/lib/docker"),
        ("vfs cgroupfs ? false /srv/our docker", "cgroupfs", False, "/srv/our docker"),
        ("overlay systemd v2 true /root/.local/share", "systemd, v2", True, "/root/.local/share"),
    ],
)
def test_what_an_engine_tells(line: str, cgroup: str, limits: bool, root: str) -> None:
    disks = f"root place {root}\nroot disk x 200 50 100 25% /var\nhere disk y 9 5 4 5% /"
    facts = RuntimeCheck().parse(f"info {line}\n{disks}\nboot enabled\n")
    assert (facts.driver, facts.cgroup, facts.limits, facts.root) == (line.split()[0], cgroup, limits, root)
    assert (facts.free, facts.shared, facts.boot) == (100, False, "enabled")


def test_a_docker_that_does_not_know_its_cgroups_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tmp_path / "docker"
    tool.write_text(
        "#!/bin/sh\n"
        'case "$1 $3" in\n'
        '*CgroupVersion*) printf "version 19.03.13\\nplugin \\ninfo overlay2 cgroupfs "; exit 1 ;;\n'
        "ps*) exit ;; esac\n"
        'printf "version 19.03.13\\nplugin \\ninfo overlay2 cgroupfs ? true /srv/our docker\\n"\n'
    )
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    facts = RuntimeCheck().parse(printed_by(RuntimeCheck(), site()))
    assert (facts.cgroup, facts.root) == ("cgroupfs", "/srv/our docker")


# ---- order at boot, snaps, containerd, inodes


def test_nfs_path_boot_the_engine_must_wait_for_the_media() -> None:
    told = judged(RuntimeCheck(), replace(RUNTIME, boot="enabled", mounts=frozenset(), as_root=True), API)
    assert levels(told) == {"runtime.mounts": "warning"}
    assert "docker.service does not wait for /mnt/oz" in told["runtime.mounts"].seen
    remedy = told["runtime.mounts"].remedy
    assert remedy is not None
    assert remedy.commands[0][-3:] == ("/etc/systemd/system/docker.service.d", "oz-media.conf", "/mnt/oz")
    waiting = replace(RUNTIME, boot="enabled", mounts=frozenset({"/mnt"}))
    assert judged(RuntimeCheck(), waiting, API)["runtime.mounts"].level == "ok"
    local = site(storage="{type: local}")
    assert "runtime.mounts" not in judged(RuntimeCheck(), replace(RUNTIME, boot="enabled"), API, local)


def test_the_remedy_writes_what_systemd_reads_and_is_undone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, "systemctl", "#!/bin/sh\n")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    facts = replace(RUNTIME, boot="enabled", mounts=frozenset(), as_root=True)
    remedy = judged(RuntimeCheck(), facts, API)["runtime.mounts"].remedy
    assert remedy is not None
    here = str(tmp_path / "docker.service.d")
    words = [[here if word.startswith("/etc/systemd") else word for word in remedy.commands[0]]]
    words += [[here if word.startswith("/etc/systemd") else word for word in remedy.undo[0]]]
    subprocess.run(words[0], check=True)
    written = tmp_path / "docker.service.d" / "oz-media.conf"
    assert written.read_text() == "[Unit]\nRequiresMountsFor=/mnt/oz\n"
    subprocess.run(words[1], check=True)
    assert not written.parent.exists()


def test_a_docker_from_a_snap() -> None:
    snap = replace(RUNTIME, root="/var/snap/docker/common/var-lib-docker")
    assert levels(judged(RuntimeCheck(), snap)) == {"runtime.snap": "failure"}


def test_few_inodes_are_a_full_disk() -> None:
    told = judged(HostCheck(), replace(HOST, inodes_free=9_999))
    assert levels(told) == {"host.disk": "failure"}
    assert "9999 free inodes" in told["host.disk"].seen
    assert levels(judged(HostCheck(), replace(HOST, inodes_free=10_000))) == {}
    counted = disk_of("here place /opt\nhere disk a 9 1 8 1% /\nhere inodes 100 7\n", "here")
    assert (counted.free, counted.inodes) == (8, 7)
    assert disk_of("here place /opt\nhere disk a 9 1 8 1% /\nhere inodes 0 0\n", "here").inodes is None


# ---- the machine's folder


@pytest.mark.parametrize(
    ("changes", "bad"),
    [
        ({"owner": "root", "owner_uid": 0, "mode": 0o755, "uid": 0}, {}),
        ({"owner": "oz", "owner_uid": 1000, "mode": 0o755, "uid": 1000}, {}),
        ({"owner": "eve", "owner_uid": 1001, "mode": 0o755, "uid": 1000}, {"host.owner": "warning"}),
        ({"owner": "root", "owner_uid": 0, "mode": 0o777, "uid": 0}, {"host.owner": "warning"}),
        ({"owner": "root", "owner_uid": 0, "mode": 0o1777, "uid": 0}, {"host.owner": "warning"}),
        ({"options": frozenset({"rw", "noexec"})}, {"host.noexec": "warning"}),
        ({"selinux": "Enforcing"}, {"host.selinux": "warning"}),
        ({"selinux": "Permissive"}, {}),
        ({"kernel": "Linux 3.2.0-4-amd64"}, {"host.kernel": "warning"}),
        ({"kernel": "Linux 6.12.43+deb13-amd64"}, {}),
        ({"uid": 1000, "login": "oz"}, {}),
    ],
)
def test_host_surroundings(changes: dict[str, Any], bad: dict[str, str]) -> None:
    assert levels(judged(HostCheck(), replace(HOST, **changes))) == bad


ROOTS = {"owner": "root", "uid": 0, "mode": 0o755, "group": "root"}


def above(path: str, **changes: Any) -> FolderOwner:
    """A folder above the install folder, root's unless changed."""
    return FolderOwner(path=path, **{**ROOTS, **changes})


@pytest.mark.parametrize(
    ("changes", "bad"),
    [
        ({"mode": 0o775, "group": "users"}, "host.owner"),
        ({"mode": 0o775, "group": "root"}, ""),
        ({"mode": 0o1777}, "host.owner"),
        ({"above": (above("/opt"), above("/"))}, ""),
        ({"above": (above("/home/eve", uid=1001, owner="eve"), above("/home"))}, "host.parent"),
        ({"above": (above("/srv"), above("/srv", mode=0o777))}, "host.parent"),
        ({"above": (above("/srv", mode=0o775, group="users"),)}, "host.parent"),
        ({"above": (above("/srv", mode=0o1777),)}, ""),
        ({"above": (above("/srv", mode=0o1777),), "place": "/srv", "owner_uid": None}, "host.parent"),
        ({"above": (above("/var/tmp", mode=0o1777),)}, "host.parent"),
        ({"above": (above("/home/oz", uid=7, owner="oz"),), "uid": 7}, ""),
    ],
)
def test_m6_who_may_replace_the_install_folder(changes: dict[str, Any], bad: str) -> None:
    facts = replace(HOST, place="/opt/oz", owner="root", owner_uid=0, mode=0o755, uid=0)
    found = judged(HostCheck(), replace(facts, **changes))
    assert levels(found) == ({bad: "warning"} if bad else {})


def test_m6_the_script_tells_of_the_folder_behind_a_link_and_of_all_above(tmp_path: Path) -> None:
    (tmp_path / "theirs/oz").mkdir(parents=True)
    (tmp_path / "theirs").chmod(0o777)
    (tmp_path / "theirs/oz").chmod(0o700)
    link = tmp_path / "oz"
    link.symlink_to(tmp_path / "theirs/oz")
    for folder, parent in ((link, tmp_path), (tmp_path / "theirs/new/oz", tmp_path / "theirs")):
        at = site(lambda name: LocalTransport(name, become="none"), (BIO,), install_dir=str(folder))
        facts = HostCheck().parse(printed_by(HostCheck(), at, BIO))
        assert facts.above[0].path == str(parent)
        assert facts.above[-1].path.count("/") == 1
        assert facts.mode == (0o700 if folder == link else 0)
        assert "host.parent" in levels(judged(HostCheck(), facts, BIO, at))


@pytest.mark.parametrize(
    ("changes", "command", "undo"),
    [
        ({"mode": 0o777}, "chmod o-w /opt/oz", "chmod o+w /opt/oz"),
        ({"mode": 0o777, "uid": 7, "owner_uid": 7}, "chmod o-w /opt/oz", "chmod o+w /opt/oz"),
        ({"mode": 0o777, "uid": 7}, "", ""),
        ({"owner": "eve", "owner_uid": 1001}, "chown root /opt/oz", "chown 1001 /opt/oz"),
        ({"owner": "eve", "owner_uid": 1001, "uid": 7}, "", ""),
    ],
)
def test_a_folder_is_mended_by_who_may(changes: dict[str, Any], command: str, undo: str) -> None:
    facts = replace(HOST, owner="root", owner_uid=0, mode=0o755, uid=0)
    remedy = judged(HostCheck(), replace(facts, **changes))["host.owner"].remedy
    assert [" ".join(one) for one in (remedy.commands if remedy else ())] == [command] * bool(command)
    assert [" ".join(one) for one in (remedy.undo if remedy else ())] == [undo] * bool(undo)


def test_a_folder_that_everybody_may_write_is_seen_and_can_be_mended(tmp_path: Path) -> None:
    folder = tmp_path / "oz"
    folder.mkdir(mode=0o755)
    folder.chmod(0o777)
    at = site(lambda name: LocalTransport(name, become="none"), (BIO,), install_dir=str(folder))
    found = {one.id: one for one in run_shell_checks((HostCheck(),), at, BIO).findings}
    remedy = found["host.owner/n2"].remedy
    assert remedy is not None
    for command in remedy.commands:
        subprocess.run(command, check=True)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o775
    assert "host.owner/n2" not in {one.id for one in run_shell_checks((HostCheck(),), at, BIO).findings}


def test_this_machine_tells_all_of_it() -> None:
    at = site(lambda name: LocalTransport(name, become="none"), (BIO,))
    looked = run_shell_checks((HostCheck(), IdentityCheck(), ClockCheck()), at, BIO)
    host: HostFacts = looked.facts["host"]
    assert host.uid == os.getuid()
    assert "rw" in host.options or "ro" in host.options
    assert host.kernel.startswith("Linux ")
    assert looked.facts["identity"].boot
    assert abs(looked.facts["clock"].ahead) < 5
