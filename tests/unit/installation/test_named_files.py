"""The files that answers in the making name: those that cannot be used are told, question by question."""

from __future__ import annotations

from pathlib import Path

import pytest

from oz_installer.answers.drafts.working_copy import WorkingCopy
from oz_installer.answers.file import parse_text
from oz_installer.answers.questions import questions
from oz_installer.errors import Problem
from oz_installer.installation.wizard.file_problems import file_problems

CANARY = "canary-password"
GOOD = """\
nodes:
- {name: n1, host: h1, key_file: id, password: {file: sshpass}}
- {name: n2, host: h2, key_file: id}
database: {ca_file: ca.pem, password: {file: dbpass}}
known_hosts: hosts
license: {bio: bio.key, web_adapter: adapter.key}
"""
KEYS = {
    "id": ("nodes[0].key_file", "nodes[1].key_file"),
    "sshpass": ("nodes[0].password",),
    "dbpass": ("database.password",),
    "ca.pem": ("database.ca_file",),
    "hosts": ("known_hosts",),
    "bio.key": ("license.bio",),
    "adapter.key": ("license.web_adapter",),
}


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A folder where all of them are."""
    for name in KEYS:
        (tmp_path / name).write_text(CANARY, encoding="utf-8")
        (tmp_path / name).chmod(0o600)
    return tmp_path


def found(base: Path, text: str = GOOD) -> dict[str, Problem]:
    """By question."""
    problems = file_problems(WorkingCopy.of(parse_text(text)), base)
    assert CANARY not in repr(problems)
    assert all(problem.hint for problem in problems)
    return {problem.key: problem for problem in problems}


def test_nothing_is_told_of_files_that_can_be_used(base: Path) -> None:
    assert found(base) == {}


def test_no_question_that_is_answered_with_a_file_is_left_out() -> None:
    asked = {one.key.replace("[]", "[0]") for one in questions() if one.kind == "path"}
    assert asked <= {key for keys in KEYS.values() for key in keys}


@pytest.mark.parametrize("name", KEYS)
def test_a_file_that_is_not_there_is_told_wherever_it_is_named(base: Path, name: str) -> None:
    (base / name).unlink()
    told = found(base)
    assert tuple(sorted(told)) == KEYS[name]
    assert {one.message for one in told.values()} == {
        f"{base / name} cannot be read: No such file or directory"
    }


@pytest.mark.parametrize("name", KEYS)
def test_a_file_with_nothing_in_it(base: Path, name: str) -> None:
    (base / name).write_text("", encoding="utf-8")
    assert {one.message for one in found(base).values()} == {f"{base / name} is empty"}


def test_a_folder_and_a_secret_that_others_can_read(base: Path) -> None:
    (base / "hosts").unlink()
    (base / "hosts").mkdir()
    (base / "dbpass").chmod(0o644)
    told = found(base)
    assert told["known_hosts"].message == f"{base / 'hosts'} cannot be read: Is a directory"
    assert told["database.password"].hint.startswith(f"run chmod 600 {base / 'dbpass'}; if nothing changes, ")
    assert len(told) == 2


def test_a_default_counts_and_what_is_no_answer_does_not(base: Path) -> None:
    told = found(base, "nodes: [{name: n1, host: h}]")
    assert list(told) == ["license.bio"]
    (base / "license.key").write_text("licence", encoding="utf-8")
    assert found(base, "nodes: [{name: n1, host: h}]") == {}
    env = "database: {password: {env: OZ_NOT_SET}}\nadmin: {password: typed}\nlicense: {bio: [a, b]}\n"
    assert found(base, env) == {}
