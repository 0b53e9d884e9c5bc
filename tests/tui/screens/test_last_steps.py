"""Review, preflight, install and done: success, failures and stopping."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import pytest

from oz_installer.answers.model import SecretRef
from oz_installer.deploy.events import Event, RunEnded
from oz_installer.errors import ConnectError, DeployError, Interrupted
from oz_installer.tui.screens.install import InstallScreen
from tests.tui.running import CANARY, FAILURE, PATH, WARNING, RunCore, run_events
from tests.tui.support import (
    PATIENCE,
    SIZES,
    Driver,
    app_of,
    check_golden,
    confirm,
    install,
    press,
    settle,
    step_of,
    text_of,
    until,
    wizard,
)

if TYPE_CHECKING:
    from oz_installer.installation.prepare import Prepared


async def push(pilot: Driver, button: str) -> None:
    """Push a button by keys, and wait until the wizard is idle."""
    step_of(pilot).query_one(f"#{button}").focus()
    await press(pilot, "enter")


def frozen(pilot: Driver) -> InstallScreen:
    """Return the step Install with a stopped clock."""
    screen = cast("InstallScreen", step_of(pilot))
    screen.clock = lambda: 1010.0
    return screen


class Waiting(RunCore):
    """A run that continues until it is stopped, then rolls back."""

    def __init__(self) -> None:
        super().__init__()
        self.taken_back = threading.Event()

    def apply(self, prepared: Prepared, on_event: Callable[[Event], None], stop: threading.Event) -> None:
        """Wait for the stop, then for the test."""
        for event in run_events(end=False):
            on_event(event)
        assert stop.wait(PATIENCE)
        assert self.taken_back.wait(PATIENCE)
        on_event(RunEnded(at=1020, outcome="interrupted", seconds=20))
        raise Interrupted(
            "stopped at your request; the changes of this run were rolled back", "Run it again."
        )


@pytest.mark.parametrize("size", SIZES)
async def test_the_happy_path(size: tuple[int, int]) -> None:
    core = RunCore()
    async with wizard(core, path=PATH, step="review", size=size) as pilot:
        await settle(pilot)
        check_golden("review-topology", pilot)
        await press(pilot, "right")
        check_golden("review-files", pilot)
        await push(pilot, "compare")
        check_golden("review-changes", pilot)
        step_of(pilot).query_one("#tabs").focus()
        await press(pilot, "right")
        check_golden("review-answers", pilot)
        await press(pilot, "ctrl+n")
        check_golden("preflight-before", pilot)
        await press(pilot, "enter")
        check_golden("preflight-good", pilot)
        await press(pilot, "ctrl+n")
        frozen(pilot)
        check_golden("install-before", pilot)
        await press(pilot, "enter")
        check_golden("install-question", pilot)
        await confirm(pilot)
        await settle(pilot)
        check_golden("install-done", pilot)
        await press(pilot, "enter")
        assert step_of(pilot).STEP == "done"
        check_golden("done", pilot)
    assert core.prepared.closed == 2
    assert core.prepared.steps == ["engines"]


@pytest.mark.parametrize("size", SIZES)
async def test_a_failing_preflight_does_not_let_on(size: tuple[int, int]) -> None:
    core = RunCore()
    core.outside.findings = [*core.outside.findings, WARNING, FAILURE]
    async with wizard(core, path=PATH, step="preflight", size=size) as pilot:
        await push(pilot, "run")
        check_golden("preflight-failing", pilot)
        await press(pilot, "ctrl+n")
        assert step_of(pilot).STEP == "preflight"
        assert "1 check failed" in text_of(pilot)
        core.outside.findings.remove(FAILURE)
        await push(pilot, "run")
        assert step_of(pilot).query_one("#status").has_class("-warning"), "a warning is not all well"
        await press(pilot, "ctrl+n")
        assert "Continue despite 1 warning?" in text_of(pilot)
        await press(pilot, "escape")
        await push(pilot, "accept")
        assert app_of(pilot).session.working.get("accept") == ("host.memory/bio1",)
        assert core.validate(app_of(pilot).session.working) == (), "what was accepted is no wrong answer"
        assert "1 warning (1 accepted), 0 failures" in text_of(pilot)
        await press(pilot, "ctrl+n")
        assert step_of(pilot).STEP == "install"
        assert app_of(pilot).session.ready


async def test_warnings_are_accepted_one_after_the_other() -> None:
    core = RunCore()
    other = replace(WARNING, id="host.cpu/bio2", node="bio2", subject="CPU")
    core.outside.findings = [*core.outside.findings, WARNING, other]
    async with wizard(core, path=PATH, step="preflight") as pilot:
        await push(pilot, "run")
        await press(pilot, "tab", "enter", "enter")
        assert app_of(pilot).session.working.get("accept") == ("host.memory/bio1", "host.cpu/bio2")
        assert "2 warnings (2 accepted)" in text_of(pilot)
        judged = app_of(pilot).session.judged
        assert judged is not None
        assert judged.problems == ()
        await press(pilot, "enter")
        assert step_of(pilot).STEP == "install"


async def test_nodes_that_cannot_be_reached_do_not_let_on() -> None:
    core = RunCore()
    core.outside.failure = ConnectError("no answer on port 22", "Is it on?", node="bio1")
    async with wizard(core, path=PATH, step="preflight") as pilot:
        await push(pilot, "run")
        assert "bio1: no answer on port 22" in text_of(pilot)
        await press(pilot, "ctrl+n")
        assert step_of(pilot).STEP == "preflight"


@pytest.mark.parametrize("size", SIZES)
async def test_a_failing_installation_is_tried_again(size: tuple[int, int]) -> None:
    core = RunCore()
    core.outside.events = [*run_events(end=False), RunEnded(at=1010, outcome="failed", seconds=10)]
    async with wizard(core, path=PATH, step="preflight", size=size) as pilot:
        await push(pilot, "run")
        await press(pilot, "ctrl+n")
        frozen(pilot)
        core.apply = failing(core)  # type: ignore[method-assign]
        await install(pilot)
        check_golden("install-failed", pilot)
        del core.apply
        core.outside.events = run_events()
        await install(pilot)
        assert "Done in 72 s." in text_of(pilot)
        assert "error: " not in text_of(pilot)
    assert core.prepared.closed == 2


def failing(core: RunCore) -> Callable[..., None]:
    """Script a run that reports its events and fails."""

    def apply(prepared: Prepared, on_event: Callable[[Event], None], stop: threading.Event) -> None:
        for event in core.outside.events:
            on_event(event)
        raise DeployError(
            "oz-api does not become healthy; the changes of this run were rolled back",
            "Look at the log below.",
            node="api1",
            details="oz-api | could not log in to the database\noz-api | exit 1",
        )

    return apply


async def test_what_was_not_checked_is_checked_before_it_is_installed() -> None:
    core = RunCore()
    core.outside.findings = [FAILURE]
    async with wizard(core, path=PATH, step="install") as pilot:
        await install(pilot)
        assert "1 check failed; nothing was changed" in " ".join(text_of(pilot).split())
        assert core.prepared.steps == []


@pytest.mark.parametrize("size", SIZES)
async def test_stopping_in_the_middle_asks_and_ends_cleanly(size: tuple[int, int]) -> None:
    core = Waiting()
    async with wizard(core, path=PATH, step="install", size=size) as pilot:
        screen = frozen(pilot)
        await pilot.press("enter")
        await confirm(pilot)
        await until(pilot, lambda: "pulling oz-api" in text_of(pilot) and "slow" in text_of(pilot))
        check_golden("install-running", pilot)
        await pilot.press("ctrl+q")
        await until(pilot, lambda: "Stop it?" in text_of(pilot))
        check_golden("install-stop", pilot)
        await pilot.press("escape")
        assert screen.running
        screen.query_one("#run").focus()
        await pilot.press("enter")
        await until(pilot, lambda: "Stop it?" in text_of(pilot))
        await pilot.press("tab", "shift+tab", "shift+tab", "enter")
        await until(pilot, lambda: "Stopping" in text_of(pilot))
        assert app_of(pilot).leaving.held
        core.taken_back.set()
        await settle(pilot)
        assert "the changes of this run were rolled back" in " ".join(text_of(pilot).split())
        assert "Try again" in text_of(pilot)
        assert not app_of(pilot).leaving.held
    assert core.prepared.closed == 1


async def test_other_answers_are_not_opened_meanwhile() -> None:
    core = Waiting()
    async with wizard(core, path=PATH, step="install") as pilot:
        screen = frozen(pilot)
        await pilot.press("enter")
        await confirm(pilot)
        await until(pilot, lambda: "pulling" in text_of(pilot))
        app_of(pilot).go("start")
        await pilot.pause()
        await pilot.press("enter")
        await until(pilot, lambda: "An installation is running" in text_of(pilot))
        core.taken_back.set()
        screen._stop_now()
        await settle(pilot)
        assert not app_of(pilot).leaving.held


async def test_a_password_is_on_no_screen_and_in_no_picture() -> None:
    core = RunCore()
    async with wizard(core, path=PATH, step="review") as pilot:
        app = app_of(pilot)
        app.change("database.password", SecretRef(kind="plain", where=CANARY))
        await settle(pilot)
        screen, seen = step_of(pilot), ""
        for tab in ("picture", "files", "changes", "yaml"):
            screen._open(tab)  # type: ignore[attr-defined]
            await settle(pilot)
            seen += text_of(pilot) + pilot.app.export_screenshot()
        drawn = screen._drawn  # type: ignore[attr-defined]
        seen += repr(drawn)
        await push(pilot, "export")
        await press(pilot, "enter")
        for step in ("preflight", "install", "done"):
            app.go(step)
            await settle(pilot)
            for button in step_of(pilot).query("#run"):
                button.focus()
                await press(pilot, "enter")
                if step != "done":
                    await confirm(pilot)
                    await settle(pilot)
            seen += text_of(pilot) + pilot.app.export_screenshot()
        seen += repr(core.pictures) + repr(core.drafted) + repr(core.calls)
    assert list(core.pictures) == [PATH.with_suffix(".svg")]
    assert CANARY not in seen
    assert core.kept[PATH].get("database.password").where == CANARY


async def test_the_last_screen_says_what_comes_next() -> None:
    core = RunCore()
    async with wizard(core, path=PATH, step="install") as pilot:
        await install(pilot)
        await press(pilot, "enter")
        for wanted in (
            f"oz-install --answers {PATH}",
            "oz-bio",
            "https://oz.example.com",
            "http://10.0.0.1:8880/",
            '"admin.password" in /home/admin/answers.secrets.yml',
            "Open the web UI and log in",
            "Report: /home/admin/answers.report.txt",
        ):
            assert wanted in text_of(pilot), text_of(pilot)
        await push(pilot, "copy")
        assert pilot.app.clipboard == f"oz-install --answers {PATH}"
