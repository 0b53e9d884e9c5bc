"""Dialog to go to any step (F2), with the state of each."""

from __future__ import annotations

from collections.abc import Mapping

from textual import on
from textual.app import ComposeResult

from oz_installer.tui.dialogs.dialog import Dialog
from oz_installer.tui.session import StepState
from oz_installer.tui.steps import STEPS
from oz_installer.tui.widgets.menu import Item, Menu


class StepsDialog(Dialog[str]):
    """Dialog that returns the id of a step."""

    HEADING = "Steps"

    def __init__(self, states: Mapping[str, StepState]) -> None:
        super().__init__()
        self._states = states

    def body(self) -> ComposeResult:
        """Compose one line per step."""
        items = [
            Item(id=step.id, label=f"{number:>2}  {step.title}", mark=self._states[step.id].label)
            for number, step in enumerate(STEPS, 1)
        ]
        now = next((index for index, step in enumerate(STEPS) if self._states[step.id].mark == "now"), 0)
        yield Menu(items, highlighted=now)

    @on(Menu.Chosen)
    def _chosen(self, event: Menu.Chosen) -> None:
        event.stop()
        self.dismiss(event.item.id)
