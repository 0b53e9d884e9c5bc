"""The live display on a terminal: one line per node, with messages scrolling above."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock, Timer
from time import time
from typing import TYPE_CHECKING, TextIO, cast

from oz_installer.console.output.streams import BrokenPipeSafe, draws_boxes, write
from oz_installer.console.output.typing_pause import register, unregister
from oz_installer.deploy.events import Event, PhaseStarted, RunEnded, RunStarted, ServiceState
from oz_installer.formatting.events import event_lines, mask_event, outcome_text
from oz_installer.formatting.progress_board import ProgressBoard
from oz_installer.secret import Masker
from oz_installer.text import one_line

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live as RichLive
    from rich.text import Text

# Seconds before the display appears. A run with nothing to do ends earlier and does not import rich (110 ms).
DELAY = 1.0


class LiveDisplay:
    """Shows the progress board with rich.

    Two locks, taken in this order: ``_talk`` for printed text, then rich's own; ``_state`` for the board
    alone, which rich's refresh thread takes while it holds its own.
    """

    def __init__(
        self, stream: TextIO, masker: Masker, *, delay: float = DELAY, clock: Callable[[], float] = time
    ) -> None:
        self._stream = stream
        self._masker = masker
        self._clock = clock
        self._ascii = not draws_boxes(stream)
        self._board = ProgressBoard()
        self._talk, self._state = Lock(), Lock()
        self._queue: list[str] = []
        self._console: Console | None = None
        self._live: RichLive | None = None
        self._end: RunEnded | None = None
        self._closed = self._paused = False
        register(self)
        self._timer = Timer(delay, self._show)
        self._timer.daemon = True

    def on_event(self, event: Event) -> None:
        """Update the board and print messages that stay. Any thread may call this."""
        event = mask_event(event, self._masker)
        with self._talk:
            if self._closed:
                return
            if not (self._timer.is_alive() or self._timer.finished.is_set()):
                self._timer.start()
            with self._state:
                self._board.apply(event)
            if isinstance(event, RunEnded):
                self._end = event
            elif not _only_on_board(event):
                for line in event_lines(event):
                    self._print(line)

    def pause(self) -> None:
        """Leave the terminal alone, for a prompt; keep messages for later."""
        with self._talk:
            self._paused = True
            if self._live is not None:
                self._live.stop()

    def resume(self) -> None:
        """Show the board again, and the messages that came meanwhile."""
        with self._talk:
            self._paused = False
            if self._live is not None and not self._closed:
                self._live.start()
                self._print_queue()

    def close(self) -> None:
        """Remove the display, print held messages and the outcome."""
        self._timer.cancel()
        unregister(self)
        with self._talk:
            if self._closed:
                return
            self._closed = True
            if self._live is not None:
                self._live.stop()
            for line in self._queue:
                write(self._stream, f"{one_line(line)}\n")
            if self._end is not None:
                write(self._stream, f"{outcome_text(self._end)}\n")

    def _print(self, line: str) -> None:
        if self._console is None or self._paused:
            self._queue.append(line)
        else:
            self._console.print(_styled(one_line(line)), soft_wrap=True)

    def _show(self) -> None:
        from rich.console import Console
        from rich.live import Live as RichLive

        with self._talk:
            if self._closed:
                return
            self._console = Console(
                file=cast("TextIO", BrokenPipeSafe(self._stream)),
                force_terminal=True,
                highlight=False,
                markup=False,
                emoji=False,
            )
            self._live = RichLive(
                console=self._console,
                get_renderable=self._render,
                refresh_per_second=4,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            if not self._paused:
                self._live.start()
                self._print_queue()

    def _print_queue(self) -> None:
        queue, self._queue = self._queue, []
        for line in queue:
            self._print(line)

    def _render(self) -> Text:
        from rich.text import Text

        size = self._console.size if self._console else None
        width, height = (size.width, size.height) if size else (80, 24)
        with self._state:
            head, *rows = self._board.lines(self._clock(), width - 1, height - 1, ascii=self._ascii)
        text = Text(no_wrap=True)
        text.append(head, style="bold")
        for row in rows:
            text.append("\n" + row)
        text.highlight_regex(r"[━#]{2,}", "green")
        return text


def _styled(line: str) -> Text:
    from rich.text import Text

    style = "red" if "error: " in line else "yellow" if "warning: " in line else ""
    return Text(line, style=style)


def _only_on_board(event: Event) -> bool:
    if isinstance(event, ServiceState):
        return event.state not in ("unhealthy", "exited")
    return isinstance(event, RunStarted | PhaseStarted)
