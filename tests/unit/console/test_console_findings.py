"""A finding as fields, as sentences, and as the rows of its details."""

from __future__ import annotations

from dataclasses import replace

from oz_installer.checks.context import Finding, Remedy
from oz_installer.formatting.findings import detail_rows, finding_fields, finding_sentences

WARNING = Finding(
    id="host.memory/api1",
    subject="Memory",
    node="api1",
    level="warning",
    seen="7.6 GB\x1b[31m\n",
    needed="16 GB",
    why="It is slow.",
    hint="Add memory.",
)
OK = replace(WARNING, level="ok", why="", hint="")


def test_fields_and_sentences() -> None:
    assert finding_fields(WARNING) == [
        ("seen", "7.6 GB"),
        ("needed", "16 GB"),
        ("why", "It is slow."),
        ("do", "Add memory."),
    ]
    assert finding_sentences(WARNING) == ("7.6 GB ; needed: 16 GB", "It is slow. Add memory.")
    assert finding_sentences(replace(WARNING, seen="7.6 GB", needed="")) == (
        "7.6 GB",
        "It is slow. Add memory.",
    )
    assert finding_sentences(OK) == ("7.6 GB", "")


def test_details_name_each_field_and_wrap() -> None:
    remedy = Remedy(title="start Docker", node="api1", commands=(("true",),))
    rows = detail_rows(replace(WARNING, hint="Add memory. " * 4, remedy=remedy), 36)
    assert rows[0] == ("Memory on api1", "strong")
    assert [row[0] for row in rows[1:]] == [
        "Seen    7.6 GB",
        "Needed  16 GB",
        "Why     It is slow.",
        "Do      Add memory. Add memory. Add",
        "        memory. Add memory.",
        "Or      run oz-install check --fix:",
        "        start Docker.",
        "Id      host.memory/api1",
    ]
    assert [row[0] for row in detail_rows(replace(OK, node=None), 80)] == [
        "Memory",
        "Seen    7.6 GB",
        "Needed  16 GB",
    ]
