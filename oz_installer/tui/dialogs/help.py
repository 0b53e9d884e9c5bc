"""Help dialog (F1): the step, the focused field and the keys."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from oz_installer.tui.dialogs.dialog import Dialog
from oz_installer.tui.steps import Step

if TYPE_CHECKING:
    from oz_installer.answers.questions import Question

KEYS = (
    ("Tab, Shift+Tab", "next and previous field"),
    ("Enter", "next field; presses a button"),
    ("arrows, Space", "choose, switch"),
    ("^N ^B", "next and previous step"),
    ("F2", "any step"),
    ("^P", "every command and question"),
    ("^S", "save the answers file"),
    ("^T", "dark or light"),
    ("^Q", "quit; a draft is kept"),
)
KEYS_IN_DIALOGS = (
    *KEYS[:3],
    ("Esc", "close without an answer"),
    ("^T", "dark or light"),
    ("^Q", "quit; a draft is kept"),
)


class HelpDialog(Dialog[None]):
    """Help of a step, with the focused question on top. ``inside`` a dialog fewer keys work."""

    BINDINGS = [("f1", "give_up")]  # noqa: RUF012 - Textual's own declaration
    AUTO_FOCUS = ".dialog-body"

    def __init__(self, step: Step, key: str | None, *, inside: bool = False) -> None:
        super().__init__(classes="side")
        self._step, self._key = step, key
        self._keys = KEYS_IN_DIALOGS if inside else KEYS

    def heading(self) -> str:
        """Return the title with the step's name."""
        return f"Help: {self._step.title}"

    def body(self) -> ComposeResult:
        """Compose the help of field and step, and the keys."""
        if self._key is not None:
            yield Static(self._field(self._key), classes="help-part")
        yield Static(Content(self._step.help), classes="help-part")
        rows = [Content.assemble((f"{key:<16}", "bold"), text) for key, text in self._keys]
        yield Static(Content("\n").join(rows), classes="help-part")

    def on_mount(self) -> None:
        """Make the text scroll with the arrows."""
        self.query_one(".dialog-body", Widget).can_focus = True

    def _field(self, key: str) -> Content:
        from oz_installer.answers.questions import question

        asked = question(key)
        rows: list[Content] = [Content.styled(asked.label, "bold $accent"), Content(asked.help), Content("")]
        rows += [
            Content.assemble((f"{name:<10}", "$text-muted"), ("\n" + " " * 10).join(wrap(text, 40)))
            for name, text in (
                ("Allowed", wanted(asked)),
                ("Default", default(asked)),
                ("Key", key),
            )
            if text
        ]
        return Content("\n").join(rows)


def wanted(asked: Question) -> str:
    """Describe valid answers, from the question itself."""
    from oz_installer.answers.reference import values_text

    return values_text(asked).replace("`", "")


def default(asked: Question) -> str:
    """Describe what applies when the field is empty."""
    if asked.required:
        return "none: an answer is required"
    if asked.default in (None, (), {}) or asked.kind == "secret":
        return "not set"
    from oz_installer.answers.form_text import format_form_text

    return format_form_text(asked, asked.default)
