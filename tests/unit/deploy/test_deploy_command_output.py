"""What commands said is told without progress, without dangerous advice and without repeats."""

from __future__ import annotations

import time

from oz_installer.deploy.command_output import (
    LONGEST_LINE,
    LineSplitter,
    beyond,
    collapse_repeats,
    drop_progress,
    last_lines,
    last_message,
)

COMPOSE = """\
 Network oz_default  Creating
 Network oz_default  Created
 Container oz-redis  Creating
 Container oz-redis  Created
 Container oz-redis  Starting
 Container oz-redis  Started
time="2026-11-24T06:11:18Z" level=warning msg="Found orphan containers ([oz-api]) for this project. \
If you removed or renamed this service in your compose file, you can run this command with the \
--remove-orphans flag to clean it up."
Error response from daemon: driver failed programming external connectivity: bind: address already in use
"""


def test_progress_and_advice_to_remove_containers_are_left_out() -> None:
    assert drop_progress(COMPOSE).splitlines() == [COMPOSE.splitlines()[-1]]
    assert last_lines(COMPOSE).startswith("Error response from daemon: driver failed")


def test_what_looks_like_progress_but_says_more_stays() -> None:
    for line in ("Container x is not what we want", "Network is unreachable", "Image not found"):
        assert drop_progress(line) == line


def test_progress_that_stands_before_the_error_on_its_line_goes() -> None:
    glued = "Container oz-webui  Started Container oz-redis  Started Error response from daemon: no"
    assert last_lines(glued) == "Error response from daemon: no"


def test_lines_that_differ_in_times_and_numbers_only_are_told_once() -> None:
    log = "\n".join(f"2026-11-24 06:07:{n:02} unhealthy: {{'db': 'refused', 'try': {n}}}" for n in range(18))
    assert collapse_repeats(f"begin\n{log}\nend").splitlines() == [
        "begin",
        "(18 times) 2026-11-24 06:07:17 unhealthy: {'db': 'refused', 'try': 17}",
        "end",
    ]


def test_a_conclusion_is_the_last_line_with_what_continues_it() -> None:
    said = "waiting\nconnection failed: refused\n\tIs the server running on that host?\n"
    assert last_message(said) == "connection failed: refused Is the server running on that host?"
    assert last_message("") == ""
    assert last_message("  only continued") == "only continued"


def test_details_repeat_no_headline() -> None:
    assert beyond("cannot start: no\nspace", "no space\n") == ""
    assert beyond("cannot start: no space", "line 1\nno space") == "line 1\nno space"


def test_m5_a_line_without_end_is_not_kept() -> None:
    lines = LineSplitter()
    for _ in range(100):
        assert lines.feed(b"x" * LONGEST_LINE) == []
    assert lines.end() == b"x" * LONGEST_LINE
    assert lines.feed(b"a\nb\nc") == [b"a", b"b"]
    assert lines.end() == b"c"


def test_m5_many_short_lines_take_no_square_of_time() -> None:
    began = time.monotonic()
    assert len(LineSplitter().feed(b"x\n" * 2**20)) == 2**20
    assert time.monotonic() - began < 10
