"""A crash shows no traceback with local variables, and the input is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tui.fake_core import FakeCore
from tests.tui.support import app_of, press, wizard


async def test_a_fault_keeps_a_draft_and_prints_no_variables(capsys: pytest.CaptureFixture[str]) -> None:
    core = FakeCore()
    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - it comes out of the wizard
        async with wizard(core, step="workload") as pilot:
            await press(pilot, "=17")
            app = app_of(pilot)

            def broken() -> None:
                secret = "canary-" + "Pa55w0rd"
                raise ZeroDivisionError(len(secret))

            app.call_later(broken)
            await pilot.pause()
    assert isinstance(app.failure, ZeroDivisionError)
    assert core.drafted[Path("/home/admin/answers.yml")][0].get("workload.apm") == 17
    output = capsys.readouterr()
    assert "canary" not in output.out + output.err


async def test_a_fault_in_a_job_is_told_as_what_it_was() -> None:
    def broken(_post: object, _stop: object) -> None:
        raise ZeroDivisionError

    with pytest.raises(Exception, match="ZeroDivisionError"):  # noqa: PT012
        async with wizard(step="workload") as pilot:
            app = app_of(pilot)
            app.jobs.start("broken", broken)
            await pilot.pause()
            await pilot.pause()
    assert isinstance(app.failure, ZeroDivisionError)
