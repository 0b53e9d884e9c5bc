"""Secrets, which never print their value, and the gate for foreign text, which may hold one."""

from __future__ import annotations

import hmac
import json
import secrets as _random
import string
from urllib.parse import quote

from oz_installer.text import UNSAFE, strip_control, without_control

MASK = "********"
_ALPHABET = string.ascii_letters + string.digits


class Secret:
    """A password or token; only ``reveal()`` returns its value.

    ``str``, ``repr`` and ``format`` return a mask and pickling fails, so that a log line,
    an f-string or a traceback with locals cannot leak the value.
    """

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        self.__value = value

    @classmethod
    def generate(cls, length: int = 40) -> Secret:
        """Generate a random secret of ``length`` letters and digits (5.95 bits each)."""
        return cls("".join(_random.choice(_ALPHABET) for _ in range(length)))

    def reveal(self) -> str:
        """Return the value, for the one place that must pass it on."""
        return self.__value

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __bool__(self) -> bool:
        return bool(self.__value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.__value.encode(), other.reveal().encode())

    def __hash__(self) -> int:
        return hash((Secret, self.__value))

    def __reduce__(self) -> tuple[type[Secret], tuple[str]]:
        raise TypeError("a Secret cannot be pickled; call reveal() where its value is needed")


def _forms(value: str) -> tuple[str, ...]:
    escaped = value.encode("ascii", "backslashreplace").decode("ascii")
    return (value, quote(value, safe=""), repr(value)[1:-1], escaped, json.dumps(value)[1:-1])


class Masker:
    """The gate for foreign text: cleans it, then replaces known secrets by a mask.

    Secrets are found in their URL, Python and JSON notation, too, longer ones first, and also where escape
    sequences or invisible characters interrupt them.
    """

    def __init__(self, secrets: tuple[Secret, ...] = ()) -> None:
        values = {form for secret in secrets for form in _forms(secret.reveal()) if form}
        self._values = sorted(values, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        masked = self._masked(text)
        if UNSAFE.search(masked) is None:
            return masked
        for letters in (without_control(masked), UNSAFE.sub("", masked)):
            if (found := self._masked(letters)) != letters:
                return found
        return strip_control(masked)

    def _masked(self, text: str) -> str:
        for value in self._values:
            text = text.replace(value, MASK)
        return text
