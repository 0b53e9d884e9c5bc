"""Prompts for secrets during a job: no answer, wrong answers, stopping."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from oz_installer.errors import ConnectError
from oz_installer.installation.wizard.probe import NodeProbe
from oz_installer.tui.dialogs.secret import SecretDialog
from oz_installer.tui.widgets.text_input import TextInput
from tests.tui.nodes_case import fit
from tests.tui.running import FAILURE, PATH, RunCore
from tests.tui.support import Driver, app_of, confirm, press, settle, step_of, text_of, until, wizard

if TYPE_CHECKING:
    import threading

    from oz_installer.answers.drafts.working_copy import WorkingCopy
    from oz_installer.checks.context import Finding
    from oz_installer.deploy.events import EmitEvent
    from oz_installer.installation.prepare import Prepared

LABEL = "SSH password of api1"


def is_asked(pilot: Driver, label: str) -> bool:
    """Return whether the prompt is shown and has the focus."""
    there = isinstance(pilot.app.screen, SecretDialog) and isinstance(pilot.app.focused, TextInput)
    return there and label in text_of(pilot)


class Asks(RunCore):
    """A core that needs a password to connect."""

    def prepare(
        self,
        path: Path,
        stop: threading.Event,
        emit: EmitEvent | None = None,
        working: WorkingCopy | None = None,
    ) -> Prepared:
        """Ask first."""
        assert self.ask is not None
        self.ask(LABEL)
        return super().prepare(path, stop, emit, working)


async def test_a_terminal_that_is_closed_while_a_password_is_asked_for_ends_the_wizard() -> None:
    core = Asks()
    async with wizard(core, path=PATH, step="install") as pilot:
        step_of(pilot).query_one("#run").focus()
        await pilot.press("enter")
        await confirm(pilot)
        await until(pilot, lambda: LABEL in text_of(pilot))
        app_of(pilot).leaving.terminal_lost()
        await until(pilot, lambda: not app_of(pilot).is_running)
        assert app_of(pilot).return_code == 130


async def test_stop_ends_what_waits_for_a_password_and_takes_the_question_away() -> None:
    core = Asks()
    async with wizard(core, path=PATH, step="install") as pilot:
        step_of(pilot).query_one("#run").focus()
        await pilot.press("enter")
        await confirm(pilot)
        await until(pilot, lambda: LABEL in text_of(pilot))
        await pilot.press("ctrl+q")
        await until(pilot, lambda: "Stop it?" in text_of(pilot))
        await press(pilot, "shift+tab", "enter")
        assert not isinstance(pilot.app.screen, SecretDialog)
        assert not app_of(pilot).leaving.held
        assert "Try again" in text_of(pilot)


class Knows(RunCore):
    """Servers with a password."""

    def _let_in(self, label: str) -> bool:
        assert self.ask is not None
        return self.ask(label).reveal() == "right"

    def node_probes(self, working: WorkingCopy, names: Sequence[str]) -> Iterator[NodeProbe]:
        """Probe the nodes one after the other."""
        for name in names:
            if self._let_in(f"Password of admin on {name}"):
                yield fit(name)
            else:
                yield NodeProbe(node=name, error="the password is wrong", hint="Correct it.")

    def prepare(
        self,
        path: Path,
        stop: threading.Event,
        emit: EmitEvent | None = None,
        working: WorkingCopy | None = None,
    ) -> Prepared:
        """Log in."""
        if not self._let_in("Password of admin on api1, bio1"):
            raise ConnectError("the password is wrong", "Correct it.", node="api1")
        return super().prepare(path, stop, emit, working)

    def check(
        self,
        path: Path,
        on_finding: Callable[[Finding], None],
        stop: threading.Event,
        working: WorkingCopy | None = None,
    ) -> None:
        """Log in; a node that cannot be reached is a finding."""
        if not self._let_in("Password of admin on api1, bio1"):
            on_finding(FAILURE)


async def test_a_mistyped_password_of_a_node_is_asked_for_again_and_no_other() -> None:
    async with wizard(Knows(), path=PATH, step="nodes") as pilot:
        await pilot.press("t")
        await until(pilot, lambda: is_asked(pilot, "Password of admin on api1"))
        await press(pilot, "=right", "enter")
        await pilot.press("down", "t")
        await until(pilot, lambda: is_asked(pilot, "Password of admin on bio1"))
        await press(pilot, "=wrong", "enter")
        assert "the password is wrong" in text_of(pilot)
        await pilot.press("t")
        await until(pilot, lambda: is_asked(pilot, "Password of admin on bio1"))
        await press(pilot, "=right", "enter")
        assert "the password is wrong" not in text_of(pilot)
        await press(pilot, "up", "t")
        assert not isinstance(pilot.app.screen, SecretDialog), "that of api1 was right"


@pytest.mark.parametrize(("step", "button"), [("review", "compare"), ("done", "look"), ("preflight", "run")])
async def test_a_mistyped_password_is_asked_for_again(step: str, button: str) -> None:
    async with wizard(Knows(), path=PATH, step="review") as pilot:
        app_of(pilot).go(step)  # a file opened at this step is read without a button
        await settle(pilot)
        for typed in ("wrong", "right"):
            step_of(pilot).query_one(f"#{button}").focus()
            await pilot.press("enter")
            await until(pilot, lambda: is_asked(pilot, "Password of admin on api1, bio1"))
            await press(pilot, f"={typed}", "enter")
        assert "the password is wrong" not in text_of(pilot)


class WantsCodes(RunCore):
    """A server that wants another code at every login."""

    def node_probes(self, working: WorkingCopy, names: Sequence[str]) -> Iterator[NodeProbe]:
        """Log in twice."""
        assert self.ask_code is not None
        for name in names:
            codes = [self.ask_code(f"root@{name}: Verification code").reveal() for _ in range(2)]
            yield fit(name) if codes == ["1", "2"] else NodeProbe(node=name, error="wrong", hint="Again.")


async def test_a_code_is_asked_for_at_every_login() -> None:
    async with wizard(WantsCodes(), path=PATH, step="nodes") as pilot:
        await pilot.press("t")
        shown: list[object] = []
        for code in ("1", "2"):
            await until(
                pilot, lambda: is_asked(pilot, "root@api1: Verification code") and _is_new(pilot, shown)
            )
            await pilot.press(code, "enter")
        await settle(pilot)
        assert "wrong" not in text_of(pilot)
        assert not isinstance(pilot.app.screen, SecretDialog)
        assert len(shown) == 2


def _is_new(pilot: Driver, shown: list[object]) -> bool:
    """Return whether the dialog on top is another one than before."""
    if pilot.app.screen in shown:
        return False
    shown.append(pilot.app.screen)
    return True
