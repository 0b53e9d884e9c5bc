"""Asks a URL again and again, and knows how long nothing answered."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from urllib.parse import urlsplit

EVERY_SECONDS = 0.05
TIMEOUT_SECONDS = 1.0


class Asker:
    """What came of the requests: ``longest`` is the longest time between two answers, in seconds."""

    def __init__(self, url: str) -> None:
        self.answers, self.longest = 0, 0.0
        self._parts, self._end = urlsplit(url), threading.Event()
        self._last = monotonic()

    def ask(self) -> None:
        """Ask until told to end."""
        while not self._end.wait(EVERY_SECONDS):
            if self._answers():
                self.answers += 1
                self.note()

    def note(self) -> None:
        """Note the time since the last answer."""
        now = monotonic()
        self.longest, self._last = max(self.longest, now - self._last), now

    def end(self) -> None:
        """End after the present request."""
        self._end.set()

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(
            self._parts.hostname or "", self._parts.port or 80, timeout=TIMEOUT_SECONDS
        )
        try:
            connection.request("GET", self._parts.path, headers={"Connection": "close"})
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


@contextmanager
def asking(url: str) -> Iterator[Asker]:
    """Ask the URL while something else happens; afterwards the time since the last answer counts, too."""
    asker = Asker(url)
    thread = threading.Thread(target=asker.ask, name="asker")
    thread.start()
    try:
        yield asker
    finally:
        asker.end()
        thread.join()
        asker.note()
