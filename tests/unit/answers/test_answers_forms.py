"""What is typed into a form is the same value as in answers.yml, or told in words what is wrong."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from oz_installer.answers.form_text import format_form_text, parse_form_text
from oz_installer.answers.model import SecretRef
from oz_installer.answers.questions import Question, question, questions
from oz_installer.answers.yaml.convert import InvalidValue
from tests.unit.answers.answers_strategies import texts, values_of
from tests.unit.answers.test_answers_round_trip import SLOW

ASKED = [one for one in questions() if one.kind != "table"]
SHOWN = [one for one in ASKED if one.kind != "secret"]
NASTY = (
    "x\ny",
    "x\n\ny",
    "\x00",
    "\x1b[31m",
    "a\u202eb",
    "\u2028x",
    "\ud800",
    "x" * 10_000,
    "9" * 10_000,
    "{" * 10_000,
    "- " * 5_000,
    "[" * 10_000,
    "!!python/x",
    "&a *a",
    "a: b: c",
    "'",
    '"',
    "{}}",
    "\t\t:",
    "? x",
    "%",
    "@",
    "`",
)


@SLOW
@given(st.data())
def test_what_a_form_shows_it_reads_back(data: st.DataObject) -> None:
    for one in SHOWN:
        value = data.draw(values_of(one), label=one.key)
        if isinstance(shown := format_form_text(one, value), str) and shown.strip() == shown:
            assert parse_form_text(one, shown) == (value if shown else empty(one))


def check_words(told: str) -> None:
    assert 5 < len(told) < 400
    assert told.isprintable()


def empty(one: Question) -> Any:
    return None if one.nullable else one.default


@pytest.mark.parametrize("one", ASKED, ids=lambda one: one.key)
def test_nothing_typed_is_the_default(one: Question) -> None:
    assert parse_form_text(one, "") == empty(one)


@pytest.mark.parametrize("one", ASKED, ids=lambda one: one.key)
def test_bad_input_gives_words_or_a_value_without_control_characters(one: Question) -> None:
    for text in NASTY:
        try:
            value = parse_form_text(one, text)
        except InvalidValue as refused:
            told = str(refused)
            check_words(told)
        else:
            assert one.check(value) is None


@SLOW
@given(st.text())
def test_any_text_gives_words_or_a_sound_value(text: str) -> None:
    for one in ASKED:
        try:
            assert one.check(parse_form_text(one, text)) is None or not text.strip()
        except InvalidValue as refused:
            told = str(refused)
            check_words(told)


@SLOW
@given(texts())
def test_a_typed_secret_is_that_secret(text: str) -> None:
    assume(not text.startswith("$"))  # what looks like a variable is asked about
    made = parse_form_text(question("database.password"), text)
    assert made == SecretRef(kind="plain", where=text)
    assert repr(made) == "SecretRef(kind='plain')"
    with pytest.raises(ValueError, match="is a secret"):
        format_form_text(question("database.password"), made)


TYPED = (
    ("public_url", " https://oz.example.com ", "https://oz.example.com"),
    ("release", "5.10", "5.10"),
    ("nodes[].port", "22", 22),
    ("nodes[].roles", "api, bio", ("api", "bio")),
    ("nodes[].roles", "api bio", ("api", "bio")),
    ("nodes[].roles", "[bio]", ("bio",)),
    ("components.web_ui", "No", False),
    ("components.regula", "off", None),
    ("workload.apm", "40", 40.0),
    ("images", "oz-api: mirror/oz-api:5\noz-webui: x", {"oz-api": "mirror/oz-api:5", "oz-webui": "x"}),
    ("extra.config", "OZ_SESSION_TTL: 3600, X: [a, null]", {"OZ_SESSION_TTL": 3600, "X": ["a", None]}),
)


@pytest.mark.parametrize(("key", "text", "value"), TYPED)
def test_typed(key: str, text: str, value: Any) -> None:
    assert parse_form_text(question(key), text) == value


WRONG = (
    ("nodes[].host", "10.0.0", "is not a complete IP address; write four numbers from 0 to 255"),
    (
        "nodes[].host",
        "a\nb",
        "holds the control character U+000A; write it in one line of printable characters",
    ),
    ("nodes[].host", "x" * 10_000, "is longer than 4096 characters"),
    ("nodes[].port", "ssh", "should be a whole number"),
    ("nodes[].port", "70000", "should be from 1 to 65535"),
    ("nodes[].roles", "api, bios", "should be one of api, bio; the closest is bio"),
    ("workload.analyses_per_month", "1,000", "should be a number without commas; write 1000"),
    ("workload.analyses_per_month", "12,345,678", "should be a number without commas; write 12345678"),
    ("workload.analyses_per_month", "1.000", "could be 1 or 1000; write 1 or 1000"),
    ("workload.apm", "2,5", "should be a number without a comma; write 2.5 or leave it out"),
    ("workload.analyses_per_day", "10 000", "should be a number; write 10000"),
    ("components.web_ui", "maybe", "should be true or false"),
    ("scenario", "meduim", "should be one of poc, medium, high-load; the closest is medium"),
    ("images", "oz-api", "should be keys with values; such as {KEY: value}"),
    ("images", "oz-api: x: y", "cannot be read; write KEY: value, one per line"),
    ("extra.config", "A: *x", "aliases are not supported; write the value out"),
)


@pytest.mark.parametrize(("key", "text", "told"), WRONG)
def test_wrong(key: str, text: str, told: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        parse_form_text(question(key), text)
    assert str(caught.value) == told
