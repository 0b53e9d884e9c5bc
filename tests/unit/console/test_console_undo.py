"""``check --undo``: what its events tell of what could not be taken back."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from oz_installer.checks.context import Remedy
from oz_installer.console.commands import fix
from oz_installer.console.commands import undo as undo_command
from oz_installer.console.commands.check_task import CheckFlags
from oz_installer.console.commands.undo import undo
from oz_installer.errors import PreflightError
from oz_installer.installation.repair import RepairResult
from oz_installer.installation.undo_log import UndoLog
from oz_installer.secret import Masker

MADE = Remedy(
    title="make the folder",
    node="a",
    commands=(("mkdir", "/srv/oz"),),
    undo=(("rmdir", "/srv/oz/x"), ("rmdir", "/srv/oz"), ("rmdir", "/srv")),
)


def task_with(path: Path, flags: CheckFlags, *names: str) -> Any:
    nodes = [SimpleNamespace(name=name, host=f"{name}.example.com", port=None) for name in names]
    answers = SimpleNamespace(nodes=nodes)
    loaded = SimpleNamespace(answers=answers)
    return SimpleNamespace(loaded=loaded, path=path, flags=flags, open_node=None, ask=None, masker=Masker(()))


@pytest.mark.parametrize(
    ("commands", "error", "left"),
    [
        (1, "status 1: no", [["rmdir", "/srv/oz"], ["rmdir", "/srv"]]),
        (0, "stopped", [["rmdir", "/srv/oz/x"], ["rmdir", "/srv/oz"], ["rmdir", "/srv"]]),
        (3, "", []),
    ],
)
def test_json_tells_what_is_still_to_be_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, commands: int, error: str, left: list[list[str]]
) -> None:
    path = tmp_path / "answers.yml"
    UndoLog(tmp_path / "answers.undo.txt").begin(MADE)
    flags = CheckFlags(yes=True, json=True)
    task = task_with(path, flags, "a")

    def mend(
        _loaded: Any, _path: Any, _open: Any, remedies: Sequence[Remedy], *_: Any, **__: Any
    ) -> list[RepairResult]:
        return [RepairResult(remedy=one, commands=commands, error=error, tried=commands) for one in remedies]

    out = io.StringIO()
    monkeypatch.setattr(undo_command, "make_task", lambda *_: task)
    monkeypatch.setattr(fix, "repair", mend)
    monkeypatch.setattr("sys.stdout", out)
    nothing: Any = None
    if error:
        with pytest.raises(PreflightError, match="1 thing could not be undone: a: "):
            undo(path, flags, nothing, nothing)
    else:
        undo(path, flags, nothing, nothing)
    mended = [one for one in map(json.loads, out.getvalue().splitlines()) if one["event"] == "Mended"]
    assert [(one["done"], one["of"], one["error"], one["left"]) for one in mended] == [
        (commands, 3, error, left)
    ]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("b",), "that was done on a, and the answers name no such node now"),
        (("a",), "that was done on old.example.com:22, and the answers name a.example.com:22 now"),
    ],
)
def test_what_is_of_another_server_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, names: tuple[str, ...], words: str
) -> None:
    path, nothing = tmp_path / "answers.yml", None
    at = "" if names == ("b",) else "old.example.com:22"
    UndoLog(tmp_path / "answers.undo.txt").begin(replace(MADE, at=at))
    flags = CheckFlags(yes=True)
    monkeypatch.setattr(undo_command, "make_task", lambda *_: task_with(path, flags, *names))
    monkeypatch.setattr(fix, "repair", lambda *_a, **_k: pytest.fail("something was done"))
    with pytest.raises(PreflightError) as caught:
        undo(path, flags, nothing, nothing)  # type: ignore[arg-type]
    assert words in caught.value.message
    assert "answers.undo.txt" in caught.value.hint


def test_without_a_list_there_is_nothing_to_take_back(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, flags, nothing = tmp_path / "answers.yml", CheckFlags(yes=True), None
    monkeypatch.setattr(undo_command, "make_task", lambda *_: task_with(path, flags, "a"))
    undo(path, flags, nothing, nothing)  # type: ignore[arg-type]
    assert capsys.readouterr().err == "There is nothing to undo.\n"
