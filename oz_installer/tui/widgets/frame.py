"""What frames every step: the bar above, the steps at the side or in one line, the status, the keys below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from textual import events
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Static

from oz_installer.tui.session import StepState
from oz_installer.tui.steps import STEPS, number, step

Tone = Literal["", "-good", "-warning", "-bad"]


class TopBar(Widget):
    """The product, and which answers are edited: the file, and whether it says what is on the screen."""

    ALLOW_SELECT = False
    target = reactive("")
    kept = reactive("")

    def render(self) -> Content:
        """The file stands at the right; of a long path the end is shown."""
        name = " oz-install"
        kept = f" · {self.kept} " if self.kept else " "
        room = max(self.size.width - len(name) - len(kept) - 2, 1)
        target = self.target if len(self.target) <= room else f"…{self.target[1 - room :]}"
        return Content.assemble((name, "bold"), target.rjust(room + 2), kept)


class SideBar(Widget):
    """Every step with its state in words; a click goes there."""

    ALLOW_SELECT = False
    states: reactive[Sequence[StepState]] = reactive(())
    now = reactive("start")

    def render(self) -> Content:
        """One row a step, a free one between."""
        rows = []
        for index, (one, state) in enumerate(zip(STEPS, self.states, strict=False)):
            is_now = one.id == self.now
            style = "bold $accent" if is_now else "$text-error" if state.mark == "!" else ""
            arrow = "▶" if is_now else " "
            line = f"{arrow}{index + 1:>2}  {one.title}"
            room = self.size.width - len(line)
            rows.append(Content.styled(line + state.words.rjust(room), style))
        return Content("\n").join(rows)

    def on_click(self, event: events.Click) -> None:
        """Go to the step under the mouse."""
        place = event.get_content_offset(self)
        if place is not None and place.y < len(STEPS):
            self.app.call_later(self.app.run_action, f"app.go('{STEPS[place.y].id}')")


class StepTitle(Widget):
    """The step's title; on narrow terminals also what the side bar tells elsewhere."""

    ALLOW_SELECT = False
    text = reactive("")
    place = reactive("")
    problems = reactive("")

    def show(self, now: str, state: StepState, elsewhere: int) -> None:
        """``elsewhere`` counts problems in other steps."""
        self.text = step(now).title
        self.place = f"step {number(now) + 1} of {len(STEPS)}"
        counts = ((state.problems, "here"), (elsewhere, "elsewhere"))
        told = ", ".join(f"{count} {where}" for count, where in counts if count)
        self.problems = f"! {told}" if told else ""

    def render(self) -> Content:
        """Title at the left, the rest at the right."""
        if self.screen.has_class("-wide"):
            return Content.styled(self.text, "bold $accent")
        room = self.size.width - len(self.text) - len(self.place)
        gap = 3 if self.problems else 0
        return Content.assemble(
            (self.text, "bold $accent"),
            (self.problems.rjust(room - gap), "$text-error"),
            " " * gap,
            (self.place, "$text-muted"),
        )


class StatusLine(Static):
    """Says what just happened: one line, up to three where the words need them."""

    def say(self, text: str, tone: Tone = "") -> None:
        """Replace what it says. The tone is told by a word in the text, too."""
        self.set_classes(tone)
        self.update(Content(" ".join(text.split())))


class KeyHints(Static):
    """The keys that work everywhere; a click does the same."""

    KEYS = (
        ("F1", "Help", "app.help"),
        ("F2", "Steps", "app.steps"),
        ("^S", "Save", "app.save"),
        ("^P", "Commands", "app.command_palette"),
        ("^Q", "Quit", "app.leave"),
    )

    def on_mount(self) -> None:
        """They never change."""
        hints = [f"[@click={action}][b $accent]{key}[/] {name}[/]" for key, name, action in self.KEYS]
        self.update(Content("  ").join(Content.from_markup(hint) for hint in hints))
