"""Cards side by side to choose one from; equal parts share a row, so that they compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from oz_installer.tui.internals.stable_components import StableComponents
from oz_installer.tui.views.focus_next import focus_next
from oz_installer.tui.widgets.answer_widget import AnswerWidget

GAP = 2
LINE = tuple[str, str]
"""A row of a card: its text and kind (``title``, ``rule``, ``tag``, ``name`` or ``text``)."""


@dataclass(frozen=True, kw_only=True)
class Card:
    """One card. ``parts`` are names with lines of text; all cards have the same names."""

    name: str
    title: str
    tag: str
    parts: Sequence[tuple[str, Sequence[str]]]


class Cards(AnswerWidget, StableComponents, can_focus=True):
    """Cards for the choices of one question; left and right choose, a barred card shows why.

    ``head`` is the heading above the cards, which scrolls into view with them.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        ("left", "move(-1)"),
        ("right", "move(1)"),
        ("space", "pick"),
        ("enter", "advance"),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "cards--title", "cards--rule", "cards--chosen", "cards--cursor", "cards--tag", "cards--name",
        "cards--barred",
    }  # fmt: skip
    ALLOW_SELECT = False

    def __init__(self, key: str, *, head: Widget, id: str | None = None) -> None:
        super().__init__(id=id)
        self._key, self._head = key, head
        self.cards: tuple[Card, ...] = ()
        self.chosen: object = None
        self.barred: Mapping[object, str] = {}
        self._cursor = 0
        self._styles_of: dict[str, Style] = {}
        self._drawn_for: object = None
        self._drawn: list[list[LINE]] = []

    @property
    def keys(self) -> tuple[str, ...]:
        """The key of the question."""
        return (self._key,)

    def take_focus(self, key: str) -> bool:
        """Focus the cards when they belong to this question."""
        if key == self._key:
            self.focus()
        return key == self._key

    def show(self, cards: Sequence[Card], *, chosen: object, barred: Mapping[object, str]) -> None:
        """Show these cards."""
        if (tuple(cards), chosen, barred) == (self.cards, self.chosen, self.barred):
            return
        self.cards, self.chosen, self.barred = tuple(cards), chosen, barred
        names = [card.name for card in self.cards]
        if chosen in names:
            self._cursor = names.index(str(chosen))
        self.fit()

    def fit(self) -> None:
        """Repaint; request a new layout only when the height changes."""
        wanted = self.get_content_height(self.size, self.size, self.size.width)
        self.refresh(layout=wanted != self.size.height)

    def render_line(self, y: int) -> Strip:
        """Draw one row of all cards; Textual asks for visible rows only."""
        room = self._width(self.size.width)
        segments: list[Segment] = []
        for index, column in enumerate(self._columns(self.size.width)):
            text, kind = column[y] if y < len(column) else ("", "text")
            gap = " " * GAP if index else ""
            segments += [Segment(gap, self._style("")), Segment(text.ljust(room), self._look(index, kind))]
        return Strip(segments).adjust_cell_length(self.size.width, self._style(""))

    def _look(self, index: int, kind: str) -> Style:
        if kind == "title" and self.has_focus and index == self._cursor:
            return self._style("cards--cursor")
        if self.cards[index].name in self.barred and kind not in ("tag", "name"):
            return self._style("cards--barred")
        if kind in ("title", "rule") and self.cards[index].name == self.chosen:
            return self._style("cards--chosen")
        return self._style("" if kind == "text" else f"cards--{kind}")

    def _style(self, part: str) -> Style:
        """Return the style of a part, cached until styles change: there are hundreds of parts."""
        if part not in self._styles_of:
            self._styles_of[part] = self.get_component_rich_style(part) if part else self.rich_style
        return self._styles_of[part]

    def notify_style_update(self) -> None:
        """Drop the cached styles."""
        self._styles_of.clear()
        super().notify_style_update()

    def _width(self, width: int) -> int:
        count = max(len(self.cards), 1)
        return max((width - GAP * (count - 1)) // count, 12)

    def _columns(self, width: int) -> list[list[LINE]]:
        """Return the rows of each card, equally many, cached until their content changes."""
        key = (width, self.cards, self.chosen, tuple(self.barred.items()), self.screen.has_class("-tall"))
        if key != self._drawn_for:
            self._drawn_for, self._drawn = key, self._draw(width)
        return self._drawn

    def _draw(self, width: int) -> list[list[LINE]]:
        room = self._width(width)
        columns: list[list[LINE]] = [[] for _ in self.cards]
        titles = [wrap(self._title(card), room, subsequent_indent=" " * 4) for card in self.cards]
        _level(columns, titles, "title", 0)
        for card, column in zip(self.cards, columns, strict=True):
            column.append((("━" if card.name == self.chosen else "─") * room, "rule"))
        tags = [wrap(self._tag(card), room) for card in self.cards]
        _level(columns, tags, "tag", 1)
        for number in range(min((len(card.parts) for card in self.cards), default=0)):
            for card, column in zip(self.cards, columns, strict=True):
                column.append((card.parts[number][0], "name"))
            texts = [_bullets(card.parts[number][1], room) for card in self.cards]
            _level(columns, texts, "text", 1 if self.screen.has_class("-tall") else 0)
        return columns

    def _title(self, card: Card) -> str:
        return f"({'•' if card.name == self.chosen else ' '}) {card.title}"

    def _tag(self, card: Card) -> str:
        if card.name in self.barred:
            return f"cannot be chosen: {self.barred[card.name].partition('; ')[0]}"
        return card.tag

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002 - Textual's
        """Return the rows of the longest card."""
        return max((len(column) for column in self._columns(width)), default=1)

    def on_resize(self) -> None:
        """Wrap the texts again."""
        self.fit()

    def on_focus(self) -> None:
        """Scroll the heading to the top, to show as much of the cards as fits."""
        self.call_after_refresh(self._to_titles)

    def _to_titles(self) -> None:
        """Scroll twice: the previous field's help disappears in between and moves everything up."""
        self._head.scroll_visible(top=True, animate=False)
        self.call_after_refresh(self._head.scroll_visible, top=True, animate=False)

    def action_advance(self) -> None:
        """Move to the next field."""
        focus_next(self.screen)

    def action_move(self, by: int) -> None:
        """Choose the next card that is not barred."""
        indexes = [index for index, card in enumerate(self.cards) if card.name not in self.barred]
        if self.chosen is None and indexes:
            self._pick(indexes[0])
            return
        beyond = [index for index in indexes if (index - self._cursor) * by > 0]
        if beyond:
            self._pick(beyond[0] if by > 0 else beyond[-1])

    def action_pick(self) -> None:
        """Choose the card under the cursor."""
        self._pick(self._cursor)

    def on_click(self, event: events.Click) -> None:
        """Choose the clicked card."""
        event.stop()
        at = event.get_content_offset(self)
        if at is not None and self.cards:
            self._pick(min(at.x // (self._width(self.size.width) + GAP), len(self.cards) - 1))

    def _pick(self, index: int) -> None:
        if index >= len(self.cards) or self.cards[index].name in self.barred:
            return
        name = self.cards[index].name
        self._cursor, self.chosen = index, name
        self.refresh()
        self.owner.edit_answers(lambda working: working.with_value(self._key, name))
        self.call_after_refresh(self.scroll_visible, top=True, animate=False)


def _bullets(texts: Sequence[str], width: int) -> list[str]:
    """Wrap texts into lines; several texts get a bullet each."""
    mark = "· " if len(texts) > 1 else ""
    return [
        line
        for text in texts
        for line in wrap(text, max(width, 10), initial_indent=mark, subsequent_indent=" " * len(mark))
    ]


def _level(columns: list[list[LINE]], texts: Sequence[Sequence[str]], kind: str, free: int) -> None:
    """Add texts to the columns and pad them to equal length plus ``free`` empty rows."""
    height = max(len(lines) for lines in texts) if texts else 0
    for column, lines in zip(columns, texts, strict=True):
        column += [(line, kind) for line in lines]
        column += [("", "text")] * (height - len(lines) + free)
