"""Limits of what a node may send, so that none exhausts memory or time."""

from __future__ import annotations

from oz_installer.errors import ConnectError
from oz_installer.text import bytes_text

MOST_OUTPUT = 16_000_000
"""Most bytes of a command's output; more end it, unless it is followed while it runs."""
MOST_OF_TUNNEL = 16_000_000
"""Most bytes that come through one tunnel: servers are asked for facts, not for data."""
TUNNEL_SECONDS = 600.0
"""Longest life of a tunnel; copying a database is the slowest that is asked for."""
MOST_OF_STREAM = 64_000_000
"""Most bytes of a command's socket: the engine's answers, the progress of a pull."""
TOTAL_TIMES = 2
"""A command that is not followed may take this many times its longest silence in all."""


class TooMuchOutput(Exception):
    """A command printed more than MOST_OUTPUT."""


class TooSlow(Exception):
    """A command went on for longer than ``seconds`` in all, although it was never silent."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"not over after {seconds:g} s")
        self.seconds = seconds


def keep(store: bytearray, data: bytes, *, followed: bool) -> None:
    """Add output; of a command that is followed the last part stays. Raises TooMuchOutput."""
    store += data
    if len(store) <= MOST_OUTPUT:
        return
    if not followed:
        raise TooMuchOutput
    del store[: len(store) - MOST_OUTPUT // 2]


def limit_error(error: TooMuchOutput | TooSlow, node: str) -> ConnectError:
    """Return the error of a command that was ended."""
    if isinstance(error, TooSlow):
        message = f"the command was not over after {error.seconds:g} s, so it was aborted"
    else:
        message = f"the command printed more than {bytes_text(MOST_OUTPUT)}, so it was aborted"
    hint = "Check what the login shell and the container engine of the node print, then run again."
    return ConnectError(message, hint, node=node)
