"""A missing file that the answers name is reported at its question; its step is not done."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest
from textual import events

from oz_installer.answers.drafts.working_copy import WorkingCopy
from oz_installer.errors import Problem
from oz_installer.tui.widgets.field import Field, FieldMessage
from tests.tui.fake_core import FakeCore, FilesCore
from tests.tui.nodes_case import ANSWERS, POC
from tests.tui.support import PATIENCE, Driver, app_of, left, press, settle, step_of, text_of, until, wizard

TEXT = """\
version: 1
scenario: poc
public_url: http://10.0.0.11
nodes:
- {name: one, host: 10.0.0.11, user: ozadmin}
components: {bio_updater: false}
license: {bio: bio.key}
"""


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return answers whose licence file is missing."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    path = tmp_path / "answers.yml"
    path.write_text(TEXT, encoding="utf-8")
    return path


def note(pilot: Driver, key: str) -> tuple[str, str]:
    """Return the message below a question's field, with its style."""
    field = next(one for one in pilot.app.screen.query(Field).results(Field) if one.key == key)
    return field.query_one(FieldMessage)._shown


def state(pilot: Driver, step: str) -> str:
    """Return the state of a step while another is open."""
    return app_of(pilot).session.state(step, "").label


async def test_a_licence_that_is_not_there(path: Path) -> None:
    async with wizard(FilesCore(), path=path, step="access") as pilot:
        text, look = note(pilot, "license.bio")
        assert text.startswith(f"! {path.parent / 'bio.key'} cannot be read: No such file or directory; ")
        assert look == "-warning"
        assert state(pilot, "access") == "! 1"
        await press(pilot, "ctrl+s")
        assert "saved" in text_of(pilot), "the answers are right, the file may come later"
        (path.parent / "bio.key").write_text("licence", encoding="utf-8")
        app_of(pilot).go("review")
        await settle(pilot)
        assert state(pilot, "access") == "done"
        app_of(pilot).go("access")
        await settle(pilot)
        assert note(pilot, "license.bio")[1] == ""


async def test_a_file_that_is_made_in_another_window_is_seen_on_coming_back(path: Path) -> None:
    async with wizard(FilesCore(), path=path, step="access") as pilot:
        assert note(pilot, "license.bio")[1] == "-warning"
        (path.parent / "bio.key").write_text("licence", encoding="utf-8")
        pilot.app.post_message(events.AppFocus())
        await settle(pilot)
        assert note(pilot, "license.bio")[1] == ""
        assert state(pilot, "access") == "done"


async def test_another_path_is_looked_at_while_it_is_typed(path: Path) -> None:
    (path.parent / "bio.key2").write_text("licence", encoding="utf-8")
    async with wizard(FilesCore(), path=path, step="access") as pilot:
        step_of(pilot).focus_key("license.bio")
        await press(pilot, "end", "=2")
        assert note(pilot, "license.bio")[1] == ""
        await press(pilot, "=2")
        assert "bio.key22 cannot be read" in note(pilot, "license.bio")[0]


async def test_a_warning_stands_while_the_path_is_typed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    show = FieldMessage.show

    def watch(one: FieldMessage, text: str, look: str = "") -> None:
        if isinstance(one.parent, Field) and one.parent.key == "license.bio":
            shown.append(text)
        show(one, text, look)

    class Short(FilesCore):
        """Reports names without their folder, whose length varies."""

        def file_problems(self, working: WorkingCopy, path: Path) -> tuple[Problem, ...]:
            return tuple(
                replace(one, message=one.message.replace(f"{path.parent}/", ""))
                for one in super().file_problems(working, path)
            )

    async with wizard(Short(), path=path, step="access") as pilot:
        step_of(pilot).focus_key("license.bio")
        await press(pilot, "end")
        monkeypatch.setattr(FieldMessage, "show", watch)
        fields = [one for one in step_of(pilot).query(Field).results(Field) if one.display]
        below = fields[1 + next(place for place, one in enumerate(fields) if one.key == "license.bio")]
        places = set[int]()
        for letter in "2345":
            await pilot.press(letter)
            places.add(below.region.y)
            await settle(pilot)
            places.add(below.region.y)
        assert len(shown) > 8, "before it was judged, too"
        assert all(text.startswith("! Bio.key") for text in shown), shown
        assert "Bio.key2345 cannot be read" in shown[-1]
        assert len(places) == 1, "nothing moves"
        (path.parent / "bio.key23456").write_text("licence", encoding="utf-8")
        await press(pilot, "6")
        assert note(pilot, "license.bio")[1] == "", "it goes once that is known"


async def test_a_key_file_of_a_node() -> None:
    core = FakeCore({ANSWERS: POC.replace("user: ozadmin", "user: ozadmin, key_file: ~/id")})
    core.unread = (Problem(key="nodes[0].key_file", message="/root/id cannot be read", hint="correct it"),)
    async with wizard(core, path=ANSWERS, step="nodes") as pilot:
        assert state(pilot, "nodes") == "! 1"
        assert "! /root/id cannot be read; correct it" in text_of(pilot)
        await press(pilot, "enter")
        assert note(pilot, "nodes[0].key_file") == ("! /root/id cannot be read; correct it", "-warning")


async def test_a_disk_that_hangs_keeps_nobody_waiting() -> None:
    """Neither other problems nor the exit wait for it."""

    class Stuck(FakeCore):
        stuck = False
        let = threading.Event()

        def file_problems(self, working: WorkingCopy, path: Path) -> tuple[Problem, ...]:
            assert not self.stuck or self.let.wait(PATIENCE)
            return super().file_problems(working, path)

    core = Stuck({ANSWERS: POC})
    try:
        async with wizard(core, path=ANSWERS) as pilot:
            core.stuck = True
            app_of(pilot).change("public_url", "nonsense")
            await until(pilot, lambda: not app_of(pilot).thinking)
            assert app_of(pilot).session.problems("access")
            await pilot.press("ctrl+q")
            assert (await left(pilot)).code == 0
    finally:
        core.let.set()
