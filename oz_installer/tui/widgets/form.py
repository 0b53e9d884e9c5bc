"""A form: one field per question, built from the questions themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult

from oz_installer.answers.questions import Question, question
from oz_installer.tui.widgets.answer_widget import AnswerWidget
from oz_installer.tui.widgets.choice import Option
from oz_installer.tui.widgets.field import BooleanField, ChoiceField, Field, LinesField, TextField

if TYPE_CHECKING:
    from oz_installer.answers.drafts.working_copy import WorkingCopy
    from oz_installer.tui.messages import Validation


class Form(AnswerWidget):
    """Fields in one column. Keys may name a node: ``nodes[1].host``.

    ``options`` gives the choices of a question by key, where it has none or needs better labels;
    ``loud`` lists the questions whose help is always shown.
    """

    def __init__(
        self,
        *keys: str,
        options: Mapping[str, Sequence[Option]] | None = None,
        loud: Sequence[str] = (),
        id: str | None = None,
    ) -> None:
        super().__init__(id=id, classes="form")
        self._keys = keys
        self._options = options or {}
        self._loud = frozenset(loud)
        self._fields: tuple[Field, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of its questions."""
        return self._keys

    @property
    def fields(self) -> tuple[Field, ...]:
        """One field per question; empty before the form is composed."""
        return self._fields

    def compose(self) -> ComposeResult:
        """Compose one field per question."""
        self._fields = tuple(
            make_field(key, options=self._options.get(key, ()), loud=key in self._loud) for key in self._keys
        )
        yield from self._fields

    def follow(self, working: WorkingCopy, judged: Validation | None) -> None:
        """Refresh every field."""
        for field in self._fields:
            field.follow(working, judged)

    def mark_missing(self) -> None:
        """Report missing answers in every field."""
        for field in self._fields:
            field.mark_missing()

    def take_focus(self, key: str) -> bool:
        """Focus a question's field."""
        return any(field.take_focus(key) for field in self._fields)

    def why_not(self, key: str) -> str:
        """Return the reason of the question's field."""
        return next(filter(None, (one.why_not(key) for one in self._fields)), "")

    def field(self, key: str) -> Field:
        """Return the field of a question. Raises KeyError when it is not in this form."""
        for field in self._fields:
            if field.key == key:
                return field
        raise KeyError(key)


def make_field(key: str, *, options: Sequence[Option] = (), loud: bool = False) -> Field:
    """Make the field that fits a question."""
    asked = question(key)
    return _class(asked, options)(asked, key, options=options, loud=loud)


def _class(asked: Question, options: Sequence[Option]) -> type[Field]:
    if asked.kind == "secret":
        from oz_installer.tui.widgets.secret_field import SecretField

        return SecretField
    if options or asked.choices:
        return ChoiceField
    if asked.kind == "boolean":
        return BooleanField
    return LinesField if asked.kind in ("list", "map", "settings") else TextField
