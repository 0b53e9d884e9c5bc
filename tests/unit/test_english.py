"""Limits on the package's English that a test can hold: docstrings, hints, banned words.

The rooms are the folders of the package, ``answers catalog checks cli console deploy formatting installation
lab remote render topology tui``, and ``top`` for the files directly in ``oz_installer``. None is exempt.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import oz_installer
from oz_installer import errors

PACKAGE = Path(oz_installer.__file__).parent
ROOMS = sorted({"top", *(path.parent.name for path in PACKAGE.glob("*/__init__.py"))})

LONGEST_FIRST_LINE = 90
OPENING = re.compile(r"[A-Z`]")
RIDDLE = re.compile(r"(What|How|When|Whose|So|Also)\b")
BANNED = re.compile(
    r"\b(told|mend|mends|mended|mending|amiss|besides|anew|whoever|of ours|lets us in)\b", re.IGNORECASE
)
ERRORS = {name for name, value in vars(errors).items() if isinstance(value, type)} - {"Problem"}


def docstring_faults(text: str) -> Iterator[str]:
    """What is wrong with a docstring's first line."""
    first = text.strip().partition("\n")[0]
    if len(first) > LONGEST_FIRST_LINE:
        yield f"first line has {len(first)} characters: {first}"
    if not OPENING.match(first):
        yield f"first line starts with neither a capital nor a backtick: {first}"
    if RIDDLE.match(first):
        yield f"first line is a riddle: {first}"


def text_faults(text: str) -> Iterator[str]:
    """The banned words of a text; an identifier is no text."""
    if not text.isidentifier():
        for found in BANNED.finditer(text):
            yield f"banned word «{found.group()}»: {' '.join(text.split())}"


def endings(value: ast.expr | None) -> Iterator[str]:
    """The last literal pieces of an expression that makes a text."""
    match value:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=[*_, last]):
            yield from endings(last)
        case ast.BinOp(op=ast.Add(), right=right):
            yield from endings(right)
        case ast.IfExp(body=body, orelse=other):
            yield from endings(body)
            yield from endings(other)
        case ast.BoolOp(values=values) | ast.Tuple(elts=values):
            for one in values:
                yield from endings(one)


def hints(node: ast.AST) -> Iterator[ast.expr | None]:
    """The expressions of a node that are hints: arguments, variables and results called so."""
    match node:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=args, keywords=keywords):
            if name in ERRORS:
                yield from args[1:2]
            yield from (keyword.value for keyword in keywords if "hint" in (keyword.arg or ""))
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if "hint" in name.lower():
            yield value
        case ast.FunctionDef(name=name) if "hint" in name:
            yield from (inside.value for inside in ast.walk(node) if isinstance(inside, ast.Return))


def module_faults(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """What is wrong with the English of a module, with the line."""
    docstrings = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if id(node) in docstrings:
                yield from ((line, fault) for fault in docstring_faults(node.value))
            yield from ((line, fault) for fault in text_faults(node.value))
        for hint in hints(node):
            for text in endings(hint):
                if text.rstrip().endswith("?"):
                    yield line, f"hint is a question: {text}"


@cache
def faults(room: str) -> tuple[str, ...]:
    """What is wrong with the English of a room, each with file and line."""
    folder = PACKAGE if room == "top" else PACKAGE / room
    found = []
    for path in sorted(folder.glob("*.py") if room == "top" else folder.rglob("*.py")):
        if "standins" not in path.parts:
            found += [
                f"{path.relative_to(PACKAGE)}:{line}: {fault}"
                for line, fault in module_faults(ast.parse(path.read_text()))
            ]
    for path in sorted(folder.rglob("*.yml")) if room == "catalog" else ():
        found += [f"{path.relative_to(PACKAGE)}: {fault}" for fault in text_faults(path.read_text())]
    return tuple(found)


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_keeps_to_the_rules(room: str) -> None:
    assert not faults(room), "\n".join(faults(room))


def test_every_room_is_known() -> None:
    assert len(ROOMS) == 14


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ('"""What a thing is."""', "riddle"),
        ('"""So it is."""', "riddle"),
        ('"""lower case."""', "capital"),
        (f'"""A{"a" * 90}"""', "91 characters"),
        ('X = 1\n"""How many."""', "riddle"),
        ('x = "it was told"', "told"),
        ('x = f"{y} stands Anew"', "Anew"),
        ('x = "a file of ours"', "of ours"),
        ('raise OzError("a", "Is it?")', "question"),
        ('raise errors.ConnectError("a", f"Is {x}?")', "question"),
        ('Problem(key="a", message="b", hint="a" if x else "b?")', "question"),
        ('hint = "a" + "b?"', "question"),
        ('def hint_for() -> str:\n    return "b?"', "question"),
    ],
)
def test_each_fault_is_found(source: str, fault: str) -> None:
    found = [text for _, text in module_faults(ast.parse(source))]
    assert len(found) == 1
    assert fault in found[0]


@pytest.mark.parametrize(
    "source",
    [
        '"""Return the address.\n\n    So that nothing is lost."""',
        '"""``api1 · api``."""',
        '"""Sort whatever there is."""',
        'x = {"told": 1, "beside": "newly amended"}',
        'ask("Continue?", hint="Check the file.")',
        'raise OzError("Is it?", "Check it.")',
    ],
)
def test_plain_english_is_no_fault(source: str) -> None:
    assert not list(module_faults(ast.parse(source)))
