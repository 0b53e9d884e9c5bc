"""A screen of fields only, for the tests of fields."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import ClassVar

from textual.app import ComposeResult

from oz_installer.answers.drafts.working_copy import WorkingCopy
from oz_installer.tui.screens.step_screen import StepScreen
from oz_installer.tui.widgets.field import FieldMessage
from oz_installer.tui.widgets.form import Form
from tests.tui.support import Driver, app_of, settle, step_of, wizard


class FormScreen(StepScreen):
    """A step of nothing but fields."""

    STEP: ClassVar[str] = "access"

    def __init__(self, *keys: str) -> None:
        super().__init__()
        self._asked = keys

    def body(self) -> ComposeResult:
        yield Form(*self._asked)


@asynccontextmanager
async def form(*keys: str, working: WorkingCopy | None = None) -> AsyncIterator[Driver]:
    """Open a form of these questions, with the focus on the first."""
    async with wizard() as pilot:
        app = app_of(pilot)
        app.session.working = working or WorkingCopy.new()
        app._steps["access"] = screen = FormScreen(*keys)
        app.install_screen(screen, "form")
        app.go("access")
        await settle(pilot)
        yield pilot


def note(pilot: Driver, key: str) -> str:
    """Return the message below a field."""
    field = step_of(pilot).query_one(Form).field(key)
    return str(field.query_one(FieldMessage).visual)


def answers(pilot: Driver) -> WorkingCopy:
    """Return the current answers."""
    return app_of(pilot).session.working
