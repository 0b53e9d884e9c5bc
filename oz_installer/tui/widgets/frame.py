"""Frame of every step: top bar, side bar or step title, status line, key hints."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Static

from oz_installer.text import single_line
from oz_installer.tui.session import StepState
from oz_installer.tui.steps import STEPS, number, step
from oz_installer.tui.views.styled_rows import Tone


class TopBar(Widget):
    """Product name, answers file, and whether the file is saved."""

    ALLOW_SELECT = False
    target = reactive("")
    kept = reactive("")

    def render(self) -> Content:
        """Draw the file at the right; a long path is cut at its start."""
        name = " oz-install"
        kept = f" · {self.kept} " if self.kept else " "
        room = max(self.size.width - len(name) - len(kept) - 2, 1)
        target = self.target if len(self.target) <= room else f"…{self.target[1 - room :]}"
        return Content.assemble((name, "bold"), target.rjust(room + 2), kept)


class SideBar(Widget):
    """All steps with their state; a click opens one."""

    ALLOW_SELECT = False
    states: reactive[Sequence[StepState]] = reactive(())
    now = reactive("start")

    def render(self) -> Content:
        """Draw one row per step with an empty row between."""
        rows = []
        for index, (one, state) in enumerate(zip(STEPS, self.states, strict=False)):
            is_now = one.id == self.now
            style = "bold $accent" if is_now else "$text-error" if state.mark == "!" else ""
            arrow = "▶" if is_now else " "
            line = f"{arrow}{index + 1:>2}  {one.title}"
            room = self.size.width - len(line)
            rows.append(Content.styled(line + state.label.rjust(room), style))
        return Content("\n").join(rows)

    def on_click(self, event: events.Click) -> None:
        """Open the clicked step."""
        offset = event.get_content_offset(self)
        if offset is not None and offset.y < len(STEPS):
            self.app.call_later(self.app.run_action, f"app.go('{STEPS[offset.y].id}')")


class StepTitle(Widget):
    """Title of the step; on narrow terminals also what the side bar shows otherwise."""

    ALLOW_SELECT = False
    text = reactive("")
    position = reactive("")
    problems = reactive("")

    def show(self, now: str, state: StepState, elsewhere: int) -> None:
        """Show the step ``now``; ``elsewhere`` counts problems in other steps."""
        self.text = step(now).title
        self.position = f"step {number(now) + 1} of {len(STEPS)}"
        counts = ((state.problems, "here"), (elsewhere, "elsewhere"))
        text = ", ".join(f"{count} {where}" for count, where in counts if count)
        self.problems = f"! {text}" if text else ""

    def render(self) -> Content:
        """Draw the title at the left, the rest at the right."""
        if self.screen.has_class("-wide"):
            return Content.styled(self.text, "bold $accent")
        room = self.size.width - len(self.text) - len(self.position)
        gap = 3 if self.problems else 0
        return Content.assemble(
            (self.text, "bold $accent"),
            (self.problems.rjust(room - gap), "$text-error"),
            " " * gap,
            (self.position, "$text-muted"),
        )


class StatusLine(Static):
    """Shows what just happened in one line, up to three for long texts."""

    def show(self, text: str, tone: Tone = "") -> None:
        """Replace the text. ``tone`` is its colour; a word in the text has the same meaning."""
        self.set_classes(tone)
        self.update(Content(single_line(text)))


class KeyHints(Static):
    """Keys that work on every screen; a click does the same."""

    KEYS = (
        ("F1", "Help", "app.help"),
        ("F2", "Steps", "app.steps"),
        ("^S", "Save", "app.save"),
        ("^P", "Commands", "app.command_palette"),
        ("^Q", "Quit", "app.leave"),
    )

    def on_mount(self) -> None:
        """Write the hints once: they never change."""
        hints = [f"[@click={action}][b $accent]{key}[/] {name}[/]" for key, name, action in self.KEYS]
        self.update(Content("  ").join(Content.from_markup(hint) for hint in hints))
