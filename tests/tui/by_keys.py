"""Type as an operator does, by keys alone: Tab between fields, arrows in choices."""

from __future__ import annotations

import asyncio
from typing import Any

from textual import events
from textual.widget import Widget

from oz_installer.tui.widgets.answer_widget import question_at
from oz_installer.tui.widgets.button import FlatButton
from oz_installer.tui.widgets.choice import Choice
from tests.tui.probes import key_name
from tests.tui.support import PATIENCE, Driver, app_of, press, settle, step_of, text_of

MOST = 120
"""No field is further away, in Tabs."""


async def hit(pilot: Driver, *keys: str) -> None:
    """Press keys as a slow connection hands them on, without a pause between them, and wait until they have
    done their work. Also quicker than Pilot, which sleeps after each."""
    app = app_of(pilot)
    for key in keys:
        name = key_name(key) if len(key) == 1 else key
        app.post_message(events.Key(name, {"space": " "}.get(key, key if len(key) == 1 else None)))
    until = asyncio.get_running_loop().time() + PATIENCE
    done = asyncio.Event()
    while not done.is_set() or app.in_order.busy:
        done.clear()
        app.call_later(lambda: (app.screen.focused or app).call_later(done.set))
        await asyncio.wait_for(done.wait(), PATIENCE)
        assert asyncio.get_running_loop().time() < until, f"{keys} do not come to their end"


def asked_now(pilot: Driver) -> str | None:
    """Return the key of the focused field's question, in a dialog or on the step."""
    return question_at(pilot.app.screen.focused)


def get(pilot: Driver, key: str) -> Any:
    """Return the current value of an answer."""
    return app_of(pilot).session.working.get(key)


async def tab_to(pilot: Driver, key: str) -> None:
    """Press Tab until the field of that question has the focus."""
    for _ in range(MOST):
        if asked_now(pilot) == key:
            return
        await hit(pilot, "tab")
    raise AssertionError(f"Tab does not come to {key}:\n{text_of(pilot)}")


async def push(pilot: Driver, words: str) -> None:
    """Press Tab until the button with this label has the focus, then Enter."""
    for _ in range(MOST):
        focused: Widget | None = pilot.app.screen.focused
        if isinstance(focused, FlatButton) and words in str(focused.render()):
            await press(pilot, "enter")
            return
        await hit(pilot, "tab")
    raise AssertionError(f"Tab does not come to {words}:\n{text_of(pilot)}")


async def type_text(pilot: Driver, text: str) -> None:
    """Type letter by letter; a line end is Enter."""
    await hit(pilot, *("enter" if letter == "\n" else letter for letter in text))


async def clear(pilot: Driver) -> None:
    """Clear the focused field."""
    await hit(pilot, "end", "ctrl+u", "f7", "backspace")  # f7 selects all of several lines


async def fill(pilot: Driver, key: str, text: str) -> None:
    """Go to a field and replace its text."""
    await tab_to(pilot, key)
    if app_of(pilot).session.working.is_given(key):
        await clear(pilot)
    await type_text(pilot, text)


async def choose(pilot: Driver, key: str, value: object) -> None:
    """Go to a choice and press arrows until ``value`` is chosen."""
    await tab_to(pilot, key)
    for arrow in ("right", "left"):
        for _ in range(8):
            if get(pilot, key) == value:
                return
            await hit(pilot, arrow)
    await settle(pilot)
    assert get(pilot, key) == value, text_of(pilot)


async def switch(pilot: Driver, key: str) -> None:
    """Go to a checkbox and press Space."""
    await tab_to(pilot, key)
    await hit(pilot, "space")


async def give_secret(pilot: Driver, key: str, text: str, way: str = "typed") -> None:
    """Give a secret: choose its source with arrows, then type the text."""
    await tab_to(pilot, key)
    await choose_way(pilot, way)
    await type_text(pilot, text)


async def choose_way(pilot: Driver, way: str = "typed") -> None:
    """Choose the source of a secret from anywhere in its field, and focus its input."""
    if not isinstance(pilot.app.screen.focused, Choice):
        await hit(pilot, "shift+tab")
    number = ("typed", "variable", "file", "prompt").index(way)
    await hit(pilot, *["left"] * 3, *["right"] * number, "tab")


async def add_node(pilot: Driver, name: str, host: str, **more: str) -> None:
    """Press ``a`` and fill in the form of a node."""
    place = app_of(pilot).session.working.nodes()
    await press(pilot, "a")
    for field, text in {"name": name, "host": host, **more}.items():
        await fill(pilot, f"nodes[{place}].{field}", text)
    await press(pilot, "ctrl+n")


async def go_on(pilot: Driver, step: str) -> None:
    """Go to the next step and assert that it is this one."""
    await press(pilot, "ctrl+n")
    assert step == step_of(pilot).STEP, text_of(pilot)
