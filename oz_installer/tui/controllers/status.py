"""Messages of the controllers in the status line of the open step."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from oz_installer.tui.wizard_protocol import Wizard


def show_status(app: Wizard, text: str, *, bad: bool = False) -> None:
    """Show a message in the status line, if a step is open."""
    if app.step_screen is not None:
        app.step_screen.show_status(text, "-bad" if bad else "-good")
