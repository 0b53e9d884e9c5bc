"""When garbage is looked for: never while somebody types, always when a step comes to the front."""

from __future__ import annotations

import gc

FULL_EVERY = 200
"""Rounds of the second generation; Python itself takes ten."""


class Tidying:
    """A full collection takes 10 to 200 ms, and Python would start one every twenty keys."""

    def __init__(self) -> None:
        self._loaded = False
        self._before = gc.get_threshold()

    def loaded(self) -> None:
        """All modules are there: they stay for good, and are not looked through again."""
        first, second, _ = self._before
        gc.set_threshold(first, second, FULL_EVERY)
        gc.freeze()
        self._loaded = True

    def now(self) -> None:
        """No dialog is open, the step is drawn. What lives now stays for long: the next time is short."""
        if self._loaded:
            gc.collect()
            gc.freeze()

    def ended(self) -> None:
        """The wizard is gone, the program may go on: Python's own way again."""
        if self._loaded:
            self._loaded = False
            gc.set_threshold(*self._before)
            gc.unfreeze()
