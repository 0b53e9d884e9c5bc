"""Secrets: fetched from where the answers say, made once, kept privately, and never shown."""

from __future__ import annotations

import json
import multiprocessing
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from oz_installer.answers.file import loads, read
from oz_installer.answers.local_files import resolve_path, secrets_file_path, write_private
from oz_installer.answers.secrets.resolve import references, resolve_secrets
from oz_installer.answers.secrets.store import SecretStore
from oz_installer.answers.yaml.writer import save
from oz_installer.errors import AnswersError, LockedError
from oz_installer.secret import MASK, Secret

TEXT = """\
scenario: medium
public_url: https://oz.example.com
nodes:
  - {name: api1, host: a, user: oz, become: sudo, become_password: {prompt: true}}
  - {name: bio1, host: b, user: oz, become: sudo, become_password: {prompt: true}}
  - {name: bio2, host: c, user: me, key_file: k, key_passphrase: {prompt: true}}
database: {host: db, password: {env: OZ_DB}}
updater: {token: {file: token.txt}}
admin: {password: "canary plain"}
"""


@pytest.fixture
def token(tmp_path: Path) -> Path:
    path = tmp_path / "token.txt"
    write_private(path, b"canary-token \n")
    return path


def told(error: AnswersError) -> list[str]:
    return [str(problem) for problem in error.problems]


def test_every_kind(tmp_path: Path, token: Path) -> None:
    asked: list[str] = []

    def ask(label: str) -> Secret:
        asked.append(label)
        return Secret(f"canary {label}")

    found = resolve_secrets(loads(TEXT), base=tmp_path, ask=ask, environ={"OZ_DB": "canary-db"})
    assert asked == ["sudo password of oz on api1, bio1", "Key passphrase of k"]
    assert found["database.password"].reveal() == "canary-db"
    assert found["updater.token"].reveal() == "canary-token "
    assert found["admin.password"].reveal() == "canary plain"
    assert found.of_node("bio1", "become_password") == found["nodes.api1.become_password"]
    assert found.of_node("bio2", "password") is None
    assert "canary" not in repr(found) + str(found) + repr(list(found.items()))
    assert found.masker()("x canary-db y") == f"x {MASK} y"


def test_all_that_cannot_be_had_at_once(tmp_path: Path) -> None:
    path = tmp_path / "answers.yml"
    path.write_text(TEXT)
    path.chmod(0o600)
    loaded = read(path)
    with pytest.raises(AnswersError) as caught:
        resolve_secrets(loaded.answers, base=tmp_path, environ={}, place=loaded.with_location)
    no_terminal = "needs a prompt, but there is no terminal; write {env: NAME} or {file: PATH}"
    assert told(caught.value) == [
        f"{path}:4: nodes[0].become_password (api1): {no_terminal}",
        f"{path}:5: nodes[1].become_password (bio1): {no_terminal}",
        f"{path}:6: nodes[2].key_passphrase (bio2): {no_terminal}",
        f"{path}:7: database.password: the environment variable OZ_DB is not set; export it before the run",
        f"{path}:8: updater.token: {tmp_path}/token.txt cannot be read: No such file or directory",
    ]
    assert caught.value.exit_code == 2


def test_nobody_is_asked_when_something_else_is_missing(tmp_path: Path, token: Path) -> None:
    def ask(label: str) -> Secret:
        raise AssertionError(label)

    with pytest.raises(AnswersError):
        resolve_secrets(loads(TEXT), base=tmp_path, ask=ask, environ={})


def test_only_what_is_wanted(tmp_path: Path) -> None:
    found = resolve_secrets(
        loads(TEXT),
        base=tmp_path,
        environ={"OZ_DB": "x"},
        wanted=lambda slot: not slot.startswith("nodes.") and slot != "updater.token",
    )
    assert list(found) == ["database.password", "admin.password"]
    assert references(loads(TEXT))[0].slot == "nodes.api1.become_password"


@pytest.mark.parametrize(
    ("content", "mode", "said"),
    [
        (b"", 0o600, "is empty"),
        (b"\n", 0o600, "is empty"),
        (b"a\nb\n", 0o600, "holds the control character U+000A"),
        (b"\xff", 0o600, "is not UTF-8"),
        (b"tell-tale", 0o640, "can be read by others; run chmod 600"),
        (b"tell-tale", 0o604, "can be read by others; run chmod 600"),
        (b"x" * 70_000, 0o600, "is larger than 64 KiB"),
    ],
)
def test_bad_secret_files(tmp_path: Path, token: Path, content: bytes, mode: int, said: str) -> None:
    token.write_bytes(content)
    token.chmod(mode)
    with pytest.raises(AnswersError) as caught:
        resolve_secrets(loads(TEXT), base=tmp_path, environ={}, wanted=lambda slot: slot == "updater.token")
    assert said in told(caught.value)[0]
    assert "tell-tale" not in told(caught.value)[0]


def test_a_folder_and_a_pipe_are_no_secret_files(tmp_path: Path) -> None:
    (tmp_path / "token.txt").mkdir()
    with pytest.raises(AnswersError) as caught:
        resolve_secrets(loads(TEXT), base=tmp_path, environ={}, wanted=lambda slot: slot == "updater.token")
    assert "is not a regular file" in told(caught.value)[0] or "Is a directory" in told(caught.value)[0]
    (tmp_path / "token.txt").rmdir()
    os.mkfifo(tmp_path / "token.txt", 0o600)
    with pytest.raises(AnswersError, match="cannot be used"):
        resolve_secrets(loads(TEXT), base=tmp_path, environ={}, wanted=lambda slot: slot == "updater.token")


@pytest.mark.parametrize("value", ["", "a\nb", "\x1b"])
def test_bad_variables_and_typing(tmp_path: Path, value: str) -> None:
    with pytest.raises(AnswersError):
        resolve_secrets(
            loads(TEXT), base=tmp_path, environ={"OZ_DB": value}, wanted=lambda slot: slot[:2] == "da"
        )
    with pytest.raises(AnswersError) as caught:
        resolve_secrets(
            loads(TEXT),
            base=tmp_path,
            ask=lambda _: Secret(value),
            environ={},
            wanted=lambda slot: slot[:5] == "nodes",
        )
    assert "the typed secret" in told(caught.value)[0]


def test_generated_once(tmp_path: Path) -> None:
    store = secrets_file_path(tmp_path / "answers.yml")
    assert store == tmp_path / "answers.secrets.json"

    def run(slots: list[str], keep: bool = True) -> dict[str, str]:
        found = resolve_secrets(
            loads(TEXT),
            base=tmp_path,
            environ={"OZ_DB": "given"},
            wanted=lambda slot: slot == "database.password",
            store_path=store,
            slots=slots,
        )
        if keep:
            SecretStore(store).add(found.made)
        return {slot: secret.reveal() for slot, secret in found.items()}

    unkept = run(["redis.password"], keep=False)
    assert not store.exists()  # whoever only looks leaves no trace
    assert len(unkept["redis.password"]) == 40
    first = run(["redis.password", "database.password"])
    assert first["database.password"] == "given"
    assert len(first["redis.password"]) == 40
    assert stat.S_IMODE(store.stat().st_mode) == 0o600
    before = store.stat()
    assert run(["redis.password"]) == first
    assert store.stat().st_ino == before.st_ino
    second = run(["redis.password", "ftp.password"])
    assert second["redis.password"] == first["redis.password"] != second["ftp.password"]
    assert list(json.loads(store.read_text())["secrets"]) == ["ftp.password", "redis.password"]
    assert [path.name for path in tmp_path.iterdir()] == ["answers.secrets.json"]


@pytest.mark.parametrize(
    ("content", "mode", "said"),
    [
        ("{}", 0o640, "can be read or written by others"),
        ("", 0o600, "is not the JSON that oz-install wrote"),
        ("{", 0o600, "is not the JSON"),
        ("[" * 100_000, 0o600, "is not the JSON"),
        ("[]", 0o600, "is not of a version"),
        ('{"version": 2, "secrets": {}}', 0o600, "is not of a version"),
        ('{"version": 1, "secrets": {"a": 1}}', 0o600, "holds no text for a"),
    ],
)
def test_a_broken_store_is_never_replaced(tmp_path: Path, content: str, mode: int, said: str) -> None:
    path = tmp_path / "s.json"
    path.write_text(content)
    path.chmod(mode)
    with pytest.raises(AnswersError, match=said) as caught:
        SecretStore(path).add({"b": Secret("new")})
    assert caught.value.hint
    assert path.read_text() == content


@pytest.fixture
def no_modes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A file system that gives every file the mode 777, as DrvFs of WSL does without metadata."""
    real, before = os.open, os.umask(0)
    monkeypatch.setattr(
        os, "open", lambda path, flags, mode=0o777, **more: real(path, flags, mode | 0o777, **more)
    )
    yield
    os.umask(before)


@pytest.mark.usefixtures("no_modes")
def test_a_file_system_without_modes_gets_no_secrets(tmp_path: Path) -> None:
    with pytest.raises(AnswersError, match="keeps no file modes") as caught:
        SecretStore(tmp_path / "s.json").add({"a": Secret("canary")})
    assert "below your home" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_others_can_read_on_any_file_system(tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    path.write_text('{"version": 1, "secrets": {}}')
    path.chmod(0o777)
    with pytest.raises(AnswersError, match="can be read or written by others") as caught:
        SecretStore(path).read()
    assert caught.value.hint.startswith(f"run chmod 600 {path}; if nothing changes, move the answers")


def test_a_store_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(AnswersError, match="cannot be locked"):
        SecretStore(tmp_path / "no" / "s.json").add({"a": Secret("new")})
    with pytest.raises(AnswersError, match="Is a directory"):
        SecretStore(tmp_path).add({"a": Secret("new")})
    with pytest.raises(AnswersError, match="cannot be stored without an answers file"):
        resolve_secrets(loads(TEXT), base=tmp_path, wanted=lambda _: False, slots=["a"])


def test_a_crash_while_writing_leaves_the_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = SecretStore(tmp_path / "s.json")
    old = {"a": Secret("old")}
    store.add(old)
    monkeypatch.setattr(
        os, "fsync", lambda handle: (_ for _ in ()).throw(OSError(28, "No space left on device"))
    )
    with pytest.raises(AnswersError, match="No space left"):
        store.add({"b": Secret("new")})
    assert store.read() == old
    assert len(list(tmp_path.iterdir())) == 1


def _race(path: Path, number: int, results: multiprocessing.Queue[tuple[str, str]]) -> None:
    made = {"shared": Secret.generate(), f"own{number}": Secret.generate()}
    try:
        SecretStore(path).add(made)
    except LockedError as error:
        results.put(("lost", str(error)))
    else:
        results.put(("kept", made["shared"].reveal()))


def test_of_processes_at_once_one_keeps_its_own_and_the_others_are_told(tmp_path: Path) -> None:
    results: multiprocessing.Queue[tuple[str, str]] = multiprocessing.Queue()
    path = tmp_path / "s.json"
    workers = [multiprocessing.Process(target=_race, args=(path, number, results)) for number in range(6)]
    for worker in workers:
        worker.start()
    said = [results.get(timeout=60) for _ in workers]
    for worker in workers:
        worker.join()
    kept = SecretStore(path).read()
    assert [text for what, text in said if what == "kept"] == [kept["shared"].reveal()]
    assert all("another run has just generated shared" in text for what, text in said if what == "lost")
    assert len(kept) == 2


def test_keeping_the_same_again_changes_nothing(tmp_path: Path) -> None:
    store = SecretStore(tmp_path / "s.json")
    store.add({"a": Secret("one")})
    store.add({"a": Secret("one"), "b": Secret("two")})
    store.add({})
    assert store.read() == {"a": Secret("one"), "b": Secret("two")}


def test_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert resolve_path("license.key", tmp_path) == tmp_path / "license.key"
    assert resolve_path(Path("~/k"), tmp_path) == Path("/home/me/k")
    assert resolve_path("/a", tmp_path) == Path("/a")
    assert resolve_path("~nobody-of-that-name/k", tmp_path) == tmp_path / "~nobody-of-that-name/k"


def test_answers_are_saved_whole_and_private(tmp_path: Path) -> None:
    path = tmp_path / "answers.yml"
    path.write_text("old")
    path.chmod(0o644)
    save(loads(TEXT), path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read(path).answers == loads(TEXT)
    for wrong in (tmp_path, tmp_path / "no" / "a.yml", Path("/proc/a.yml")):
        with pytest.raises(AnswersError, match="cannot be written"):
            save(loads(TEXT), wrong)
    assert [found.name for found in tmp_path.iterdir()] == ["answers.yml"]
