"""The wizard becomes idle: the end of no job, timer or key is missed."""

from __future__ import annotations

import ast
import asyncio
import threading
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from textual.app import App
from textual.timer import Timer
from textual.worker import WorkerFailed

import oz_installer.tui
from oz_installer.deploy.events import Message
from oz_installer.errors import AnswersError
from oz_installer.tui.dialogs.secret import SecretDialog
from oz_installer.tui.internals import key_queue
from oz_installer.tui.messages import JobFinished
from oz_installer.tui.timer import OneShotTimer
from oz_installer.tui.views.event_feed import FeedReady
from oz_installer.tui.wizard_protocol import ExitGuard
from tests.tui import support
from tests.tui.controllers.test_files import COMPLETE, HERE
from tests.tui.fake_core import FakeCore
from tests.tui.probes import lose_ticks, run_timer
from tests.tui.support import app_of, press, settle, step_of, text_of, until, wizard

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oz_installer.answers.drafts.working_copy import WorkingCopy
    from oz_installer.installation.wizard.choices import AllowedValues

PACKAGE = Path(oz_installer.tui.__file__).parent


@pytest.fixture
def lost_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lose the tick of each of Textual's timers that fires once."""
    lose_ticks(monkeypatch)


async def test_textual_loses_a_tick_when_time_passes_between_two_looks_at_its_clock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """When this fails, Textual has changed, and ``OneShotTimer`` may go."""
    monkeypatch.setattr("textual._time.get_time", map(float, count()).__next__)
    fired: list[str] = []
    timer = Timer(App[None](), 0.001, callback=lambda: fired.append("tick"), repeat=0)
    await asyncio.wait_for(run_timer(timer), 1)
    assert fired == []


def test_no_timer_of_textual_is_set_that_fires_once() -> None:
    """It may be lost: see ``OneShotTimer``."""
    calls = [
        f"{file.name}:{node.lineno}"
        for file in sorted(PACKAGE.rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "set_timer"
    ]
    assert calls == []


@pytest.mark.usefixtures("lost_ticks")
async def test_answers_are_validated_whoever_had_the_interpreter_when_the_timer_was_set() -> None:
    async with wizard(step="workload") as pilot:
        await press(pilot, "=12")
        app = app_of(pilot)
        assert not app.thinking
        assert app.session.judged is not None
        assert app.session.judged.working is app.session.working


@pytest.mark.usefixtures("lost_ticks")
async def test_events_of_an_installation_are_shown_whoever_had_the_interpreter() -> None:
    async with wizard(FakeCore({HERE: COMPLETE}), path=HERE, step="install") as pilot:
        screen = step_of(pilot)
        screen._feed.put(Message(level="info", text="hello"))  # type: ignore[attr-defined]
        screen.receive(FeedReady())
        await until(pilot, lambda: not screen._feed._announced)  # type: ignore[attr-defined]


async def test_a_timer_that_is_stopped_does_not_fire_even_when_it_is_due() -> None:
    fired: list[str] = []
    async with wizard() as pilot:
        stopped = OneShotTimer(pilot.app, 0, lambda: fired.append("stopped"))
        kept = OneShotTimer(pilot.app, 0, lambda: fired.append("kept"))
        stopped._due()
        stopped.stop()
        await until(pilot, lambda: not kept.pending)
        assert fired == ["kept"]


class BrokenCore(FakeCore):
    """Cannot say what may be chosen."""

    def allowed_values(self, working: WorkingCopy, keys: Sequence[str]) -> Mapping[str, AllowedValues]:
        """Raise as a file that cannot be read does."""
        raise AnswersError("the catalogue cannot be read", "Install oz-install again.")


async def test_a_validation_that_fails_has_ended() -> None:
    async with wizard(BrokenCore(), step="workload") as pilot:
        await press(pilot, "=1")
        assert not app_of(pilot).thinking
        assert "the catalogue cannot be read" in text_of(pilot)


async def test_a_validation_that_ends_is_not_the_one_that_was_asked_for_since() -> None:
    async with wizard(step="workload") as pilot:
        app = app_of(pilot)
        app.judge(after=60)
        assert app.session.judged is not None
        app.judging.receive(JobFinished(job="judge", result=app.session.judged))
        assert app.thinking
        app.judge()


async def test_slow_jobs_keep_no_other_job_waiting() -> None:
    """Six nodes that do not answer, on two processors, would be all of Python's own threads."""
    let = threading.Event()
    async with wizard(step="workload") as pilot:
        app = app_of(pilot)
        try:
            for number in range(40):
                app.jobs.start(f"slow-{number}", lambda _post, _stop: let.wait(support.PATIENCE))
            await pilot.press("1")
            await until(pilot, lambda: app.session.working.get("workload.apm") == 1 and not app.thinking)
        finally:
            let.set()


@pytest.mark.parametrize("apart", [False, True])
async def test_a_job_that_raises_stop_iteration_ends(apart: bool) -> None:
    """A future cannot hold it, so that a waiter would wait for ever."""

    def job(_post: object, _stop: object) -> object:
        return next(iter(()))

    async def run() -> None:
        async with wizard() as pilot:
            app_of(pilot).jobs.start("empty", job, apart=apart)
            await settle(pilot)

    with pytest.raises(WorkerFailed, match="StopIteration"):
        await run()


async def test_the_end_of_a_job_is_noted_when_its_screen_has_gone() -> None:
    let = threading.Event()
    async with wizard(step="workload") as pilot:
        screen, app = step_of(pilot), app_of(pilot)
        app.start_over("release")
        await settle(pilot)
        assert not screen.is_running
        screen.jobs._run("late", lambda _post, _stop: let.set(), stop := threading.Event())
        screen.jobs._stops["later"] = stop
        screen.jobs._run("later", lambda _post, _stop: None, stop)
        assert let.is_set()
        assert not screen.jobs.running("later")


async def test_a_key_whose_field_has_gone_is_not_under_way_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_queue, "PATIENCE", 0.05)
    async with wizard(step="workload") as pilot:
        app = app_of(pilot)
        monkeypatch.setattr(app.in_order, "passed", _lost)  # the message behind the key
        await pilot.press("tab")
        await until(pilot, lambda: not app.in_order.busy)


async def _lost(_message: object) -> None:
    pass


async def test_a_job_does_not_wait_for_the_answer_of_a_dialog_that_has_gone() -> None:
    async with wizard(step="database") as pilot:
        app = app_of(pilot)
        app.jobs.start("ask", lambda _post, _stop: app.asking("password of oz on api1"))
        await until(pilot, lambda: isinstance(app.screen, SecretDialog))
        app.go("storage")
        await settle(pilot)
        assert "was not given" in text_of(pilot)


async def test_other_answers_are_not_opened_over_an_installation_that_began_meanwhile() -> None:
    """Its screen would be removed, and its end missed: the wizard could not exit any more."""
    async with wizard(FakeCore({HERE: COMPLETE}), path=HERE, step="install") as pilot:
        app, screen = app_of(pilot), step_of(pilot)
        app.files.open(HERE)
        app.leaving.hold(ExitGuard(question="Stop?", stop=lambda: None))
        await settle(pilot)
        assert step_of(pilot) is screen
        assert "An installation is running" in text_of(pilot)
        app.leaving.release()


async def test_settle_says_what_the_wizard_is_busy_with(monkeypatch: pytest.MonkeyPatch) -> None:
    let = threading.Event()
    async with wizard(step="workload") as pilot:
        app = app_of(pilot)
        monkeypatch.setattr(support, "PATIENCE", 0.1)
        app.jobs.start("slow", lambda _post, _stop: let.wait(5))
        app.judge(after=60)
        try:
            with pytest.raises(AssertionError, match="validated, worker 'slow' is RUNNING") as raised:
                await settle(pilot)
            assert "let.wait(5)" in str(raised.value)
        finally:
            let.set()
            app.judge()
