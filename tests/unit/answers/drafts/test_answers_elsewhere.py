"""Saved elsewhere: generated passwords go along, whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from oz_installer.answers.drafts import save
from oz_installer.answers.drafts.save import save_answers
from oz_installer.answers.local_files import secrets_file_path, typed_secrets_dir
from oz_installer.answers.secrets.store import SecretStore
from oz_installer.errors import AnswersError
from oz_installer.secret import Secret
from tests.unit.answers.drafts.test_answers_save import opened

GENERATED = {"redis.password": Secret("canary-r"), "rabbitmq.password": Secret("canary-q")}


@pytest.mark.parametrize("name", ["other.yml", "sub/answers.yml"])
def test_saved_elsewhere_generated_passwords_go_along(tmp_path: Path, name: str) -> None:
    """Else the other file would make new ones for nodes that have these."""
    old, new = tmp_path / "answers.yml", tmp_path / name
    new.parent.mkdir(exist_ok=True)
    kept = save_answers(opened(), old)
    SecretStore(secrets_file_path(old)).add(GENERATED)
    for _ in range(2):  # those that are there are these already
        save_answers(kept, new, old.read_text(), old)
        assert SecretStore(secrets_file_path(new)).read() == GENERATED
    assert secrets_file_path(new).stat().st_mode & 0o777 == 0o600
    assert SecretStore(secrets_file_path(old)).read() == GENERATED


def test_generated_passwords_that_are_there_are_not_overwritten(tmp_path: Path) -> None:
    old, new = tmp_path / "answers.yml", tmp_path / "other.yml"
    kept = save_answers(opened(), old)
    SecretStore(secrets_file_path(old)).add(GENERATED)
    SecretStore(secrets_file_path(new)).add({"redis.password": Secret("canary-of-others")})
    before = secrets_file_path(new).read_bytes()
    with pytest.raises(AnswersError, match="exists already, with other passwords") as caught:
        save_answers(kept, new, old.read_text(), old)
    assert "canary" not in str(caught.value) + caught.value.hint
    assert "another name" in caught.value.hint
    assert secrets_file_path(new).read_bytes() == before
    assert not new.exists()
    assert not typed_secrets_dir(new).exists()


def test_generated_passwords_are_taken_back_when_the_answers_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = tmp_path / "answers.yml", tmp_path / "other.yml"
    kept = save_answers(opened(), old)
    SecretStore(secrets_file_path(old)).add(GENERATED)

    def full(_text: str, path: Path) -> None:
        raise AnswersError(f"{path}: the disk is full", "make room")

    monkeypatch.setattr(save, "save_text", full)
    with pytest.raises(AnswersError, match="the disk is full"):
        save_answers(kept, new, old.read_text(), old)
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "answers.secrets.d",
        "answers.secrets.json",
        "answers.yml",
    ]


def test_passwords_of_a_file_that_is_gone_are_not_taken_for_those_of_new_answers(tmp_path: Path) -> None:
    SecretStore(secrets_file_path(tmp_path / "answers.yml")).add(GENERATED)
    save_answers(opened(), tmp_path / "other.yml", None, tmp_path / "answers.yml")
    assert not secrets_file_path(tmp_path / "other.yml").exists()
