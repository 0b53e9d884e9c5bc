"""The screens by step, each imported when its step is first opened."""

from __future__ import annotations

from importlib import import_module

from oz_installer.tui.screens.step_screen import StepScreen
from oz_installer.tui.steps import step


def load_screen(step_id: str) -> type[StepScreen]:
    """The class of a step's screen."""
    module, _, name = step(step_id).screen.partition(":")
    screen: type[StepScreen] = getattr(import_module(f"oz_installer.tui.screens.{module}"), name)
    return screen
