"""answers.yml: read with line numbers, refused with reasons. The one module here that knows YAML."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NoReturn

import yaml

from oz_installer.answers import tree
from oz_installer.answers.model import Answers, SecretRef
from oz_installer.answers.questions import root
from oz_installer.answers.reading import Reader, build
from oz_installer.answers.rules import unsafe_character
from oz_installer.errors import AnswersError, Problem

LARGEST = 1024 * 1024
"""No answers file may be larger, in bytes."""

DEEPEST = 32
"""No list or mapping may stand deeper."""

MOST_EVENTS = 100_000
"""A file of more lists, mappings and texts is refused."""

MOST_PROBLEMS = 100
"""More problems than this are counted, not listed."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, kw_only=True)
class LoadedAnswers:
    """Answers and where they stand in their file; ``lines`` maps each given key to its line."""

    answers: Answers
    source: str
    lines: Mapping[str, int] = field(repr=False)

    def place(self, problem: Problem) -> Problem:
        """The problem with this file's name and the line of its key, or of what its key stands in."""
        return replace(problem, source=self.source, line=line_of(problem.key, self.lines))


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A file as far as it could be read: ``values`` by section, ``problems`` what is wrong or missing.

    ``refused`` has the texts of keys whose value is no answer, never secrets, so that a form can show them;
    ``refused_secrets`` the keys of those secrets, ``nulls`` keys that were given as null, ``lost`` the
    problems of what is in none of these.
    """

    values: Mapping[str, Any] = field(repr=False)
    source: str
    lines: Mapping[str, int] = field(repr=False)
    problems: tuple[Problem, ...]
    refused: Mapping[str, str] = field(default_factory=dict, repr=False)
    refused_secrets: tuple[str, ...] = ()
    nulls: tuple[str, ...] = ()
    lost: tuple[Problem, ...] = ()

    def finish(self) -> LoadedAnswers:
        """Make answers of it. Raises AnswersError with all the problems."""
        if self.problems:
            raise AnswersError(_count(self.source, self.problems), problems=self.problems[:MOST_PROBLEMS])
        answers: Answers = build(root(), self.values)
        return LoadedAnswers(answers=answers, source=self.source, lines=self.lines)


def load(path: Path) -> Answers:
    """Read an answers file. Raises AnswersError with every problem found."""
    return read(path).answers


def loads(text: str, source: str = "answers.yml") -> Answers:
    """Read answers from a text. Raises AnswersError with every problem found."""
    return read_draft_text(text, source).finish().answers


def read(path: Path) -> LoadedAnswers:
    """Read an answers file, keeping its lines. Raises AnswersError with every problem found."""
    return read_draft(path).finish()


def read_draft(path: Path) -> Draft:
    """Read a file that need not be complete. Raises AnswersError when it cannot be read as YAML at all."""
    data, mode = _bytes(path)
    draft = read_draft_text(_decode(data, str(path)), str(path))
    if mode & (stat.S_IRGRP | stat.S_IROTH) and _holds_plain(draft.values):
        raise AnswersError(
            f"{path}: holds a secret and can be read by others",
            f"chmod 600 {path}, or write {{env: NAME}} or {{file: PATH}} in place of the secret",
        )
    return draft


def read_draft_text(text: str, source: str = "answers.yml") -> Draft:
    """Read a text that need not be complete. Raises AnswersError when it is not YAML at all."""
    reader = Reader(source)
    document = _Parser(text, reader).document()
    values = reader.section(root(), document, "")
    order = sorted(reader.problems, key=lambda problem: problem.line or 0)
    return Draft(
        values=values,
        source=source,
        lines=reader.lines,
        problems=tuple(order),
        refused=reader.refused,
        refused_secrets=tuple(reader.refused_secrets),
        nulls=tuple(reader.nulls),
        lost=tuple(problem for problem in order if problem in reader.lost),
    )


def read_value(text: str) -> tree.Tree:
    """One value as YAML, such as a form holds it. Raises AnswersError when it is not YAML or not plain."""
    reader = Reader(None)
    value = _Parser(text, reader).document()
    if reader.problems:
        raise AnswersError("is no plain value", problems=reader.problems)
    return value


def line_of(key: str, lines: Mapping[str, int]) -> int | None:
    """The line of a dotted key; of the nearest key around it when it was left out."""
    while key not in lines:
        shorter = re.sub(r"(\.?[^.\[\]]*|\[\d+\])$", "", key)
        if not shorter or shorter == key:
            return None
        key = shorter
    return lines[key]


def _count(source: str, problems: tuple[Problem, ...]) -> str:
    more = f"; here are the first {MOST_PROBLEMS}" if len(problems) > MOST_PROBLEMS else ""
    return f"{source}: {len(problems)} problem{'s' if len(problems) > 1 else ''}{more}"


def _bytes(path: Path) -> tuple[bytes, int]:
    """The file's content and mode. Raises AnswersError when it cannot be had."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as stream:
            status = os.fstat(stream.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise AnswersError(f"{path}: is not a regular file", "name the answers file itself")
            data = stream.read(LARGEST + 1)
    except FileNotFoundError as error:
        raise AnswersError(f"{path}: there is no such file", "name an answers file with --answers") from error
    except IsADirectoryError as error:
        raise AnswersError(f"{path}: is a folder", "name the answers file in it") from error
    except OSError as error:
        raise AnswersError(f"{path}: cannot be read: {error.strerror}", "check its owner and mode") from error
    except ValueError as error:
        raise AnswersError(
            f"{str(path)!r}: is no file's name", "name an answers file with --answers"
        ) from error
    if len(data) > LARGEST:
        raise AnswersError(f"{path}: is larger than 1 MiB", "an answers file has some hundred lines at most")
    return data, status.st_mode


def _decode(data: bytes, source: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise AnswersError(f"{source}:{line}: is not UTF-8 text", "save the file as UTF-8") from error


def _holds_plain(values: Any) -> bool:
    if isinstance(values, Mapping):
        return any(_holds_plain(value) for value in values.values())
    if isinstance(values, list):
        return any(_holds_plain(value) for value in values)
    return isinstance(values, SecretRef) and values.kind == "plain"


class _Open:
    """A list or mapping that is being read, its dotted key, and the key that waits for its value."""

    def __init__(self, holder: tree.Items | tree.Mapping, path: str) -> None:
        self.holder = holder
        self.path = path
        self.key: tree.Scalar | None = None


class _Parser:
    """Builds the tree from YAML events: no recursion, no construction, so a bomb has nothing to expand."""

    def __init__(self, text: str, reader: Reader) -> None:
        self.text = text
        self.reader = reader
        self.stack: list[_Open] = []
        self.top: tree.Tree = tree.Mapping(1)

    def document(self) -> tree.Tree:
        """The one document of the text. Raises AnswersError when it is not YAML."""
        for number, line in enumerate(re.split(r"\r\n|\r|\n", self.text), 1):
            if bad := unsafe_character(line.replace("\t", " ").replace("\ufeff", " ")):
                self._stop(f"holds the control character {bad}", "remove it", number)
        documents = 0
        event: Any
        try:
            for count, event in enumerate(yaml.parse(self.text, Loader=_LOADER)):
                if isinstance(event, yaml.DocumentStartEvent):
                    documents += 1
                if documents > 1:
                    self._stop("a second document starts", "remove the line ---", event.start_mark.line + 1)
                if count > MOST_EVENTS or len(self.stack) > DEEPEST:
                    self._stop("is too deep or too long for answers", "", event.start_mark.line + 1)
                self._event(event)
        except yaml.YAMLError as error:
            self._broken(error)
        return self.top

    def _stop(self, message: str, hint: str, line: int | None) -> NoReturn:
        problem = Problem(key="", message=message, hint=hint, line=line, source=self.reader.source)
        problems = (*self.reader.problems, problem)
        raise AnswersError(_count(str(self.reader.source), problems), problems=problems[:MOST_PROBLEMS])

    def _broken(self, error: yaml.YAMLError) -> None:
        said = getattr(error, "problem", None) or getattr(error, "reason", None) or "cannot be read"
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        if not mark:
            self._stop(f"is not YAML: {said}", "", None)
        lines = self.text.splitlines() or [""]
        wrong = lines[min(mark.line, len(lines) - 1)]
        start = getattr(error, "context_mark", None)
        if start and start.line != mark.line:
            said = f"{said} {getattr(error, 'context', '')} that starts in line {start.line + 1}"
        hint = "check the indentation, quotes and colons here and in the line above"
        if "\t" in re.match(r"\s*", wrong)[0]:  # type: ignore[index]
            hint = "indent with spaces, not with tabs"
        self._stop(f"is not YAML at column {mark.column + 1}: {said}", hint, mark.line + 1)

    def _event(self, event: Any) -> None:
        line = event.start_mark.line + 1
        if isinstance(event, yaml.ScalarEvent):
            plain = event.implicit[0] and not event.style
            self._put(self._untagged(event, tree.Scalar(event.value, plain, line), line), line)
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            opened = tree.Mapping(line) if isinstance(event, yaml.MappingStartEvent) else tree.Items(line)
            path = self._put(self._untagged(event, opened, line), line)
            self.stack.append(_Open(opened, path))
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self.stack.pop()
        elif isinstance(event, yaml.AliasEvent):
            self.reader.tell(f"*{event.anchor}", "aliases are not read; write the value out", line, lost=True)
            self._put(tree.Broken(line), line)

    def _untagged(self, event: Any, value: tree.Tree, line: int) -> tree.Tree:
        if event.anchor:
            said = "anchors are not read; write each value out"
            self.reader.tell(f"&{event.anchor}", said, line, lost=True)
        if event.tag:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")[:80]
            self.reader.tell("", f"the tag {tag} is not read; write a plain value in quotes", line, lost=True)
            return tree.Broken(line)
        return value

    def _put(self, value: tree.Tree, line: int) -> str:
        """Put a value where it belongs; its dotted key."""
        if not self.stack:
            self.top = value
            return ""
        top = self.stack[-1]
        if isinstance(top.holder, tree.Items):
            top.holder.items.append(value)
            return f"{top.path}[{len(top.holder.items) - 1}]"
        if top.key is None:
            if not isinstance(value, tree.Scalar):
                self.reader.tell(top.path, "a key should be a plain text; write key: value", line, lost=True)
                value = tree.Scalar(f"?{line}", False, line)
            top.key = value
            return top.path
        key, top.key = top.key, None
        path = f"{top.path}.{key.text}".lstrip(".")
        if first := top.holder.entries.get(key.text):
            self.reader.tell(path, f"stands twice; line {first.line} has it already", key.line, lost=True)
        else:
            top.holder.entries[key.text] = tree.Entry(key.line, key.plain, value)
        return path
