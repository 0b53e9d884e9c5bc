"""A short thread switch interval, so that computing threads do not delay keys."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from oz_installer.tui.internals.switches import on

SHORT = 0.0005
"""Seconds that a thread may keep the interpreter while another one waits for it.

Python's own 5 ms would add up on the way of a key from widget to widget.
"""


@contextmanager
def short_switch_interval() -> Iterator[None]:
    """Shorten the interpreter's thread switch interval inside the ``with`` block."""
    before = sys.getswitchinterval()
    if on("switch-interval"):
        sys.setswitchinterval(SHORT)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
