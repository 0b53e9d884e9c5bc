"""Read answers.yml, with a line number for each problem. ``yaml/parser.py`` knows YAML."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from pathlib import Path
from typing import Any

from oz_installer.answers.local_files import chmod_hint
from oz_installer.answers.model import Answers, SecretRef
from oz_installer.answers.questions import root
from oz_installer.answers.yaml.parser import parse, parse_error
from oz_installer.answers.yaml.reader import Reader, build_section
from oz_installer.errors import AnswersError, Problem
from oz_installer.frozen import dataclass

LARGEST = 1024 * 1024
"""Maximum size of an answers file, in bytes."""


@dataclass(frozen=True, kw_only=True)
class LoadedAnswers:
    """Answers with their file; ``lines`` maps each given key to its line."""

    answers: Answers
    source: str
    lines: Mapping[str, int] = field(repr=False)

    def with_location(self, problem: Problem) -> Problem:
        """Return the problem with the file's name and the line of its key, or of the key around it."""
        names = [node.name for node in self.answers.nodes]
        placed = replace(problem, source=self.source, line=line_of(problem.key, self.lines))
        return _named(placed, names)


@dataclass(frozen=True, kw_only=True)
class ParsedFile:
    """A parsed answers file, which may be incomplete: ``values`` by section, and ``problems``.

    ``refused`` has the texts of keys with invalid values, never secrets, so that a form can show them;
    ``refused_secrets`` has the keys of invalid secrets, ``nulls`` the keys given as null, ``lost`` the
    problems of everything that is in none of these.
    """

    values: Mapping[str, Any] = field(repr=False)
    source: str
    lines: Mapping[str, int] = field(repr=False)
    problems: tuple[Problem, ...]
    refused: Mapping[str, str] = field(default_factory=dict, repr=False)
    refused_secrets: tuple[str, ...] = ()
    nulls: tuple[str, ...] = ()
    lost: tuple[Problem, ...] = ()

    def build_answers(self) -> LoadedAnswers:
        """Build the answers. Raises AnswersError with every problem."""
        if self.problems:
            raise parse_error(self.source, self.problems)
        answers: Answers = build_section(root(), self.values)
        return LoadedAnswers(answers=answers, source=self.source, lines=self.lines)


def load(path: Path) -> Answers:
    """Read an answers file. Raises AnswersError with every problem found."""
    return read(path).answers


def loads(text: str, source: str = "answers.yml") -> Answers:
    """Read answers from a text. Raises AnswersError with every problem found."""
    return parse_text(text, source).build_answers().answers


def read(path: Path) -> LoadedAnswers:
    """Read an answers file and its line numbers. Raises AnswersError with every problem found."""
    draft = parse_file(path)
    if not draft.lines and all(problem.message == "is missing" for problem in draft.problems):
        raise AnswersError(
            f"{path.absolute()}: has no answers",
            "write answers into it; docs/answers.md shows the smallest file",
        )
    return draft.build_answers()


def parse_file(path: Path) -> ParsedFile:
    """Read a file that may be incomplete. Raises AnswersError when it is not YAML."""
    data, mode = _bytes(path)
    if mode & stat.S_IWOTH:
        raise AnswersError(
            f"{path}: can be written by everybody, who would decide what runs as root on the nodes",
            f"read it again, then {chmod_hint(path, 'o-w')}",
        )
    draft = parse_text(_decode(data, str(path)), str(path))
    if mode & (stat.S_IRGRP | stat.S_IROTH) and _holds_plain(draft.values):
        raise AnswersError(
            f"{path}: contains a secret and can be read by others",
            f"replace the secret by {{env: NAME}} or {{file: PATH}}, or {chmod_hint(path)}",
        )
    return draft


def parse_text(text: str, source: str = "answers.yml") -> ParsedFile:
    """Read a text that may be incomplete. Raises AnswersError when it is not YAML."""
    reader = Reader(source)
    document = parse(text, reader)
    values = reader.section(root(), document, "")
    order = sorted(reader.problems, key=lambda problem: problem.line or 0)
    nodes = values.get("nodes")
    names = [str(node.get("name") or "") for node in nodes] if isinstance(nodes, list) else []
    return ParsedFile(
        values=values,
        source=source,
        lines=reader.lines,
        problems=tuple(_named(problem, names) for problem in order),
        refused=reader.refused,
        refused_secrets=tuple(reader.refused_secrets),
        nulls=tuple(reader.nulls),
        lost=tuple(problem for problem in order if problem in reader.lost),
    )


def line_of(key: str, lines: Mapping[str, int]) -> int | None:
    """Return the line of a dotted key, or of the nearest key around it when it was left out."""
    while key not in lines:
        shorter = re.sub(r"(\.?[^.\[\]]*|\[\d+\])$", "", key)
        if not shorter or shorter == key:
            return None
        key = shorter
    return lines[key]


def _named(problem: Problem, names: Sequence[str]) -> Problem:
    """Return the problem with the name of its node, if it is in a node that has a name."""
    found = re.match(r"nodes\[(\d+)\]", problem.key)
    index = int(found[1]) if found else len(names)
    return replace(problem, item=names[index]) if index < len(names) else problem


def _bytes(path: Path) -> tuple[bytes, int]:
    """Return the file's content and mode. Raises AnswersError when it cannot be read."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as stream:
            status = os.fstat(stream.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise AnswersError(f"{path}: is not a regular file", "name the answers file itself")
            data = stream.read(LARGEST + 1)
    except FileNotFoundError as error:
        hint = "name an answers file with --answers; docs/answers.md describes its content"
        raise AnswersError(f"{path.absolute()}: no such file", hint) from error
    except IsADirectoryError as error:
        raise AnswersError(f"{path}: is a folder", "name the answers file in it") from error
    except OSError as error:
        raise AnswersError(f"{path}: cannot be read: {error.strerror}", "check its owner and mode") from error
    except ValueError as error:
        raise AnswersError(
            f"{str(path)!r}: is not a file name", "name an answers file with --answers"
        ) from error
    if len(data) > LARGEST:
        raise AnswersError(
            f"{path}: is larger than 1 MiB", "name the answers file; it has a few hundred lines at most"
        )
    return data, status.st_mode


def _decode(data: bytes, source: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise AnswersError(f"{source}: is UTF-16 text, not UTF-8", "save the file as UTF-8") from error
        line = data.count(b"\n", 0, error.start) + 1
        raise AnswersError(f"{source}:{line}: is not UTF-8 text", "save the file as UTF-8") from error


def _holds_plain(values: Any) -> bool:
    if isinstance(values, Mapping):
        return any(_holds_plain(value) for value in values.values())
    if isinstance(values, list):
        return any(_holds_plain(value) for value in values)
    return isinstance(values, SecretRef) and values.kind == "plain"
