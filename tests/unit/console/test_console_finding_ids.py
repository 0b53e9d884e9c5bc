"""What is typed behind --accept and --only: typos are told, with what was probably meant."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from oz_installer.answers.file import LoadedAnswers, read
from oz_installer.checks.all_checks import CHECKS
from oz_installer.checks.context import Finding
from oz_installer.console.check_names import CHECK_NAMES
from oz_installer.console.finding_ids import (
    accept_ids,
    check_names,
    empty_checks,
    unmatched_note,
    unused_ids,
)
from oz_installer.errors import AnswersError

CHECK_PAGE = Path(__file__).parents[3] / "docs" / "check.md"


@pytest.fixture
def loaded(tmp_path: Path) -> LoadedAnswers:
    path = tmp_path / "answers.yml"
    path.write_text(
        "version: 1\nscenario: poc\npublic_url: http://oz.example.com\n"
        "nodes: [{name: node1, host: 10.0.0.1}, {name: node2, host: 10.0.0.2}]\n"
    )
    return read(path)


def found(name: str, node: str | None = "node1", level: str = "warning") -> Finding:
    place = f"/{node}" if node else ""
    return Finding(id=f"{name}{place}", subject="X", node=node, level=level, seen="x")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("foo.bar", "'foo.bar' names no check"),
        ("hots.cpu/node1", "'hots.cpu/node1' names no check; did you mean host.cpu/node1?"),
        ("many-node", "did you mean many-nodes?"),
        ("host", "'host' is a check, not one of its warnings"),
        ("host.", "'host.' is a check, not one of its warnings"),
        ("host.cpu/", "names no node after the slash; did you mean host.cpu?"),
        ("host.memory/nod1", "names no node of the answers; did you mean host.memory/node1?"),
        ("host.memory/x", "names no node of the answers; the nodes are node1, node2"),
        ("network.8501/nod2:node1", "did you mean network.8501/node2:node1?"),
        ("network.8501/node1:nod2", "did you mean network.8501/node1:node2?"),
    ],
)
def test_what_names_no_check_or_no_node_is_refused(loaded: LoadedAnswers, typed: str, told: str) -> None:
    with pytest.raises(AnswersError) as caught:
        accept_ids(loaded, ("host.cpu", typed))
    assert str(caught.value).startswith(f"--accept: '{typed}' ")
    assert told in str(caught.value)
    assert "host.memory/node1" in caught.value.hint


@pytest.mark.parametrize(
    "typed", ["many-nodes", "host.cpu", "container/node2", "licence.bio-mode", "network.8501/node1:node2"]
)
def test_what_may_be_an_id_is_taken(loaded: LoadedAnswers, typed: str) -> None:
    assert accept_ids(loaded, (typed,)).answers.accept == (typed,)


def test_all_that_is_wrong_is_told_at_once(loaded: LoadedAnswers) -> None:
    with pytest.raises(AnswersError, match=r"(?s)--accept: 'a\.b' .*--accept: 'c\.d' "):
        accept_ids(loaded, ("a.b", "c.d"))


def test_an_accepted_id_that_matches_nothing_is_named_with_the_nearest(loaded: LoadedAnswers) -> None:
    ids = ("host.cpux", "host.cpu", "host.memroy/node1", "host.disk/node2", "clock.skew", "many-nodes")
    answers = replace(loaded.answers, accept=ids)
    seen = [found("host.cpu"), found("host.memory", level="ok"), found("admin.password", None)]
    assert list(unused_ids(answers, seen, typed=ids)) == [
        "host.cpux (did you mean host.cpu?)",
        "host.memroy/node1 (did you mean host.memory/node1?)",
        "clock.skew",
    ], "node2 was not looked at"
    assert "clock.skew" not in list(unused_ids(answers, seen, typed=ids, only=["host"])), "nor was the clock"
    assert unmatched_note(answers, seen).startswith("note: accepted ids that match no finding: ")
    assert unmatched_note(replace(answers, accept=("host.cpu",)), seen) == ""


def test_of_the_files_ids_only_likely_typos_are_told(loaded: LoadedAnswers) -> None:
    ids = ("storage.latency", "host.cpux", "foo.bar", "host.cpu/gone")
    answers = replace(loaded.answers, accept=ids)
    told = list(unused_ids(answers, [found("host.cpu")]))
    assert told == ["host.cpux (did you mean host.cpu?)", "foo.bar"], "the others come and go"


def test_behind_a_failure_nothing_is_looked_at_and_nothing_is_said(loaded: LoadedAnswers) -> None:
    answers = replace(loaded.answers, accept=("runtime.disk",))
    engine, typed = [found("engine", level="failure")], ("runtime.disk",)
    assert list(unused_ids(answers, engine, typed=typed)) == []
    assert list(unused_ids(answers, [found("engine")], typed=typed)) == ["runtime.disk"]


def test_only_takes_the_ids_that_are_shown() -> None:
    typed = ("host", "host.memory", "clock.skew/node1", "container/node1")
    assert check_names(typed) == ("host", "clock", "container")


def test_the_names_of_the_checks_stand_in_help_and_docs() -> None:
    assert tuple(check.name for check in CHECKS) == CHECK_NAMES
    assert f"`{'`, `'.join(check.name for check in CHECKS)}`" in " ".join(CHECK_PAGE.read_text().split())


def test_a_check_that_examines_nothing_says_why(loaded: LoadedAnswers) -> None:
    answers, seen = loaded.answers, [found("host.cpu")]
    assert list(empty_checks(answers, ("host", "broker", "admin"), seen)) == [
        "broker: nothing to check: the broker is bundled",
        "admin: nothing to check: no administrator's password is given, or it is long enough",
    ]
    assert "public_url is an IP address" in next(empty_checks(answers, ("public-url-here",), seen))
    outside = replace(answers, broker=replace(answers.broker, host="redis"))
    assert "on the nodes of --limit" in next(empty_checks(outside, ("broker",), seen))
    away = [Finding(id="look/node1", subject="Node", node="node1", level="failure", seen="away")]
    assert list(empty_checks(answers, ("network",), away)) == [], "the node is why, and is told"
