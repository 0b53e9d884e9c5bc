"""Answers of the alternatives that a form hides, so that nothing typed is lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from oz_installer.answers.drafts.working_copy import WorkingCopy


class HiddenAnswers:
    """Answers that are not in use now, in memory only."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}
        self._texts: dict[str, str] = {}

    def hide(self, working: WorkingCopy, keys: Sequence[str]) -> WorkingCopy:
        """Remove these keys from the answers and remember them."""
        for key in keys:
            if key in working.texts:
                self._texts[key] = working.texts[key]
            elif working.is_given(key):
                self._values[key] = working.get(key)
            working = working.without(key)
        return working

    def restore(self, working: WorkingCopy, keys: Sequence[str]) -> WorkingCopy:
        """Put the remembered keys back, unless they have a new answer."""
        for key in keys:
            text, value = self._texts.pop(key, None), self._values.pop(key, None)
            if working.is_given(key):
                continue
            if text is not None:
                working = working.with_text(key, text)
            elif value is not None:
                working = working.with_value(key, value)
        return working
