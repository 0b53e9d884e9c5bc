"""Patterns and lines of the OpenSSH configuration. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache


@lru_cache(maxsize=1024)
def _regex(pattern: str) -> re.Pattern[str]:
    parts = {"*": ".*", "?": "."}
    return re.compile(
        "".join(parts.get(one, re.escape(one)) for one in re.sub(r"\*+", "*", pattern)), re.DOTALL
    )


def matches(name: str, pattern: str) -> bool:
    """Return whether a name matches a pattern with ``*`` and ``?``; nothing else is special."""
    return _regex(pattern).fullmatch(name) is not None


def matches_any(name: str, patterns: Sequence[str]) -> bool:
    """Return whether a name matches a pattern and no negated (``!``) one."""
    found = False
    for pattern in patterns:
        if matches(name, pattern.removeprefix("!")):
            if pattern.startswith("!"):
                return False
            found = True
    return found


def matches_list(name: str, text: str) -> bool:
    """Return whether a name matches a list of patterns separated by commas."""
    return matches_any(name, text.split(","))


def split_words(text: str) -> list[str]:
    """Split the arguments of a line: quotes, backslashes, and a comment at the end.

    Raises ValueError for a quote without its end."""
    words: list[str] = []
    rest = text.lstrip()
    while rest and not rest.startswith("#"):
        word, rest = _next_word(rest)
        words.append(word)
        rest = rest.lstrip()
    return words


def _next_word(text: str) -> tuple[str, str]:
    word, quote, index = "", "", 0
    while index < len(text):
        one = text[index]
        following = text[index + 1 : index + 2]
        if one == "\\" and following and following in ("'\"\\" if quote else "'\"\\ "):
            word += following
            index += 1
        elif quote:
            if one == quote:
                quote = ""
            else:
                word += one
        elif one in "'\"":
            quote = one
        elif one.isspace():
            break
        else:
            word += one
        index += 1
    if quote:
        raise ValueError("a quote is not closed")
    return word, text[index:]


def split_line(line: str) -> tuple[str, str]:
    """Split a line into its keyword, in lower case, and the rest."""
    found = re.match(r"\s*\"?([^\s=\"]+)\"?(?:\s*=\s*|\s+|$)(.*)", line.rstrip(), re.DOTALL)
    return (found[1].lower(), found[2]) if found else ("", "")


def split_paths(text: str) -> Iterator[str]:
    """Split a list of paths that ``ssh -G`` joined by spaces, some of which belong to a path."""
    current = ""
    for piece in text.split(" "):
        if current and not piece.startswith(("/", "~", "%", "$")):
            current += f" {piece}"
        else:
            if current:
                yield current
            current = piece
    if current:
        yield current
