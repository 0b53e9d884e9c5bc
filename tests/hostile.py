"""What a hostile node, registry, database or file name may hold, for tests that render it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

STRANGER = 4242
"""The user ID of somebody else."""

MARK = "marker"
CLIPBOARD, TITLE = "\x1b]52;c;cm0gLXJmIH4=\x07", "\x1b]0;PWNED\x07"
BIDIRECTIONAL = "\u061c\u200e\u202e\u2066"
ZERO_WIDTH = "\u200b\u200d\u2060\ufeff\u00ad\U000e0041"
POISON = f"{CLIPBOARD}{TITLE}\x1b[2J{MARK}\x00\x9b31m{BIDIRECTIONAL}{ZERO_WIDTH}\ud800"
"""Sets clipboard and title, clears the screen, turns the direction, hides letters."""


def unsafe(text: str) -> set[str]:
    """The characters of a text that must not reach a terminal; line ends and tabs may."""
    return {char for char in text if not char.isprintable() and char not in "\n\t"}


def give_away(patch: pytest.MonkeyPatch, *paths: Path) -> None:
    """Make files or links somebody else's; who is not root becomes somebody else instead."""
    patch.delenv("SUDO_UID", raising=False)
    if os.geteuid() != 0:
        patch.setattr(os, "geteuid", lambda: STRANGER)
        return
    for path in paths:
        os.chown(path, STRANGER, -1, follow_symlinks=False)
