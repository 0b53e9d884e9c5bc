"""Drafts: everything typed but secrets, private, the newest first, never in the way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given

from oz_installer.answers.dotted_keys import plain_secrets
from oz_installer.answers.drafts.store import (
    SavedDraft,
    delete_draft,
    delete_own_draft,
    list_drafts,
    load_draft,
    release_draft,
    save_draft,
)
from oz_installer.answers.drafts.working_copy import WorkingCopy
from oz_installer.answers.file import parse_text
from oz_installer.answers.model import Answers
from oz_installer.answers.yaml.writer import dumps
from oz_installer.errors import AnswersError
from tests.unit.answers.answers_strategies import answers
from tests.unit.answers.drafts.test_answers_working_copy import POC
from tests.unit.answers.test_answers_forms import NASTY
from tests.unit.answers.test_answers_round_trip import SLOW


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "oz-install" / "drafts"


def opened(text: str = POC) -> WorkingCopy:
    return WorkingCopy.of(parse_text(text))


def test_what_was_typed_comes_back_without_secrets(tmp_path: Path, state: Path) -> None:
    working = (
        opened()
        .with_text("nodes[1].port", "x")
        .with_text("admin.password", "canary-2")
        .with_text("database.host", "a\nb")
    )
    saved = save_draft(working, tmp_path / "answers.yml", "nodes")
    assert saved == list_drafts()[0]
    assert (saved.target, saved.step, saved.path.parent) == (tmp_path / "answers.yml", "nodes", state)
    assert (state.stat().st_mode & 0o777, saved.path.stat().st_mode & 0o777) == (0o700, 0o600)
    assert "canary" not in saved.path.read_text()
    loaded = load_draft(saved)
    assert loaded.missing_secrets == ("nodes[0].password", "admin.password")
    assert loaded.texts == working.texts
    assert loaded.get("nodes[1].become_password") == working.get("nodes[1].become_password")
    assert loaded.problem("admin.password") == "was not saved; type it again, or clear the field"
    again = loaded.with_text("nodes[0].password", "canary-1").with_text("admin.password", "canary-2")
    assert again == working
    assert load_draft(save_draft(loaded, tmp_path / "answers.yml", "nodes")) == loaded


@SLOW
@given(answers())
def test_any_answers_come_back(drawn: Answers) -> None:
    working = opened(dumps(drawn))
    loaded = load_draft(save_draft(working, Path("answers.yml"), "review"))
    for key, ref in plain_secrets(working.values):
        assert key in loaded.missing_secrets
        loaded = loaded.with_value(key, ref)
    assert loaded.answers() == drawn


def test_whatever_was_typed_comes_back(tmp_path: Path) -> None:
    for text in NASTY:
        working = opened().with_text("public_url", text).with_text("extra.config", text)
        loaded = load_draft(save_draft(working, tmp_path / "a.yml", "start"))
        assert loaded.texts == working.texts


def test_one_for_each_answers_file_the_newest_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    times = iter((1.0, 3.0, 2.0, 4.0))
    monkeypatch.setattr(time, "time", lambda: next(times))
    for name in ("a.yml", "b.yml", "c.yml"):
        save_draft(WorkingCopy.new(), Path(name), "start")
    assert [saved.target.name for saved in list_drafts()] == ["b.yml", "c.yml", "a.yml"]
    save_draft(WorkingCopy.new(), tmp_path / "x" / ".." / "a.yml", "nodes")
    assert (list_drafts()[0].target.name, list_drafts()[0].step) == ("a.yml", "nodes")
    assert len(list_drafts()) == 3
    delete_own_draft(Path("b.yml"))
    delete_own_draft(Path("b.yml"))
    assert [saved.target.name for saved in list_drafts()] == ["a.yml", "c.yml"]


def test_what_cannot_be_read_is_skipped(tmp_path: Path, state: Path) -> None:
    assert list_drafts() == ()
    good = save_draft(WorkingCopy.new(), tmp_path / "a.yml", "start")
    bad = (
        "",
        "x",
        "[]",
        "[" * 100_000,
        '{"version": 1}',
        '{"version": 2}',
        "\udcff",
        '{"version": 1, "target": "a", "saved_at": "x"}',
    )
    for index, text in enumerate(bad):
        (state / f"{index}.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    (state / "folder.json").mkdir()
    (state / "dangling.json").symlink_to("nowhere")
    os.mkfifo(state / "pipe.json")
    assert list_drafts() == (good,)


@pytest.mark.parametrize(
    "change",
    [
        {"answers": "a: [", "texts": {}},
        {"answers": 5},
        {"texts": {"nodes[7].host": "x"}},
        {"texts": {"databse.host": "x"}},
        {"texts": []},
        {"missing_secrets": ["admin.pasword"]},
        {"missing_secrets": 5},
    ],
)
def test_a_broken_draft_is_told(tmp_path: Path, change: dict[str, object]) -> None:
    saved = save_draft(WorkingCopy.new(), tmp_path / "a.yml", "start")
    document = json.loads(saved.path.read_text()) | change
    saved.path.write_text(json.dumps(document))
    if change == {"texts": []}:
        assert load_draft(saved) == WorkingCopy.new()
        return
    with pytest.raises(AnswersError, match="the draft cannot be read") as caught:
        load_draft(saved)
    assert str(tmp_path / "a.yml") in caught.value.hint


def test_a_draft_that_is_gone_or_cannot_be_written_is_told(tmp_path: Path, state: Path) -> None:
    with pytest.raises(AnswersError, match="the draft cannot be read"):
        load_draft(SavedDraft(state / "x.json", tmp_path / "a.yml", 0.0, "start"))
    state.parent.parent.mkdir(parents=True)
    state.parent.write_text("a file in the way")
    with pytest.raises(AnswersError, match="no draft of it can be saved") as caught:
        save_draft(WorkingCopy.new(), tmp_path / "a.yml", "start")
    assert "save the answers to a file" in caught.value.hint
    assert list_drafts() == ()


def test_without_xdg_they_stand_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for value in ("", "relative"):
        monkeypatch.setenv("XDG_STATE_HOME", value)
        saved = save_draft(WorkingCopy.new(), tmp_path / "a.yml", "start")
        assert saved.path.parent == tmp_path / "home/.local/state/oz-install/drafts"


ANOTHER = """
import sys
from pathlib import Path
from oz_installer.answers.drafts.store import list_drafts, save_draft
from oz_installer.answers.drafts.working_copy import WorkingCopy
saved = save_draft(WorkingCopy.new().with_value("workload.apm", 99.0), Path(sys.argv[1]), "nodes")
print(saved.path, flush=True)
sys.stdin.read()
"""


@contextmanager
def another(target: Path) -> Iterator[Path]:
    """Another process that edits the same answers; its draft."""
    command = [sys.executable, "-c", ANOTHER, str(target)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        path = Path(process.stdout.readline().strip())
        assert path.is_file()
        yield path
        process.communicate()


def test_two_processes_have_a_draft_each(tmp_path: Path) -> None:
    target = tmp_path / "answers.yml"
    with another(target) as theirs:
        mine = save_draft(WorkingCopy.new().with_value("workload.apm", 1.0), target, "start")
        assert mine.path != theirs
        assert (
            save_draft(WorkingCopy.new().with_value("workload.apm", 2.0), target, "start").path == mine.path
        )
        assert {saved.path: saved.held for saved in list_drafts()} == {mine.path: False, theirs: True}
        (held,) = (saved for saved in list_drafts() if saved.held)
        for refused in (load_draft, delete_draft):
            with pytest.raises(AnswersError, match="another oz-install is editing this draft"):
                refused(held)
        delete_own_draft(target)
        assert [saved.path for saved in list_drafts()] == [theirs]
    (left,) = list_drafts()
    assert not left.held, "its owner is gone"
    assert load_draft(left).get("workload.apm") == 99
    assert save_draft(WorkingCopy.new().with_value("workload.apm", 3.0), target, "start").path == theirs
    delete_own_draft(target)
    assert list_drafts() == ()
    assert list(theirs.parent.iterdir()) == [], "no lock is left"


def test_a_draft_that_was_neither_made_nor_gone_on_with_is_not_written_over(tmp_path: Path) -> None:
    target = tmp_path / "answers.yml"
    with another(target):
        pass
    mine = save_draft(WorkingCopy.new().with_value("workload.apm", 1.0), target, "start")
    assert sorted(load.get("workload.apm") for load in map(load_draft, list_drafts())) == [1, 99]
    delete_draft(mine)
    assert [saved.step for saved in list_drafts()] == ["nodes"]


def test_what_cannot_be_locked_is_kept_in_one_draft(tmp_path: Path, state: Path) -> None:
    state.mkdir(parents=True)
    target = tmp_path / "answers.yml"
    first = save_draft(WorkingCopy.new(), target, "start").path
    delete_own_draft(target)
    first.with_suffix(".lock").mkdir()
    for _ in range(2):
        assert save_draft(WorkingCopy.new(), target, "start").path == first
    delete_own_draft(target)
    assert list_drafts() == ()


def test_a_draft_that_is_let_go_of_is_anothers_to_go_on_with(tmp_path: Path) -> None:
    target = tmp_path / "answers.yml"
    mine = save_draft(WorkingCopy.new(), target, "start")
    assert held_elsewhere() == "True"
    release_draft(target)
    assert held_elsewhere() == "False"
    assert load_draft(mine) == WorkingCopy.new()
    assert held_elsewhere() == "True"


def held_elsewhere() -> str:
    """Whether another process sees that the only draft is held."""
    look = "from oz_installer.answers.drafts import store; print(*(one.held for one in store.list_drafts()))"
    return subprocess.run(
        [sys.executable, "-c", look], capture_output=True, text=True, check=True
    ).stdout.strip()


def test_a_draft_that_another_process_has_written_to_since_is_not_forgotten(tmp_path: Path) -> None:
    target = tmp_path / "answers.yml"
    seen = save_draft(WorkingCopy.new(), target, "start")
    release_draft(target)
    document = json.loads(seen.path.read_text())
    seen.path.write_text(json.dumps(document | {"saved_at": seen.saved_at + 1}))
    with pytest.raises(AnswersError, match="has written to this draft in the meantime"):
        delete_draft(seen)
    (now,) = list_drafts()
    assert held_elsewhere() == "False"
    delete_draft(now)
    assert list_drafts() == ()
