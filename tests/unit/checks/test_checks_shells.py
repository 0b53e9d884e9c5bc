"""All looks as one script, in the shells and with the awks that nodes have; and disks that do not answer."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from oz_installer.checks.all_checks import CHECKS
from oz_installer.checks.base import ShellCheck
from oz_installer.checks.context import CheckContext
from oz_installer.checks.engine.runtime import RuntimeCheck
from oz_installer.checks.host.disk_query import Disk, disk_of
from oz_installer.checks.host.host import HostCheck
from oz_installer.checks.runner import CheckOutput, run_shell_checks
from oz_installer.checks.storage.probe import HeldFile, MediaLocation
from oz_installer.checks.storage.scripts import PREFIX
from oz_installer.checks.storage.storage import StorageCheck
from oz_installer.checks.viewpoint import NodeViewpoint
from tests.local_transport import LocalTransport
from tests.unit.checks.checks_support import API, BIO, judged, levels, site
from tests.unit.checks.test_checks_judges import HOST
from tests.unit.checks.test_checks_machines import RUNTIME
from tests.unit.checks.test_checks_scripts import DOCKER, program

LOOKS: tuple[ShellCheck[Any], ...] = tuple(check for check in CHECKS if isinstance(check, ShellCheck))
DF = """#!/bin/sh
echo "$*" >> {log}
case $2 in {hanging}) exec sleep 60 ;; esac
echo 'Filesystem 1024-blocks Used Available Capacity Mounted on'
echo '/dev/vda1 209715200 1 157286400 1% /'
"""


def at_home(install_dir: Path) -> CheckContext:
    """This machine as one node, without sudo."""
    return site(lambda name: LocalTransport(name, become="none"), (API,), install_dir=str(install_dir))


def found(name: str) -> str:
    """Where a program is; the test must not pass without it."""
    path = shutil.which(name)
    assert path, f"tests/machine.sh installs {name}"
    return path


def tools_of(folder: Path, shell: str, awk: str) -> None:
    """A node with this shell and this awk; with busybox it has nothing else."""
    folder.mkdir()
    applets: Sequence[str] = ()
    if shell == "busybox":
        listed = subprocess.run([found("busybox"), "--list"], capture_output=True, text=True, check=True)
        applets = listed.stdout.split()
    for applet in applets:
        (folder / applet).symlink_to(found("busybox"))
    for name, path in (("sh", shell), ("awk", awk)):
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(found(path))
    program(folder, "docker", DOCKER.replace("/srv/info x", "/"))


@pytest.mark.parametrize(
    ("shell", "awk"),
    [("busybox", "busybox"), ("dash", "mawk"), ("dash", "gawk"), ("dash", "busybox"), ("bash", "gawk")],
)
def test_all_looks_are_understood_whatever_shell_and_awk_a_node_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shell: str, awk: str
) -> None:
    tools = tmp_path / "tools"
    tools_of(tools, shell, awk)
    monkeypatch.setenv("PATH", str(tools) if shell == "busybox" else f"{tools}:{os.environ['PATH']}")
    monkeypatch.setenv("PLUGIN", "2.26.1")
    seen = run_shell_checks(LOOKS, at_home(tmp_path / "oz"), API)
    assert [one.seen for one in seen.findings if "broke" in one.seen] == []
    assert set(seen.facts) == {one.name for one in LOOKS}
    host, runtime = seen.facts["host"], seen.facts["runtime"]
    assert host.cores
    assert host.memory
    assert host.flags
    assert host.kernel.startswith("Linux ")
    assert (host.uid, host.place, host.access) == (os.getuid(), str(tmp_path), "ok")
    assert host.disk_size >= host.disk_free > 0
    assert host.options & {"rw", "ro"}
    assert runtime.known
    assert runtime.free
    assert seen.facts["engine"].engine.compose_plugin == "2.26.1"
    assert seen.facts["ports"].complete
    assert seen.facts["ports"].containers[60002] == "ftp"
    assert seen.facts["identity"].boot
    assert abs(seen.facts["clock"].ahead) < 5


def test_a_media_folder_is_tried_by_busybox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has neither a lock that says so nor another user to read as: what it has counts."""
    tools_of(tmp_path / "tools", "busybox", "busybox")
    monkeypatch.setenv("PATH", str(tmp_path / "tools"))
    media = tmp_path / "media"
    media.mkdir()
    nodes, storage = (API, BIO), f"{{type: path, path: {media}}}"
    at = site(lambda name: LocalTransport(name, become="none"), nodes, storage=storage)
    for spot in nodes:
        facts = StorageCheck().probe(at, spot)
        assert (facts.folder, facts.readable, facts.unavailable) == ("ok", None, "")
        assert facts.free
        assert facts.shared is (True if spot == BIO else None)
    assert list(media.iterdir()) == []


def test_a_setpriv_that_cannot_become_another_user_tells_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Busybox has one without these options: its usage is no word on the folder."""
    media = tmp_path / "media"
    media.mkdir()
    program(tmp_path, "setpriv", "#!/bin/sh\necho Usage: setpriv >&2\nexit 1\n")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    place = MediaLocation(folder=str(media), reader=101)
    with HeldFile(LocalTransport(become="none"), place, f"{PREFIX}a", "word", measure=True) as held:
        assert (held.facts.folder, held.facts.readable) == ("ok", None)


@pytest.mark.parametrize("late", [124, 143])
def test_a_port_that_is_tried_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, late: int) -> None:
    program(tmp_path, "timeout", f"#!/bin/sh\nexit {late}\n")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert (
        NodeViewpoint(LocalTransport(become="none")).tcp_from_shell("127.0.0.1", 1).message
        == "no answer within 5 s"
    )


# ---- disks


def hung(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hanging: str, seconds: str
) -> tuple[CheckOutput, float]:
    """A look at a node where df of these folders does not answer; how long it took."""
    tools, log = tmp_path / "tools", tmp_path / "log"
    tools_of(tools, "dash", "mawk")
    program(tools, "df", DF.format(hanging=hanging, log=log))
    program(tools, "docker", DOCKER.replace("/srv/info x", str(tmp_path / "engine")))
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    program(tools, "timeout", f'#!/bin/sh\nshift\nexec {found("timeout")} {seconds} "$@"\n')
    for folder in ("oz", "engine"):
        (tmp_path / folder).mkdir()
    began = time.monotonic()
    seen = run_shell_checks(LOOKS, at_home(tmp_path / "oz"), API)
    assert [one.seen for one in seen.findings if "broke" in one.seen] == []
    assert len(log.read_text().splitlines()) == 2, "each disk is asked once"
    return seen, time.monotonic() - began


def test_a_disk_that_does_not_answer_is_a_finding_and_all_else_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, _ = hung(tmp_path, monkeypatch, f"{tmp_path}/oz", "1")
    told = {one.id: one for one in seen.findings}
    disk = told["host.disk/n1"]
    assert disk.level == "failure"
    assert (
        disk.seen == f"the disk behind {tmp_path}/oz does not answer within 5 s (possibly a dead NFS mount)"
    )
    assert "umount" in disk.hint
    assert "host.folder/n1" not in told, "whether it is writable is not known"
    assert told["runtime.disk/n1"].seen == f"150 GB free at {tmp_path}/engine"
    assert seen.facts["host"].cores
    assert seen.facts["host"].os
    assert dict(seen.shown)["Disk"] == "does not answer"
    assert told["engine/n1"].level == "ok"


def test_the_engines_disk_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen, _ = hung(tmp_path, monkeypatch, f"{tmp_path}/engine", "1")
    told = {one.id: one for one in seen.findings}
    assert told["runtime.disk/n1"].level == "failure"
    assert f"the disk behind {tmp_path}/engine does not answer" in told["runtime.disk/n1"].seen
    assert told["host.disk/n1"].seen == "150 GB free at " + str(tmp_path / "oz")


def test_two_disks_that_hang_cost_the_time_of_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen, took = hung(tmp_path, monkeypatch, f"{tmp_path}/*", "4")
    assert 4 <= took < 8
    bad = [one.id for one in seen.findings if "does not answer within" in one.seen]
    assert bad == ["host.disk/n1", "runtime.disk/n1"]


def test_what_touches_a_dead_mount_is_ended_even_without_df(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The shell's own ``[ -d ... ]`` hangs there, too: where nothing came back, nothing there is touched."""
    tools = tmp_path / "tools"
    tools_of(tools, "dash", "mawk")
    (tmp_path / "oz/current").mkdir(parents=True)
    program(tools, "timeout", '#!/bin/sh\ncase $* in *"until [ -d"*) exit 143 ;; esac\nshift\nexec "$@"\n')
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    facts = run_shell_checks(LOOKS, at_home(tmp_path / "oz"), API).facts
    assert facts["host"].disk_hangs
    assert not facts["host"].installed
    assert facts["host"].owner == ""
    assert facts["host"].cores


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("here place /opt\nhere disk /x 100 60 40 60% /\n", Disk(place="/opt", size=100, free=40, at="/")),
        ("root place /\nroot disk a 1 1 1 1% /\nhere place /opt\nhere disk /opt\n", Disk(place="/opt")),
        ("here place /opt\nhere disk Filesystem 1024-blocks Used Available Capacity Mounted on\n",
         Disk(place="/opt", at="Mounted")),
        ("root hangs\nhere place /a b\nhere disk x 9 5 4 5% /\n", Disk(place="/a b", size=9, free=4, at="/")),
        ("here hangs\nroot place /\n", Disk(hangs=True)),
        ("", Disk()),
    ],
)  # fmt: skip
def test_what_is_told_of_a_disk(text: str, expected: Disk) -> None:
    assert disk_of(text, "here") == expected


def test_of_a_disk_that_hangs_nothing_else_is_said() -> None:
    bad = judged(HostCheck(), replace(HOST, disk_hangs=True, access="denied /opt", mode=0o777))
    assert levels(bad) == {"host.disk": "failure"}
    assert levels(judged(RuntimeCheck(), replace(RUNTIME, hangs=True, free=None))) == {
        "runtime.disk": "failure"
    }
