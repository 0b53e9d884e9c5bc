"""Which private names of other people's libraries a tree of Python files uses, and where.

Names are read from the files; what a class inherits is read from the live class, so that an override of a
private method is seen as one.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import textwrap
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
OURS = ("oz_installer", "tests", "bench")
PUBLIC = frozenset({"os._exit", "sys._current_frames"})
"""Documented in spite of their names."""

BY_NAME = frozenset({"getattr", "setattr", "hasattr", "delattr", "attrgetter", "methodcaller"})


@dataclass(frozen=True, order=True)
class Use:
    """A private name, and where it is used."""

    file: str
    line: int
    name: str
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


def is_private(name: str) -> bool:
    """Whether a name is private, and not Python's own."""
    return name.startswith("_") and not name.endswith("__") and name.strip("_") != ""


def python_files(folder: str) -> list[Path]:
    """Files below a folder of the project, but for those that run in containers."""
    files = sorted((ROOT / folder).rglob("*.py"))
    return [file for file in files if not {"standins", "golden"} & set(file.relative_to(ROOT).parts)]


def defined(tree: ast.AST) -> set[str]:
    """Private names that a file gives to something."""
    names: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.Attribute(attr=name, ctx=ast.Store()) | ast.Name(id=name, ctx=ast.Store()):
                names.add(name)
            case ast.Assign(targets=[ast.Name(id="__slots__")], value=ast.Tuple(elts=items)):
                names |= {str(item.value) for item in items if isinstance(item, ast.Constant)}
    return set(filter(is_private, names))


def foreign_attributes(tree: ast.AST, file: str, known: set[str]) -> Iterator[Use]:
    """Private attributes of something that is none of ``known``, by name or by a string."""
    for node in ast.walk(tree):
        name = ""
        match node:
            case ast.Attribute():
                name = "" if _is_self(node.value) else node.attr
            case ast.Call(func=ast.Name(id=call) | ast.Attribute(attr=call), args=args) if call in BY_NAME:
                name = next((str(arg.value) for arg in args if isinstance(arg, ast.Constant)), "")
            case ast.ImportFrom(module=str(module), names=names) if _is_foreign(module):
                name = next(filter(is_private, [*module.split("."), *(one.name for one in names)]), "")
            case ast.Import(names=names):
                parts = [part for one in names if _is_foreign(one.name) for part in one.name.split(".")]
                name = next(filter(is_private, parts), "")
        text = ast.unparse(node) if name else ""
        if is_private(name) and name not in known and text not in PUBLIC:
            yield Use(file, getattr(node, "lineno", 0), name, text)


def borrowed_by_classes(tree: ast.Module, file: str) -> Iterator[Use]:
    """Private names that a class overrides, redefines or uses of a base class from elsewhere."""
    module = importlib.import_module(".".join(Path(file).with_suffix("").parts).removesuffix(".__init__"))
    for path, node in _classes(tree, ()):
        live: object = module
        for part in path:
            live = getattr(live, part, None)
        foreign = _foreign_names(live) if isinstance(live, type) else None  # None: made within a function
        for name, line in _class_names(node):
            if foreign is None or name in foreign:
                yield Use(file, line, name, f"{'.'.join(path)}.{name}")


def _classes(node: ast.AST, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], ast.ClassDef]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef):
            yield (*path, child.name), child
            yield from _classes(child, (*path, child.name))
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _classes(child, (*path, f"{child.name}()"))
        else:
            yield from _classes(child, path)


def _class_names(node: ast.ClassDef) -> Iterator[tuple[str, int]]:
    """Private names in a class's body, and those that its methods use of themselves."""
    for one in node.body:
        names = defined(ast.Module([one], [])) if isinstance(one, ast.Assign | ast.AnnAssign) else set()
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) and is_private(one.name):
            names = {one.name}
        yield from ((name, one.lineno) for name in names)
    for inner in ast.walk(node):
        if isinstance(inner, ast.Attribute) and is_private(inner.attr) and _is_self(inner.value):
            yield inner.attr, inner.lineno


def _is_self(node: ast.expr) -> bool:
    if isinstance(node, ast.Call):
        node = node.func
    return isinstance(node, ast.Name) and node.id in ("self", "cls", "super")


def _is_foreign(module: str) -> bool:
    return module.split(".")[0] not in (*OURS, "__future__")


@cache
def _foreign_names(live: type) -> frozenset[str]:
    bases = [base for base in live.__mro__ if _is_foreign(base.__module__) and base.__module__ != "builtins"]
    return frozenset().union(*map(_names_of, bases))


@cache
def _names_of(base: type) -> frozenset[str]:
    """Private names of a class: in its body, and given to its instances."""
    names = set(vars(base))
    with suppress(OSError, TypeError):
        tree = ast.parse(textwrap.dedent(inspect.getsource(base)))
        stores = (node for node in ast.walk(tree) if isinstance(node, ast.Attribute))
        names |= {node.attr for node in stores if isinstance(node.ctx, ast.Store)}
    return frozenset(filter(is_private, names))
