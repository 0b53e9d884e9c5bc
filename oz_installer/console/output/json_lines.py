"""One JSON object a line on stdout, for programs."""

from __future__ import annotations

import json
from threading import Lock
from typing import Any, TextIO

from oz_installer.console.output.streams import write
from oz_installer.deploy.events import Event, RunEnded
from oz_installer.secret import Masker

# Words of ours, which a password that happens to be one of them must not change.
_OWN_WORDS = frozenset({"event", "outcome", "state", "level", "unit"})


class JsonLines:
    """Writes every event as it comes; RunEnded is held back so that it is the last line."""

    def __init__(self, stream: TextIO, masker: Masker) -> None:
        self._stream = stream
        self._masker = masker
        self._lock = Lock()
        self._end: RunEnded | None = None

    def on_event(self, event: Event) -> None:
        """Write one line. Any thread may call."""
        with self._lock:
            if isinstance(event, RunEnded):
                self._end = event
            else:
                self._write(event)

    def close(self) -> None:
        """Write the RunEnded, after which nothing follows."""
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
    """Plain data with every string in it masked: before it is escaped, while a secret is still itself."""
    if isinstance(value, str):
        return masker(value)
    if isinstance(value, dict):
        return {key: mask_strings(item, masker) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [mask_strings(item, masker) for item in value]
    return value
