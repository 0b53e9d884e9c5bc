"""``check --undo``: what its events tell of what could not be taken back."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from oz_installer.checks.model import Remedy
from oz_installer.errors import PreflightError
from oz_installer.installation.mending import Done
from oz_installer.installation.undo_list import UndoList
from oz_installer.secret import Masker
from oz_installer.unattended import fixing, undoing
from oz_installer.unattended.context import Flags
from oz_installer.unattended.undoing import undo

MADE = Remedy(
    title="make the folder",
    node="a",
    commands=(("mkdir", "/srv/oz"),),
    undo=(("rmdir", "/srv/oz/x"), ("rmdir", "/srv/oz"), ("rmdir", "/srv")),
)


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
    UndoList(tmp_path / "answers.undo.txt").begin(MADE)
    flags = Flags(yes=True, json=True)
    loaded = SimpleNamespace(answers=SimpleNamespace(nodes=[SimpleNamespace(name="a")]))
    task = SimpleNamespace(loaded=loaded, path=path, flags=flags, open_node=None, ask=None, masker=Masker(()))

    def mend(
        _loaded: Any, _path: Any, _open: Any, remedies: Sequence[Remedy], *_: Any, **__: Any
    ) -> list[Done]:
        return [Done(remedy=one, commands=commands, error=error, tried=commands) for one in remedies]

    out = io.StringIO()
    monkeypatch.setattr(undoing, "task_of", lambda *_: task)
    monkeypatch.setattr(fixing, "mend", mend)
    monkeypatch.setattr("sys.stdout", out)
    nothing: Any = None
    if error:
        with pytest.raises(PreflightError, match="1 thing could not be taken back: a: "):
            undo(path, flags, nothing, nothing)
    else:
        undo(path, flags, nothing, nothing)
    mended = [one for one in map(json.loads, out.getvalue().splitlines()) if one["event"] == "Mended"]
    assert [(one["done"], one["of"], one["error"], one["left"]) for one in mended] == [
        (commands, 3, error, left)
    ]
