"""Rejection of control characters and overlong texts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

LONGEST = 4096
"""Maximum length of a text in the answers, in characters."""


_UNSAFE = "[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"


def unprintable_character(text: str) -> str | None:
    """The first unprintable character, as ``U+000A``, or None.

    Unprintable are control characters, bidirectional marks, lone surrogates and noncharacters.
    """
    found = re.search(_UNSAFE, text)
    return f"U+{ord(found.group()):04X}" if found else None


def safe_data(value: Any) -> str | None:
    """Reject control characters and overlong texts anywhere in a value, at any depth."""
    if isinstance(value, str):
        if len(value) > LONGEST:
            return f"is longer than {LONGEST} characters"
        if bad := unprintable_character(value):
            return f"holds the control character {bad}; write it in one line of printable characters"
    elif isinstance(value, Mapping):
        return next((bad for pair in value.items() for part in pair if (bad := safe_data(part))), None)
    elif isinstance(value, list | tuple):
        return next((bad for item in value if (bad := safe_data(item))), None)
    return None
