"""Answers while they are edited: nothing of a file is lost, everything typed is kept, problems in words."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oz_installer.answers.drafts.working_copy import WorkingCopy
from oz_installer.answers.file import ParsedFile, loads, parse_text
from oz_installer.answers.model import Answers, SecretRef
from oz_installer.answers.questions import Question, questions
from oz_installer.answers.yaml.writer import dumps
from oz_installer.errors import AnswersError, Problem
from tests.unit.answers.answers_strategies import answers
from tests.unit.answers.test_answers_forms import NASTY
from tests.unit.answers.test_answers_round_trip import SLOW

CASES = sorted((Path(__file__).parents[3] / "cases" / "answers").glob("*.json"))
ASKED = [question.key.replace("[]", "[0]") for question in questions() if question.kind != "table"]
POC = """\
scenario: poc
public_url: https://oz.example.com
nodes:
  - {name: api1, host: 10.0.0.11, user: oz, password: canary-1}
  - {name: bio1, host: 10.0.0.12, become_password: {env: SUDO}}
"""


def opened(text: str) -> WorkingCopy:
    return WorkingCopy.of(parse_text(text))


@SLOW
@given(answers())
def test_any_file_is_opened_without_loss(drawn: Answers) -> None:
    for keep in ((), [question.key for question in questions()]):
        text = dumps(drawn, keep=keep)
        working = opened(text)
        assert working.answers() == drawn
        assert working.problems() == ()
        assert working.yaml(without_plain_secrets=False) == text


def draft_of(case: Path) -> ParsedFile | None:
    text = json.loads(case.read_text())["text"]
    try:
        return parse_text(text if isinstance(text, str) else "\n".join(text))
    except AnswersError:
        return None


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_a_file_with_problems_is_opened_with_them(case: Path) -> None:
    if (draft := draft_of(case)) is None:
        return
    working = WorkingCopy.of(draft)
    told = {problem.key.split(".")[0] for problem in (*working.problems(), *working.lost)}
    taken = {key for key in draft.refused if working.problem(key) is None}
    for problem in draft.problems:
        if problem.key not in taken:
            assert problem.key.split(".")[0] in told, problem
    again = opened(working.yaml(without_plain_secrets=False))
    assert draft.refused_secrets or again.problems() == working.problems()
    assert again.yaml(without_plain_secrets=False) == working.yaml(without_plain_secrets=False)


def test_explicit_defaults_and_nulls_stay() -> None:
    text = (
        POC + "engine: docker\ndatabase:\n  host: null\n  port: 5432\nstorage: {}\nworkload:\n  apm: null\n"
    )
    written = opened(text).yaml()
    assert parse_text(written).lines.keys() >= {"engine", "database.host", "database.port", "storage"}
    assert "apm: null" in written


def test_what_can_be_meant_one_way_only_is_taken() -> None:
    working = opened(
        'scenario: poc\nrelease: 5.10\nnodes: [{name: a, host: a, port: "22"}]\ncomponents: {web_ui: no}'
    )
    assert (working.get("release"), working.get("nodes[0].port")) == ("5.10", 22)
    assert working.get("components.web_ui") is False
    assert [problem.key for problem in working.problems()] == ["public_url"]


def test_lists_and_maps_that_are_wrong_stay_as_texts() -> None:
    working = opened(
        'nodes: [{roles: [api, "foo"]}]\nimages: {oz-api: "x y"}\nextra: {config: {lower: 1}}\n'
        "license: {bio: [a]}"
    )
    assert working.texts == {
        "nodes[0].roles": '[api, "foo"]',
        "images": '{oz-api: "x y"}',
        "extra.config": "{lower: 1}",
    }
    assert [problem.key for problem in working.lost] == ["license.bio"]


def test_nothing_yet() -> None:
    working = WorkingCopy.new()
    assert [str(problem) for problem in working.problems()] == [
        "scenario: is missing",
        "public_url: is missing",
        "nodes: is missing",
    ]
    assert working.answers() is None
    assert working.yaml() == "version: 1\n"
    assert working.get("database.port") == 5432
    assert working.get("scenario") is None
    assert not working.is_given("database.port")


def test_a_small_installation_typed() -> None:
    working = (
        WorkingCopy.new()
        .with_value("scenario", "poc")
        .with_text("public_url", "https://oz.example.com")
        .add_node({"name": "api1"})
        .with_text("nodes[0].host", "10.0.0.11")
        .with_text("nodes[0].port", "2222")
        .with_text("database.port", "5432")
    )
    assert working.answers() == loads(
        "scenario: poc\npublic_url: https://oz.example.com\n"
        "nodes: [{name: api1, host: 10.0.0.11, port: 2222}]"
    )
    assert not working.is_given("database.port")
    assert working.with_text("nodes[0].port", "").yaml().endswith("  - name: api1\n    host: 10.0.0.11\n")


def test_wrong_texts_stay_until_they_are_right() -> None:
    working = opened(POC).with_text("database.port", "x")
    assert working.problem("database.port") == "should be a whole number"
    assert working.is_given("database.port")
    assert working.get("database.port") == 5432
    assert working.answers() is None
    again = opened(working.yaml(without_plain_secrets=False))
    assert (again.texts, again.problems()) == (working.texts, working.problems())
    assert working.with_text("database.port", "5433").answers() is not None
    assert working.with_value("database.port", 5433).texts == {}
    assert working.with_text("database.port", "") == opened(POC)
    assert working.without("database.port") == opened(POC)


def test_what_does_not_fit_together_is_told_in_file_order() -> None:
    working = (
        opened(POC)
        .with_value("storage.type", "nfs")
        .with_value("broker.user", "oz")
        .with_text("database.host", "db")
    )
    working = working.with_text("nodes[1].host", "10.0.0.11").with_text("nodes[0].user", "a b")
    assert [problem.key for problem in working.problems()] == [
        "nodes[0].user",
        "nodes[1].host",
        "database.password",
        "storage.server",
        "storage.export",
        "broker.user",
    ]
    assert working.problem("nodes[1].host") == "is the same as that of nodes[0]; give each node its own"


@pytest.mark.parametrize("key", ASKED)
def test_bad_input_is_told_in_words(key: str) -> None:
    base = opened(POC)
    for text in NASTY:
        working = base.with_text(key, text)
        told = working.problem(key)
        assert told is None or (told.isprintable() and len(told) < 400)
        assert told or working.get(key) is not None
        again = opened(working.yaml(without_plain_secrets=False)) if "\ud800" not in text else working
        assert again.problem(key) == told or key in parse_text("").refused_secrets or told is not None
        assert text not in working.texts.values() or not key.endswith(("password", "token", "passphrase"))


def test_a_wrong_secret_is_told_and_not_shown() -> None:
    working = opened(POC).with_text("database.password", "canary-\x1b[31m")
    assert working.problem("database.password") == (
        "holds the control character U+001B; write it in one line of printable characters"
    )
    assert "canary" not in repr(working) + working.yaml() + working.yaml(masked=True) + str(
        working.problems()
    )
    assert working.with_text("database.password", "").problem("database.password") is None


def test_secrets_are_never_shown() -> None:
    working = opened(POC).with_text("admin.password", "canary-2")
    assert working.get("admin.password") == SecretRef(kind="plain", where="canary-2")
    for text in (repr(working), str(working), working.yaml(), working.yaml(masked=True)):
        assert "canary" not in text
    assert working.yaml(masked=True).count('password: "********"') == 2
    assert "{env: SUDO}" in working.yaml(masked=True)
    assert "canary-2" in working.yaml(without_plain_secrets=False)


def names(working: WorkingCopy) -> list[Any]:
    return [working.get(f"nodes[{index}].name") for index in range(working.nodes())]


def test_nodes_are_copied_moved_and_removed_with_what_was_typed() -> None:
    working = opened(POC).with_text("nodes[0].port", "x").with_text("nodes[1].port", "y")
    copied = working.copy_node(0)
    assert names(copied) == ["api1", "api2", "bio1"]
    assert copied.texts == {"nodes[0].port": "x", "nodes[1].port": "x", "nodes[2].port": "y"}
    assert not copied.is_given("nodes[1].host")
    assert copied.get("nodes[1].password") == working.get("nodes[0].password")
    assert copied.problem("nodes[1].host") == "is missing"
    moved = copied.move_node(2, -5)
    assert names(moved) == ["bio1", "api1", "api2"]
    assert moved.texts == {"nodes[1].port": "x", "nodes[2].port": "x", "nodes[0].port": "y"}
    assert moved.move_node(0, 99) == copied
    assert copied.remove_node(1) == working
    assert names(working.remove_node(0)) == ["bio1"]
    assert working.remove_node(0).texts == {"nodes[0].port": "y"}
    with pytest.raises(IndexError):
        working.remove_node(2)
    assert working.remove_node(0).remove_node(0).problem("nodes") == "needs at least one node"


def test_free_names() -> None:
    long = "x" * 32
    working = opened(f"nodes: [{{name: api}}, {{name: api-9}}, {{name: api-10}}, {{name: {long}}}, {{}}]")
    assert names(working.copy_node(0))[1] == "api1"
    assert names(working.copy_node(1))[2] == "api-11"
    assert working.copy_node(3).problem("nodes[4].name") is None
    assert names(working.copy_node(4))[5] is None


def test_secrets_to_be_typed_again_are_asked_for_and_follow_their_node() -> None:
    working = opened("nodes: [{name: a, host: a}, {name: b, host: b, password: 123}]")
    assert working.missing_secrets == ("nodes[1].password",)
    moved = working.move_node(1, -1)
    assert moved.problem("nodes[0].password") == "was not saved; type it again, or clear the field"
    assert moved.with_text("nodes[0].password", "").missing_secrets == ()
    assert moved.with_text("nodes[0].password", "x").problem("nodes[0].password") is None


def test_no_such_question() -> None:
    for call in (
        WorkingCopy.new().get,
        WorkingCopy.new().without,
        lambda key: WorkingCopy.new().with_text(key, "x"),
    ):
        with pytest.raises(KeyError):
            call("databse.port")
    with pytest.raises(IndexError):
        WorkingCopy.new().with_text("nodes[0].host", "x")


def test_problems_of_fifty_nodes_take_a_few_milliseconds() -> None:
    working = WorkingCopy.new().with_value("scenario", "medium")
    for index in range(50):
        working = working.add_node({"name": f"n{index}", "host": f"10.0.0.{index}", "user": "oz", "port": 22})
    start = time.perf_counter()
    problems: tuple[Problem, ...] = ()
    for index in range(20):
        problems = working.with_text("public_url", f"https://oz{index}").problems()
    assert problems == ()
    assert (time.perf_counter() - start) / 20 < 0.02


EDITS = st.lists(
    st.one_of(
        st.tuples(
            st.just("typed"),
            st.sampled_from(
                [f"nodes[{row}].{name}" for row in range(3) for name in ("host", "port", "user")]
            ),
            st.sampled_from(["", "10.0.0.9", "no host", "65536", "22"]),
        ),
        st.tuples(st.just("copy"), st.integers(0, 2)),
        st.tuples(st.just("move"), st.integers(0, 2), st.sampled_from([-1, 1])),
        st.tuples(st.just("remove"), st.integers(0, 2)),
    ),
    max_size=8,
)


@SLOW
@given(EDITS)
def test_rows_that_are_known_are_judged_as_if_they_were_not(edits: list[tuple[Any, ...]]) -> None:
    working = opened("nodes: [{name: a, host: a}, {name: b}, {name: c, host: c, password: 123}]")
    for what, *more in edits:
        row = int(more[0][6]) if what == "typed" else more[0]  # nodes[N].host
        if row >= working.nodes():
            continue
        working = working.with_text(*more) if what == "typed" else getattr(working, f"{what}_node")(*more)
        anew = WorkingCopy(
            values=working.values, texts=working.texts, missing_secrets=working.missing_secrets
        ).problems()
        assert working.problems() == anew


def test_only_the_row_that_was_edited_is_judged_again(monkeypatch: pytest.MonkeyPatch) -> None:
    working = opened("nodes: [" + ", ".join(f"{{name: n{row}, host: n{row}}}" for row in range(50)) + "]")
    assert working.problem("nodes[7].host") is None
    judged: list[Any] = []
    check = Question.check

    def noted(self: Question, value: Any) -> str | None:
        judged.append(value)
        return check(self, value)

    monkeypatch.setattr(Question, "check", noted)
    assert working.with_text("nodes[7].host", "no host").problem("nodes[7].host") is not None
    assert working.with_text("nodes[7].host", "n99").problem("nodes[7].host") is None
    assert "n7" in judged
    assert "n8" not in judged
