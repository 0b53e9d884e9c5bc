"""Reading answers.yml: the contract, every bad file of tests/cases/answers, and what disks do."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from oz_installer.answers.file import LARGEST, line_of, load, loads, parse_file, read
from oz_installer.answers.model import SecretRef
from oz_installer.errors import AnswersError, Problem

CASES = sorted((Path(__file__).parents[2] / "cases" / "answers").glob("*.json"))
SMALL = "scenario: poc\npublic_url: https://oz.example.com\nnodes: [{name: oz1, host: 10.0.0.11}]\n"
CONTRACT = """\
version: 1
scenario: medium            # poc | medium | high-load
release: "5.2"
engine: docker              # docker | podman
install_dir: /opt/oz
public_url: https://oz.example.com
nodes:
  - {name: api1, host: 10.0.0.11, user: ozadmin, port: 22, key_file: ~/.ssh/id_ed25519, roles: [api]}
  - {name: bio1, host: 10.0.0.12, user: ozadmin, jump: bastion.example.com, become: sudo}
database: {host: db.example.com, port: 5432, name: gateway, user: gateway_user, password: {env: OZ_DB}}
storage: {type: nfs, server: nfs.example.com, export: /srv/oz, options: "vers=4.1,hard"}
license: {bio: ./license.key}
components: {statistic: true, one_to_n: false, regula: null, web_adapter: false, bio_updater: true}
broker: {type: redis}
registry: {server: null, username: null, password: null}
images: {}
extra: {config: {}}
"""


def messages(error: AnswersError) -> str:
    return "\n".join([error.message, error.hint, *(str(problem) for problem in error.problems)])


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_every_problem_at_once(case: Path) -> None:
    content = json.loads(case.read_text())
    text = content["text"] if isinstance(content["text"], str) else "\n".join(content["text"])
    with pytest.raises(AnswersError) as caught:
        loads(text)
    assert [str(problem) for problem in caught.value.problems] == content["problems"]
    assert caught.value.exit_code == 2
    assert "canary" not in messages(caught.value)


def test_there_are_cases() -> None:
    assert len(CASES) > 30


def test_the_contract() -> None:
    answers = loads(CONTRACT)
    assert answers.scenario == "medium"
    assert answers.nodes[0].roles == ("api",)
    assert answers.nodes[1].become == "sudo"
    assert answers.database.password == SecretRef(kind="env", where="OZ_DB")
    assert answers.components.regula is answers.components.web_adapter is None
    assert answers.license.bio == Path("license.key")


def test_json_windows_line_ends_and_a_byte_order_mark_are_yaml_too(tmp_path: Path) -> None:
    path = tmp_path / "answers.yml"
    document = {"scenario": "poc", "public_url": "https://oz", "nodes": [{"name": "a", "host": "a"}]}
    path.write_text(json.dumps(document))
    assert load(path) == loads("scenario: poc\npublic_url: https://oz\nnodes: [{name: a, host: a}]")
    path.write_bytes(b"\xef\xbb\xbf" + SMALL.replace("\n", "\r\n").encode())
    assert load(path) == loads(SMALL)


@pytest.mark.parametrize("number", [-(10**17), 10**18 - 1, -(10**18) + 1])
def test_eighteen_digits_are_read_whatever_their_sign(number: int) -> None:
    assert loads(SMALL + f"extra: {{config: {{A: {number}}}}}\n").extra.config == {"A": number}


def test_lines_and_places(tmp_path: Path) -> None:
    path = tmp_path / "answers.yml"
    path.write_text(CONTRACT)
    loaded = read(path)
    assert loaded.lines["nodes[1].host"] == 9
    assert loaded.lines["database.password"] == 10
    placed = loaded.with_location(Problem(key="nodes[1].address", message="is not reached"))
    assert str(placed) == f"{path}:9: nodes[1].address (bio1): is not reached"
    assert line_of("updater.token", loaded.lines) is None
    assert line_of("database.sslmode", loaded.lines) == 10


def test_missing_folder_and_other_files(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for path, said in (
        (tmp_path / "no.yml", "no such file"),
        (tmp_path, "is a folder"),
        (fifo, "is not a regular file"),
        (tmp_path / ("x" * 300), "cannot be read"),
        (tmp_path / "a\0b", "is not a file name"),
        (Path("/dev/zero"), "is not a regular file"),
    ):
        with pytest.raises(AnswersError, match=said) as caught:
            load(path)
        assert caught.value.hint


def test_unreadable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(AnswersError, match="cannot be read: Permission denied"):
        load(tmp_path / "answers.yml")


def test_too_large_and_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "answers.yml"
    path.write_bytes(b"#" * (LARGEST + 1))
    with pytest.raises(AnswersError, match="larger than 1 MiB"):
        load(path)
    path.write_bytes(SMALL.encode() + b"# \xff\n")
    with pytest.raises(AnswersError, match=r":4: is not UTF-8"):
        load(path)
    path.write_bytes(SMALL.encode("utf-16"))
    with pytest.raises(AnswersError, match="is UTF-16 text, not UTF-8"):
        load(path)


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing\n", "---\n"])
def test_a_file_without_answers_says_that_and_no_list_of_what_is_missing(tmp_path: Path, text: str) -> None:
    path = tmp_path / "answers.yml"
    path.write_text(text)
    with pytest.raises(AnswersError, match="has no answers") as caught:
        load(path)
    assert caught.value.problems == ()
    assert parse_file(path).problems  # a form starts from it all the same


def test_a_missing_file_is_told_with_the_whole_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(AnswersError, match=f"^{tmp_path}/nothere.yml: no such file"):
        load(Path("nothere.yml"))


@pytest.mark.parametrize("text", ["$OZ_DB_PASSWORD", "${OZ_DB_PASSWORD}", "$hunter_2", "$HUNTER_2"])
def test_a_variable_in_place_of_a_secret_is_refused(text: str) -> None:
    with pytest.raises(AnswersError) as caught:
        loads(SMALL + f"database: {{host: db, password: '{text}'}}\n")
    (problem,) = caught.value.problems
    assert problem.key == "database.password"
    hint = "write {env: NAME}; if it is the secret itself, put it in a file and write {file: PATH}"
    assert hint in str(problem)
    assert text.strip("${}") not in str(problem)  # it may be a password after all


@pytest.mark.parametrize("text", ["$canaryPassword", "${canary}", "$CANARY"])
def test_what_may_be_a_password_is_not_shown(text: str) -> None:
    with pytest.raises(AnswersError) as caught:
        loads(SMALL + f"database: {{host: db, password: '{text}'}}\n")
    assert "canary" not in messages(caught.value).lower()


@pytest.mark.parametrize("text", ["$", "$1x", "a$OZ_DB", "$OZ_DB!", "$OZ_A$OZ_B", "$é"])
def test_a_password_with_a_dollar_is_one(text: str) -> None:
    answers = loads(SMALL + f"database: {{host: db, password: '{text}'}}\n")
    assert answers.database.password == SecretRef(kind="plain", where=text)


@pytest.mark.parametrize(
    "text",
    [
        "a: " + "[" * 50_000,
        "a: " + "{a: " * 50_000,
        "- " * 50_000 + "a",
        "x: [" + "a," * 400_000 + "]",
        "".join(f"key{number}: 1\n" for number in range(40_000)),
        "? " * 20_000,
        "a: &a [" + "*a," * 30_000 + "]",
    ],
    ids=["deep-lists", "deep-mappings", "deep-blocks", "long", "many-unknown", "deep-keys", "aliases"],
)
def test_bombs_end_soon_and_quietly(text: str) -> None:
    started = time.process_time()
    with pytest.raises(AnswersError) as caught:
        loads(text)
    assert time.process_time() - started < 10
    assert len(caught.value.problems) <= 100


def test_a_plain_secret_must_be_private(tmp_path: Path) -> None:
    path = tmp_path / "answers.yml"
    path.write_text(SMALL + "database: {host: db, password: 'canary-1'}\n")
    for mode in (0o644, 0o640, 0o604):
        path.chmod(mode)
        with pytest.raises(AnswersError, match="can be read by others") as caught:
            load(path)
        assert "chmod 600" in caught.value.hint
        assert "canary" not in messages(caught.value) + repr(caught.value)
    path.chmod(0o600)
    assert load(path).database.password == SecretRef(kind="plain", where="canary-1")
    assert "canary" not in repr(load(path))
    path.write_text(SMALL + "database: {host: db, password: {env: X}}\n")
    path.chmod(0o644)
    load(path)


def test_a_draft_of_a_broken_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "answers.yml"
    path.write_text("a: [")
    with pytest.raises(AnswersError) as caught:
        parse_file(path)
    assert len(caught.value.problems) == 1
