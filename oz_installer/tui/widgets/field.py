"""One question as a field: its label, its input, and a line under it for problems and help.

There is one class per kind of answer (see ``form.py``), so a new question needs no new code.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from oz_installer.answers.form_text import format_form_text
from oz_installer.answers.questions import Question
from oz_installer.tui.views.focus_next import focus_next
from oz_installer.tui.views.problem_text import disabled_text, problem_words, sentence
from oz_installer.tui.widgets.answer_widget import AnswerWidget
from oz_installer.tui.widgets.choice import Choice, Option
from oz_installer.tui.widgets.text_input import TextInput

if TYPE_CHECKING:
    from oz_installer.answers.drafts.working_copy import WorkingCopy
    from oz_installer.tui.messages import Validation
    from oz_installer.tui.widgets.text_area import MultilineInput


class FieldMessage(Static):
    """The line under a field. ``!`` marks an error, ``?`` advice, not colour alone."""

    _shown = ("", "")

    def show(self, text: str, look: str = "") -> None:
        """Show a text; ``look`` is ``-bad``, ``-warning``, ``-barred`` or empty."""
        if (text, look) != self._shown:
            room = max(self.size.width - 1, 1)
            layout = len(text) > room or len(self._shown[0]) > room or "\n" in text + self._shown[0]
            self._shown = (text, look)
            self.set_classes(f"note {look}")
            self.update(Content(text), layout=layout)  # a text that stays in one row moves nothing

    def on_resize(self) -> None:
        """Scroll into view now: a callback may run before the new layout."""
        self.into_sight()

    def into_sight(self) -> None:
        """Scroll the field and this line into view while the field has the focus."""
        if isinstance(self.parent, Widget) and self.parent.has_focus_within:
            self.parent.scroll_visible(animate=False)


class Field(AnswerWidget):
    """A question with its input. ``loud`` always shows its help, not only while focused."""

    def __init__(
        self, asked: Question, key: str, *, options: Sequence[Option] = (), loud: bool = False
    ) -> None:
        super().__init__(classes="field")
        self.asked, self.key, self.always_show_help = asked, key, loud
        self.given_options = tuple(options)
        self.seen = False
        self._note = FieldMessage(classes="note", markup=False)
        self._note_text: tuple[str, str] = ("", "")
        self._at_once = False
        """True when the message needs no validation, so that it disappears without one."""
        self._marked = False
        self._barred = ""

    @property
    def keys(self) -> tuple[str, ...]:
        """The key of the question."""
        return (self.key,)

    def render(self) -> Content:
        """Draw the label; the input is to its right."""
        return Content.styled(self.asked.label, "$accent" if self._marked else "")

    def compose(self) -> ComposeResult:
        """Compose the input and the line under it."""
        yield from self.controls()
        yield self._note

    def controls(self) -> ComposeResult:
        """Compose the input."""
        yield from ()

    def show_value(self, working: WorkingCopy, judged: Validation | None) -> None:
        """Show the answer."""

    @property
    def focus_target(self) -> Widget:
        """The widget that takes the focus."""
        return next(one for one in self.query("*").results(Widget) if one.can_focus)

    def take_focus(self, key: str) -> bool:
        """Focus the input when this is the question."""
        if key != self.key:
            return False
        self.seen = True
        self.focus_target.focus()
        return True

    def why_not(self, key: str) -> str:
        """Return why the field is hidden or greyed out."""
        around = [one for one in self.ancestors_with_self if isinstance(one, Widget)]
        if key != self.key or (not self.disabled and all(one.display for one in around)):
            return ""
        return self._barred or f"{self.asked.label} does not apply to the current answers"

    def follow(self, working: WorkingCopy, judged: Validation | None) -> None:
        """Show the answer and its problem.

        A problem found by validation stays until the next validation, so that nothing flickers while typing.
        """
        self.show_value(working, judged)
        possible = judged.allowed(self.key) if judged else None
        if judged is not None:
            self._barred = disabled_text(self.asked, possible) if possible and possible.reason else ""
        given = working.is_given(self.key)
        if judged is not None:
            self.disabled = bool(possible and possible.reason and not given)
        blamed = given or self.is_blamed()
        if blamed and (problem := self._problem(working, judged)):
            self._note_text, self._at_once = (problem, "-bad"), bool(self._problem(working, None))
        elif judged is not None:
            self._note_text, self._at_once = self._judged(judged, blamed=blamed), False
        elif self._at_once:
            self._note_text, self._at_once = ("", ""), False
        if not self._note_text[0] and (advice := self.advice(working)):
            self._note_text, self._at_once = (f"? {sentence(self.asked, advice)}", "-warning"), True
        self._show_note()

    def advice(self, working: WorkingCopy) -> str:  # noqa: ARG002 - for subclasses
        """Return why another answer would be better than this valid one."""
        return ""

    def mark_missing(self) -> None:
        """Report a missing answer even before the field had the focus."""
        self.seen = True

    def is_blamed(self) -> bool:
        """Return whether a missing answer is reported."""
        return self.seen

    def _problem(self, working: WorkingCopy, judged: Validation | None) -> str:
        if judged is not None and (found := judged.problem(self.key)):
            return problem_words(
                self.asked, f"{found.message}; {found.hint}" if found.hint else found.message
            )
        now = working.problem(self.key)
        return problem_words(self.asked, now) if now else ""

    def _judged(self, judged: Validation, *, blamed: bool) -> tuple[str, str]:
        """Return the problem of the file that the answer names, or which options are barred and why."""
        if blamed and (found := judged.file_problem(self.key)):
            text = f"{found.message}; {found.hint}" if found.hint else found.message
            return problem_words(self.asked, text), "-warning"
        possible = judged.allowed(self.key)
        return (disabled_text(self.asked, possible), "-barred") if possible else ("", "")

    def _show_note(self) -> None:
        text, look = self._note_text
        if not text and (self.always_show_help or self.has_focus_within):
            text, look = self.asked.help, ""
        self._note.show(text, look)

    def edited(self, text: str) -> None:
        """Pass on the typed text."""
        self.owner.edit_answers(lambda working: working.with_text(self.key, text))

    def put(self, value: Any) -> None:
        """Pass on the chosen value."""
        self.owner.edit_answers(lambda working: working.with_value(self.key, value))

    def text_for(self, working: WorkingCopy, now: str) -> str:
        """Return the text to show: ``now`` if it means the same as the answer."""
        typed = working.with_text(self.key, now)
        same = (
            typed.texts.get(self.key) == working.texts.get(self.key)
            and typed.get(self.key) == working.get(self.key)
            and typed.is_given(self.key) == working.is_given(self.key)
        )
        if same:
            return now
        if self.key in working.texts:
            return working.texts[self.key]
        return format_form_text(self.asked, working.get(self.key)) if working.is_given(self.key) else ""

    def on_descendant_focus(self) -> None:
        """Highlight the label now and show the help after the next refresh."""
        self._mark(True)
        self.call_after_refresh(self._come_into_sight)

    def on_descendant_blur(self) -> None:
        """Report a missing answer from now on."""
        if not self.seen:
            self.seen = True
            self.call_after_refresh(self.follow_again)
        self._mark(False)
        self.call_after_refresh(self._show_note)

    def _come_into_sight(self) -> None:
        self._show_note()
        self._note.call_after_refresh(self._note.into_sight)

    def follow_again(self) -> None:
        """Refresh the messages although the answers are the same."""
        if self.is_attached and self.screen.is_active:  # the dialog may be closed
            self.owner.follow()

    def _mark(self, marked: bool) -> None:
        self._marked = marked
        self.refresh()


class TextField(Field):
    """One line: text, numbers, paths."""

    def controls(self) -> ComposeResult:
        """Compose an input that shows the default while empty."""
        default = format_form_text(self.asked, self.asked.default) if not self.asked.required else ""
        yield TextInput(placeholder=f"default: {default}" if default else "", on_change=self.edited)

    def show_value(self, working: WorkingCopy, judged: Validation | None) -> None:  # noqa: ARG002
        """Show the text, unless the current one means the same."""
        box = self.query_one(TextInput)
        box.show(self.text_for(working, box.value))

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        focus_next(self.screen)


class LinesField(Field):
    """Several lines: lists, or maps and settings as ``KEY: value``."""

    def controls(self) -> ComposeResult:
        """Compose a text area."""
        from oz_installer.tui.widgets.text_area import MultilineInput

        example = "one per line" if self.asked.kind == "list" else "KEY: value, one per line"
        yield MultilineInput(placeholder=example, on_change=self.edited)

    def show_value(self, working: WorkingCopy, judged: Validation | None) -> None:  # noqa: ARG002
        """Show the text, unless the current one means the same."""
        box = cast("MultilineInput", self.query_one("MultilineInput"))
        box.show(self.text_for(working, box.text))


class ChoiceField(Field):
    """One of a few values, or several of them."""

    def controls(self) -> ComposeResult:
        """Compose the options."""
        yield Choice(self._options(None), many=self.asked.kind == "list", on_change=self.put)

    def _options(self, judged: Validation | None) -> tuple[Option, ...]:
        possible = judged.allowed(self.key) if judged else None
        barred = possible.disabled if possible else {}
        plain = [Option(value=value, label=str(value)) for value in self.asked.choices]
        return tuple(
            Option(value=one.value, label=one.label, barred=one.barred or barred.get(one.value, ""))
            for one in self.given_options or plain
        )

    def show_value(self, working: WorkingCopy, judged: Validation | None) -> None:
        """Show what is chosen. Barred options stay barred until the next validation."""
        choice = self.query_one(Choice)
        value = (
            () if self.key in working.texts else working.get(self.key)
        )  # an invalid text matches no option
        chosen = value if isinstance(value, tuple) else (value,)
        choice.show(self._options(judged) if judged else choice.options, chosen)


class BooleanField(Field):
    """One check box: on or off."""

    def controls(self) -> ComposeResult:
        """Compose the check box."""
        box = Option(value=True, label="on", off="off")
        yield Choice([box], many=True, on_change=lambda value: self.put(bool(value)))

    def show_value(self, working: WorkingCopy, judged: Validation | None) -> None:  # noqa: ARG002
        """Show whether it is on."""
        choice = self.query_one(Choice)
        choice.show(choice.options, (True,) if working.get(self.key) else ())
