"""Run each coroutine test in its own event loop, without a plugin."""

from __future__ import annotations

import asyncio
import inspect
import time
from pathlib import Path

import pytest

from tests.tui.fifty import ANSWERS
from tests.tui.idle import wait_for_idle


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run tests that are coroutines."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


@pytest.fixture(autouse=True)
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the same terminal on every machine."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


@pytest.fixture(autouse=True)
def _no_guessing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make Textual's pilot wait until the wizard is idle, and no longer."""
    monkeypatch.setattr("textual.app.wait_for_idle", wait_for_idle)
    monkeypatch.setattr("textual.pilot.wait_for_idle", wait_for_idle)


@pytest.fixture
def fifty_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The answers of fifty nodes, for a ``FiftyCore``."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    file = tmp_path / "answers.yml"
    file.write_text(ANSWERS)
    return file


@pytest.fixture(autouse=True)
def _judged_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Validate without a delay after the last key; tests of the delay set it themselves."""
    monkeypatch.setattr("oz_installer.tui.app.THINKING", 0.001)
