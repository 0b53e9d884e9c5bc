"""Declare questions (``ask``) and secret references (``SecretRef``)."""

from __future__ import annotations

from dataclasses import field
from typing import Any, Literal

from oz_installer.answers import value_rules
from oz_installer.frozen import dataclass

MIN_PASSWORD_LENGTH = 8
"""Minimum recommended length of a password that people type, in characters."""


def weak_password_advice(value: str) -> str | None:
    """Return why a password is weak, or None.

    Advice only: the vendor has no known rule, so a weak password is accepted.
    """
    if len(value) >= MIN_PASSWORD_LENGTH:
        return None
    return f"is shorter than {MIN_PASSWORD_LENGTH} characters and easy to guess; choose a longer one"


def ask(
    label: str,
    help: str,
    *,
    default: Any = ...,
    factory: Any = None,
    rule: value_rules.ValueRule | None = None,
    advice: value_rules.ValueRule | None = None,
    advanced: bool = False,
    off: bool = False,
) -> Any:
    """Declare one question.

    ``rule`` returns what is wrong with a value, or None; ``advice`` returns why a valid secret is weak. A
    form may fold ``advanced`` questions away; with ``off``, false means None.
    """
    metadata = {
        "label": label, "help": help, "rule": rule, "advice": advice, "advanced": advanced, "off": off,
    }  # fmt: skip
    if factory is not None:
        return field(default_factory=factory, metadata=metadata)
    if default is ...:
        return field(metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, kw_only=True)
class SecretRef:
    """The source of a secret: ``env``, ``file``, ``prompt``, or ``plain`` in the answers.

    ``where`` is the variable's name or the path; for ``plain`` it is the secret and is never shown.
    """

    kind: Literal["env", "file", "prompt", "plain"]
    where: str = field(default="", repr=False)
