"""Parse YAML to a tree with line numbers; find comments. The only user of PyYAML in answers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, cast

import yaml

from oz_installer.answers.safe_text import unprintable_character
from oz_installer.answers.yaml import tree
from oz_installer.answers.yaml.reader import Reader
from oz_installer.errors import AnswersError, Problem

DEEPEST = 32
"""Maximum nesting of lists and mappings."""

MOST_EVENTS = 100_000
"""Maximum number of lists, mappings and texts in a file."""

MOST_PROBLEMS = 100
"""Maximum number of problems that are listed; the others are cut off."""

_HEAD = re.compile(r"[|>][-+0-9]*[ \t]+(#.*)")
"""A comment on the first line of a block scalar, which PyYAML makes part of the token."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Comment:
    """A comment; ``line`` counts from 1, ``whole``: nothing else is on the line."""

    line: int
    text: str
    whole: bool


def parse(text: str, reader: Reader) -> tree.Tree:
    """Parse the document of a text; problems go to the reader. Raises AnswersError: not YAML."""
    return _Parser(text, reader).document()


def read_value(text: str) -> tree.Tree:
    """Parse one value of a form as YAML. Raises AnswersError when it is not YAML or not plain."""
    reader = Reader(None)
    value = parse(text, reader)
    if reader.problems:
        raise AnswersError("is not a plain value", problems=reader.problems)
    return value


def split_lines(text: str) -> list[str]:
    """Split a text into lines as YAML counts them, without line ends."""
    return re.split(r"\r\n|\r|\n", text)


def comments(text: str) -> tuple[Comment, ...]:
    """Return every comment of a YAML text, in order, from the gaps between its tokens."""
    found: list[Comment] = []
    lines = split_lines(text)
    line = column = 0
    for token in yaml.scan(text, Loader=_LOADER):
        end = token.start_mark
        for number in range(line, min(end.line + 1, len(lines))):
            start = column if number == line else 0
            gap = lines[number][start : end.column if number == end.line else None].strip("\ufeff \t")
            if gap.startswith("#"):
                whole = not lines[number][:start].strip("\ufeff \t")
                found.append(Comment(number + 1, gap, whole))
        if getattr(token, "style", None) in ("|", ">") and (
            head := _HEAD.match(lines[end.line][end.column :])
        ):
            found.append(Comment(end.line + 1, head[1], False))
        line, column = token.end_mark.line, token.end_mark.column
    return tuple(found)


def parse_error(source: str, problems: Sequence[Problem]) -> AnswersError:
    """Return the error that lists every problem of a text."""
    more = f"; the first {MOST_PROBLEMS} problems are listed" if len(problems) > MOST_PROBLEMS else ""
    return AnswersError(f"{source} cannot be used{more}", problems=problems[:MOST_PROBLEMS])


class _Open:
    """A list or mapping that is being parsed.

    ``shown`` is its node in the tree, ``path`` its dotted key, ``key`` the key that waits for its value.
    """

    def __init__(self, holder: tree.ListNode | tree.MapNode, shown: tree.Tree, path: str) -> None:
        self.holder = holder
        self.shown = shown
        self.path = path
        self.key: tree.Scalar | None = None


class _Parser:
    """Builds the tree from YAML events, without recursion or expansion: YAML bombs do no harm."""

    def __init__(self, text: str, reader: Reader) -> None:
        self.text = text
        self.reader = reader
        self.stack: list[_Open] = []
        self.top: tree.Tree = tree.MapNode(1)

    def document(self) -> tree.Tree:
        """Parse the document of the text. Raises AnswersError when it is not YAML."""
        for number, line in enumerate(split_lines(self.text), 1):
            if bad := unprintable_character(line.replace("\t", " ").replace("\ufeff", " ")):
                self._stop(f"holds the control character {bad}", "remove it", number)
        documents = 0
        try:
            events = cast("Iterable[Any]", yaml.parse(self.text, Loader=_LOADER))  # all have a mark
            for count, event in enumerate(events):
                here = event.start_mark.line + 1
                if isinstance(event, yaml.DocumentStartEvent):
                    documents += 1
                if documents > 1:
                    self._stop("a second document starts", "remove the line ---", here)
                if count > MOST_EVENTS or len(self.stack) > DEEPEST:
                    self._stop("is nested too deeply or too long for answers", "", here)
                self._event(event)
        except yaml.YAMLError as error:
            self._broken(error)
        return self.top

    def _stop(self, message: str, hint: str, line: int | None) -> NoReturn:
        problem = Problem(key="", message=message, hint=hint, line=line, source=self.reader.source)
        problems = (*self.reader.problems, problem)
        raise parse_error(str(self.reader.source), problems)

    def _broken(self, error: yaml.YAMLError) -> None:
        reason = getattr(error, "problem", None) or getattr(error, "reason", None) or "cannot be read"
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        if not mark:
            self._stop(f"is not YAML: {reason}", "", None)
        lines = self.text.splitlines() or [""]
        wrong = lines[min(mark.line, len(lines) - 1)]
        start = getattr(error, "context_mark", None)
        if start and start.line != mark.line:
            reason = f"{reason} {getattr(error, 'context', '')} that starts in line {start.line + 1}"
        hint = "check the indentation, quotes and colons here and in the line above"
        if "\t" in re.match(r"\s*", wrong)[0]:  # type: ignore[index]
            hint = "indent with spaces, not with tabs"
        self._stop(f"is not YAML at column {mark.column + 1}: {reason}", hint, mark.line + 1)

    def _event(self, event: Any) -> None:
        line, end = event.start_mark.line + 1, event.end_mark
        if isinstance(event, yaml.ScalarEvent):
            plain = event.implicit[0] and not event.style
            value = self._untagged(event, tree.Scalar(event.value, plain, line), line)
            self._put(value, line)
            self._ends(value, end.line + (1 if end.column else 0))
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            opened = tree.MapNode(line) if isinstance(event, yaml.MappingStartEvent) else tree.ListNode(line)
            opened.flow = bool(event.flow_style)
            value = self._untagged(event, opened, line)
            self.stack.append(_Open(opened, value, self._put(value, line)))
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            closed = self.stack.pop()
            self._ends(closed.shown, end.line + 1 if closed.holder.flow else closed.holder.last)
        elif isinstance(event, yaml.AliasEvent):
            self.reader.add_problem(
                f"*{event.anchor}", "aliases are not supported; write the value out", line, lost=True
            )
            self._put(tree.InvalidNode(line), line)

    def _ends(self, value: tree.Tree, last: int) -> None:
        """Extend a value, and the lists and mappings around it, to this line."""
        for reached in (value, *(opened.holder for opened in self.stack)):
            reached.last = max(reached.last, last)

    def _untagged(self, event: Any, value: tree.Tree, line: int) -> tree.Tree:
        if event.anchor:
            text = "anchors are not supported; write each value out"
            self.reader.add_problem(f"&{event.anchor}", text, line, lost=True)
        if event.tag:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")[:80]
            self.reader.add_problem(
                "", f"the tag {tag} is not supported; write a plain value in quotes", line, lost=True
            )
            return tree.InvalidNode(line)
        return value

    def _put(self, value: tree.Tree, line: int) -> str:
        """Add a value to its list or mapping; return its dotted key."""
        if not self.stack:
            self.top = value
            return ""
        top = self.stack[-1]
        if isinstance(top.holder, tree.ListNode):
            top.holder.items.append(value)
            return f"{top.path}[{len(top.holder.items) - 1}]"
        if top.key is None:
            if not isinstance(value, tree.Scalar):
                self.reader.add_problem(
                    top.path, "a key should be a plain text; write key: value", line, lost=True
                )
                value = tree.Scalar(f"?{line}", False, line)
            top.key = value
            return top.path
        key, top.key = top.key, None
        path = f"{top.path}.{key.text}".lstrip(".")
        if first := top.holder.entries.get(key.text):
            self.reader.add_problem(
                path, f"is a duplicate; remove it here or in line {first.line}", key.line, lost=True
            )
        else:
            top.holder.entries[key.text] = tree.Entry(key.line, key.plain, value)
        return path
