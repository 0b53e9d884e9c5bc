"""How a question is declared, and where a secret is said to be."""

from __future__ import annotations

from dataclasses import field
from typing import Any, Literal

from oz_installer.answers import value_rules
from oz_installer.frozen import dataclass

MIN_PASSWORD_LENGTH = 8
"""Shorter passwords of people are advised against, in characters."""


def weak_password_advice(value: str) -> str | None:
    """A password that is soon guessed. No rule of the vendor's is known: it is taken all the same."""
    if len(value) >= MIN_PASSWORD_LENGTH:
        return None
    return f"is shorter than {MIN_PASSWORD_LENGTH} characters and soon guessed; a longer one is better"


def ask(
    label: str,
    help: str,
    *,
    default: Any = ...,
    factory: Any = None,
    rule: value_rules.Rule | None = None,
    advice: value_rules.Rule | None = None,
    advanced: bool = False,
    off: bool = False,
) -> Any:
    """Declare one question. ``rule`` returns what is wrong with a value, or None; ``advice`` of a secret why
    another one would be better.

    ``advanced`` questions may be folded away by a form; ``off`` lets false stand for None.
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
    """Where a secret is to be had: ``env``, ``file``, ``prompt``, or ``plain`` in the file itself.

    ``where`` is the variable's name or the path; for ``plain`` it is the secret and is never shown.
    """

    kind: Literal["env", "file", "prompt", "plain"]
    where: str = field(default="", repr=False)
