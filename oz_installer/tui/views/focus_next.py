"""Where Enter leads from a field that is done."""

from __future__ import annotations

from typing import Any

from textual.screen import Screen
from textual.widget import Widget


def focus_next(screen: Screen[Any]) -> Widget | None:
    """On to the next field or button; from the last one of a step to what leads on, not back. What has the
    cursor then."""
    following = screen.focus_next()
    if following is not None and following.id == "back":
        following = next(iter(screen.query("#next").results(Widget)), following)
        following.focus()
    return following
