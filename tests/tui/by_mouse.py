"""Pointing as an operator does: at words on the screen, wherever they stand."""

from __future__ import annotations

from tests.tui.support import Driver, settle, text_of, until


def place_of(pilot: Driver, words: str, *, last: bool = False) -> tuple[int, int]:
    """Column and row of words on the screen; the ``last`` ones are those of a dialog, or of a list."""
    rows = text_of(pilot).splitlines()
    found = [(row.index(words), place) for place, row in enumerate(rows) if words in row]
    assert found, f"{words} is not to be seen:\n{text_of(pilot)}"
    return found[-1 if last else 0]


async def point(pilot: Driver, words: str, *, last: bool = False) -> None:
    """Click on these words as soon as they are there; does not wait until the wizard is idle."""
    await until(pilot, lambda: words in text_of(pilot))
    await pilot.wait_for_scheduled_animations()
    column, row = place_of(pilot, words, last=last)
    assert await pilot.click(offset=(column + len(words) // 2, row))


async def click(pilot: Driver, words: str, *, last: bool = False) -> None:
    """Click on these words, and wait until the wizard is idle."""
    await point(pilot, words, last=last)
    await settle(pilot)
