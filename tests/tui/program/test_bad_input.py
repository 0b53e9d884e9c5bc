"""Bad input, typed or pasted: it is reported, does no harm, and reaches no terminal raw."""

from __future__ import annotations

import asyncio
import fcntl
import signal
import struct
import termios
from pathlib import Path

import pytest
from textual import events

from oz_installer.answers.drafts.store import list_drafts
from oz_installer.errors import AnswersError
from oz_installer.tui.widgets.field import Field, FieldMessage
from oz_installer.tui.widgets.text_input import TextInput
from tests.tui.by_keys import choose_way, clear, tab_to, type_text
from tests.tui.fake_core import FakeCore, FilesCore
from tests.tui.nodes_case import ANSWERS, MEDIUM
from tests.tui.support import PATIENCE, Driver, app_of, press, settle, step_of, text_of, unbroken, wizard
from tests.tui.terminal import Terminal, terminal

NASTY = "OZ_ONE: 1\x1b[31m\x07\u202e\r\nOZ_TWO: 2\x00\n"
LONG = "x" * 10_000


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep drafts in a folder of the test."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


async def paste(pilot: Driver, text: str) -> None:
    """Paste into the focused widget."""
    assert pilot.app.focused is not None
    pilot.app.focused.post_message(events.Paste(text))
    await settle(pilot)


def printable(pilot: Driver) -> bool:
    """Return whether the screen has no control characters."""
    return all(letter == "\n" or letter.isprintable() for letter in text_of(pilot))


def words(pilot: Driver) -> str:
    """Return the screen's text in one line."""
    return " ".join(text_of(pilot).split())


async def test_several_lines_are_pasted_without_control_characters() -> None:
    async with wizard(FakeCore({ANSWERS: MEDIUM}), path=ANSWERS, step="access") as pilot:
        await tab_to(pilot, "extra.config")
        await paste(pilot, NASTY)
        assert app_of(pilot).session.working.get("extra.config") == {"OZ_ONE": "1[31m", "OZ_TWO": 2}
        assert printable(pilot)
        assert "Pasted without control characters." in text_of(pilot)


@pytest.mark.parametrize(
    ("key", "before", "shown", "saved"),
    [
        ("database.password", "OZ_DB_PASSWORD", "Password should be the name of an environment variable", ""),
        ("database.port", "", "Port should be a whole number", f"  port: {LONG}\n"),
        (
            "database.host",
            "db.example.com",
            "Host is longer than 4096 characters",
            f"  host: db.example.com{LONG}\n",
        ),
    ],
)
async def test_ten_thousand_characters_in_a_field(
    key: str, before: str, shown: str, saved: str, tmp_path: Path
) -> None:
    """The field keeps all of it and shows the problem; a mistyped variable may be a password: in no file."""
    path = tmp_path / "answers.yml"
    path.write_text(MEDIUM, encoding="utf-8")
    async with wizard(FilesCore(), path=path, step="database", size=(80, 24)) as pilot:
        step_of(pilot).focus_key(key)
        await settle(pilot)
        await paste(pilot, LONG)
        await press(pilot, "ctrl+n", "ctrl+b", "ctrl+s")
        field = next(one for one in step_of(pilot).query(Field).results(Field) if one.key == key)
        assert field.query_one(TextInput).value == f"{before}{LONG}"
        note = field.query_one(FieldMessage)
        assert f"! {shown}" == " ".join(str(note.visual).split())
        assert f"! {shown}" in words(pilot), "and it is in sight"
        assert unbroken(f"Saved to {path}") in unbroken(text_of(pilot))
        text = path.read_text(encoding="utf-8")
        assert saved in text
        assert text.count(LONG) == bool(saved)
        assert list(tmp_path.glob("*.secrets*")) == []


async def test_a_password_of_ten_thousand_characters_is_not_saved(tmp_path: Path) -> None:
    path = tmp_path / "answers.yml"
    path.write_text(MEDIUM, encoding="utf-8")
    async with wizard(FilesCore(), path=path, step="database", size=(80, 24)) as pilot:
        await tab_to(pilot, "database.password")
        await choose_way(pilot)
        await paste(pilot, LONG)
        assert "xxxx" not in text_of(pilot)
        await press(pilot, "ctrl+s")
        assert "«Database: Password»: is longer than 4096 characters. type it again" in words(pilot)
        assert app_of(pilot).session.has_unsaved_changes
    assert path.read_text(encoding="utf-8") == MEDIUM
    assert list(tmp_path.glob("*.secrets*")) == []


async def test_ten_thousand_characters_in_several_lines() -> None:
    async with wizard(FakeCore({ANSWERS: MEDIUM}), path=ANSWERS, step="access", size=(80, 24)) as pilot:
        await tab_to(pilot, "extra.config")
        await paste(pilot, f"OZ_ONE: {LONG}")
        assert "! " in text_of(pilot)
        await tab_to(pilot, "images")
        await paste(pilot, "\n".join("x" * 100 for _ in range(100)))
        assert "! " in text_of(pilot)


@pytest.mark.parametrize(
    ("where", "shown"),
    [
        ("/proc/answers.yml", "/proc/answers.yml"),
        ("/nowhere/at/all/answers.yml", "there is no folder"),
        ("/tmp", "is a folder"),
        (f"/tmp/{LONG}.yml", "error: "),
    ],
    ids=["proc", "no folder", "folder", "long"],
)
async def test_a_file_that_cannot_be_written_is_told_and_nothing_is_lost(where: str, shown: str) -> None:
    async with wizard(FilesCore(), step="workload") as pilot:
        await press(pilot, "=12", "ctrl+n", "ctrl+s")
        await clear(pilot)
        await paste(pilot, where)
        await press(pilot, "enter")
        if "already exists" in text_of(pilot):
            await press(pilot, "shift+tab", "enter")
        assert shown in " ".join(text_of(pilot).split())
        assert app_of(pilot).is_running
        assert app_of(pilot).session.has_unsaved_changes
        assert len(list_drafts()) == 1


async def test_a_file_that_cannot_be_opened_is_told() -> None:
    async with wizard(FilesCore()) as pilot:
        for where in ("/tmp", "/proc/self/mem", f"/tmp/{LONG}.yml", "~nobody-of-that-name/x.yml"):
            await press(pilot, "down", "enter")
            await paste(pilot, where)
            await press(pilot, "enter")
            assert app_of(pilot).is_running
            shown = text_of(pilot)
            assert "! " in shown, shown
            await press(pilot, "escape", "home")
        assert step_of(pilot).STEP == "start"


async def test_a_dialog_over_the_notice_of_a_small_terminal_leaves_it_when_there_is_room() -> None:
    core = FakeCore({ANSWERS: MEDIUM})
    core.refused[ANSWERS] = AnswersError("cannot be written", "name another")
    async with wizard(core, path=ANSWERS, step="workload") as pilot:
        app = app_of(pilot)
        await pilot.resize_terminal(40, 10)
        await settle(pilot)
        assert "40 x 10" in text_of(pilot)
        app.jobs.start("ask", lambda _post, _stop: app.core.ask("Password") if app.core.ask else None)
        end = asyncio.get_running_loop().time() + PATIENCE
        while "Password" not in text_of(pilot):
            await pilot.pause()
            assert asyncio.get_running_loop().time() < end
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        await type_text(pilot, "word")
        await press(pilot, "enter")
        assert "needs 60 x 20" not in text_of(pilot)
        assert "Expected load." in text_of(pilot)


def resize(one: Terminal, columns: int, rows: int) -> None:
    """Make the terminal that size."""
    fcntl.ioctl(one.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    one.process.send_signal(signal.SIGWINCH)


def test_a_real_terminal_of_40_by_10(tmp_path: Path) -> None:
    with terminal([], tmp_path) as one:
        one.wait_for("New installation")
        one.wait_for("^Q Quit")
        resize(one, 40, 10)
        one.wait_for("oz-install needs 60 x 20")
        resize(one, 80, 24)
        one.wait_for("step 1 of 11")
        one.send("\x0e")
        one.wait_for("step 2 of 11")
        one.send("17")
        one.wait_for("not saved")
        resize(one, 40, 10)
        one.wait_for("keeps a draft")
        one.send("\x11")
        assert one.ended() == 0
        assert "kept as a draft" in one.text
