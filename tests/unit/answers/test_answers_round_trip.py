"""What is written is read back the same, by us and by any YAML reader; and our schema accepts it."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import HealthCheck, given, settings

from oz_installer.answers.file import loads, parse_text
from oz_installer.answers.model import Answers, Node
from oz_installer.answers.questions import questions
from oz_installer.answers.schema import json_schema
from oz_installer.answers.yaml.tree import scalar_type
from oz_installer.answers.yaml.writer import as_values, dumps, dumps_values, scalar
from tests.unit.answers.answers_strategies import answers, texts

SLOW = settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))
VALIDATOR = jsonschema.Draft202012Validator(json_schema())


@SLOW
@given(answers())
def test_read_back_the_same(drawn: Answers) -> None:
    text = dumps(drawn)
    assert loads(text) == drawn
    assert dumps(loads(text)) == text


@SLOW
@given(answers())
def test_every_given_key_is_kept(drawn: Answers) -> None:
    text = dumps(drawn, keep=[question.key for question in questions()], comments=True)
    draft = parse_text(text)
    assert draft.build_answers().answers == drawn
    assert dumps(drawn, keep=draft.lines, comments=True) == text


@SLOW
@given(answers())
def test_schema_accepts_it(drawn: Answers) -> None:
    document = yaml.safe_load(dumps(drawn))
    VALIDATOR.validate(document)
    json.dumps(document)


@SLOW
@given(texts(0))
def test_a_scalar_is_the_same_text_for_every_reader(text: str) -> None:
    for document in (f"key: {scalar(text)}\n", f"- {{k: {scalar(text)}, l: [{scalar(text)}, x]}}\n"):
        for loader in (yaml.SafeLoader, yaml.CSafeLoader):
            found: Any = yaml.load(document, Loader=loader)  # noqa: S506 - both are safe
            assert text == (found["key"] if isinstance(found, dict) else found[0]["k"])


ODD_WORDS = "5.2 1_000 0x1F 017 12:30 .inf 2024-01-31 yes NO ~ null true << = 1e5 -1 +.5 1,5 0o7"


@pytest.mark.parametrize("word", ODD_WORDS.split())
def test_what_looks_like_something_else_is_quoted(word: str) -> None:
    assert scalar_type(word) != "text"
    assert scalar(word) == f'"{word}"'


def test_no_plain_secret_in_a_draft() -> None:
    text = """
scenario: poc
public_url: https://oz.example.com
nodes: [{name: a, host: a, password: "canary-1", become_password: {env: SUDO}}]
database: {host: db, password: 'canary-2'}
"""
    drafted = dumps(loads(text), without_plain_secrets=True)
    assert "canary" not in drafted
    assert "{env: SUDO}" in drafted
    assert "password" not in dumps_values(parse_text(drafted).values).replace("become_password", "")


def test_a_draft_that_is_not_complete_is_written_and_read() -> None:
    draft = parse_text("scenario: poc\nnodes:\n- {name: a, port: abc}\n- {}\n")
    again = parse_text(dumps_values(draft.values))
    assert again.values == draft.values == {"scenario": "poc", "nodes": [{"name": "a"}, {}]}
    assert draft.refused == {"nodes[0].port": "abc"}
    empty = parse_text("")
    assert empty.values == {}
    assert [problem.key for problem in empty.problems] == ["scenario", "public_url", "nodes"]


def test_defaults_are_left_out() -> None:
    small = Answers(scenario="poc", public_url="https://oz", nodes=(Node(name="a", host="a"),))
    assert as_values(small) == {
        "version": 1,
        "scenario": "poc",
        "public_url": "https://oz",
        "nodes": [{"name": "a", "host": "a"}],
    }
