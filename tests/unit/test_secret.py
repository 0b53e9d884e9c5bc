"""A Secret never prints itself, and the masker hides what is known."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import traceback
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oz_installer.secret import MASK, Masker, Secret

WORD = "hunter2-<canary>"


@dataclass(frozen=True)
class Holder:
    """Something that holds one."""

    secret: Secret


@pytest.mark.parametrize(
    "shown",
    [
        str(Secret(WORD)),
        repr(Secret(WORD)),
        f"{Secret(WORD)}",
        f"{Secret(WORD)!r:>20}",
        f"{Secret(WORD):>40}",
        "%s %r" % (Secret(WORD), Secret(WORD)),  # noqa: UP031 - that, too
        str([Secret(WORD)]),
        str({Secret(WORD): Secret(WORD)}),
        repr(Holder(Secret(WORD))),
        str(ValueError(Secret(WORD))),
    ],
)
def test_no_way_of_printing_shows_it(shown: str) -> None:
    assert WORD not in shown
    assert MASK in shown


def test_neither_logs_nor_tracebacks_show_it(caplog: pytest.LogCaptureFixture) -> None:
    secret = Secret(WORD)
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("x").info("password %s, %r", secret, [secret])
    assert WORD not in caplog.text
    try:
        raise RuntimeError(secret)
    except RuntimeError as error:
        lines = traceback.TracebackException.from_exception(error, capture_locals=True).format()
        assert WORD not in "".join(line for line in lines if "WORD" not in line)


def test_it_is_not_for_storing() -> None:
    for store in (pickle.dumps, copy.deepcopy, json.dumps):
        with pytest.raises(TypeError):
            store(Secret(WORD))
    assert not hasattr(Secret(WORD), "__dict__")


def test_it_gives_itself_back_and_compares() -> None:
    assert Secret(WORD).reveal() == WORD
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a"), Secret("б")}) == 2
    assert Secret("x")
    assert not Secret("")


def test_generated_ones_are_long_plain_and_never_the_same() -> None:
    made = [Secret.generate().reveal() for _ in range(50)]
    assert len(set(made)) == 50
    assert all(len(text) == 40 and text.isascii() and text.isalnum() for text in made)


def test_the_longest_is_masked_first() -> None:
    masker = Masker((Secret("abc"), Secret("abcdef"), Secret("")))
    assert masker("abcdef abc ab") == f"{MASK} {MASK} ab"
    assert Masker()("abc") == "abc"


@given(st.lists(st.text("abc$\\?.+(", min_size=3, max_size=8), min_size=1, max_size=4), st.text("abc$ \n"))
def test_whatever_stands_around_a_secret_it_is_masked(values: list[str], around: str) -> None:
    masker = Masker(tuple(Secret(value) for value in values))
    for value in values:
        said = masker(f"{around}{value}{around}")
        assert value not in said or value in MASK or value in around
