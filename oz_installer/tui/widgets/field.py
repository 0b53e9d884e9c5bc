"""One question as a field: its label, what it is answered with, and a line under it that says what is wrong.

There is one class a kind of answer (``KINDS``), so a new question needs no new code.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from oz_installer.answers.forms import to_text
from oz_installer.answers.questions import Question
from oz_installer.tui.widgets.choice import Choice, Option
from oz_installer.tui.widgets.follower import Edited, Follower
from oz_installer.tui.widgets.text_input import TextInput
from oz_installer.tui.wording import barred_words, problem_words

if TYPE_CHECKING:
    from textual.widgets import TextArea

    from oz_installer.answers.working import Working
    from oz_installer.tui.bridge import Judged


class Note(Static):
    """The line under a field. An error is told by ``!``, too."""

    def show(self, text: str, look: str = "") -> None:
        """``look`` is ``-bad``, ``-barred`` or nothing."""
        self.set_classes(f"note {look}")
        self.update(Content(text))


class Field(Follower):
    """A field. ``loud`` shows its help always, not only while the cursor is here."""

    def __init__(
        self, asked: Question, key: str, *, options: Sequence[Option] = (), loud: bool = False
    ) -> None:
        super().__init__(classes="field")
        self.asked, self.key, self.loud = asked, key, loud
        self.given_options = tuple(options)
        self.seen = False
        self._note = Note(classes="note", markup=False)
        self._said: tuple[str, str] = ("", "")
        self._pending = 0
        self._told: str | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        """The one question."""
        return (self.key,)

    def render(self) -> Content:
        """The label; what is asked stands right of it."""
        return Content(self.asked.label)

    def compose(self) -> ComposeResult:
        """What it is answered with, and the line under it."""
        yield from self.controls()
        yield self._note

    def controls(self) -> ComposeResult:
        """What it is answered with."""
        yield from ()

    def show_value(self, working: Working, judged: Judged | None) -> None:
        """Show the answer."""

    @property
    def front(self) -> Widget:
        """What takes the cursor."""
        return next(one for one in self.query("*").results(Widget) if one.can_focus)

    def take_focus(self, key: str) -> bool:
        """Put the cursor here, when this is the question."""
        if key != self.key:
            return False
        self.seen = True
        self.front.focus()
        return True

    def follow(self, working: Working, judged: Judged | None) -> None:
        """Show the answer and what is wrong with it."""
        if not self._pending:
            self.show_value(working, judged)
        possible = judged.may(self.key) if judged else None
        given = working.given(self.key)
        if judged is not None:
            self.disabled = bool(possible and possible.reason and not given)
        problem = self._problem(working, judged) if given or self.is_blamed() else ""
        if problem:
            self._said = (problem, "-bad")
        elif possible is not None or judged is not None:
            self._said = (barred_words(self.asked, possible), "-barred") if possible else ("", "")
        elif self._said[1] == "-bad":
            self._said = ("", "")
        self._tell()

    def is_blamed(self) -> bool:
        """Whether a missing answer is told."""
        return self.seen

    def _problem(self, working: Working, judged: Judged | None) -> str:
        if judged is not None and (found := judged.problem(self.key)):
            return problem_words(
                self.asked, f"{found.message}; {found.hint}" if found.hint else found.message
            )
        now = working.problem(self.key)
        return problem_words(self.asked, now) if now else ""

    def _tell(self) -> None:
        text, look = self._said
        if not text and (self.loud or self.has_focus_within):
            text, look = self.asked.help, ""
        self._note.show(text, look)

    def edited(self, text: str) -> None:
        """Tell what is typed now."""
        self._told = text
        self._tell_edit(lambda working: working.typed(self.key, text))

    def put(self, value: Any) -> None:
        """Tell what was chosen."""
        self._tell_edit(lambda working: working.put(self.key, value))

    def _tell_edit(self, change: Callable[[Working], Working]) -> None:
        """Until the answers have it they are older than what stands here, and do not change it."""
        self._pending += 1

        def changed(working: Working) -> Working:
            self._pending -= 1
            return change(working)

        self.post_message(Edited(self.key, changed))

    def show_text(self, working: Working, now: str) -> str | None:
        """The text to show in place of ``now``; None to leave it: it means the same, or was not told yet."""
        if self._told not in (None, now) or _means(working.typed(self.key, now), working, self.key):
            return None
        self._told = _text(working, self.key, self.asked)
        return self._told

    def on_descendant_focus(self) -> None:
        """Its help is shown."""
        self._tell()

    def on_descendant_blur(self) -> None:
        """From now on a missing answer is told."""
        if not self.seen:
            self.seen = True
            self.call_after_refresh(self.follow_again)
        self._tell()

    def follow_again(self) -> None:
        """Although the answers are the same: what is told of them is not."""
        if self.is_attached and hasattr(self.screen, "follow"):  # a dialog may be closed by now
            self.screen.follow()


class TextField(Field):
    """Text, numbers, paths: one line."""

    def controls(self) -> ComposeResult:
        """An input; what holds when it is left empty is told in it."""
        default = to_text(self.asked, self.asked.default) if not self.asked.required else ""
        yield TextInput(placeholder=f"default: {default}" if default else "")

    def show_value(self, working: Working, judged: Judged | None) -> None:  # noqa: ARG002
        """The text, unless what stands there already means the same."""
        box = self.query_one(TextInput)
        text = self.show_text(working, box.value)
        if text is not None:
            with box.prevent(Input.Changed):
                box.value = text

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self.edited(event.value)

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self.screen.focus_next()


class LinesField(Field):
    """Lists, maps and settings: several lines, ``KEY: value`` each."""

    def controls(self) -> ComposeResult:
        """A text area."""
        from textual.widgets import TextArea

        area = TextArea(compact=True, show_line_numbers=False, placeholder=self._example())
        area.highlight_cursor_line = False
        yield area

    def _example(self) -> str:
        return "one a line" if self.asked.kind == "list" else "KEY: value, one a line"

    def show_value(self, working: Working, judged: Judged | None) -> None:  # noqa: ARG002
        """The text, unless what stands there already means the same."""
        area = cast("TextArea", self.query_one("TextArea"))
        text = self.show_text(working, area.text)
        if text is not None:
            with area.prevent(type(area).Changed):
                area.text = text

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        """Tell it."""
        event.stop()
        self.edited(event.text_area.text)


class ChoiceField(Field):
    """One of a few values, or some of them."""

    def controls(self) -> ComposeResult:
        """The options."""
        yield Choice(self._options(None), many=self.asked.kind == "list")

    def _options(self, judged: Judged | None) -> tuple[Option, ...]:
        possible = judged.may(self.key) if judged else None
        barred = possible.barred if possible else {}
        plain = [Option(value=value, label=str(value)) for value in self.asked.choices]
        return tuple(
            Option(value=one.value, label=one.label, barred=one.barred or barred.get(one.value, ""))
            for one in self.given_options or plain
        )

    def show_value(self, working: Working, judged: Judged | None) -> None:
        """What is chosen. What is barred stays so until it was judged again."""
        choice = self.query_one(Choice)
        value = working.get(self.key)
        chosen = value if isinstance(value, tuple) else (value,)
        choice.show(self._options(judged) if judged else choice.options, chosen)

    @on(Choice.Picked)
    def _picked(self, event: Choice.Picked) -> None:
        event.stop()
        event.choice.heard()
        self.put(event.value)


class BooleanField(Field):
    """On or off."""

    def controls(self) -> ComposeResult:
        """One box."""
        yield Choice([Option(value=True, label="on", off="off")], many=True)

    def show_value(self, working: Working, judged: Judged | None) -> None:  # noqa: ARG002
        """Whether it is on."""
        choice = self.query_one(Choice)
        choice.show(choice.options, (True,) if working.get(self.key) else ())

    @on(Choice.Picked)
    def _picked(self, event: Choice.Picked) -> None:
        event.stop()
        event.choice.heard()
        self.put(bool(event.value))


def _means(typed: Working, now: Working, key: str) -> bool:
    return (
        typed.texts.get(key) == now.texts.get(key)
        and typed.get(key) == now.get(key)
        and typed.given(key) == now.given(key)
    )


def _text(working: Working, key: str, asked: Question) -> str:
    if key in working.texts:
        return working.texts[key]
    return to_text(asked, working.get(key)) if working.given(key) else ""
