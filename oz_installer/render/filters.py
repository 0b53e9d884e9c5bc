"""Values as the literals of each target language.

Each function takes a value (a ``Secret`` is revealed here) and gives a ``Quoted``: text that stands for
exactly that value in its language. Templates may emit nothing else (see ``environment.py``).
What a language cannot carry is refused with an error that never shows the value.
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
    """Text that a quoting function made: safe in the language that it was made for, and only there."""

    __slots__ = ()


def reveal(value: object) -> object:
    """A secret's value; anything else as it is."""
    return value.reveal() if isinstance(value, Secret) else value


def unprintable(value: str) -> bool:
    """Whether a text holds a line break or control character, which one-line formats cannot carry."""
    return not value.isprintable() and any(unicodedata.category(char) in UNPRINTABLE for char in value)


def python(value: object) -> Quoted:
    """A Python literal in ASCII; str, numbers, booleans, None, lists and mappings of those."""
    return Quoted(_python(reveal(value)))


def python_name(value: object) -> Quoted:
    """A name of Python, unquoted; anything else is refused."""
    text = _text(value, "Python")
    if not text.isidentifier() or keyword.iskeyword(text):
        raise AnswersError(f"{text!r} is no name of a setting", "use capitals, digits and _ only")
    return Quoted(text)


def json_value(value: object) -> Quoted:
    """A JSON value in ASCII."""
    value = reveal(value)
    _must_be_plain(value, "JSON")
    return Quoted(json.dumps(value, allow_nan=False))


def sql(value: object) -> Quoted:
    """A string literal of PostgreSQL with standard_conforming_strings on, its default."""
    return Quoted("'" + _text(value, "SQL").replace("'", "''") + "'")


def sql_name(value: object) -> Quoted:
    """A quoted identifier of PostgreSQL."""
    text = _text(value, "SQL")
    if not 0 < len(text.encode()) <= IDENTIFIER_BYTES:
        raise AnswersError(
            f"a name of the database has no characters or more than {IDENTIFIER_BYTES} bytes",
            "shorten the name of the role or database in answers.yml",
        )
    return Quoted('"' + text.replace('"', '""') + '"')


def redis(value: object) -> Quoted:
    """A double-quoted argument of redis.conf; bytes beyond ASCII as ``\\xHH``."""
    return Quoted('"' + "".join(_redis_byte(byte) for byte in _text(value, "redis.conf").encode()) + '"')


def nginx(value: object) -> Quoted:
    """A double-quoted parameter of nginx, which has no way to write a ``$`` that starts no variable."""
    text = _text(value, "nginx")
    if "$" in text:
        raise AnswersError(
            "a value for nginx holds a $, which nginx takes for a variable and cannot escape",
            "use a host name or URL without $ in answers.yml",
        )
    return Quoted('"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"')


def address(value: object) -> Quoted:
    """A container's ``name:port``, bare, as a word of nginx; anything else is refused."""
    text = _text(value, "nginx")
    if not ADDRESS.fullmatch(text):
        raise TypeError(f"{text!r} is no container's address")
    return Quoted(text)


def rabbitmq(value: object) -> Quoted:
    """A value of rabbitmq.conf. RabbitMQ 3 has no quotes there: what is cut or changed is refused."""
    text = _text(value, "rabbitmq.conf")
    if not RABBITMQ_PLAIN.fullmatch(text):
        raise AnswersError(
            "a value for rabbitmq.conf holds a character that RabbitMQ cannot read there: "
            "a space, #, $, <, >, a quote, a backslash or a letter beyond ASCII",
            "use letters, digits and other punctuation for the user and password of a bundled RabbitMQ",
        )
    return Quoted(text)


def url(value: object) -> Quoted:
    """A part of a URL, percent-encoded as UTF-8, ``/`` and ``:`` included."""
    return Quoted(quote(_text(value, "a URL"), safe=""))


def shell(value: object) -> Quoted:
    """One word of a POSIX shell."""
    return Quoted(shlex.quote(_text(value, "a shell")))


def line(value: object) -> Quoted:
    """The whole content of a one-line file, unchanged."""
    return Quoted(_text(value, "a one-line file"))


def rabbitmq_hash(value: object) -> str:
    """RabbitMQ's salted SHA-256 of a password, in base64 (rabbit_password_hashing_sha256).

    The salt comes from the password, so that the same answers give the same bytes; the file that holds
    the hash is kept like the password itself.
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
            f"a value for {language} holds a line break or control character, which cannot be written there",
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
    """TypeError for what is no plain data, AnswersError for a number that has no literal."""
    if isinstance(value, float) and not math.isfinite(value):
        raise AnswersError(f"{value} has no place in {language}", "give a finite number in answers.yml")
    if not isinstance(value, str | int | float | None | Mapping | list | tuple):
        raise TypeError(f"{language} has no literal for {type(value).__name__}")


def _redis_byte(byte: int) -> str:
    if byte in b'"\\':
        return "\\" + chr(byte)
    return chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}"
