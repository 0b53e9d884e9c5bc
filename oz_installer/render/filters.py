"""Template filters that quote values as literals of each target language.

Each function takes a value (a ``Secret`` is revealed here) and returns a ``Quoted``: text that denotes
exactly that value in its language. Templates may emit nothing else (see ``environment.py``). A value that a
language cannot express is rejected with an error that never shows the value.
"""

from __future__ import annotations

import base64
import hashlib
import json
import keyword
import math
import re
import shlex
import unicodedata
from collections.abc import Callable, Mapping
from urllib.parse import quote

from oz_installer.errors import AnswersError
from oz_installer.secret import Secret

UNPRINTABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})  # controls, lone surrogates, line and paragraph separators
IDENTIFIER_BYTES = 63  # PostgreSQL cuts longer names short without an error
ADDRESS = re.compile(r"[A-Za-z0-9_.:-]+")
RABBITMQ_PLAIN = re.compile(r"(?!encrypted:)[A-Za-z0-9!%&()*+,./:;=?@\[\]^_{|}~-]+")


class Quoted(str):
    """Text made by a quoting function: safe only in the language of that function."""

    __slots__ = ()


def reveal(value: object) -> object:
    """Return the value of a secret; anything else unchanged."""
    return value.reveal() if isinstance(value, Secret) else value


def unprintable(value: str) -> bool:
    """Return whether a text has a line break or control character, unfit for one-line formats."""
    return not value.isprintable() and any(unicodedata.category(char) in UNPRINTABLE for char in value)


def python(value: object) -> Quoted:
    """Return a Python literal in ASCII: string, number, boolean, None, or a list or mapping."""
    return Quoted(_python(reveal(value)))


def python_name(value: object) -> Quoted:
    """Return a Python identifier, unquoted; anything else is rejected."""
    text = _text(value, "Python")
    if not text.isidentifier() or keyword.iskeyword(text):
        raise AnswersError(f"{text!r} is not the name of a setting", "use only capitals, digits and _")
    return Quoted(text)


def json_value(value: object) -> Quoted:
    """Return a JSON value in ASCII."""
    value = reveal(value)
    _must_be_plain(value, "JSON")
    return Quoted(json.dumps(value, allow_nan=False))


def sql(value: object) -> Quoted:
    """Return a PostgreSQL string literal, for standard_conforming_strings = on, the default."""
    return Quoted("'" + _text(value, "SQL").replace("'", "''") + "'")


def sql_name(value: object) -> Quoted:
    """Return a quoted PostgreSQL identifier."""
    text = _text(value, "SQL")
    if not 0 < len(text.encode()) <= IDENTIFIER_BYTES:
        raise AnswersError(
            f"a name in the database is empty or longer than {IDENTIFIER_BYTES} bytes",
            "give the role or database a shorter, non-empty name in answers.yml",
        )
    return Quoted('"' + text.replace('"', '""') + '"')


def redis(value: object) -> Quoted:
    """Return a double-quoted argument of redis.conf, with non-ASCII bytes as ``\\xHH``."""
    return Quoted('"' + "".join(_redis_byte(byte) for byte in _text(value, "redis.conf").encode()) + '"')


def nginx(value: object) -> Quoted:
    """Return a double-quoted parameter of nginx, which cannot escape a ``$``."""
    text = _text(value, "nginx")
    if "$" in text:
        raise AnswersError(
            "a value for nginx contains a $, which nginx reads as a variable and cannot escape",
            "use a host name or URL without $ in answers.yml",
        )
    return Quoted('"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"')


def address(value: object) -> Quoted:
    """Return a container's ``name:port`` unquoted, for nginx; anything else is rejected."""
    text = _text(value, "nginx")
    if not ADDRESS.fullmatch(text):
        raise TypeError(f"{text!r} is not the address of a container")
    return Quoted(text)


def rabbitmq(value: object) -> Quoted:
    """Return a value of rabbitmq.conf. RabbitMQ 3 has no quotes: unsafe characters are rejected."""
    text = _text(value, "rabbitmq.conf")
    if not RABBITMQ_PLAIN.fullmatch(text):
        raise AnswersError(
            "a value for rabbitmq.conf contains a character that RabbitMQ cannot read there: "
            "a space, #, $, <, >, a quote, a backslash or a non-ASCII letter",
            "use letters, digits and other punctuation for the user and password of a bundled RabbitMQ",
        )
    return Quoted(text)


def url(value: object) -> Quoted:
    """Return a part of a URL, percent-encoded as UTF-8, including ``/`` and ``:``."""
    return Quoted(quote(_text(value, "a URL"), safe=""))


def shell(value: object) -> Quoted:
    """Return one word for a POSIX shell."""
    return Quoted(shlex.quote(_text(value, "a shell")))


def line(value: object) -> Quoted:
    """Return the content of a one-line file, unchanged."""
    return Quoted(_text(value, "a one-line file"))


def rabbitmq_hash(value: object) -> str:
    """Return RabbitMQ's salted SHA-256 of a password in base64 (rabbit_password_hashing_sha256).

    The salt is derived from the password, so that the same answers give the same bytes. The file with the
    hash is protected like the password itself.
    """
    secret = str(reveal(value)).encode()
    salt = hashlib.sha256(b"oz-install rabbitmq salt " + secret).digest()[:4]
    return base64.b64encode(salt + hashlib.sha256(salt + secret).digest()).decode()


FILTERS: Mapping[str, Callable[[object], str]] = {
    "py": python,
    "py_name": python_name,
    "json": json_value,
    "sql": sql,
    "sql_name": sql_name,
    "redis": redis,
    "nginx": nginx,
    "address": address,
    "rabbitmq": rabbitmq,
    "rabbitmq_hash": rabbitmq_hash,
    "url": url,
    "shell": shell,
    "line": line,
}


def _text(value: object, language: str) -> str:
    value = reveal(value)
    if type(value) is int:
        return str(value)
    if not isinstance(value, str):
        raise TypeError(f"{language} takes a string here, not {type(value).__name__}")
    if unprintable(value):
        raise AnswersError(
            f"a value for {language} has a line break or control character, which cannot be written there",
            "remove it from the answer or from the file that the secret is read from",
        )
    return str(value)


def _python(value: object) -> str:
    _must_be_plain(value, "Python")
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_python(key)}: {_python(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_python(item) for item in value) + "]"
    return ascii(str(value)) if isinstance(value, str) else repr(value)


def _must_be_plain(value: object, language: str) -> None:
    """Raise TypeError for other than plain data, AnswersError for a number without a literal."""
    if isinstance(value, float) and not math.isfinite(value):
        raise AnswersError(f"{value} cannot be written in {language}", "give a finite number in answers.yml")
    if not isinstance(value, str | int | float | None | Mapping | list | tuple):
        raise TypeError(f"{language} has no literal for {type(value).__name__}")


def _redis_byte(byte: int) -> str:
    if byte in b'"\\':
        return "\\" + chr(byte)
    return chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}"
