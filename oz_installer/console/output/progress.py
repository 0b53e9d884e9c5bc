"""The three progress outputs of an unattended run. stdout has data, stderr has messages."""

from __future__ import annotations

from typing import Literal, Protocol, TextIO

from oz_installer.console.output.json_lines import JsonLines
from oz_installer.console.output.live_display import LiveDisplay
from oz_installer.console.output.plain_lines import PlainLines
from oz_installer.console.output.streams import is_terminal
from oz_installer.deploy.events import Event
from oz_installer.secret import Masker

OutputKind = Literal["live", "lines", "json"]


class ProgressOutput(Protocol):
    """Reports the progress of a run. ``on_event`` may be called from any thread, at any rate."""

    def on_event(self, event: Event) -> None:
        """Report one event."""
        ...

    def close(self) -> None:
        """Restore the terminal. Call it once, also after an error."""
        ...


def output_kind(json: bool, stream_err: TextIO) -> OutputKind:
    """Return JSON if requested, live output on a terminal, plain lines elsewhere."""
    if json:
        return "json"
    return "live" if is_terminal(stream_err) else "lines"


def open_output(
    kind: OutputKind, stream_out: TextIO, stream_err: TextIO, masker: Masker | None = None
) -> ProgressOutput:
    """Return the output of a kind. JSON goes to ``stream_out``, all else to ``stream_err``."""
    masker = masker or Masker()
    if kind == "json":
        return JsonLines(stream_out, masker)
    if kind == "live":
        return LiveDisplay(stream_err, masker)
    return PlainLines(stream_err, masker)
