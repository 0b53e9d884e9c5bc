"""Move the focus on Enter."""

from __future__ import annotations

from typing import Any

from textual.screen import Screen
from textual.widget import Widget


def focus_next(screen: Screen[Any]) -> Widget | None:
    """Focus the next field or button and return it; after the last one Next, not Back."""
    following = screen.focus_next()
    if following is not None and following.id == "back":
        following = next(iter(screen.query("#next").results(Widget)), following)
        following.focus()
    return following
