"""What stood on the screen at one moment: rows of coloured text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, groupby

from rich.color import ColorType, blend_rgb
from rich.color_triplet import ColorTriplet
from rich.segment import Segment
from rich.style import Style

from oz_installer.tui.app import WizardApp
from tests.tui.probes import full_frame


@dataclass(frozen=True, kw_only=True)
class Look:
    """How a run of text looks; colours as #rrggbb."""

    ink: str
    ground: str
    bold: bool = False
    italic: bool = False
    underline: bool = False


@dataclass(frozen=True)
class Run:
    """Text of one look, from a column on."""

    column: int
    text: str
    look: Look


Row = tuple[Run, ...]


@dataclass(frozen=True)
class Frame:
    """A whole screen."""

    width: int
    rows: tuple[Row, ...]

    @property
    def ground(self) -> str:
        """The colour that fills the window: that of its last row but one, first column."""
        return self.rows[-2][0].look.ground

    @property
    def text(self) -> str:
        """What can be read, without looks."""
        return "\n".join("".join(run.text for run in row) for row in self.rows)


def frame_of(app: WizardApp) -> Frame:
    """The screen of a running app, as its terminal shows it."""
    drawn = full_frame(app)
    return Frame(app.size.width, tuple(tuple(_runs(chain.from_iterable(row))) for row in drawn.strips))


def _runs(segments: Iterable[Segment]) -> Iterator[Run]:
    column = 0
    pieces = ((piece.text, _look(piece.style or Style.null())) for piece in segments if piece.text)
    for look, group in groupby(pieces, key=lambda piece: piece[1]):
        text = "".join(piece for piece, _ in group)
        yield Run(column, text, look)
        column += len(text)


@lru_cache(maxsize=1024)
def _look(style: Style) -> Look:
    ink, ground = _rgb(style, ink=True), _rgb(style, ink=False)
    if style.reverse:
        ink, ground = ground, ink
    if style.dim:
        ink = blend_rgb(ground, ink, 0.6)
    return Look(
        ink=ink.hex,
        ground=ground.hex,
        bold=bool(style.bold),
        italic=bool(style.italic),
        underline=bool(style.underline),
    )


def _rgb(style: Style, *, ink: bool) -> ColorTriplet:
    colour = (style.color if ink else None) or style.bgcolor
    assert colour is not None, "the wizard colours every cell; only blanks have no ink of their own"
    assert colour.type is ColorType.TRUECOLOR, f"{colour} is the terminal's own colour"
    return colour.get_truecolor(foreground=ink)
