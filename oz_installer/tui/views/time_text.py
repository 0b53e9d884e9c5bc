"""Times in words. Pure."""

from __future__ import annotations

from oz_installer.text import plural


def ago(seconds: float) -> str:
    """Format an age, such as ``5 minutes ago``."""
    for size, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = int(seconds // size)
            return f"{plural(count, name)} ago"
    return "just now"
