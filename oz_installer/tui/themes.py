"""Two calm themes with one accent colour."""

from __future__ import annotations

from textual.theme import Theme


def _scrollbars(ground: str, bar: str) -> dict[str, str]:
    """Return scroll bar colours."""
    grounds = ("scrollbar-background", "scrollbar-background-hover", "scrollbar-background-active")
    bars = ("scrollbar", "scrollbar-hover", "scrollbar-active")
    return {**dict.fromkeys(grounds, ground), **dict.fromkeys(bars, bar), "scrollbar-corner-color": ground}


DARK = Theme(
    name="oz-dark",
    primary="#6cb6ff",
    accent="#6cb6ff",
    foreground="#d5dbe3",
    background="#12161c",
    surface="#1b2129",
    panel="#262e39",
    success="#7ccf8a",
    warning="#e3b341",
    error="#ff7b72",
    dark=True,
    variables={"text-muted": "#98a3af", "text-disabled": "#6f7a86", **_scrollbars("#12161c", "#3a4656")},
)
LIGHT = Theme(
    name="oz-light",
    primary="#0a5cc2",
    accent="#0a5cc2",
    foreground="#1f2630",
    background="#fbfcfd",
    surface="#eef1f5",
    panel="#dde3ea",
    success="#136f2b",
    warning="#7d5a00",
    error="#b3261e",
    dark=False,
    variables={"text-muted": "#56606b", "text-disabled": "#727b86", **_scrollbars("#fbfcfd", "#c2cbd5")},
)
