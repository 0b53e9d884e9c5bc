"""Safe lines, plurals, sizes, times, plain parsing."""

from __future__ import annotations

import subprocess
import sys

import pytest

from oz_installer.text import (
    bytes_text,
    clock_text,
    format_kib,
    join_and,
    join_or,
    one_line,
    parse_fields,
    parse_int,
    plural,
    safe_line,
    seconds_text,
    single_line,
    strip_control,
    without_cut_word,
)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (9.96, "10 s"), (119, "119 s"), (723, "12 min 3 s")],
)
def test_seconds(seconds: float, text: str) -> None:
    assert seconds_text(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (99_900, "99.9 kB"),
        (999_600, "1.0 MB"),
        (5 * 10**12, "5.0 TB"),
    ],
)
def test_bytes(count: int, text: str) -> None:
    assert bytes_text(count) == text


@pytest.mark.parametrize(
    ("kib", "text"),
    [(0, "0 MB"), (512 * 1024, "512 MB"), (1000 * 1024, "1.0 GB"), (31 << 20, "31 GB")],
)
def test_kib(kib: int, text: str) -> None:
    assert format_kib(kib) == text


def test_clock() -> None:
    assert (clock_text(72), clock_text(3723), clock_text(-1)) == ("1:12", "1:02:03", "0:00")


def test_plural() -> None:
    assert [plural(amount, "file") for amount in (0, 1, 2)] == ["0 files", "1 file", "2 files"]


def test_lists_in_a_sentence() -> None:
    names = ["a", "b", "c", "d"]
    assert [join_and(names[:count]) for count in range(4)] == ["", "a", "a and b", "a, b and c"]
    assert [join_and(names, most) for most in (4, 3, 2)] == [
        "a, b, c and d",
        "a, b, c and 1 more",
        "a, b and 2 more",
    ]
    assert join_or(name for name in names[:3]) == "a, b or c"


def test_foreign_text_keeps_line_ends_and_tabs_but_no_controls() -> None:
    assert strip_control("a\tb\nc") == "a\tb\nc"
    assert strip_control("\u202eabc\x1b") == "\ufffdabc"
    assert strip_control("\x1b]0;title\x07a\r\nb\rc") == "a\nb\nc"


def test_foreign_text_on_one_line() -> None:
    text = "  \x1b[31mred\x1b[0m\n\u2066 is\x00  left\u200b "
    assert one_line(text) == "  red \ufffd is\ufffd  left\ufffd"
    assert single_line(text) == safe_line(text) == "red is left"
    assert single_line("a" * 300) == "a" * 300
    assert safe_line("a" * 300) == "a" * 199 + "…"
    assert safe_line("abcdef", 4) == "abc…"


def test_plain_parsing() -> None:
    assert parse_fields("a 1\n\nb\na  2 3 \n") == {"a": "2 3", "b": ""}
    assert [parse_int(text) for text in ("12", "", "-1", "\u0663", "1 ")] == [12, None, None, None, None]


def test_the_ground_floor_imports_nothing_heavy() -> None:
    code = (
        "import sys, re, collections.abc; before = set(sys.modules); import oz_installer.text;"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["__future__", "oz_installer", "oz_installer.text"]


def test_m9_a_cut_leaves_no_part_of_a_word() -> None:
    assert without_cut_word("one two three", 20) == "one two three"
    assert without_cut_word("one two three", 9) == "one two…"
    assert without_cut_word("one two three", 7) == "one two…"
    assert without_cut_word("CanaryDbPass1177", 10) == "…"
