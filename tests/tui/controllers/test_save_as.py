"""Save as, and the SVG of Review, with real files."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from oz_installer.answers.file import parse_file
from tests.tui.by_keys import clear, push, type_text
from tests.tui.by_mouse import click
from tests.tui.fake_core import FilesCore
from tests.tui.nodes_case import MEDIUM
from tests.tui.support import SIZES, Driver, app_of, press, settle, text_of, unbroken, wizard

NODES = ("api1", "api2", "bio1", "bio2")
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep drafts in a folder of the test."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """Create the answers file that is opened."""
    path = tmp_path / "old.yml"
    path.write_text(MEDIUM, encoding="utf-8")
    return path


async def save_as(pilot: Driver, where: str) -> None:
    """Save under another name from Review."""
    await click(pilot, "[ Save as ]")
    await clear(pilot)
    await type_text(pilot, where)
    await press(pilot, "enter")


def apm(path: Path) -> object:
    """Return the value in a file."""
    return parse_file(path).values.get("workload", {}).get("apm")


@pytest.mark.parametrize("size", SIZES)
async def test_from_then_on_the_new_file_is_edited(size: tuple[int, int], old: Path) -> None:
    new = old.with_name("new.yml")
    async with wizard(FilesCore(), path=old, step="review", size=size) as pilot:
        app_of(pilot).change("workload.apm", 11.0)
        await save_as(pilot, str(new))
        assert unbroken(f"Saved to {new}") in unbroken(text_of(pilot))
        assert "new.yml · saved" in text_of(pilot).splitlines()[0]
        assert (apm(old), apm(new)) == (None, 11)
        app_of(pilot).change("workload.apm", 12.0)
        await press(pilot)
        assert "new.yml · not saved" in text_of(pilot).splitlines()[0]
        await press(pilot, "ctrl+s")
        assert "new.yml · saved" in text_of(pilot).splitlines()[0]
        assert apm(new) == 12
    assert old.read_text(encoding="utf-8") == MEDIUM


async def test_the_draft_is_one_of_the_new_file(old: Path) -> None:
    new = old.with_name("new.yml")
    core = FilesCore()
    async with wizard(core, path=old, step="review") as pilot:
        await save_as(pilot, str(new))
        app_of(pilot).change("workload.apm", 12.0)
        await press(pilot, "ctrl+b")
        assert [draft.target for draft in core.drafts()] == [new]
        await press(pilot, "ctrl+s")
    assert core.drafts() == ()


async def test_a_file_that_is_there_is_asked_about(old: Path) -> None:
    new = old.with_name("new.yml")
    new.write_text("version: 1\n", encoding="utf-8")
    async with wizard(FilesCore(), path=old, step="review") as pilot:
        await save_as(pilot, str(new))
        assert "already exists. Replace it?" in " ".join(text_of(pilot).replace("│", " ").split())
        await press(pilot, "enter")
        assert new.read_text(encoding="utf-8") == "version: 1\n"
        assert "old.yml · saved" in text_of(pilot).splitlines()[0], "still the old one"
        await save_as(pilot, str(new))
        await press(pilot, "shift+tab", "enter")
        assert "new.yml · saved" in text_of(pilot).splitlines()[0]
    assert "api2" in new.read_text(encoding="utf-8")


async def test_a_picture_that_programs_can_read(old: Path) -> None:
    async with wizard(FilesCore(), path=old, step="review") as pilot:
        await push(pilot, "Export SVG")
        await press(pilot, "enter")
        picture = old.with_suffix(".svg")
        assert unbroken(f"Topology exported to {picture}.") in unbroken(text_of(pilot))
    root = ET.parse(picture).getroot()  # noqa: S314 - we made it
    assert root.tag == f"{SVG}svg"
    texts = " ".join("".join(text.itertext()) for text in root.iter(f"{SVG}text"))
    assert all(f"{name} · " in texts for name in NODES), texts
    assert "https://oz.example.com" in texts


async def test_a_picture_that_cannot_be_written(old: Path) -> None:
    async with wizard(FilesCore(), path=old, step="review") as pilot:
        await push(pilot, "Export SVG")
        await clear(pilot)
        await type_text(pilot, f"{old.parent}/nowhere/oz.svg\n")
        await settle(pilot)
        shown = " ".join(text_of(pilot).split())
        assert f"error: cannot write {old.parent}/nowhere/oz.svg: No such file or directory" in shown
