"""What commands said is told without progress, without dangerous advice and without repeats."""

from __future__ import annotations

from oz_installer.deploy.saying import conclusion, folded, last_words, without_progress

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
    assert without_progress(COMPOSE).splitlines() == [COMPOSE.splitlines()[-1]]
    assert last_words(COMPOSE).startswith("Error response from daemon: driver failed")


def test_what_looks_like_progress_but_says_more_stays() -> None:
    for line in ("Container x is not what we want", "Network is unreachable", "Image not found"):
        assert without_progress(line) == line


def test_progress_that_stands_before_the_error_on_its_line_goes() -> None:
    glued = "Container oz-webui  Started Container oz-redis  Started Error response from daemon: no"
    assert last_words(glued) == "Error response from daemon: no"


def test_lines_that_differ_in_times_and_numbers_only_are_told_once() -> None:
    log = "\n".join(f"2026-11-24 06:07:{n:02} unhealthy: {{'db': 'refused', 'try': {n}}}" for n in range(18))
    assert folded(f"begin\n{log}\nend").splitlines() == [
        "begin",
        "(18 times) 2026-11-24 06:07:17 unhealthy: {'db': 'refused', 'try': 17}",
        "end",
    ]


def test_a_conclusion_is_the_last_line_with_what_continues_it() -> None:
    said = "waiting\nconnection failed: refused\n\tIs the server running on that host?\n"
    assert conclusion(said) == "connection failed: refused Is the server running on that host?"
    assert conclusion("") == ""
    assert conclusion("  only continued") == "only continued"
