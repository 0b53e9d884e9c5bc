"""A field for a password, token or passphrase: typed and masked, or a reference to it."""

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
    from oz_installer.tui.messages import Validation

WAYS = (
    Option(value="plain", label="typed"),
    Option(value="env", label="variable"),
    Option(value="file", label="file"),
    Option(value="prompt", label="prompt"),
)
EMPTY = {
    "plain": "",
    "env": "name of an environment variable",
    "file": "path of a file with the secret on its only line",
    "prompt": "oz-install asks for it on every run",
}


class Reveal(FlatButton):
    """A button that shows the secret while the mouse is down; Enter and Space toggle it."""

    def offer(self, offered: bool) -> None:
        """Show or hide the button; its space stays, so that nothing moves."""
        if not offered and self.has_focus:
            self._secret.focus_target.focus()
        self.disabled = not offered

    def render(self) -> Content:
        """Draw the button, or blanks while it is hidden."""
        button = super().render()
        return Content(" " * button.cell_length) if self.disabled else button

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Show the secret."""
        event.stop()
        self.capture_mouse()
        self._secret.reveal(True)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """Hide the secret."""
        event.stop()
        self.release_mouse()
        self._secret.reveal(False)

    def on_click(self, event: events.Click) -> None:
        """Ignore clicks: mouse down and mouse up do the work."""
        event.stop()

    def action_push(self) -> None:
        """Show or hide the secret."""
        self._secret.reveal(self._secret.hidden)

    @property
    def _secret(self) -> SecretField:
        return next(one for one in self.ancestors if isinstance(one, SecretField))


class SecretField(Field):
    """Source of a secret (typed, variable, file or prompt) and the text for it."""

    way = "plain"

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._left: dict[str, tuple[str, SecretRef | None]] = {}  # input by source, in memory only
        self._ref: SecretRef | None = None
        self._is_lost = False

    def controls(self) -> ComposeResult:
        """Compose the sources, an input and the Show button."""
        yield Choice(WAYS, id="way", on_change=self._picked)
        with Horizontal(classes="secret"):
            yield TextInput(password=True, on_change=self._typed)
            yield Reveal("Show")

    @property
    def focus_target(self) -> Widget:
        """The input, or the sources when there is nothing to type."""
        return self.query_one("#way", Choice) if self.way == "prompt" else self.query_one(TextInput)

    @property
    def hidden(self) -> bool:
        """True while the text is masked."""
        return self.query_one(TextInput).password

    def reveal(self, shown: bool) -> None:
        """Show the typed text or mask it."""
        for box in self.query(TextInput):  # empty once the dialog is closed
            box.password = self.way == "plain" and not shown
        for button in self.query(Reveal):
            button.relabel("Hide" if shown else "Show")

    def show_value(self, working: WorkingCopy, judged: Validation | None) -> None:  # noqa: ARG002
        """Show source and reference, never a secret that was typed before."""
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
        box.placeholder = "●●●●●●●●  set; type to replace it" if known else EMPTY[self.way]
        self.query_one("#way", Choice).show(WAYS, (self.way,))

    def is_blamed(self) -> bool:
        """Return True also for an invalid variable name, or a secret that the draft did not keep."""
        return self.seen or self._is_lost or (self.way == "env" and bool(self.query_one(TextInput).value))

    def _problem(self, working: WorkingCopy, judged: Validation | None) -> str:
        text = self.query_one(TextInput).value.strip()
        if self.way == "env" and text and (wrong := value_rules.environment_name(text)):
            return problem_words(self.asked, wrong)
        return super()._problem(working, judged)

    def advice(self, working: WorkingCopy) -> str:
        """Return advice for a typed secret; only that is known here."""
        ref = working.get(self.key)
        known = isinstance(ref, SecretRef) and ref.kind == "plain" and self.asked.advice
        return (known(ref.where) or "") if known else ""

    def on_descendant_blur(self) -> None:
        """Mask the secret when the focus leaves the field."""
        self.call_after_refresh(lambda: None if self.has_focus_within else self.reveal(False))
        super().on_descendant_blur()

    def _picked(self, way: str) -> None:
        self._left[self.way] = self._stands()
        self._set_way(way)
        text, ref = self._left.pop(way, ("", None))
        self.query_one(TextInput).show(text)
        self._take(SecretRef(kind="prompt") if way == "prompt" else ref)

    def _stands(self) -> tuple[str, SecretRef | None]:
        """Return what to restore when this source is chosen again; typed secrets stay hidden."""
        text = self.query_one(TextInput).value if self.way in ("env", "file") else ""
        return text, self._ref

    def _take(self, ref: SecretRef | None) -> None:
        """Set the answer; without one, leave the key out instead of writing null."""
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
        """Move to the next field and skip the Show button, which Enter should not press."""
        event.stop()
        if isinstance(focus_next(self.screen), Reveal):
            focus_next(self.screen)

    def _is_right(self, text: str) -> bool:
        return bool(text) and (self.way != "env" or value_rules.environment_name(text) is None)
