"""The three faces of an unattended run. stdout is data, stderr is talk."""

from __future__ import annotations

from typing import Literal, Protocol, TextIO

from oz_installer.console.output.json_lines import JsonLines
from oz_installer.console.output.live_display import LiveDisplay
from oz_installer.console.output.plain_lines import PlainLines
from oz_installer.console.output.streams import is_terminal
from oz_installer.deploy.events import Event
from oz_installer.secret import Masker

Kind = Literal["live", "lines", "json"]


class ProgressOutput(Protocol):
    """What is told of a run while it goes on. ``on_event`` may be called by any thread, at any rate."""

    def on_event(self, event: Event) -> None:
        """Tell one event."""
        ...

    def close(self) -> None:
        """Leave the terminal tidy; to be called once, whatever happened."""
        ...


def output_kind(json: bool, stream_err: TextIO) -> Kind:
    """JSON when asked for; live where a person looks at a terminal, lines elsewhere."""
    if json:
        return "json"
    return "live" if is_terminal(stream_err) else "lines"


def open_output(
    kind: Kind, stream_out: TextIO, stream_err: TextIO, masker: Masker | None = None
) -> ProgressOutput:
    """The face of that kind; JSON goes to ``stream_out``, all else to ``stream_err``."""
    masker = masker or Masker()
    if kind == "json":
        return JsonLines(stream_out, masker)
    if kind == "live":
        return LiveDisplay(stream_err, masker)
    return PlainLines(stream_err, masker)
