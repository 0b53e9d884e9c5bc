"""A password, token or passphrase: typed here, masked, or where it is to be had."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input

from oz_installer.answers import value_rules
from oz_installer.answers.model import SecretRef
from oz_installer.tui.views.focus_next import focus_next
from oz_installer.tui.views.problem_text import problem_words
from oz_installer.tui.widgets.button import FlatButton
from oz_installer.tui.widgets.choice import Choice, Option
from oz_installer.tui.widgets.field import Field
from oz_installer.tui.widgets.text_input import TextInput

if TYPE_CHECKING:
    from oz_installer.answers.drafts.working_copy import WorkingCopy
    from oz_installer.tui.core import Validation

WAYS = (
    Option(value="plain", label="typed"),
    Option(value="env", label="variable"),
    Option(value="file", label="file"),
    Option(value="prompt", label="asked"),
)
EMPTY = {
    "plain": "",
    "env": "name of an environment variable",
    "file": "path of a file with the secret on its only line",
    "prompt": "oz-install asks for it at every run",
}


class Reveal(FlatButton):
    """Shows the secret while the mouse button is down; Enter and Space show and hide it."""

    def offer(self, offered: bool) -> None:
        """There, or not; its place stays, so that nothing moves."""
        if not offered and self.has_focus:
            self._secret.focus_target.focus()
        self.disabled = not offered

    def render(self) -> Content:
        """Nothing where it is not offered."""
        button = super().render()
        return Content(" " * button.cell_length) if self.disabled else button

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Show."""
        event.stop()
        self.capture_mouse()
        self._secret.reveal(True)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """Hide."""
        event.stop()
        self.release_mouse()
        self._secret.reveal(False)

    def on_click(self, event: events.Click) -> None:
        """The mouse does it while it is down."""
        event.stop()

    def action_push(self) -> None:
        """Show or hide."""
        self._secret.reveal(self._secret.hidden)

    @property
    def _secret(self) -> SecretField:
        return next(one for one in self.ancestors if isinstance(one, SecretField))


class SecretField(Field):
    """The way it is had, and the text for that way."""

    way = "plain"

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._left: dict[str, tuple[str, SecretRef | None]] = {}  # by way: what stood there, in memory only
        self._ref: SecretRef | None = None
        self._is_lost = False

    def controls(self) -> ComposeResult:
        """The ways, an input, and Show."""
        yield Choice(WAYS, id="way", told=self._picked)
        with Horizontal(classes="secret"):
            yield TextInput(password=True, told=self._typed)
            yield Reveal("Show")

    @property
    def focus_target(self) -> Widget:
        """Where it is typed, or else the ways."""
        return self.query_one("#way", Choice) if self.way == "prompt" else self.query_one(TextInput)

    @property
    def hidden(self) -> bool:
        """Whether the text is masked now."""
        return self.query_one(TextInput).password

    def reveal(self, shown: bool) -> None:
        """Show what is typed, or mask it."""
        for box in self.query(TextInput):  # none is there any more when its dialog was closed
            box.password = self.way == "plain" and not shown
        for button in self.query(Reveal):
            button.relabel("Hide" if shown else "Show")

    def show_value(self, working: WorkingCopy, judged: Validation | None) -> None:  # noqa: ARG002
        """Which way, and where; never a secret that was typed before."""
        ref = working.get(self.key)
        self._is_lost = self.key in working.missing_secrets
        self._ref = ref if isinstance(ref, SecretRef) else None
        box = self.query_one(TextInput)
        if isinstance(ref, SecretRef):
            if ref.kind != self.way:
                self._set_way(ref.kind)
            if ref.kind in ("env", "file") and box.value.strip() != ref.where:
                box.show(ref.where)
        elif self.way == "prompt" or (box.value and self._is_right(box.value.strip())):
            self._set_way("plain")
        known = isinstance(ref, SecretRef) and ref.kind == "plain"
        box.placeholder = "●●●●●●●●  given; type to replace it" if known else EMPTY[self.way]
        self.query_one("#way", Choice).show(WAYS, (self.way,))

    def is_blamed(self) -> bool:
        """Also when a name is typed that can be none, or a draft did not keep what was typed."""
        return self.seen or self._is_lost or (self.way == "env" and bool(self.query_one(TextInput).value))

    def _problem(self, working: WorkingCopy, judged: Validation | None) -> str:
        text = self.query_one(TextInput).value.strip()
        if self.way == "env" and text and (wrong := value_rules.environment_name(text)):
            return problem_words(self.asked, wrong)
        return super()._problem(working, judged)

    def advice(self, working: WorkingCopy) -> str:
        """Of a secret that was typed: only that is known here."""
        ref = working.get(self.key)
        known = isinstance(ref, SecretRef) and ref.kind == "plain" and self.asked.advice
        return (known(ref.where) or "") if known else ""

    def on_descendant_blur(self) -> None:
        """Nothing stays readable behind the operator's back."""
        self.call_after_refresh(lambda: None if self.has_focus_within else self.reveal(False))
        super().on_descendant_blur()

    def _picked(self, way: str) -> None:
        self._left[self.way] = self._stands()
        self._set_way(way)
        text, ref = self._left.pop(way, ("", None))
        self.query_one(TextInput).show(text)
        self._take(SecretRef(kind="prompt") if way == "prompt" else ref)

    def _stands(self) -> tuple[str, SecretRef | None]:
        """What is to be had again when this way is chosen again; a typed secret is not shown again."""
        text = self.query_one(TextInput).value if self.way in ("env", "file") else ""
        return text, self._ref

    def _take(self, ref: SecretRef | None) -> None:
        """This is the answer now; without one it is left out, and not written as null."""
        if ref is not None:
            self.put(ref)
        else:
            self.owner.edit_answers(lambda working: working.without(self.key))
            self.owner.follow_soon()

    def _set_way(self, way: str) -> None:
        self.way = way
        box = self.query_one(TextInput)
        box.show("")
        box.placeholder = EMPTY[way]
        box.disabled = way == "prompt"
        self.query_one(Reveal).offer(way == "plain")
        self.reveal(False)

    def _typed(self, text: str) -> None:
        if self.way == "plain":
            self.edited(text)
        elif self._is_right(text.strip()):
            self._take(SecretRef(kind="env" if self.way == "env" else "file", where=text.strip()))
        else:
            self._take(None)

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        """On to the next question, past Show: whoever goes on by Enter does not mean to reveal it."""
        event.stop()
        if isinstance(focus_next(self.screen), Reveal):
            focus_next(self.screen)

    def _is_right(self, text: str) -> bool:
        return bool(text) and (self.way != "env" or value_rules.environment_name(text) is None)
