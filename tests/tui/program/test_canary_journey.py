"""Every secret is typed on one journey through the wizard: none is shown, logged or left behind."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from oz_installer.answers.questions import questions
from tests.tui.by_keys import give_secret, push
from tests.tui.fake_core import FilesCore
from tests.tui.running import GOOD, PLAN, SUMMARY, FakePrepared, run_events
from tests.tui.screens.test_questions import EVERYTHING
from tests.tui.support import Driver, app_of, press, step_of, text_of, wizard

SECRETS = tuple(one.key.replace("[]", "[0]") for one in questions() if one.kind == "secret")


def canary(key: str) -> str:
    """Return the secret typed for that question; none is a part of another."""
    return f"C4n4ry-{SECRETS.index(key):02}-sings"


class Watch:
    """Collects everything that is shown on the way."""

    def __init__(self, pilot: Driver) -> None:
        self.pilot = pilot
        self.seen = ""

    async def press(self, *keys: str) -> None:
        """Press keys; after each one look at the screen and at a picture of it."""
        for key in keys:
            await press(self.pilot, key)
            self.look()

    def look(self) -> None:
        """The screen as text and as a picture, and what a debugger would show of the app."""
        self.seen += text_of(self.pilot) + self.pilot.app.export_screenshot()
        app = app_of(self.pilot)
        self.seen += repr(app.session.working) + repr(app.session.judged) + self.pilot.app.title


def played() -> FilesCore:
    """Real files; an installation that goes well."""
    core = FilesCore()
    core.outside.prepared, core.outside.plan, core.outside.summary = FakePrepared(), PLAN, SUMMARY
    core.outside.findings, core.outside.events = list(GOOD), run_events()
    return core


async def type_all(watch: Watch, step: str) -> None:
    """Every secret of the open step."""
    for key in (one for one in SECRETS if one.partition(".")[0].partition("[")[0] in step):
        await give_secret(watch.pilot, key, canary(key))
        watch.look()


async def to_the_end(watch: Watch) -> None:
    """From the review over the checks and the installation to the last screen."""
    for _tab in range(4):
        await watch.press("right")
    await watch.press("ctrl+s")
    await push(watch.pilot, "Compare")
    await watch.press("ctrl+n", "enter")
    await watch.press("ctrl+n", "enter")
    await watch.press("shift+tab", "enter")
    await watch.press("enter")
    assert step_of(watch.pilot).STEP == "done"


async def test_no_secret_is_seen_logged_or_left_behind(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    caplog.set_level(logging.DEBUG)
    path = tmp_path / "answers.yml"
    path.write_text(EVERYTHING)
    async with wizard(played(), path=path, step="release") as pilot:
        watch = Watch(pilot)
        await type_all(watch, "broker")
        await watch.press("ctrl+n", "home", "enter")
        await type_all(watch, "nodes")
        await watch.press("f1", "escape", "ctrl+n", "ctrl+n")
        await type_all(watch, "database")
        await watch.press("ctrl+n", "ctrl+n")
        await type_all(watch, ("admin updater registry"))
        assert [key for key in SECRETS if app_of(pilot).session.working.get(key).kind != "plain"] == []
        drafted = "".join(file.read_text() for file in (tmp_path / "state").rglob("*.json"))
        assert "mq.example.com" in drafted
        await watch.press("ctrl+p", "escape", "ctrl+n")
        await to_the_end(watch)
    output = capsys.readouterr()
    left = {file: file.read_text() for file in tmp_path.rglob("*") if file.is_file()}
    kept = {file.name for file in left if file.parent.name == "answers.secrets.d"}
    assert len(kept) == len(SECRETS)
    others = "".join(text for file, text in left.items() if file.parent.name != "answers.secrets.d")
    for key in SECRETS:
        for what in (watch.seen, drafted, others, caplog.text, output.out, output.err):
            assert canary(key) not in what, key
