"""Write changed answers into an existing file; keep its comments, order and formatting."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

from oz_installer.answers.dotted_keys import DottedValues, UnparsedText, plain_secrets, split_key, with_value
from oz_installer.answers.file import ParsedFile, parse_text
from oz_installer.answers.questions import Question, Section, question, root
from oz_installer.answers.yaml.parser import Comment, comments, parse, split_lines
from oz_installer.answers.yaml.reader import Reader
from oz_installer.answers.yaml.tree import Entry, ListNode, Tree
from oz_installer.answers.yaml.tree import MapNode as Table
from oz_installer.answers.yaml.writer import dumps_values, flow, item_lines, row_lines, scalar
from oz_installer.errors import AnswersError
from oz_installer.secret import Masker, Secret

WIDEST = 110
"""Maximum length of a list or mapping that stays on one line, in characters."""

_DASH = re.compile(r"\s*-(?=\s|$)")
_MARKS = re.compile(r"---(\s|$)|\.\.\.(\s|$)|%")


def update_text(source: str, values: DottedValues) -> str:
    """Return the text with these values (``WorkingCopy.values_and_texts``).

    Lines that no answer can hold become comments. Where the text cannot be changed line by line (a JSON
    file), the answers are written again below the old comments.
    """
    try:
        draft = parse_text(source)
    except AnswersError:
        return dumps_values(values)
    if not draft.lost and _content_of(draft) == values:
        return source
    editor = _RoundTripEditor(source, draft)
    text = editor.text(values)
    if text is None or not _holds(text, values):
        above = [comment.text for comment in editor.comments]
        text = "\n".join([*above, "", dumps_values(values)] if above else [dumps_values(values)])
    return text


def _content_of(draft: ParsedFile) -> DottedValues:
    """The content of a file, valid or not, nested by section."""
    written: DottedValues = draft.values
    for key in draft.nulls:
        written = with_value(written, split_key(key), question(key).default)
    for key, text in draft.refused.items():
        written = with_value(written, split_key(key), UnparsedText(text))
    for key in draft.refused_secrets:
        written = with_value(written, split_key(key), object())
    return written


def _holds(text: str, values: DottedValues) -> bool:
    try:
        draft = parse_text(text)
    except AnswersError:
        return False
    return not draft.lost and _content_of(draft) == values


class _RoundTripEditor:
    """Edits a file line by line. Lines count from 0; a piece of the text is [start, stop)."""

    def __init__(self, source: str, draft: ParsedFile) -> None:
        self.newline = "\r\n" if "\r\n" in source else "\n"
        self.lines = split_lines(source)
        self.comments = comments(source)
        self.document = parse(source, Reader(None))
        self.old = _content_of(draft)
        self.lost = {problem.line for problem in draft.lost}
        self.masker = Masker(tuple(Secret(ref.where) for _, ref in plain_secrets(draft.values)))

    def text(self, values: DottedValues) -> str | None:
        """Return the whole text; None when its top level is not a block mapping."""
        if not isinstance(self.document, Table) or self.document.flow or not self.document.entries:
            return None
        first = next(iter(self.document.entries.values())).line - 1
        blank = [number for number in range(first) if not self.lines[number].strip()]
        head = blank[-1] + 1 if blank else first
        made = self.lines[:head]
        below, foot = _split_gap(self._gap(self.document.last, len(self.lines)), _indent(self.lines[first]))
        made += self.block(root(), self.document, head, self.old, values, below)
        made += foot
        return self.newline.join(made).rstrip("\r\n") + self.newline

    def block(
        self,
        section: Section | None,
        table: Table,
        start: int,
        old: Any,
        new: DottedValues,
        below: Sequence[str] = (),
    ) -> list[str]:
        """Return the lines from ``start`` to the end of a block mapping.

        ``below`` are lines that belong to its last key. Without ``section``, any key is allowed.
        """
        items = {item.name: item for item in section.items} if section else dict.fromkeys(new)
        made: list[tuple[str, list[str]]] = []
        indent = ""
        for name, entry in table.entries.items():
            indent = _indent(self.lines[entry.line - 1])
            above, gap = _split_gap(self._gap(start, entry.line - 1), indent)
            if made:
                made[-1][1].extend(above)
            else:
                gap = above + gap
            start = entry.value.last
            was = old.get(name) if isinstance(old, Mapping) else None
            known = name in items or section is None
            made.append((name, self._entry_lines(items.get(name), name, entry, gap, was, new, known)))
        made[-1][1].extend(below)
        order = list(items)
        for name in order:
            if name in new and name not in table.entries:
                before = set(order[: order.index(name)])
                index = max((at + 1 for at, (other, _) in enumerate(made) if other in before), default=0)
                made.insert(index, (name, list(_lines(items[name], name, new[name], indent))))
        return [line for _, lines in made for line in lines]

    def _entry_lines(
        self,
        item: Question | Section | None,
        name: str,
        entry: Entry,
        gap: list[str],
        old: Any,
        new: DottedValues,
        known: bool,
    ) -> list[str]:
        body = self.lines[entry.line - 1 : entry.value.last]
        lost = self._has_lost(entry.line - 1, entry.value.last)
        if not known or (lost and name not in new):
            return gap + self._as_comments(body)
        if name not in new:
            return _without_own_comments(gap, _indent(body[0]))
        if not lost and old == new[name]:
            return gap + body
        return gap + self._changed_entry(item, name, entry, old, new[name])

    def _changed_entry(
        self, item: Question | Section | None, name: str, entry: Entry, old: Any, new: Any
    ) -> list[str]:
        tree, head = entry.value, self.lines[entry.line - 1]
        block = isinstance(tree, Table | ListNode) and not tree.flow and tree.line > entry.line
        if block and isinstance(tree, Table) and tree.entries and isinstance(new, Mapping) and new:
            section = item if isinstance(item, Section) else None
            return [head, *self.block(section, tree, entry.line, old, new)]
        if block and isinstance(tree, ListNode) and isinstance(item, Section) and new:
            return [head, *self.rows(item, tree, entry.line, old, cast("Sequence[Any]", new))]
        indent = _indent(head)
        lines = list(_lines(item, name, new, indent))
        if _on_one_line(tree, entry.line) and new:
            lines = _one_line_if_short(f"{indent}{name}: {flow(_ordered(item, new))}", lines)
        return self._replacement(entry.line - 1, tree.last, indent, lines)

    def rows(
        self, section: Section, items: ListNode, start: int, old: Sequence[Any], new: Sequence[Any]
    ) -> list[str]:
        """Return the lines from ``start`` to the end of a block of nodes, in their new order."""
        spans: list[tuple[list[str], int, Tree]] = []
        for item in items.items:
            dash = next(n for n in range(start, item.line) if _DASH.match(self.lines[n]))
            spans.append((self._gap(start, dash), dash, item))
            start = item.last
        indent = _indent(self.lines[spans[0][1]])
        all_flow = all(_on_one_line(tree, tree.line) for _, _, tree in spans)
        matches = _match_rows(old, new)
        made: list[str] = []
        for row, index in zip(new, matches, strict=True):
            if index is None:
                lines = list(row_lines(section, row, indent))
                made += (
                    _one_line_if_short(f"{indent}- {flow(_ordered(section, row))}", lines)
                    if all_flow
                    else lines
                )
                continue
            gap, dash, tree = spans[index]
            made += gap
            if old[index] == row and not self._has_lost(dash, tree.last):
                made += self.lines[dash : tree.last]
            else:
                made += self._row_lines(section, tree, dash, old[index], row)
        gone = (spans[index][0] for index in range(len(spans)) if index not in matches)
        return made + [line for gap in gone for line in _without_own_comments(gap, indent)]

    def _row_lines(self, section: Section, tree: Tree, dash: int, old: Any, new: DottedValues) -> list[str]:
        indent = _indent(self.lines[dash])
        if not isinstance(tree, Table) or tree.flow or not tree.entries or not new:
            lines = list(row_lines(section, new, indent))
            if _on_one_line(tree, dash + 1):
                lines = _one_line_if_short(f"{indent}- {flow(_ordered(section, new))}", lines)
            return self._replacement(dash, tree.last, indent, lines)
        at = len(indent)
        self.lines[dash] = f"{indent} {self.lines[dash][at + 1 :]}"
        start = dash if self.lines[dash].strip() else dash + 1
        made = self.block(section, tree, start, old, new)
        first = next(n for n, line in enumerate(made) if line.strip() and not line.lstrip().startswith("#"))
        made[first] = f"{indent}-{made[first][at + 1 :]}"
        return made

    def _replacement(self, start: int, stop: int, indent: str, lines: list[str]) -> list[str]:
        """Return new lines for a piece of the text; its comments stay behind and above them."""
        if self._has_lost(start, stop):
            return self._as_comments(self.lines[start:stop]) + lines
        inside = [comment for comment in self.comments if start < comment.line <= stop]
        behind = next((comment for comment in inside if _is_trailing(comment, start)), None)
        if behind:
            lines = [f"{lines[0]}  {behind.text}", *lines[1:]]
        return [f"{indent}{comment.text}" for comment in inside if comment is not behind] + lines

    def _gap(self, start: int, stop: int) -> list[str]:
        """Return the lines between two entries; duplicate keys become comments."""
        made = self.lines[start:stop]
        return [line if _is_blank_or_comment(line) else self._as_comments([line])[0] for line in made]

    def _as_comments(self, lines: Sequence[str]) -> list[str]:
        """Turn lines into comments and mask the secrets in them; those are kept elsewhere."""
        indent = _indent(lines[0])
        return [self.masker(f"{indent}# {line.removeprefix(indent)}".rstrip()) for line in lines]

    def _has_lost(self, start: int, stop: int) -> bool:
        return any(number + 1 in self.lost for number in range(start, stop))


def _lines(item: Question | Section | None, name: str, value: Any, indent: str) -> Iterator[str]:
    if item is None:
        yield f"{indent}{scalar(name)}: {flow(value)}"
    else:
        yield from item_lines(item, value, indent)


def _ordered(item: Question | Section | None, value: Any) -> Any:
    """Return a section's values in the order of its questions."""
    if isinstance(item, Section) and isinstance(value, Mapping):
        return {inside.name: value[inside.name] for inside in item.items if inside.name in value}
    return [_ordered(item, row) for row in value] if isinstance(value, list) else value


def _one_line_if_short(line: str, lines: list[str]) -> list[str]:
    return [line] if len(line) <= WIDEST else lines


def _on_one_line(tree: Tree, line: int) -> bool:
    return isinstance(tree, Table | ListNode) and tree.flow and tree.last == line


def _is_trailing(comment: Comment, start: int) -> bool:
    return not comment.whole and comment.line == start + 1


def _is_blank_or_comment(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#") or bool(_MARKS.match(line))


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _split_gap(gap: list[str], indent: str) -> tuple[list[str], list[str]]:
    """Split the gap between two entries: deeper lines belong to the first entry."""
    deep = [at for at, line in enumerate(gap) if line.startswith(f"{indent} ") and line.strip()]
    stop = deep[-1] + 1 if deep else 0
    return gap[:stop], gap[stop:]


def _without_own_comments(gap: list[str], indent: str) -> list[str]:
    """Return the lines above an entry without its own comments.

    Its own comments stand directly above it at the same indent.
    """
    kept = list(gap)
    while kept and kept[-1].startswith(f"{indent}#"):
        kept.pop()
    return kept


def _match_rows(old: Sequence[Any], new: Sequence[Any]) -> list[int | None]:
    """Return the index of the matching old row for each new row: equal, same name or same host."""
    matches: list[int | None] = [None] * len(new)
    for key in (None, "name", "host"):
        for at, row in enumerate(new):
            if matches[at] is None:
                free: Iterable[int] = (index for index in range(len(old)) if index not in matches)
                matches[at] = next((index for index in free if _is_same_row(key, old[index], row)), None)
    return matches


def _is_same_row(key: str | None, one: DottedValues, other: DottedValues) -> bool:
    return one == other if key is None else one.get(key) is not None and one.get(key) == other.get(key)
