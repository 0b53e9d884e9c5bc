"""Every file of every layout, byte for byte as it was looked at. ``UPDATE_GOLDEN=1`` writes them anew."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from oz_installer.answers.file import load
from oz_installer.cli.main import run
from oz_installer.topology.layout import layout_name
from tests.hostile import give_away
from tests.unit.render.golden_cases import ENVIRONMENT, GOLDEN, LAYOUTS, golden, prepare, tree

UPDATE = bool(os.environ.get("UPDATE_GOLDEN"))


def rendered(layout: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The layout, rendered as an operator would."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    answers = prepare(layout, folder)
    out = folder / "out"
    assert run(["render", "--answers", str(answers), "--out", str(out)]) == 0
    return out


@pytest.mark.parametrize("layout", LAYOUTS)
def test_golden(layout: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = rendered(layout, tmp_path, monkeypatch)
    if UPDATE:
        for folder in (path for path in (GOLDEN / layout).iterdir() if path.is_dir()):
            shutil.rmtree(folder)
        for path, content in tree(out).items():
            target = GOLDEN / layout / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    found, kept = tree(out), golden(layout)
    assert list(found) == list(kept)
    for path, content in found.items():
        assert content.decode() == kept[path].decode(), path


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_answers_are_of_that_layout(layout: str) -> None:
    assert layout_name(load(GOLDEN / layout / "answers.yml")) == layout


def test_files_with_secrets_are_the_operators_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = rendered("medium-3", tmp_path, monkeypatch)
    assert out.stat().st_mode & 0o777 == 0o700
    secrets = [value.encode() for value in ENVIRONMENT.values()]
    for path in out.rglob("*"):
        if path.is_file() and any(value in path.read_bytes() for value in secrets):
            assert path.stat().st_mode & 0o777 == 0o600, path


def test_m4_an_empty_folder_of_somebody_else_gets_no_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    answers, out = prepare("poc-1", tmp_path), tmp_path / "theirs"
    out.mkdir()
    give_away(monkeypatch, out)
    assert run(["render", "--answers", str(answers), "--out", str(out)]) == 2
    assert "belongs to" in capsys.readouterr().err
    assert list(out.iterdir()) == []
