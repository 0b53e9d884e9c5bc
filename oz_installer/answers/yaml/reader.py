"""Read answers from a YAML tree; collect every problem with its line in one pass."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from oz_installer.answers.questions import Question, Section
from oz_installer.answers.section_rules import check_section
from oz_installer.answers.yaml.convert import InvalidValue, convert_value
from oz_installer.answers.yaml.tree import InvalidNode, ListNode, Scalar, Tree, flow_text
from oz_installer.answers.yaml.tree import MapNode as Table
from oz_installer.errors import Problem

MOST_GUESSED = 100
"""Maximum number of problems up to which the closest key of an unknown one is searched."""

MOST_LISTED = 12
"""Maximum number of known keys that a message lists."""


class Reader:
    """Reads one document. ``lines`` maps each given dotted key to its line.

    ``refused`` has the texts of invalid values by key (never secrets), so that a form can show them;
    ``refused_secrets`` and ``nulls`` have keys, ``lost`` the problems of everything that is in none of these.
    """

    def __init__(self, source: str | None) -> None:
        self.source = source
        self.lines: dict[str, int] = {}
        self.problems: list[Problem] = []
        self.refused: dict[str, str] = {}
        self.refused_secrets: list[str] = []
        self.nulls: list[str] = []
        self.lost: set[Problem] = set()
        self._invalid_keys: set[str] = set()
        self._reported: set[Problem] = set()

    def add_problem(self, key: str, text: str, line: int | None, *, lost: bool = False) -> None:
        """Add a problem; ``text`` is ``problem; hint``. ``lost``: no field can show the value."""
        message, _, hint = text.partition("; ")
        problem = Problem(key=key, message=message, hint=hint, line=line, source=self.source)
        if problem not in self._reported:
            self.problems.append(problem)
            self._reported.add(problem)
        if lost:
            self.lost.add(problem)
        self._invalid_keys.add(key)

    def section(self, section: Section, tree: Tree, key: str) -> dict[str, Any]:
        """Return the values of a section by name; unknown, missing and invalid ones become problems."""
        if isinstance(tree, InvalidNode) or (isinstance(tree, Scalar) and tree.yaml_type == "null"):
            tree = Table(tree.line)
        if not isinstance(tree, Table):
            self.add_problem(key, "should be keys with values; such as key: value", tree.line, lost=True)
            return {}
        known = {item.name: item for item in section.items}
        values: dict[str, Any] = {}
        for name, entry in tree.entries.items():
            path = f"{key}.{name}" if key else name
            self.lines[path] = entry.line
            if item := known.get(name):
                self._item(item, entry.value, path, values)
            else:
                patient = len(self.problems) < MOST_GUESSED
                text = _unknown_key_text(name, known) if patient else "is not known here"
                self.add_problem(path, text, entry.line, lost=True)
        for name, item in known.items():
            if item.required and name not in tree.entries:
                self.add_problem(f"{key}.{name}" if key else name, "is missing", tree.line if key else None)
        return values

    def _item(self, item: Question | Section, tree: Tree, path: str, values: dict[str, Any]) -> None:
        if isinstance(item, Section):
            values[item.name] = self._nested(item, tree, path)
            return
        if _has_invalid_node(tree):
            self._invalid_keys.add(path)
            return
        if isinstance(tree, Scalar) and tree.yaml_type == "null":
            if item.required:
                self.add_problem(path, "is needed", tree.line)
            else:
                self.nulls.append(path)
            return
        try:
            value = convert_value(item, tree)
            if problem := item.check(value):
                raise InvalidValue(problem)
            values[item.name] = value
        except InvalidValue as refused:
            shown = self._refuse(item, tree, path)
            self.add_problem(
                f"{path}{refused.below}", str(refused), refused.line or tree.line, lost=not shown
            )
            self._invalid_keys.add(path)

    def _refuse(self, item: Question, tree: Tree, path: str) -> bool:
        """Keep an invalid value for a form; return whether a form can show it."""
        if item.kind == "secret":
            self.refused_secrets.append(path)
        elif isinstance(tree, Scalar):
            self.refused[path] = tree.text
        elif item.kind in ("list", "map", "settings"):
            self.refused[path] = flow_text(tree)
        else:
            return False
        return True

    def _nested(self, section: Section, tree: Tree, path: str) -> Any:
        if not section.many:
            values = self.section(section, tree, path)
            self._check_section(section, {**defaults_of(section), **values}, path)
            return values
        if isinstance(tree, InvalidNode):
            return []
        if isinstance(tree, Scalar) and tree.yaml_type == "null":
            tree = ListNode(tree.line)
        if not isinstance(tree, ListNode):
            self.add_problem(path, "should be a list; start each item with a hyphen", tree.line, lost=True)
            return []
        rows = []
        for index, item in enumerate(tree.items):
            self.lines[f"{path}[{index}]"] = item.line
            rows.append(self.section(section, item, f"{path}[{index}]"))
        if section.rule and (problem := section.rule(rows)):
            self.add_problem(path, problem, tree.line)
        self._check_section(section, rows, path)
        return rows

    def _check_section(self, section: Section, values: Any, path: str) -> None:
        if isinstance(values, dict):
            values = {
                name: value for name, value in values.items() if f"{path}.{name}" not in self._invalid_keys
            }
        for key, text in check_section(section.name, values, path):
            self.add_problem(key, text, self.lines.get(key, self.lines.get(path)))


def build_section(section: Section, values: Mapping[str, Any]) -> Any:
    """Build the section's dataclass from valid values; missing ones take their defaults."""
    made: dict[str, Any] = {}
    for item in section.items:
        if item.name not in values:
            continue
        value = values[item.name]
        if isinstance(item, Section):
            value = (
                tuple(build_section(item, row) for row in value) if item.many else build_section(item, value)
            )
        made[item.name] = value
    return section.model(**made)


def defaults_of(section: Section) -> dict[str, Any]:
    """Return the defaults of a section by name; required questions have none."""
    return {question.name: question.default for question in section.questions if not question.required}


def _unknown_key_text(name: str, known: Mapping[str, Any]) -> str:
    close = get_close_matches(name[:64].lower(), known, n=1, cutoff=0.6)
    if close:
        return f"is not known here; the closest key is {close[0]}"
    if len(known) > MOST_LISTED:
        return "is not known here; run oz-install schema to see the known keys"
    return f"is not known here; the known keys are {', '.join(known)}"


def _has_invalid_node(tree: Tree) -> bool:
    if isinstance(tree, ListNode):
        return any(_has_invalid_node(item) for item in tree.items)
    if isinstance(tree, Table):
        return any(_has_invalid_node(entry.value) for entry in tree.entries.values())
    return isinstance(tree, InvalidNode)
