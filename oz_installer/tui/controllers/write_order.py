"""The order in which answers and their drafts are written by jobs."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from threading import Lock


class WriteOrder:
    """Numbers the writes to each answers file, and holds the lock of the drafts."""

    def __init__(self) -> None:
        self.lock = Lock()
        """Held by a job while it writes, deletes or releases drafts."""
        self._turns: dict[Path, int] = {}
        self._numbers = count(1)

    def next_turn(self, path: Path) -> int:
        """Return a new number for the latest write to ``path``; older numbers are obsolete."""
        self._turns[path] = next(self._numbers)  # unique across threads
        return self._turns[path]

    def is_latest(self, path: Path, turn: int) -> bool:
        """Return whether no later write to ``path`` was numbered."""
        return self._turns[path] == turn
