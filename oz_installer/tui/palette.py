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
"""Name, description, callback, and whether it is listed before anything is typed."""


class PaletteProvider(Provider):
    """Commands of the palette."""

    async def discover(self) -> Hits:
        """List steps and actions."""
        for name, about, run, first in self._all():
            if first:
                yield DiscoveryHit(name, run, help=escape(about))

    async def search(self, query: str) -> Hits:
        """Search all commands, questions included, best match first."""
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
        yield "Help", "Explain this step and the focused field.", app.action_help, True
        yield "Dark or light", "Switch the colour theme.", app.action_theme, True
        yield "Quit", "Quit; unsaved answers are kept as a draft.", app.action_leave, True
        labels = {section.key: section.label for section in sections()}
        for asked in questions():
            if asked.kind != "table" and "[]" not in asked.key and asked.key != "version":
                part = labels[asked.section] if asked.section else step(step_of(asked.key)).title
                name = f"{part}: {asked.label}"
                yield name, f"{asked.key} · {asked.help}", partial(self._ask, asked.key), False

        yield from self._of_node()

    def _of_step(self) -> Iterator[Command]:
        """Yield the buttons of the open step."""
        here = cast("Wizard", self.app).step_screen
        if here is None:
            return
        for button in here.query(".actions FlatButton").results(FlatButton):
            if button.focusable and all(one.display for one in button.ancestors_with_self):
                yield button.label, f"A button of {step(here.STEP).title}.", button.action_push, True

    def _of_node(self) -> Iterator[Command]:
        """Yield the questions of the selected node, or else of the first."""
        app = cast("Wizard", self.app)
        working, index = app.session.working, getattr(app.step_screen, "index", None) or 0
        if index >= working.nodes():
            return
        name = working.get(f"nodes[{index}].name") or index + 1
        for asked in questions():
            if asked.key.startswith("nodes[]."):
                key = asked.key.replace("[]", f"[{index}]")
                yield f"Node {name}: {asked.label}", f"{key} · {asked.help}", partial(self._ask, key), False

    def _ask(self, key: str) -> None:
        cast("Wizard", self.app).go(step_of(question(key).key), key)
