"""Media storage where something is away: the first api node, or the disk behind the folder."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from oz_installer.checks.context import CheckContext, Finding
from oz_installer.checks.runner import run_checks
from oz_installer.checks.storage import peer, probe
from oz_installer.checks.storage.nfs import NfsAnswer
from oz_installer.checks.storage.probe import HeldFile, MediaLocation, StorageFacts, read_back
from oz_installer.checks.storage.scripts import PREFIX
from oz_installer.checks.storage.storage import StorageCheck
from oz_installer.errors import ConnectError, OzError
from oz_installer.remote.transport import Transport
from tests.local_transport import LocalTransport
from tests.unit.checks.checks_support import API, BIO, judged, levels, site
from tests.unit.checks.test_checks_scripts import program, shared, tools

__all__ = ("shared", "tools")  # fixtures

GONE = ConnectError("port 22 of it is closed", "Is sshd running?", node="n1")
Reach = Callable[[str], Transport]


def here(name: str) -> Transport:
    return LocalTransport(name, become="none")


def gone(name: str) -> Transport:
    if name == API.name:
        raise GONE
    return here(name)


def refusing(name: str) -> Transport:
    if name == API.name:
        raise OzError("sudo wants a password")
    return here(name)


@pytest.fixture
def silent() -> Iterator[Reach]:
    """The first node is still being connected to until the test is over."""
    let_go = threading.Event()

    def reach(name: str) -> Transport:
        if name == API.name:
            let_go.wait(60)
            raise GONE
        return here(name)

    yield reach
    let_go.set()


def sharing(folder: Path, reach: Reach) -> CheckContext:
    return site(reach, storage=f"{{type: path, path: {folder}}}")


def told(at: CheckContext, limit: float = 15.0) -> dict[str, Finding]:
    found: list[Finding] = []
    run_checks((StorageCheck(),), at, found.append, threading.Event(), limit=limit)
    return {one.id: one for one in found}


# ---- the first api node


def test_without_the_first_node_the_other_is_examined_all_the_same(shared: Path) -> None:
    found = told(sharing(shared, gone))
    assert found["storage/n1"].level == "failure"
    assert found["storage.folder/n2"].seen.startswith(f"{shared} is writable, ")
    assert {"storage.latency/n2", "storage.reader/n2"} <= set(found)
    one = found["storage.shared/n2"]
    assert (one.level, one.seen) == ("ok", "not checked: n1 cannot be reached")
    assert one.hint


def test_the_first_node_is_waited_for_in_bounded_time(
    shared: Path, silent: Reach, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peer, "REACH_SECONDS", 0.5)
    began = time.monotonic()
    facts = StorageCheck().probe(sharing(shared, silent), BIO)
    assert time.monotonic() - began < 4
    assert facts.unavailable.startswith("was not connected within ")
    assert (facts.folder, facts.shared) == ("ok", None)
    assert facts.write_ms
    found = told(sharing(shared, silent), limit=4)
    assert found["storage/n1"].seen == "no answer within 4 s"
    assert found["storage.folder/n2"].level == "ok"
    assert found["storage.shared/n2"].level == "ok", "that n1 is away is a failure already"


def test_what_the_first_node_holds_too_late_goes_again(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own findings may be well: then it is a warning, for nothing else tells."""
    monkeypatch.setattr(peer, "REACH_SECONDS", 0.2)
    asked, let_go = threading.Event(), threading.Event()

    def late(name: str) -> Transport:
        if name == API.name and threading.current_thread().name.startswith("hold-"):
            asked.set()
            let_go.wait(60)
        return here(name)

    at = sharing(shared, late)
    check = StorageCheck()
    facts = {API.name: check.probe(at, API), BIO.name: check.probe(at, BIO)}
    assert asked.is_set()
    (one,) = check.across(at, facts)
    assert (one.id, one.level) == ("storage.shared/n2", "warning")
    assert one.seen.startswith("not checked: n1 was not connected within ")
    assert "Check the load of n1" in one.hint
    holders = [thread for thread in threading.enumerate() if thread.name.startswith(f"hold-{PREFIX}")]
    let_go.set()
    for thread in holders:
        thread.join(20)
    assert holders
    assert not any(thread.is_alive() for thread in holders)


def test_why_the_first_node_cannot_be_asked_is_told(shared: Path) -> None:
    facts = StorageCheck().probe(sharing(shared, refusing), BIO)
    assert facts.unavailable == "cannot be checked: sudo wants a password"
    assert facts.folder == "ok"


AWAY = StorageFacts(unavailable="cannot be reached")
NO_SERVER = NfsAnswer(outcome="unreachable")


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"n2": AWAY}, [("storage.shared/n2", "ok")]),
        ({"n1": StorageFacts(), "n2": AWAY}, [("storage.shared/n2", "warning")]),
        ({"n1": StorageFacts(folder="hangs"), "n2": AWAY}, [("storage.shared/n2", "ok")]),
        ({"n1": StorageFacts(server=NO_SERVER), "n2": AWAY}, [("storage.shared/n2", "ok")]),
        ({"n2": StorageFacts(unavailable="x", folder="missing")}, []),
        ({"n2": StorageFacts(unavailable="x", mount="refused")}, []),
        ({"n1": StorageFacts(), "n2": StorageFacts(shared=True)}, []),
        ({"n2": StorageFacts(server=NO_SERVER)}, []),
        ({}, []),
    ],
)
def test_sharing_that_was_not_tried(facts: dict[str, StorageFacts], expected: list[tuple[str, str]]) -> None:
    found = list(StorageCheck().across(site(), facts))
    assert [(one.id, one.level) for one in found] == expected
    assert all(one.hint for one in found)


def test_of_sharing_that_was_not_tried_the_judge_says_nothing() -> None:
    found = judged(StorageCheck(), AWAY, BIO)
    assert levels(found) == {}
    assert set(found) == {"storage.folder"}


# ---- the disk


def hanging_stat(tools: Path, folder: Path) -> None:
    """Whatever asks for the file system of this folder hangs; five seconds are a tenth of one here."""
    program(
        tools, "stat", f'#!/bin/sh\n[ "$4 $1" != "{folder} -f" ] || exec sleep 60\nexec /usr/bin/stat "$@"\n'
    )
    program(tools, "timeout", '#!/bin/sh\nshift\nexec /usr/bin/timeout 0.3 "$@"\n')


def test_a_media_folder_that_hangs_is_a_finding_and_nothing_touches_it(tools: Path, tmp_path: Path) -> None:
    folder = tmp_path / "media"
    folder.mkdir()
    hanging_stat(tools, folder)
    found = told(sharing(folder, here))
    for node in ("n1", "n2"):
        one = found[f"storage.folder/{node}"]
        assert one.level == "failure"
        assert one.seen == f"the disk behind {folder} does not answer within 5 s (possibly a dead NFS mount)"
    assert list(folder.iterdir()) == []


def test_a_hanging_disk_ends_with_busybox_status_too(tools: Path, tmp_path: Path) -> None:
    hanging_stat(tools, tmp_path)
    program(tools, "timeout", '#!/bin/sh\nshift\n[ "$1" != stat ] || exit 143\nexec "$@"\n')
    place = MediaLocation(folder=str(tmp_path), reader=os.getuid())
    with HeldFile(here("n1"), place, f"{PREFIX}a", "word") as held:
        assert held.facts.folder == "hangs"
    assert read_back(here("n2"), place, f"{PREFIX}a", "word").folder == "hangs"


@pytest.mark.parametrize("late", [124, 143])
def test_local_storage_whose_disk_hangs(tools: Path, late: int) -> None:
    program(tools, "timeout", f"#!/bin/sh\nexit {late}\n")
    at = site(here, storage="{type: local}")
    found = judged(StorageCheck(), StorageCheck().probe(at, API), API, at)
    assert levels(found) == {"storage": "failure"}
    assert "the disk behind /opt/oz/data/media does not answer" in found["storage"].seen


def test_the_end_of_a_script_is_not_awaited_for_long(
    tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its node may hang by then; the facts are there, and the script ends by itself."""
    monkeypatch.setattr(probe, "END_SECONDS", 0.3)
    program(tools, "rm", "#!/bin/sh\nexec sleep 3\n")
    place = MediaLocation(folder=str(tmp_path), reader=os.getuid())
    with HeldFile(here("n1"), place, f"{PREFIX}a", "word") as held:
        assert held.facts.folder == "ok"
        began = time.monotonic()
    assert time.monotonic() - began < 2
