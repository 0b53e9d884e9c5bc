"""M2, M3, M4: files beside the answers that another user owns, wrote or linked are not used."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from oz_installer.answers.file import parse_file
from oz_installer.answers.local_files import write_private
from oz_installer.answers.model import SecretRef
from oz_installer.answers.secrets.resolve import secret_file_problem
from oz_installer.answers.secrets.store import SecretStore
from oz_installer.checks.context import Remedy
from oz_installer.errors import AnswersError
from oz_installer.installation.undo_log import UndoLog, pending_undos
from oz_installer.secret import Secret
from tests.hostile import STRANGER, give_away

UNDO = """\
2026-11-30 10:00:00 UTC  api1  start Docker
  run   true
  undo  touch /root/pwned
"""
REMEDY = Remedy(title="start Docker", node="api1", commands=(("true",),), undo=(("false",),))


def undo_log(folder: Path, mode: int = 0o600) -> Path:
    """A log that somebody has put there."""
    path = folder / "answers.undo.txt"
    path.write_text(UNDO, encoding="utf-8")
    path.chmod(mode)
    return path


def test_m2_an_undo_log_of_ours_is_read(tmp_path: Path) -> None:
    assert [one.commands for one in pending_undos(undo_log(tmp_path))] == [(("touch", "/root/pwned"),)]


def test_m2_an_undo_log_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = undo_log(tmp_path)
    give_away(monkeypatch, path)
    with pytest.raises(AnswersError, match="belongs to") as caught:
        pending_undos(path)
    assert "chown" in caught.value.hint
    with pytest.raises(AnswersError, match="belongs to"):
        UndoLog(path).begin(REMEDY)


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_m2_an_undo_log_that_others_may_write_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(AnswersError, match="can be written by others"):
        pending_undos(undo_log(tmp_path, mode))


def test_m2_an_undo_log_is_no_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "answers.undo.txt"
    link.symlink_to(undo_log(tmp_path / "elsewhere"))
    with pytest.raises(AnswersError):
        pending_undos(link)


def test_m3_generated_secrets_of_another_user_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SecretStore(tmp_path / "answers.secrets.json")
    store.add({"redis.password": Secret("theirs")})
    assert store.read()
    give_away(monkeypatch, store.path)
    with pytest.raises(AnswersError, match="belongs to"):
        store.read()


def test_m3_the_file_of_a_secret_is_ours_or_roots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "password"
    file.write_text("theirs\n", encoding="utf-8")
    file.chmod(0o600)
    ref = SecretRef(kind="file", where=str(file))
    assert not secret_file_problem(ref, tmp_path)
    give_away(monkeypatch, file)
    assert "belongs to" in secret_file_problem(ref, tmp_path)
    if os.geteuid() == 0:  # of the user who called sudo
        monkeypatch.setenv("SUDO_UID", str(STRANGER))
        assert not secret_file_problem(ref, tmp_path)


def test_m3_answers_that_everybody_may_write_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "answers.yml"
    path.write_text("version: 1\n", encoding="utf-8")
    path.chmod(0o664)
    parse_file(path)
    path.chmod(0o666)
    with pytest.raises(AnswersError, match="can be written by everybody"):
        parse_file(path)


def test_m4_a_link_of_another_user_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    precious, link = tmp_path / "precious", tmp_path / "answers.report.txt"
    precious.write_text("kept", encoding="utf-8")
    link.symlink_to(precious)
    give_away(monkeypatch, link)
    with pytest.raises(OSError, match="link that another user made"):
        write_private(link, b"report")
    assert precious.read_text(encoding="utf-8") == "kept"


@pytest.mark.parametrize("dangling", [False, True])
def test_m4_a_link_of_ours_is_followed(tmp_path: Path, dangling: bool) -> None:
    target, link = tmp_path / "target", tmp_path / "answers.yml"
    if not dangling:
        target.write_text("old", encoding="utf-8")
    link.symlink_to(target)
    write_private(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
