"""Values that sing when anything runs, fills in or reads them as more than text, and who listens for them."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from oz_installer.answers.questions import questions

TRACE = "/tmp/oz-sang-"
FREE = {"path", "secret", "settings"}
"""Kinds of questions that take any text; all others are refused what could be more than a name."""

ASKED = [question for question in questions() if question.kind != "table"]
STRICT = [question for question in ASKED if question.kind not in FREE]
LOOSE = [question for question in ASKED if question.kind in FREE]
REFUSED = (
    f"$(touch {TRACE}refused)",
    f"`touch {TRACE}refused`; touch {TRACE}refused #",
    '\'; DROP TABLE "user"; --',
    "{{ 7*7 }}${HOME}",
    "!!python/object/apply:os.system ['x']",
    "<script>alert(1)</script>",
    "../../etc/passwd",
    "-oProxyCommand=touch",
)


def mark(field: str) -> str:
    """What tells the canary of a field from all others, and cannot be escaped away."""
    return "Sang" + "".join(word.capitalize() for word in re.findall("[a-z0-9]+", field))


def canary(field: str) -> str:
    """Shell, YAML, Jinja, Compose, SQL, Python, printf and HTML syntax in one line of text."""
    touch = f"touch {TRACE}{mark(field)}"
    return (
        f"{mark(field)}$({touch})`{touch}`;{touch};|{touch}|&{touch}& ${{HOME}}${{HOME:-x}}$HOME$$ "
        '{{ 7*7 }}{% raw %}{0}%s%(x)s%n \'; DROP TABLE "user"; -- """ !!python/object:os.system '
        "<script>alert(1)</script>&amp; \\n\\x41\\ #é🔑 *&a [b]: {c}, ?~!@=/"
    )


def file_name(field: str) -> str:
    """The same as a file may be called: no slash in it, and not too long."""
    return f"$(touch oz-sang-{mark(field)});`id`|${{HOME}} {{{{7*7}}}}'\"\\n<b>&é {field}"


def refused_document(value: str) -> dict[str, Any]:
    """Answers in which every field that has a rule of its own holds this value."""
    document: dict[str, Any] = {}
    for question in STRICT:
        held: Any = [value] if question.kind == "list" else value
        if question.kind == "map":
            held = {"oz-api": value}
        section = document.setdefault(question.section, {}) if question.section else document
        section[question.name] = held
    document["nodes"] = [document["nodes"]]
    document["extra"] = {"config": {value: 1}}
    return document


def fields(document: Any, key: str = "") -> set[str]:
    """Keys of all that a document sets, as questions are called: ``nodes[].host``."""
    if isinstance(document, dict):
        inside = [fields(value, f"{key}.{name}" if key else str(name)) for name, value in document.items()]
    elif isinstance(document, list):
        inside = [fields(value, f"{key}[]") for value in document]
    else:
        inside = []
    own = {key} if key and document is not None else set()
    return own.union(*inside)


@contextmanager
def overheard(words: str) -> Iterator[set[str]]:
    """Command lines of any process of this machine, which carries the lab, too, that hold these words."""
    found: set[str] = set()
    over = threading.Event()

    def listen() -> None:
        while not over.wait(0.03):
            for process in Path("/proc").glob("[0-9]*"):
                with suppress(OSError):
                    line = (process / "cmdline").read_bytes().decode("utf-8", "replace")
                    if words in line:
                        found.add(line.replace("\0", " ")[:500])

    thread = threading.Thread(target=listen)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()
