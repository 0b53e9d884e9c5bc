"""What is run on nodes, run for real here: facts come out, and nothing stays behind."""

from __future__ import annotations

import os
import shlex
import socket
import stat
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from oz_installer.checks.check import Look
from oz_installer.checks.engine import Engine
from oz_installer.checks.every import CHECKS
from oz_installer.checks.host import Host
from oz_installer.checks.model import Site
from oz_installer.checks.ports import Ports
from oz_installer.checks.running import look
from oz_installer.checks.storage import PREFIX, StorageCheck, StorageFacts, _Held
from oz_installer.remote.local import LocalTransport
from tests.unit.checks.checks_support import API, BIO, site

DOCKER = """#!/bin/sh
case "$1 $2" in
  "version "*) echo "a warning of version 9.9" >&2; echo 26.1.5+dfsg1 ;;
  "compose version") echo 2.26.1 ;;
  "ps -a") printf 'container oz-api\\tdigest\\ncontainer other\\t\\n' ;;
  "ps "*) printf 'container oz-api\\tdigest\\t0.0.0.0:8880->8880/tcp, [::]:8880->8880/tcp\\n'
          printf 'container ftp\\t\\t0.0.0.0:60000-60002->60000-60002/tcp, 21/tcp\\n' ;;
esac
"""


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of programs that stand before those of the machine."""
    folder = tmp_path / "tools"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder


def program(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def here(**changes: str) -> Site:
    """This machine as both nodes, without sudo."""
    return site(lambda name: LocalTransport(name, become="none"), (API, BIO), **changes)


def printed(check: Look[Any], at: Site) -> str:
    """What the piece of one look prints."""
    piece = f'soon() {{ timeout 5 "$@"; }}\n{check.script(at, API)}'
    return LocalTransport().run(("sh", "-c", piece)).text


@pytest.mark.parametrize("engine", ["docker", "podman"])
@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_every_piece_is_sound_shell(engine: str, shell: str) -> None:
    at = site(engine=engine, install_dir="/srv/oz+1")
    for check in CHECKS:
        if isinstance(check, Look):
            subprocess.run([shell, "-n", "-c", check.script(at, API)], check=True)


def test_this_machine_is_understood(tmp_path: Path) -> None:
    at = here()
    at = replace(at, answers=replace(at.answers, install_dir=str(tmp_path / "deep/oz")))
    facts = Host().parse(printed(Host(), at))
    assert facts.cores
    assert facts.memory
    assert facts.memory > 100_000
    assert facts.python.startswith("Python 3.")
    assert facts.place == str(tmp_path)
    assert facts.disk_size
    assert facts.disk_free
    assert (facts.access, facts.installed) == ("ok", False)
    assert dict(Host().shown(facts)).keys() >= {"OS", "CPU", "Memory", "Disk"}


def test_an_engine_and_its_containers(tools: Path) -> None:
    program(tools, "docker", DOCKER)
    program(tools, "docker-compose", "#!/bin/sh\necho 1.29.2\n")
    facts = Engine().parse(printed(Engine(), here()))
    assert facts.engine.answers
    assert (facts.engine.version, facts.engine.compose_plugin) == ("26.1.5+dfsg1", "2.26.1")
    assert facts.engine.compose_v1 == "1.29.2"
    assert (facts.ours, facts.strangers, facts.recorded) == (("oz-api",), ("other",), False)
    assert dict(Engine().shown(facts)) == {
        "Engine": "Docker 26.1.5+dfsg1",
        "Compose": "docker compose 2.26.1",
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("echo 'Cannot connect to the\nDocker daemon' >&2; exit 1", "Cannot connect to the Docker daemon"),
        ("exit 124", "did not answer within 5 s"),
    ],
)
def test_an_engine_that_does_not_answer(tools: Path, text: str, words: str) -> None:
    program(tools, "docker", f"#!/bin/sh\n{text}\n")
    facts = Engine().parse(printed(Engine(), here()))
    assert not facts.engine.answers
    assert words in facts.engine.said


def test_an_engine_that_is_not_there(tools: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("sh", "timeout", "tr", "awk", "df", "dirname"):
        found = subprocess.run(["sh", "-c", f"command -v {name}"], capture_output=True, text=True, check=True)
        (tools / name).symlink_to(found.stdout.strip())
    monkeypatch.setenv("PATH", str(tools))
    facts = Engine().parse(printed(Engine(), here()))
    assert facts.engine.said == "docker: not found"


def test_ports_of_listeners_and_containers(tools: Path) -> None:
    program(tools, "docker", DOCKER)
    program(tools, "ss", "#!/bin/sh\nexit 1\n")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        facts = Ports().parse(printed(Ports(), here()))
        assert listener.getsockname()[1] in facts.listening
    assert facts.complete
    assert facts.ours == {8880}
    assert facts.containers[60002] == "ftp"
    assert facts.taken(60001)
    assert not facts.taken(8880)


def test_a_listener_is_named() -> None:
    if subprocess.run(["sh", "-c", "command -v ss"], capture_output=True, check=False).returncode:
        pytest.skip("no ss here")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        facts = Ports().parse(printed(Ports(), here()))
        assert "py" in facts.holder(listener.getsockname()[1])


def test_the_whole_look_of_this_machine_is_one_script(tools: Path) -> None:
    program(tools, "docker", DOCKER)
    seen = look((Host(), Engine(), Ports()), here(), API)
    assert {one.check for one in seen.findings} == {"host", "engine", "ports"}
    assert not [one for one in seen.findings if "broke" in one.seen]


# ---- storage


def storage(folder: Path) -> Site:
    """This machine as two api nodes that share a folder."""
    return here(storage=f"{{type: path, path: {shlex.quote(str(folder))}}}")


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Path]:
    """A folder that is as empty afterwards as before."""
    folder = tmp_path / "shared"
    folder.mkdir()
    yield folder
    assert list(folder.iterdir()) == []


def test_what_one_writes_the_other_sees(shared: Path) -> None:
    check, at = StorageCheck(), storage(shared)
    assert check.probe(at, API).folder == "ok"
    facts = check.probe(at, BIO)
    assert (facts.folder, facts.held, facts.shared) == ("ok", True, True)
    assert facts.free


def test_a_folder_that_is_missing(tmp_path: Path) -> None:
    check, at = StorageCheck(), storage(tmp_path / "nowhere")
    assert check.probe(at, API).folder == "missing"
    assert check.probe(at, BIO) == StorageFacts(folder="missing", held=False)


def test_a_folder_that_cannot_be_written() -> None:
    check, at = StorageCheck(), storage(Path("/proc"))
    facts = check.probe(at, API)
    assert facts.folder not in ("ok", "missing", "")
    assert check.probe(at, BIO).held is False


def test_another_folder_of_the_same_name_is_told_from_the_shared_one(shared: Path, tmp_path: Path) -> None:
    """The file of the first node is not there, or holds something else."""
    held = _Held(LocalTransport(become="none"), str(tmp_path), f"{PREFIX}a", "word")
    from oz_installer.checks.storage import _read

    with held:
        facts = _read(LocalTransport(become="none"), str(shared), f"{PREFIX}a", "word", held=True)
        assert facts.shared is False
        assert "No such file" in facts.said
        other = _read(LocalTransport(become="none"), str(tmp_path), f"{PREFIX}a", "another", held=True)
        assert other.shared is False


def test_the_file_goes_when_the_workstation_dies(shared: Path) -> None:
    """All that a node sees of a killed workstation is the end of stdin."""
    held = _Held(LocalTransport(become="none"), str(shared), f"{PREFIX}a", "word")
    held.__enter__()
    assert [one.name for one in shared.iterdir()] == [f"{PREFIX}a"]
    assert held._sock
    held._sock.close()
    until = time.monotonic() + 10
    while any(shared.iterdir()) and time.monotonic() < until:
        time.sleep(0.02)


def test_what_a_killed_check_left_goes_with_the_next(shared: Path) -> None:
    left, mine = shared / f"{PREFIX}old", shared / "mine"
    left.write_text("x")
    mine.write_text("x")
    long_ago = time.time() - 7200
    os.utime(left, (long_ago, long_ago))
    os.utime(mine, (long_ago, long_ago))
    StorageCheck().probe(storage(shared), API)
    assert [one.name for one in shared.iterdir()] == ["mine"]
    mine.unlink()


def test_local_storage_tells_its_free_space(tmp_path: Path) -> None:
    at = here(storage="{type: local}")
    assert StorageCheck().probe(at, API).free
