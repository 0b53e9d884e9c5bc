"""Ctrl+P: every step, every action and every question by its name."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.markup import escape

from oz_installer.answers.questions import question, questions, sections
from oz_installer.tui.steps import STEPS, step, step_of
from oz_installer.tui.widgets.button import FlatButton

if TYPE_CHECKING:
    from collections.abc import Callable

    from oz_installer.tui.wizard_protocol import Wizard

Command = tuple[str, str, "Callable[[], object]", bool]
"""Name, what it does, how, and whether it is shown before anything is typed."""


class PaletteProvider(Provider):
    """What the palette finds."""

    async def discover(self) -> Hits:
        """Steps and actions."""
        for name, about, run, first in self._all():
            if first:
                yield DiscoveryHit(name, run, help=escape(about))

    async def search(self, query: str) -> Hits:
        """All of them, questions included, best first."""
        matcher = self.matcher(query)
        for name, about, run, _first in self._all():
            score = max(matcher.match(name), matcher.match(about) * 0.5)
            if score > 0:
                yield Hit(score, matcher.highlight(name), run, help=escape(about))

    def _all(self) -> Iterator[Command]:
        app = cast("Wizard", self.app)
        for one in STEPS:
            yield f"Go to {one.title}", one.intro, partial(app.go, one.id), True
        yield from self._of_step()
        yield "Save the answers", "Write the answers file.", app.action_save, True
        yield "Help", "About this step and its field.", app.action_help, True
        yield "Dark or light", "Change the colours.", app.action_theme, True
        yield "Quit", "Leave; unsaved answers are kept as a draft.", app.action_leave, True
        labels = {section.key: section.label for section in sections()}
        for asked in questions():
            if asked.kind != "table" and "[]" not in asked.key and asked.key != "version":
                part = labels[asked.section] if asked.section else step(step_of(asked.key)).title
                name = f"{part}: {asked.label}"
                yield name, f"{asked.key} · {asked.help}", partial(self._ask, asked.key), False

        yield from self._of_node()

    def _of_step(self) -> Iterator[Command]:
        """The buttons of the step that is open."""
        here = cast("Wizard", self.app).step_screen
        if here is None:
            return
        for push in here.query(".actions FlatButton").results(FlatButton):
            if push.focusable and all(one.display for one in push.ancestors_with_self):
                yield push.label, f"A button of {step(here.STEP).title}.", push.action_push, True

    def _of_node(self) -> Iterator[Command]:
        """The questions of one node: of the selected one, or else the first."""
        app = cast("Wizard", self.app)
        working, place = app.session.working, getattr(app.step_screen, "index", None) or 0
        if place >= working.nodes():
            return
        name = working.get(f"nodes[{place}].name") or place + 1
        for asked in questions():
            if asked.key.startswith("nodes[]."):
                key = asked.key.replace("[]", f"[{place}]")
                yield f"Node {name}: {asked.label}", f"{key} · {asked.help}", partial(self._ask, key), False

    def _ask(self, key: str) -> None:
        cast("Wizard", self.app).go(step_of(question(key).key), key)
