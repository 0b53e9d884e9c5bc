"""Click as an operator does: on text, wherever it is on the screen."""

from __future__ import annotations

from tests.tui.support import Driver, settle, text_of, until


def place_of(pilot: Driver, words: str, *, last: bool = False) -> tuple[int, int]:
    """Return column and row of a text on the screen; the ``last`` match is in a dialog or a list."""
    rows = text_of(pilot).splitlines()
    found = [(row.index(words), place) for place, row in enumerate(rows) if words in row]
    assert found, f"{words} is not to be seen:\n{text_of(pilot)}"
    return found[-1 if last else 0]


async def point(pilot: Driver, words: str, *, last: bool = False) -> None:
    """Click on this text as soon as it is shown, without waiting until the wizard is idle."""
    await until(pilot, lambda: words in text_of(pilot))
    await pilot.wait_for_scheduled_animations()
    column, row = place_of(pilot, words, last=last)
    assert await pilot.click(offset=(column + len(words) // 2, row))


async def click(pilot: Driver, words: str, *, last: bool = False) -> None:
    """Click on this text and wait until the wizard is idle."""
    await point(pilot, words, last=last)
    await settle(pilot)
