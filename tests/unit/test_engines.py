"""Which container engine it is, only the catalogue, the answers and the engine's own files ask."""

from __future__ import annotations

import ast
from pathlib import Path

import oz_installer

PACKAGE = Path(oz_installer.__file__).parent
ENGINES = {"docker", "podman"}


def compared(path: Path) -> list[int]:
    """Lines of a file that compare something with the name of an engine."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare)
        and any(
            isinstance(part, ast.Constant) and part.value in ENGINES
            for one in (node.left, *node.comparators)
            for part in ast.walk(one)
        )
    ]


def test_no_code_compares_the_name_of_an_engine() -> None:
    files = [path for path in PACKAGE.rglob("*.py") if "lab" not in path.relative_to(PACKAGE).parts]
    assert len(files) > 200
    found = [f"{path.relative_to(PACKAGE)}:{line}" for path in files for line in compared(path)]
    assert found == []


def test_a_comparison_is_found(tmp_path: Path) -> None:
    path = tmp_path / "one.py"
    path.write_text('a = engine == "podman"\nb = engine in ("docker",)\nc = {"docker": 1}\n')
    assert compared(path) == [1, 2]
