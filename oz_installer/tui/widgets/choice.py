"""Radio buttons and check boxes in one widget; options wrap over as many rows as needed.

Signs mark the chosen ones, ``(•)`` and ``[x]``, never colour alone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from textual import events
from textual.binding import BindingType
from textual.content import Content
from textual.geometry import Size
from textual.reactive import reactive

from oz_installer.tui.internals.stable_components import StableComponents
from oz_installer.tui.views.focus_next import focus_next

GAP = 2


@dataclass(frozen=True, kw_only=True)
class Option:
    """One option. ``off`` is its label while not chosen, ``barred`` why it cannot be chosen."""

    value: Any
    label: str
    off: str = ""
    barred: str = ""


class Choice(StableComponents, can_focus=True):
    """A choice of one option or, with ``many``, of any number. Arrows move, Space switches.

    Enter moves to the next field. ``on_change`` is called directly with the new value, or with ``many``
    with a tuple of values in the options' order.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        ("left,up", "move(-1)"),
        ("right,down", "move(1)"),
        ("space", "switch"),
        ("enter", "advance"),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"choice--cursor", "choice--chosen", "choice--barred"}
    ALLOW_SELECT = False
    cursor = reactive(0)

    def __init__(
        self,
        options: Sequence[Option],
        *,
        on_change: Callable[[Any], None],
        many: bool = False,
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self.options = tuple(options)
        self.many = many
        self._on_change = on_change
        self.chosen: Collection[Any] = ()

    def show(self, options: Sequence[Option], chosen: Collection[Any]) -> None:
        """Show what is chosen without calling the callback."""
        if (tuple(options), tuple(chosen)) == (self.options, tuple(self.chosen)):
            return
        self.options, self.chosen = tuple(options), tuple(chosen)
        if not self.many:
            indexes = [index for index, one in enumerate(self.options) if one.value in chosen]
            self.cursor = indexes[0] if indexes else min(self.cursor, len(self.options) - 1)
        self.refresh(layout=len(self._rows(self.size.width)) != self.size.height)

    def render(self) -> Content:
        """Draw the options row by row."""
        rows = []
        for row in self._rows(self.size.width):
            parts: list[Content] = []
            for index, _start, text in row:
                parts += [Content.styled(text, self._look(index)), Content(" " * GAP)]
            rows.append(Content.assemble(*parts[:-1]))
        return Content("\n").join(rows)

    def _look(self, index: int) -> Any:
        if self.options[index].barred:
            return self.get_visual_style("choice--barred")
        if self.has_focus and index == self.cursor:
            return self.get_visual_style("choice--cursor")
        return self.get_visual_style("choice--chosen") if self._is_on(index) else ""

    def _is_on(self, index: int) -> bool:
        return self.options[index].value in self.chosen

    def _text(self, index: int) -> str:
        one, on = self.options[index], self._is_on(index)
        box = ("[x]" if on else "[ ]") if self.many else ("(•)" if on else "( )")
        return f"{box} {one.label if on or not one.off else one.off}"

    def _rows(self, width: int) -> list[list[tuple[int, int, str]]]:
        """Return rows of (index of the option, start column, text)."""
        rows: list[list[tuple[int, int, str]]] = [[]]
        start = 0
        for index in range(len(self.options)):
            text = self._text(index)
            if rows[-1] and start + len(text) > width:
                rows.append([])
                start = 0
            rows[-1].append((index, start, text))
            start += len(text) + GAP
        return rows

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002 - Textual's
        """Return the number of rows that the options need."""
        return len(self._rows(width))

    def on_resize(self) -> None:
        """Wrap the options again."""
        self.refresh(layout=True)

    def action_advance(self) -> None:
        """Move to the next field."""
        focus_next(self.screen)

    def action_move(self, by: int) -> None:
        """Move to the next option that is not barred; without ``many`` also choose it."""
        indexes = [index for index, one in enumerate(self.options) if not one.barred]
        beyond = [index for index in indexes if (index - self.cursor) * by > 0]
        if not beyond:
            return
        self.cursor = beyond[0] if by > 0 else beyond[-1]
        if not self.many:
            self._pick(self.cursor)

    def action_switch(self) -> None:
        """Choose the option under the cursor, or with ``many`` switch it."""
        self._pick(self.cursor)

    def on_click(self, event: events.Click) -> None:
        """Choose the clicked option."""
        event.stop()
        at = event.get_content_offset(self)
        rows = self._rows(self.size.width)
        if at is None or at.y >= len(rows):
            return
        for index, start, text in rows[at.y]:
            if start <= at.x < start + len(text):
                self.cursor = index
                self._pick(index)

    def _pick(self, index: int) -> None:
        one = self.options[index]
        if one.barred:
            return
        if self.many:
            on = {*self.chosen} ^ {one.value}
            value: Any = tuple(other.value for other in self.options if other.value in on)
            self.chosen = value
        elif one.value in self.chosen:
            return
        else:
            self.chosen, value = (one.value,), one.value
        self.refresh()
        self._on_change(value)
