"""Saving: what was edited is read back, secrets in private files; a failure leaves what was there."""

from __future__ import annotations

import os
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import given

from oz_installer.answers.dotted_keys import plain_secrets
from oz_installer.answers.drafts import save
from oz_installer.answers.drafts.save import save_answers
from oz_installer.answers.drafts.working_copy import WorkingCopy
from oz_installer.answers.file import parse_file, parse_text, read
from oz_installer.answers.local_files import typed_secrets_dir, write_private
from oz_installer.answers.model import Answers, SecretRef
from oz_installer.answers.secrets.resolve import resolve_secrets
from oz_installer.answers.yaml.writer import dumps
from oz_installer.errors import AnswersError
from tests.unit.answers.answers_strategies import answers
from tests.unit.answers.drafts.test_answers_editing import SOURCE
from tests.unit.answers.drafts.test_answers_working_copy import POC
from tests.unit.answers.test_answers_forms import NASTY
from tests.unit.answers.test_answers_round_trip import SLOW


def opened(text: str = POC) -> WorkingCopy:
    return WorkingCopy.of(parse_text(text))


def secrets_of(path: Path) -> dict[str, str]:
    """The secrets that a run with this file would use."""
    found = resolve_secrets(read(path).answers, base=path.parent, environ={"SUDO": "sudo"})
    return {slot: secret.reveal() for slot, secret in found.items()}


def files(folder: Path) -> dict[str, str]:
    return {file.name: file.read_text() for file in sorted(folder.iterdir())} if folder.exists() else {}


def test_typed_secrets_become_private_files(tmp_path: Path) -> None:
    path = tmp_path / "answers.yml"
    kept = save_answers(opened().with_text("admin.password", "canary-2 "), path)
    folder = tmp_path / "answers.secrets.d"
    assert files(folder) == {"admin.password": "canary-2 \n", "nodes.api1.password": "canary-1\n"}
    assert {file.stat().st_mode & 0o777 for file in (path, *folder.iterdir())} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert "canary" not in path.read_text()
    assert kept.get("admin.password") == SecretRef(kind="file", where="answers.secrets.d/admin.password")
    assert kept.get("nodes[1].become_password") == SecretRef(kind="env", where="SUDO")
    assert kept == WorkingCopy.of(parse_file(path))
    assert secrets_of(path) == {
        "nodes.api1.password": "canary-1",
        "nodes.bio1.become_password": "sudo",
        "admin.password": "canary-2 ",
    }
    assert save_answers(kept, path, path.read_text()) == kept


@SLOW
@given(answers(), answers())
def test_what_is_kept_is_read_back(drawn: Answers, before: Answers) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "answers.yml"
        path.write_text(dumps(before))
        working = opened(dumps(drawn))
        kept = save_answers(working, path, path.read_text())
        assert kept.answers() == read(path).answers
        for key, ref in plain_secrets(working.values):
            assert (path.parent / kept.get(key).where).read_text() == f"{ref.where}\n"
            kept = kept.with_value(key, ref)
        assert kept.answers() == drawn
        assert not list(plain_secrets(parse_file(path).values))


def test_comments_stay(tmp_path: Path) -> None:
    path = tmp_path / "answers.yml"
    path.write_text(SOURCE)
    save_answers(opened(SOURCE).with_text("database.password", "canary"), path, SOURCE)
    line = "database: {host: db, port: 5432, password: {file: answers.secrets.d/database.password}}  # main"
    now = path.read_text().splitlines()
    assert [one for one in SOURCE.splitlines() if one not in now] == [
        "database: {host: db, port: 5432, password: {env: DB}}  # main"
    ]
    assert line in now


def test_what_is_not_complete_is_kept_with_what_was_typed(tmp_path: Path) -> None:
    path = tmp_path / "answers.yml"
    for text in NASTY:
        kept = save_answers(WorkingCopy.new().with_text("public_url", text).add_node(), path)
        again = WorkingCopy.of(parse_file(path))
        assert [problem.key for problem in again.problems()] == [problem.key for problem in kept.problems()]
        assert "\ud800" in text or again == kept


def test_old_secrets_are_not_overwritten_and_go_when_nothing_needs_them(tmp_path: Path) -> None:
    path = tmp_path / "answers.yml"
    first = save_answers(opened(), path)
    second = save_answers(first.with_text("nodes[0].password", "canary-3"), path, path.read_text())
    assert files(typed_secrets_dir(path)) == {"nodes.api1.password.2": "canary-3\n"}
    third = save_answers(second.with_text("nodes[0].password", "canary-3"), path, path.read_text())
    assert files(typed_secrets_dir(path)) == {"nodes.api1.password": "canary-3\n"}
    assert secrets_of(path)["nodes.api1.password"] == "canary-3"
    (tmp_path / "mine").write_text("x")
    fourth = save_answers(
        third.with_value("nodes[0].password", SecretRef(kind="file", where="mine")), path, path.read_text()
    )
    assert not typed_secrets_dir(path).exists()
    save_answers(fourth.with_text("nodes[0].password", "y"), path, path.read_text())
    assert (tmp_path / "mine").read_text() == "x"


def test_two_nodes_never_share_a_file(tmp_path: Path) -> None:
    path = tmp_path / "answers.yml"
    working = opened(
        "nodes: [{name: a, password: 'p1'}, {name: a, password: 'p2'}, "
        "{name: ../x, password: 'p3'}, {password: 'p4'}]"
    )
    save_answers(working, path)
    assert files(typed_secrets_dir(path)) == {
        "nodes.a.password": "p1\n",
        "nodes._2.password": "p2\n",
        "nodes._3.password": "p3\n",
        "nodes._4.password": "p4\n",
    }
    again = WorkingCopy.of(parse_file(path))
    renamed = again.with_text("nodes[0].name", "b").with_text("nodes[1].password", "p5")
    save_answers(renamed, path)
    assert (tmp_path / renamed.get("nodes[0].password").where).read_text() == "p1\n"
    assert files(typed_secrets_dir(path))["nodes.a.password.2"] == "p5\n"


@pytest.mark.parametrize("number", range(6))
def test_a_failure_in_between_leaves_the_old_answers_working(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    path = tmp_path / "answers.yml"
    first = save_answers(opened(), path)
    text, secrets = path.read_text(), secrets_of(path)
    changed = (
        first.with_text("nodes[0].password", "new-1")
        .with_text("database.password", "new-2")
        .with_text("database.host", "db")
    )
    calls = 0
    real = os.fsync

    def failing(handle: int) -> None:
        nonlocal calls
        calls += 1
        if calls > number:
            raise OSError(28, "No space left on device")
        real(handle)

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(AnswersError, match="cannot be written: No space left on device") as caught:
        save_answers(changed, path, text)
    monkeypatch.undo()
    assert "folder that you can write" in caught.value.hint
    now = secrets_of(path)
    assert (path.read_text() == text) == (now == secrets)
    assert now in (secrets, {**secrets, "nodes.api1.password": "new-1", "database.password": "new-2"})
    assert not [file for file in tmp_path.rglob("*") if file.name.endswith(".tmp")]
    assert "new-1" in str(files(typed_secrets_dir(path))) or now == secrets
    save_answers(changed, path, text)
    assert secrets_of(path)["database.password"] == "new-2"


def test_killed_in_between_leaves_the_old_answers_working(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "answers.yml"
    first = save_answers(opened(), path)
    secrets = secrets_of(path)

    class Killed(BaseException):
        pass

    def killed(text: str, where: Path) -> None:
        raise Killed

    monkeypatch.setattr(save, "save_text", killed)
    monkeypatch.setattr(save, "_remove_unused", lambda files, folder: None)
    with pytest.raises(Killed):
        save_answers(first.with_text("nodes[0].password", "new-1"), path)
    assert secrets_of(path) == secrets


def test_what_cannot_be_saved_is_told_before_anything_is_written(tmp_path: Path) -> None:
    path = tmp_path / "no" / "answers.yml"
    with pytest.raises(AnswersError, match="there is no folder") as caught:
        save_answers(opened(), path)
    assert caught.value.hint.startswith("run mkdir -p ")
    with pytest.raises(AnswersError, match="it is a folder"):
        save_answers(opened(), tmp_path)
    path = tmp_path / "answers.yml"
    with pytest.raises(AnswersError, match="a secret is not valid") as caught:
        save_answers(opened().with_text("admin.password", "canary\n3"), path)
    assert [problem.key for problem in caught.value.problems] == ["admin.password"]
    assert "canary" not in f"{caught.value} {caught.value.hint} {caught.value.problems}"
    typed_secrets_dir(path).write_text("a file in the way")
    with pytest.raises(AnswersError, match=r"answers\.secrets\.d: cannot be written"):
        save_answers(opened(), path)
    big = WorkingCopy.new()
    for _ in range(110):
        big = big.add_node().with_text(f"nodes[{big.nodes()}].host", "x y" * 4000)
    with pytest.raises(AnswersError, match="would be larger than 1 MiB"):
        save_answers(big, path)
    assert not path.exists()


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.yml").write_text(POC)
    (tmp_path / "answers.yml").symlink_to("real.yml")
    save_answers(opened(), tmp_path / "answers.yml", POC)
    assert (tmp_path / "answers.yml").is_symlink()
    assert secrets_of(tmp_path / "answers.yml")["nodes.api1.password"] == "canary-1"


def test_saves_at_the_same_moment_do_not_stand_in_each_others_way(tmp_path: Path) -> None:
    path, failed = tmp_path / "answers.yml", list[Exception]()

    def save() -> None:
        for _ in range(50):
            try:
                write_private(path, b"version: 1\n")
            except OSError as error:
                failed.append(error)

    threads = [threading.Thread(target=save) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert [file.name for file in tmp_path.iterdir()] == ["answers.yml"]


def test_saved_elsewhere_it_works_there(tmp_path: Path) -> None:
    """Its secrets are copied into a folder of its own, what it refers to is found from there."""
    old, new = tmp_path / "a" / "answers.yml", tmp_path / "b" / "other.yml"
    for path in (old, new):
        path.parent.mkdir()
    (old.parent / "license.key").write_text("licence")
    (old.parent / "id").write_text("key")
    (old.parent / "mine").write_text("a secret of the operator's\n")
    (old.parent / "mine").chmod(0o600)
    first = save_answers(
        opened()
        .with_text("admin.password", "canary-2")
        .with_value("nodes[0].key_file", Path("./id"))
        .with_value("database.password", SecretRef(kind="file", where="mine")),
        old,
    )
    before = secrets_of(old)
    save_answers(first, new, old.read_text(), old)
    assert secrets_of(new) == before
    made = read(new).answers
    assert made.license.bio == old.parent / "license.key"
    assert made.nodes[0].key_file == old.parent / "id"
    assert sorted(files(typed_secrets_dir(new))) == ["admin.password", "nodes.api1.password"]
    save_answers(first.with_text("admin.password", "another"), old, old.read_text(), old)
    assert secrets_of(new) == before


def test_saved_under_another_name_it_has_secrets_of_its_own(tmp_path: Path) -> None:
    old, new = tmp_path / "answers.yml", tmp_path / "other.yml"
    first = save_answers(opened().with_text("admin.password", "canary-2"), old)
    save_answers(first, new, old.read_text(), old)
    save_answers(first.with_text("admin.password", "another"), old, old.read_text(), old)
    assert secrets_of(new)["admin.password"] == "canary-2"
    assert secrets_of(old)["admin.password"] == "another"


def test_a_copy_made_by_hand_keeps_its_secrets(tmp_path: Path) -> None:
    old, copy = tmp_path / "answers.yml", tmp_path / "copy.yml"
    first = save_answers(opened().with_text("admin.password", "canary-2"), old)
    copy.write_text(old.read_text())
    save_answers(first.with_text("admin.password", "another"), old, old.read_text(), old)
    assert secrets_of(copy)["admin.password"] == "canary-2"


@pytest.mark.parametrize("changed", [False, True])
def test_a_file_that_is_replaced_is_kept_beside_it_with_its_secrets(tmp_path: Path, changed: bool) -> None:
    """Other answers are saved over it, or it is another one than was opened."""
    path, old = tmp_path / "answers.yml", tmp_path / "answers.yml.old"
    first = save_answers(opened().with_text("admin.password", "canary-2"), path)
    theirs = f"# of somebody else\n{path.read_text()}"
    path.write_text(theirs)
    if changed:
        save_answers(first.with_text("admin.password", "another"), path, theirs.partition("\n")[2], path)
    else:
        save_answers(WorkingCopy.new().with_value("scenario", "poc"), path)
    assert old.read_text() == theirs
    assert old.stat().st_mode & 0o777 == 0o600
    assert "canary-2\n" in files(typed_secrets_dir(path)).values()
    path.write_text(old.read_text())  # the way back
    assert secrets_of(path)["admin.password"] == "canary-2"


def test_every_file_that_is_replaced_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "answers.yml"
    for text in ("version: 1\n", "version: 1\nscenario: poc\n", "version: 1\n"):
        path.write_text(text)
        save_answers(WorkingCopy.new().with_value("scenario", "medium"), path)
    assert {file.name: file.read_text() for file in tmp_path.glob("*.old*")} == {
        "answers.yml.old": "version: 1\n",
        "answers.yml.old.2": "version: 1\nscenario: poc\n",
    }


def test_what_cannot_be_kept_beside_it_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "answers.yml"
    path.write_text("version: 1\n")

    def full(target: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(save, "write_private", full)
    with pytest.raises(AnswersError, match="was not replaced: it cannot be backed up: No space left"):
        save_answers(WorkingCopy.new().with_value("scenario", "poc"), path)
    assert files(tmp_path) == {"answers.yml": "version: 1\n"}


def test_the_files_own_save_leaves_no_copy(tmp_path: Path) -> None:
    path = tmp_path / "answers.yml"
    first = save_answers(opened(), path)
    save_answers(first.with_value("workload.apm", 7.0), path, path.read_text(), path)
    assert not list(tmp_path.glob("*.old*"))
