"""How threads that compute share the interpreter with the keys."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from oz_installer.tui.internals.switches import on

SHORT = 0.0005
"""Seconds for which a thread keeps the interpreter while another one wants it. Python's own 5 ms would be
waited for again and again on a key's way, which leads from one widget to the next."""


@contextmanager
def short_switch_interval() -> Iterator[None]:
    """So it is meanwhile; then as before."""
    before = sys.getswitchinterval()
    if on("switch-interval"):
        sys.setswitchinterval(SHORT)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
