"""Private names of other people's libraries stay within the fence, and are as they were when it was built."""

from __future__ import annotations

import ast
from functools import cache

import pytest

from tests.unit.borrowed import Borrowed, read_table, source_digest
from tests.unit.private_names import (
    OURS,
    ROOT,
    Use,
    borrowed_by_classes,
    defined,
    foreign_attributes,
    python_files,
)

FENCE = ("oz_installer/tui/internals/", "oz_installer/remote/ssh/keepalive.py")
PROBES = "tests/tui/probes.py"
ROWS = read_table()
LEANS_ON_BEHAVIOUR = frozenset(
    {
        "oz_installer/tui/internals/chunked_screen.py",  # event.refresh_styles is read in _on_screen_resume
        "oz_installer/tui/internals/key_queue.py",  # the order of the message queues
        "oz_installer/remote/ssh/exec_channel.py",  # set_event hands over _event
        "oz_installer/remote/docker_engine.py",  # QueueCls is put to in _put_conn
    }
)
"""Files that lean on what a name does without using it."""


@cache
def trees(folder: str) -> dict[str, ast.Module]:
    """The files of a folder, parsed."""
    return {str(file.relative_to(ROOT)): ast.parse(file.read_text()) for file in python_files(folder)}


@cache
def of_package() -> tuple[Use, ...]:
    """Every foreign private name that the package uses."""
    uses: set[Use] = set()
    for file, tree in trees("oz_installer").items():
        uses |= {*foreign_attributes(tree, file, defined(tree)), *borrowed_by_classes(tree, file)}
    return tuple(sorted(uses))


def test_private_names_stay_within_the_fence() -> None:
    outside = [str(use) for use in of_package() if not use.file.startswith(FENCE)]
    assert not outside, "move them to oz_installer/tui/internals or find a public way:\n" + "\n".join(outside)


def test_tests_and_tools_use_private_names_through_the_probes() -> None:
    own: set[str] = set()
    for folder in OURS:
        own = own.union(*map(defined, trees(folder).values()))
    known = own - {row.name for row in ROWS}
    files = {**trees("tests"), **trees("bench")}
    uses = [use for file, tree in files.items() for use in foreign_attributes(tree, file, known)]
    outside = [str(use) for use in uses if use.file != PROBES]
    assert not outside, f"put them into {PROBES}:\n" + "\n".join(outside)


def test_every_borrowed_name_has_a_guard() -> None:
    guarded = {(row.file, row.name) for row in ROWS}
    missing = [str(use) for use in of_package() if (use.file, use.name) not in guarded]
    missing = [text for text in missing if "import " not in text]
    assert not missing, "add them to tests/unit/borrowed.txt:\n" + "\n".join(missing)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_borrowed_name_is_as_it_was(row: Borrowed) -> None:
    try:
        seen = source_digest(row.owner, row.name)
    except (ImportError, AttributeError) as error:
        seen = str(error)
    assert seen == row.digest, (
        f"{row} is not what {row.file} was written for ({row.reason}). Review that file; "
        "when it is right, run: python -m tests.unit.borrowed"
    )


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_guard_names_a_file_that_leans_on_it(row: Borrowed) -> None:
    text = (ROOT / row.file).read_text()
    assert row.name in text or not row.name.startswith("_") or row.file in LEANS_ON_BEHAVIOUR


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("widget._styles_cache.clear()", ["_styles_cache"]),
        ("getattr(widget, '_size')", ["_size"]),
        ("from textual._wait import wait_for_idle", ["_wait"]),
        ("import textual._wait", ["_wait"]),
        ("self._size; other._rows; os._exit(1); x.__dict__", []),
    ],
)
def test_the_scan_finds_attributes(text: str, found: list[str]) -> None:
    assert [use.name for use in foreign_attributes(ast.parse(text), "file.py", {"_rows"})] == found


def test_the_scan_finds_overrides_and_uses_of_inherited_names() -> None:
    file = "oz_installer/tui/internals/crash.py"
    names = {use.name for use in borrowed_by_classes(trees("oz_installer")[file], file)}
    assert names == {"_handle_exception", "_fatal_error", "_close_messages_no_wait"}
