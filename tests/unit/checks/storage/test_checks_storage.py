"""Media storage: the NFS server, the mount, locks, readers, latency; a docker that only talks."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from oz_installer.catalog.release import load_release
from oz_installer.checks.context import CheckedNode
from oz_installer.checks.engine.tiny_image import minimal_elf
from oz_installer.checks.storage.nfs import NfsAnswer
from oz_installer.checks.storage.probe import HeldFile, MediaLocation, StorageFacts, facts_of, read_back
from oz_installer.checks.storage.scripts import _WAITING, HOLD, NO_ENGINE, PREFIX, READ
from oz_installer.checks.storage.storage import StorageCheck, media_location
from tests.local_transport import LocalTransport
from tests.unit.checks.checks_support import API, BIO, judged, levels, site

NFS = '{type: nfs, server: nfs.example.com, export: /srv/oz, options: "vers=4.1,hard"}'
OK = NfsAnswer(outcome="ok")
NODEV = "failed to mount local volume: mount :/srv/oz:/var/lib/docker/volumes/x/_data: no such device"


# ---- the judge


@pytest.mark.parametrize(
    ("facts", "bad", "words"),
    [
        (
            StorageFacts(server=OK, shared=True),
            {},
            "nfs.example.com:/srv/oz can be mounted with vers=4.1,hard",
        ),
        (StorageFacts(server=NfsAnswer(outcome="unknown"), shared=True), {}, "sees what n1 writes"),
        (
            StorageFacts(server=NfsAnswer(outcome="unreachable", message="refused")),
            {"storage": "failure"},
            "nfs.example.com:/srv/oz does not answer at port 2049: refused",
        ),
        (
            StorageFacts(server=NfsAnswer(outcome="stranger", message="its answer is not RPC")),
            {"storage": "failure"},
            "port 2049 of nfs.example.com does not speak NFS: its answer is not RPC",
        ),
        (
            StorageFacts(server=NfsAnswer(outcome="version", versions=(3, 3))),
            {"storage": "failure"},
            "speaks NFS 3 only",
        ),
        (StorageFacts(server=OK, mount=NODEV), {"storage.client": "failure"}, "this kernel cannot mount NFS"),
        (
            StorageFacts(server=OK, mount="mount.nfs: helper program: not found"),
            {"storage.client": "failure"},
            "cannot mount NFS",
        ),
        (
            StorageFacts(server=OK, mount="no engine"),
            {"storage.mount": "warning"},
            "not checked: there is no container engine",
        ),
        (
            StorageFacts(server=OK, mount="mount :/srv/oz: permission denied"),
            {"storage.mount": "failure"},
            "nfs.example.com:/srv/oz cannot be mounted: mount :/srv/oz: permission denied",
        ),
        (
            StorageFacts(server=OK, folder="cannot create: Permission denied"),
            {"storage.folder": "failure"},
            "is not writable: cannot create: Permission denied",
        ),
        (
            StorageFacts(server=OK, folder="unseen"),
            {"storage.folder": "warning"},
            "writing to it was not checked",
        ),
        (StorageFacts(server=OK, shared=False), {"storage.shared": "failure"}, "the file is not there"),
    ],
)
def test_nfs(facts: StorageFacts, bad: dict[str, str], words: str) -> None:
    found = judged(StorageCheck(), facts, BIO, site(storage=NFS))
    assert levels(found) == bad
    assert words in " ".join(one.seen for one in found.values())


def test_what_to_do_about_root_on_nfs_and_about_a_missing_client() -> None:
    at = site(storage=NFS)
    found = judged(StorageCheck(), StorageFacts(server=OK, folder="Permission denied"), API, at)
    assert "no_root_squash" in found["storage.folder"].hint
    found = judged(StorageCheck(), StorageFacts(server=OK, mount=NODEV), API, at)
    assert "nfs-common" in found["storage.client"].hint
    found = judged(
        StorageCheck(), StorageFacts(server=NfsAnswer(outcome="version", versions=(3, 3))), API, at
    )
    assert "vers=3" in found["storage"].hint


@pytest.mark.parametrize(
    ("spot", "facts", "bad", "words"),
    [
        (API, StorageFacts(system_disk=True), {"storage.mount": "warning"}, "nothing is mounted at /mnt/oz"),
        (API, StorageFacts(system_disk=False), {}, "is writable"),
        (API, StorageFacts(folder="missing", system_disk=True), {"storage.folder": "failure"}, "no folder"),
        (API, StorageFacts(folder="file", system_disk=True), {"storage.folder": "failure"}, "is a file, not"),
        (API, StorageFacts(folder="silent"), {"storage.folder": "failure"}, "did not answer in time"),
        (API, StorageFacts(locks=True), {}, "files can be locked"),
        (API, StorageFacts(locks=False), {"storage.locks": "warning"}, "files cannot be locked"),
        (BIO, StorageFacts(shared=True, lock_seen=True), {}, "sees the lock of n1"),
        (
            BIO,
            StorageFacts(shared=True, lock_seen=False),
            {"storage.locks": "warning"},
            "does not see that n1 has locked a file",
        ),
        (API, StorageFacts(write_ms=50.0), {}, "a write of 4 KiB takes 50 ms"),
        (API, StorageFacts(write_ms=50.1), {"storage.latency": "warning"}, "takes 50 ms"),
        (API, StorageFacts(write_ms=0.42), {}, "takes 0.4 ms"),
        (API, StorageFacts(readable=True), {}, "the user 101 can read files that root writes"),
        (API, StorageFacts(readable=False), {"storage.reader": "warning"}, "the user 101 cannot read"),
    ],
)
def test_a_folder(spot: CheckedNode, facts: StorageFacts, bad: dict[str, str], words: str) -> None:
    found = judged(StorageCheck(), facts, spot)
    assert levels(found) == bad
    assert words in " ".join(one.seen for one in found.values())


# ---- what the scripts print


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("disk 4096 100 50\ndevice 5 1\nlocked 0\nfolder ok\nheld\n",
         StorageFacts(free=200, locks=True, system_disk=False)),
        ("device 1 1\nlocked 1\nfolder ok\n", StorageFacts(locks=False, system_disk=True)),
        ("locked 127\nreader 127 setpriv: no\nfolder ok\n", StorageFacts()),
        ("locked 124\nreader 124 \nfolder ok\n", StorageFacts()),
        ("locked 143\nreader 143 \nfolder ok\n", StorageFacts()),
        ("reader 1 cat: denied\nfolder ok\n", StorageFacts(readable=False)),
        ("reader 0 \nfolder ok\n", StorageFacts(readable=True)),
        ("mount 0\nfolder unseen\n", StorageFacts(folder="unseen")),
        ("mount 125 no such device\n", StorageFacts(mount="no such device")),
        ("mount 125 " + "4" * 64 + " docker: Error response from daemon: error while mounting volume "
         "'/var/lib/docker/volumes/oz-install-check-1-x/_data': failed to mount local volume: mount "
         ":/srv/oz:/var/lib/docker/volumes/oz-install-check-1-x/_data, data: addr=1.2.3.4,hard: no such "
         "device. See 'docker run --help'.\n",
         StorageFacts(mount="mount :/srv/oz, data: addr=1.2.3.4,hard: no such device.")),
        ('mount 125 time="2026-11-24T14:54:02Z" level=warning msg="Using \\"cgroups\\"" Error: mount.nfs: '
         "failed: No such device\n", StorageFacts(mount="Error: mount.nfs: failed: No such device")),
        ("mount 124 \n", StorageFacts(mount="it is not mounted within 8 s")),
        ("mount 143 \n", StorageFacts(mount="it is not mounted within 8 s")),
        ("mount 124 " + "4" * 64 + " \n", StorageFacts(mount="it is not mounted within 8 s")),
        ("mount 124 oz-install-check-1796028182-a3 \n", StorageFacts(mount="it is not mounted within 8 s")),
        ("mount 1 \n", StorageFacts(mount="status 1")),
        ("denied sh: cannot create x: Read-only file system\n",
         StorageFacts(folder="sh: cannot create x: Read-only file system")),
        ("", StorageFacts(folder="silent")),
        ("mount 0\ndisk 4096 100 50\ndevice 5 1\n",
         StorageFacts(folder="silent", free=200, system_disk=False)),
        ("sudo: a password is required\n", StorageFacts(folder="sudo: a password is required")),
    ],
)  # fmt: skip
def test_facts_of_what_a_script_prints(text: str, expected: StorageFacts) -> None:
    assert facts_of(text.encode()) == expected


def test_the_middle_one_of_the_writes_counts_and_all_must_end() -> None:
    line = "write{} 4096 bytes (4.1 kB, 4.0 KiB) copied, {} s, 1 MB/s\n"
    times = ["0.2", "0.003", "1.5e-03", "0.004", "0.001"]
    text = "".join(line.format(turn, one) for turn, one in enumerate(times, 1)) + "folder ok\n"
    assert facts_of(text.encode()).write_ms == pytest.approx(3.0)
    assert facts_of(text.replace("write5", "other").encode()).write_ms is None


@pytest.mark.parametrize("shell", ["sh", "bash"])
@pytest.mark.parametrize("script", [HOLD, READ])
def test_the_scripts_are_sound_shell(shell: str, script: str) -> None:
    subprocess.run([shell, "-n", "-c", script], check=True)


def here(folder: Path) -> MediaLocation:
    return MediaLocation(folder=str(folder), reader=os.getuid())


def test_locks_writes_and_readers_of_a_real_folder(tmp_path: Path) -> None:
    name, word = f"{PREFIX}a", "word"
    with HeldFile(LocalTransport(become="none"), here(tmp_path), name, word, measure=True) as held:
        assert held.facts.locks is True
        assert held.facts.write_ms
        assert held.facts.free
        facts = read_back(LocalTransport(become="none"), here(tmp_path), name, word)
        assert (facts.shared, facts.lock_seen) == (True, True)
        assert facts.write_ms
    if os.getuid() == 0:
        assert held.facts.readable is True
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("made", "folder"), [(True, "file"), (False, "missing")])
def test_a_file_is_no_missing_folder(tmp_path: Path, *, made: bool, folder: str) -> None:
    place = tmp_path / "media"
    if made:
        place.touch()
    facts = read_back(LocalTransport(become="none"), here(place), f"{PREFIX}a", "word")
    assert facts.folder == folder


def test_a_lock_that_nobody_holds_is_told(tmp_path: Path) -> None:
    """As on a file system whose locks stay on one node."""
    (tmp_path / f"{PREFIX}a").write_text("word\n")
    facts = read_back(LocalTransport(become="none"), here(tmp_path), f"{PREFIX}a", "word")
    assert (facts.shared, facts.lock_seen) == (True, False)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_a_folder_that_the_reader_may_not_enter(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    place = MediaLocation(folder=str(tmp_path), reader=101)
    with HeldFile(LocalTransport(become="none"), place, f"{PREFIX}a", "word", measure=True) as held:
        assert held.facts.readable is False
    tmp_path.chmod(0o755)
    with HeldFile(LocalTransport(become="none"), place, f"{PREFIX}a", "word", measure=True) as held:
        assert held.facts.readable is True


# ---- an NFS volume, with a docker that only talks

DOCKER = """#!/bin/sh
echo "$*" >> {log}
case "$1 $2" in
  "import "*) cat > {folder}/image; echo sha256:1 ;;
  "run "*) {run} ;;
  "inspect "*) echo self ;;
  "volume ls") echo oz-install-check-100-old; echo oz-install-check-$(date +%s)-new ;;
esac
"""


def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: str) -> Callable[[], list[str]]:
    """A docker in the path; what it was told, words of a line."""
    tools, log = tmp_path / "tools", tmp_path / "log"
    tools.mkdir()
    tool = tools / "docker"
    tool.write_text(DOCKER.format(log=log, folder=tmp_path, run=run))
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    return lambda: log.read_text().splitlines()


def test_the_volume_is_that_of_the_compose_file_and_all_goes_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = docker(tmp_path, monkeypatch, "echo 'docker: Error: no such device' >&2; exit 125")
    place = media_location(site(storage=NFS))
    facts = read_back(LocalTransport(become="none"), place, f"{PREFIX}a", "word")
    assert facts.mount == "Error: no such device"
    created = next(line for line in told() if line.startswith("volume create"))
    assert "--driver local" in created
    assert "--opt type=nfs --opt o=addr=nfs.example.com,vers=4.1,hard --opt device=:/srv/oz" in created
    volume = created.split()[-1]
    run = next(line for line in told() if line.startswith("run"))
    assert f"--volume {volume}:/media" in run
    assert "--rm" in run
    assert told()[-3:] == [f"rm -f {volume}", f"volume rm -f {volume}", "rmi -f sha256:1"]
    assert "volume rm -f oz-install-check-100-old" in told()
    assert not any(line.startswith("volume rm") and line.endswith("-new") for line in told())
    listed = subprocess.run(
        ["tar", "-tzf", tmp_path / "image"], capture_output=True, text=True, check=True
    ).stdout
    assert listed.split() == ["x86_64/oz-install-check", "aarch64/oz-install-check"]


def test_a_node_without_an_engine() -> None:
    place = replace(media_location(site(storage=NFS)), engine="no-such-engine")
    facts = read_back(LocalTransport(become="none"), place, f"{PREFIX}a", "word")
    assert facts.mount == NO_ENGINE


def test_a_mount_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = docker(tmp_path, monkeypatch, "sleep 60")
    short = READ.replace("timeout 8", "timeout 0.3")
    place = media_location(site(storage=NFS))
    began = time.monotonic()
    argv = place.argv(short, f"{PREFIX}a", "word", measure=False)
    result = LocalTransport(become="none").run(argv, timeout=20)
    assert facts_of(result.stdout).mount == "it is not mounted within 8 s"
    assert time.monotonic() - began < 8
    assert told()[-1] == "rmi -f sha256:1"


def test_the_container_of_podman_is_none_because_podman_would_change_the_owner() -> None:
    place = media_location(site(storage=NFS, engine="podman"))
    assert place.engine == "podman"
    assert "podman volume mount" in HOLD


def test_the_program_waits_for_the_end_of_its_input(tmp_path: Path) -> None:
    path = tmp_path / "program"
    path.write_bytes(minimal_elf(*_WAITING["x86_64"]))
    path.chmod(0o755)
    process = subprocess.Popen([path], stdin=subprocess.PIPE)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.3)
    assert process.stdin
    process.stdin.close()
    assert process.wait(5) == 7


def test_the_catalogue_says_who_reads_media() -> None:
    assert load_release("5.2").media_reader == 101
