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

import pytest

from oz_installer.checks.all_checks import CHECKS
from oz_installer.checks.base import ShellCheck
from oz_installer.checks.combined_script import combine_scripts, sections
from oz_installer.checks.context import CheckContext
from oz_installer.checks.engine.engine import EngineCheck
from oz_installer.checks.engine.ports import PortsCheck
from oz_installer.checks.engine.runtime import RuntimeCheck
from oz_installer.checks.host.host import HostCheck
from oz_installer.checks.runner import run_shell_checks
from oz_installer.checks.storage.probe import HeldFile, MediaLocation, read_back
from oz_installer.checks.storage.scripts import PREFIX
from oz_installer.checks.storage.storage import StorageCheck
from tests.local_transport import LocalTransport
from tests.unit.checks.checks_support import API, BIO, printed_by, site

DOCKER = """#!/bin/sh
case "$1 $2" in
  "info "*) echo "a warning of version 9.9" >&2
            printf 'version 26.1.5+dfsg1\\nplugin %s\\n' "$PLUGIN"
            echo 'info overlay2 systemd 2 true /srv/info x' ;;
  "compose version") echo "$ASKED" ;;
  "ps -a")
           printf 'container oz-api\\toz\\tdigest\\tUp 3 hours\\t0.0.0.0:8880->8880/tcp, [::]:80->8880/tcp\\n'
           printf 'container other\\toz\\t\\tExited (1) 2 days ago\\t\\n'
           printf 'container ftp\\t\\t\\tUp 2 days\\t0.0.0.0:60000-60002->60000-60002/tcp, 21/tcp\\n'
           printf 'container gone\\tx\\t\\tExited (0) 2 days ago\\t0.0.0.0:9999->9999/tcp\\n' ;;
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


def here(**changes: str) -> CheckContext:
    """This machine as both nodes, without sudo."""
    return site(lambda name: LocalTransport(name, become="none"), (API, BIO), **changes)


@pytest.mark.parametrize("engine", ["docker", "podman"])
@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_every_piece_is_sound_shell(engine: str, shell: str) -> None:
    at = site(engine=engine, install_dir="/srv/oz+1")
    for check in CHECKS:
        if isinstance(check, ShellCheck):
            subprocess.run([shell, "-n", "-c", f"{check.prelude(at)}\n{check.script(at, API)}"], check=True)


def test_this_machine_is_understood(tmp_path: Path) -> None:
    at = here()
    at = replace(at, answers=replace(at.answers, install_dir=str(tmp_path / "deep/oz")))
    facts = HostCheck().parse(printed_by(HostCheck(), at))
    assert facts.cores
    assert facts.memory
    assert facts.memory > 100_000
    assert facts.python.startswith("Python 3.")
    assert facts.place == str(tmp_path)
    assert facts.disk_size
    assert facts.disk_free
    assert (facts.access, facts.installed) == ("ok", False)
    assert dict(HostCheck().display(facts)).keys() >= {"OS", "CPU", "Memory", "Disk"}


@pytest.mark.parametrize(
    ("told", "asked", "plugin", "v1"),
    [
        ("2.26.1-4", "9.9.9", "2.26.1-4", ""),  # told beside the version: nobody is asked
        ("", "2.27.0", "2.27.0", "1.29.2"),
        ("", "", "", "1.29.2"),
    ],
)
def test_an_engine_and_its_containers(
    tools: Path, monkeypatch: pytest.MonkeyPatch, told: str, asked: str, plugin: str, v1: str
) -> None:
    program(tools, "docker", DOCKER)
    program(tools, "docker-compose", "#!/bin/sh\necho 1.29.2\n")
    monkeypatch.setenv("PLUGIN", told)
    monkeypatch.setenv("ASKED", asked)
    facts = EngineCheck().parse(printed_by(EngineCheck(), here()))
    assert facts.engine.answers
    assert facts.engine.version == "26.1.5+dfsg1"
    assert (facts.engine.compose_plugin, facts.engine.compose_v1) == (plugin, v1)
    assert (facts.ours, facts.foreign, facts.recorded) == (("oz-api",), ("other",), False)
    shown = dict(EngineCheck().display(facts))
    assert shown["Engine"] == "Docker 26.1.5+dfsg1"
    assert shown["Compose"].endswith((plugin or v1).partition("-")[0])


def test_what_the_engine_is_asked_once_serves_all(tools: Path) -> None:
    """Its answers cost more than all other shell together."""
    program(tools, "docker", DOCKER.replace("#!/bin/sh", f'#!/bin/sh\necho "$1" >> {tools}/asked', 1))
    run_shell_checks((HostCheck(), EngineCheck(), RuntimeCheck(), PortsCheck()), here(), API)
    assert sorted((tools / "asked").read_text().split()) == ["compose", "info", "ps"]


COUNTED = {"docker": "{{.Containers}}", "podman": "{{.Store.ContainerStore.Number}}"}


@pytest.mark.parametrize("engine", ["docker", "podman"])
@pytest.mark.parametrize(("has", "asked"), [("0", ["info"]), ("3", ["info", "ps"])])
def test_an_engine_without_containers_is_not_asked_for_them(
    tools: Path, monkeypatch: pytest.MonkeyPatch, engine: str, has: str, asked: list[str]
) -> None:
    """It counts them when it is asked for its form."""
    monkeypatch.setenv("PLUGIN", "2.26.1")
    counts = f"""case "$*" in *"has {COUNTED[engine]}"*) echo 'has {has}' ;; esac; echo 'info """
    fake = DOCKER.replace("echo 'info ", counts)
    program(tools, engine, fake.replace("#!/bin/sh", f'#!/bin/sh\necho "$1" >> {tools}/asked', 1))
    program(tools, "podman-compose", "#!/bin/sh\necho 'podman-compose version 1.2.0'\n")
    facts = EngineCheck().parse(printed_by(EngineCheck(), here(engine=engine)))
    assert (tools / "asked").read_text().split() == asked
    assert facts.listed
    assert facts.engine.answers
    assert bool(facts.ours or facts.foreign) is ("ps" in asked)


def test_an_engine_that_tells_no_more_than_its_version_answers(tools: Path) -> None:
    program(tools, "docker", '#!/bin/sh\n[ "$1" = version ] || exit 1\necho 26.1.5\n')
    facts = EngineCheck().parse(printed_by(EngineCheck(), here()))
    assert (facts.engine.answers, facts.engine.version) == (True, "26.1.5")
    assert RuntimeCheck().parse(printed_by(RuntimeCheck(), here())).known is False


def test_the_root_of_an_engine_may_hold_words(tools: Path) -> None:
    program(tools, "docker", DOCKER)
    facts = RuntimeCheck().parse(printed_by(RuntimeCheck(), here()))
    assert (facts.driver, facts.cgroup, facts.root) == ("overlay2", "systemd, v2", "/srv/info x")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("echo 'Cannot connect to the\nDocker daemon' >&2; exit 1", "Cannot connect to the Docker daemon"),
        ("exit 124", "did not answer within 5 s"),
    ],
)
def test_an_engine_that_does_not_answer(tools: Path, text: str, words: str) -> None:
    program(tools, "docker", f"#!/bin/sh\n{text}\n")
    facts = EngineCheck().parse(printed_by(EngineCheck(), here()))
    assert not facts.engine.answers
    assert words in facts.engine.message


def test_an_engine_that_is_not_there(tools: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("sh", "timeout", "tr"):
        found = subprocess.run(["sh", "-c", f"command -v {name}"], capture_output=True, text=True, check=True)
        (tools / name).symlink_to(found.stdout.strip())
    monkeypatch.setenv("PATH", str(tools))
    facts = EngineCheck().parse(printed_by(EngineCheck(), here()))
    assert facts.engine.message == "docker: not found"


def test_ports_of_listeners_and_containers(tools: Path) -> None:
    program(tools, "docker", DOCKER)
    program(tools, "ss", "#!/bin/sh\nexit 1\n")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        facts = PortsCheck().parse(printed_by(PortsCheck(), here()))
        assert listener.getsockname()[1] in facts.listening
    assert facts.complete
    assert facts.ours == {80, 8880}
    assert facts.containers[60002] == "ftp"
    assert facts.taken(60001)
    assert not facts.taken(8880)
    assert not facts.taken(9999)


RESTARTING = r"""#!/bin/sh
case "$*" in
  *"container inspect"*"looping theirs") echo 'bound /looping 8880/tcp=8880 53/udp=53 60000/tcp=60001'
    echo 'bound /theirs 80/tcp=8080' ;;
  *"container inspect"*) echo "unexpected: $*" >&2; exit 1 ;;
  *"ps -a"*) printf 'container looping\toz\tabc\tRestarting (1) 3 seconds ago\t\n'
    printf 'container theirs\tx\t\tRestarting (1) 3 seconds ago\t\n'
    printf 'container gone\toz\tabc\tExited (0) 3 seconds ago\t\n' ;;
  *) echo 'version 26.1.5
has 3' ;;
esac
"""


def test_the_ports_of_a_container_that_restarts_for_ever_are_known(tools: Path) -> None:
    """OWN-RESTART-LOOP: the engine lists no ports of it, and now and then it listens all the same."""
    program(tools, "docker", RESTARTING)
    program(tools, "ss", "#!/bin/sh\nexit 1\n")
    facts = PortsCheck().parse(printed_by(PortsCheck(), here()))
    assert facts.ours == {8880, 60001}
    assert facts.containers == {8880: "looping", 60001: "looping", 8080: "theirs"}
    running = replace(facts, listening=frozenset({8880}), holders={8880: "docker-proxy"})
    assert not running.taken(8880)
    assert not running.is_left_over(8880)


def test_a_listener_is_named() -> None:
    if subprocess.run(["sh", "-c", "command -v ss"], capture_output=True, check=False).returncode:
        pytest.skip("no ss here")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        facts = PortsCheck().parse(printed_by(PortsCheck(), here()))
        assert "py" in facts.holder(listener.getsockname()[1])


def test_the_whole_look_of_this_machine_is_one_script(tools: Path) -> None:
    program(tools, "docker", DOCKER)
    seen = run_shell_checks((HostCheck(), EngineCheck(), PortsCheck()), here(), API)
    assert {one.check for one in seen.findings} == {"host", "engine", "ports"}
    assert not [one for one in seen.findings if "broke" in one.seen]


# ---- storage


def storage(folder: Path) -> CheckContext:
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
    facts = check.probe(at, BIO)
    assert (facts.folder, facts.shared) == ("missing", None)


def test_a_folder_that_cannot_be_written() -> None:
    check, at = StorageCheck(), storage(Path("/proc"))
    facts = check.probe(at, API)
    assert facts.folder not in ("ok", "missing", "")
    assert check.probe(at, BIO).folder not in ("ok", "missing", "")


def test_another_folder_of_the_same_name_is_told_from_the_shared_one(shared: Path, tmp_path: Path) -> None:
    """The file of the first node is not there, or holds something else."""
    held = HeldFile(LocalTransport(become="none"), MediaLocation(folder=str(tmp_path)), f"{PREFIX}a", "word")
    with held:
        facts = read_back(
            LocalTransport(become="none"), MediaLocation(folder=str(shared)), f"{PREFIX}a", "word"
        )
        assert facts.shared is False
        assert "No such file" in facts.message
        other = read_back(
            LocalTransport(become="none"), MediaLocation(folder=str(tmp_path)), f"{PREFIX}a", "another"
        )
        assert other.shared is False


def test_the_file_goes_when_the_workstation_dies(shared: Path) -> None:
    """All that a node sees of a killed workstation is the end of stdin."""
    held = HeldFile(LocalTransport(become="none"), MediaLocation(folder=str(shared)), f"{PREFIX}a", "word")
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


@pytest.mark.parametrize(("shell", "late"), [("sh", 124), ("bash", 124), ("sh", 143)])
def test_an_engine_that_hangs_is_waited_for_once(tools: Path, shell: str, late: int) -> None:
    """All pieces ask it; five seconds are half a one here. Busybox has another word for late."""
    program(tools, "docker", f'#!/bin/sh\necho "$1" >> {tools}/asked\nexec sleep 60\n')
    fast = f'[ "$1" != docker ] || {{ /usr/bin/timeout 0.5 "$@"; exit {late}; }}'
    program(tools, "timeout", f'#!/bin/sh\nshift\n{fast}\nexec "$@"\n')
    at = here()
    pieces = {one.name: one.script(at, API) for one in CHECKS if isinstance(one, ShellCheck)}
    before = [one.prelude(at) for one in CHECKS if isinstance(one, ShellCheck)]
    argv = [shell, "-c", combine_scripts(pieces, before)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True)
    assert list(sections(done.stdout)) == [*pieces, "end"]
    assert (tools / "asked").read_text() == "info\nversion\n"  # the latter only whether it is dead
    facts = EngineCheck().parse(sections(done.stdout)["engine"])
    assert "did not answer within 5 s" in facts.engine.message
