"""One JSON object per line on stdout, for programs."""

from __future__ import annotations

import json
from threading import Lock
from typing import Any, TextIO

from oz_installer.console.output.streams import write
from oz_installer.deploy.events import Event, RunEnded
from oz_installer.secret import Masker

# Fields with fixed words, which are not masked: a password may happen to be one of them.
_OWN_WORDS = frozenset({"event", "outcome", "state", "level", "unit"})


class JsonLines:
    """Writes every event at once, except RunEnded, which is held back to be the last line."""

    def __init__(self, stream: TextIO, masker: Masker) -> None:
        self._stream = stream
        self._masker = masker
        self._lock = Lock()
        self._end: RunEnded | None = None

    def on_event(self, event: Event) -> None:
        """Write one line. Any thread may call this."""
        with self._lock:
            if isinstance(event, RunEnded):
                self._end = event
            else:
                self._write(event)

    def close(self) -> None:
        """Write RunEnded as the last line."""
        with self._lock:
            if self._end is not None:
                self._write(self._end)
                self._end = None

    def _write(self, event: Event) -> None:
        fields = {
            key: value if key in _OWN_WORDS else mask_strings(value, self._masker)
            for key, value in event.as_json().items()
        }
        write(self._stream, json.dumps(fields, ensure_ascii=True, separators=(",", ":")) + "\n")


def mask_strings(value: Any, masker: Masker) -> Any:
    """Clean and mask every string in plain data, before JSON escapes them and changes a secret."""
    if isinstance(value, str):
        return masker(value)
    if isinstance(value, dict):
        return {key: mask_strings(item, masker) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [mask_strings(item, masker) for item in value]
    return value
