"""node.sh for real, in a folder of its own, under every shell that this machine has."""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import shutil
import signal
import stat
import subprocess
import tarfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from oz_installer.deploy.compose import node_commands as commands
from oz_installer.deploy.compose.facts import NodeFacts, parse_facts
from oz_installer.deploy.compose.planner import plan_node
from oz_installer.deploy.record import Record, record_of
from oz_installer.render.compose.bundle import Bundle
from tests.unit.deploy.compose.deploy_support import bundle, service

SHELLS = [
    pytest.param(argv, id=argv[0])
    for argv in (("dash",), ("bash",), ("busybox", "sh"))
    if shutil.which(argv[0])
]
FAKE_DOCKER = r"""#!/bin/sh
# A docker that says what stands in files beside it, and writes down how it was called.
here=$(dirname "$0")
printf '%s\n' "$*" >> "$here/called"
case "$1 ${2:-}" in
  "compose version") cat "$here/compose-version" ;;
  "version --format") echo 26.1.5 ;;
  "image inspect") echo "nginx:1 nginx@sha256:aa" ;;
  "volume ls") echo oz_redis ;;
  "ps -a") cat "$here/containers"; exit "$(cat "$here/status")" ;;
  "compose -p")
    files=0
    while [ $# -gt 1 ]; do
      if [ "$1" = -f ]; then
        files=1
        if grep -q INVALID "$2"; then echo "services.x: invalid" >&2; exit 15; fi
      fi
      shift
    done
    [ $files = 1 ] || exit 14 ;;
esac
"""


@dataclass
class Node:
    """A node whose install folder is ``folder``; its docker is a script."""

    folder: str
    shell: Sequence[str]
    tools: Path

    def environment(self) -> dict[str, str]:
        return {**os.environ, "PATH": f"{self.tools}:{os.environ['PATH']}", "LC_ALL": "C"}

    def start(self, argv: Sequence[str]) -> subprocess.Popen[bytes]:
        assert argv[0] == "sh"
        pipe = subprocess.PIPE
        return subprocess.Popen(
            [*self.shell, *argv[1:]],
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            env=self.environment(),
            start_new_session=True,
        )

    def run(self, argv: Sequence[str], stdin: bytes = b"") -> subprocess.CompletedProcess[str]:
        process = self.start(argv)
        out, err = process.communicate(stdin, timeout=60)
        return subprocess.CompletedProcess(argv, process.returncode, out.decode(), err.decode())

    def ok(self, argv: Sequence[str], stdin: bytes = b"") -> str:
        done = self.run(argv, stdin)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def lock(self, run: str = "r1", owner: str = "me") -> subprocess.CompletedProcess[str]:
        return self.run(commands.lock(self.folder, run, owner))

    def stage(
        self,
        generation: str,
        files: Mapping[str, str],
        *,
        run: str = "r1",
        send: Sequence[str] | None = None,
        removed: Sequence[str] = (),
        folders: Sequence[str] = (),
        manifest: str | None = None,
    ) -> subprocess.CompletedProcess[str]:
        argv = commands.stage(
            self.folder, run, generation, "docker compose", removed=removed, folders=folders
        )
        return self.run(argv, payload(generation, files, send=send, manifest=manifest))

    def switch(self, generation: str, run: str = "r1") -> None:
        self.ok(commands.switch(self.folder, run, generation))

    def install(self, generation: str, files: Mapping[str, str]) -> None:
        done = self.stage(generation, files)
        assert done.returncode == 0, done.stderr
        self.switch(generation)

    def look(self, digest: str = "", *images: str) -> NodeFacts:
        return parse_facts("n", self.ok(commands.read_facts(self.folder, "docker", digest, images)))

    def called(self) -> str:
        file = self.tools / "called"
        return file.read_text() if file.exists() else ""

    @property
    def root(self) -> Path:
        return Path(self.folder)

    def generations(self) -> list[str]:
        folder = self.root / "generations"
        return sorted(path.name for path in folder.iterdir()) if folder.exists() else []

    def current(self) -> str:
        link = self.root / "current"
        return str(link.readlink()) if link.is_symlink() else ""

    def tree(self) -> dict[str, str]:
        """Files and their content below ``current``."""
        current = self.root / "current"
        paths = sorted(path for path in current.rglob("*") if path.is_file())
        return {str(path.relative_to(current)): path.read_text() for path in paths}


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def payload(
    generation: str,
    files: Mapping[str, str],
    *,
    send: Sequence[str] | None = None,
    manifest: str | None = None,
    digest: str = "d",
) -> bytes:
    """The tar that the phase sends: the chosen files, the manifest of all, the record."""
    lines = "".join(f"{sha(text)}  {path}\n" for path, text in sorted(files.items()))
    record = Record(node="n", release="5.2", generation=generation, digest=digest)
    sent = {path: text for path, text in files.items() if send is None or path in send}
    sent |= {"manifest": lines if manifest is None else manifest, "record.json": record.dumps()}
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for path, text in sent.items():
            member = tarfile.TarInfo(path)
            member.size, member.mode = len(text.encode()), 0o600 if "secret" in path else 0o644
            tar.addfile(member, io.BytesIO(text.encode()))
    return out.getvalue()


@pytest.fixture(params=SHELLS)
def node(request: pytest.FixtureRequest, tmp_path: Path) -> Node:
    tools = tmp_path / "bin"
    tools.mkdir()
    docker = tools / "docker"
    docker.write_text(FAKE_DOCKER)
    docker.chmod(0o755)
    (tools / "status").write_text("0")
    (tools / "containers").write_text("")
    (tools / "compose-version").write_text("2.26.1\n")
    # a folder of the operator's own with all that a path may hold
    return Node(folder=str(tmp_path / "a 'b' \"c\" $HOME é" / "oz"), shell=request.param, tools=tools)


ONE = {"compose.yaml": "services: {}\n", "config/api": "one\n", "config/x": "same\n"}
TWO = {**ONE, "config/api": "two\n"}


def age(node: Node, minutes: int) -> None:
    """Make the lock look as if nobody had touched it for a while."""
    then = time.time() - minutes * 60
    for path in [*(node.root / "lock").iterdir(), node.root / "lock"]:
        os.utime(path, (then, then))


# --- the lock ----------------------------------------------------------------------------------------


def test_a_second_run_is_refused_and_told_who_is_at_work(node: Node) -> None:
    first = node.lock("r1", "alice@ws (process 7)")
    assert first.returncode == 0
    second = node.lock("r2", "bob")
    assert (second.returncode, second.stderr) == (5, "alice@ws (process 7)\n")
    assert (node.root / "lock/run").read_text() == "r1\n"


def test_the_lock_is_free_again_after_its_owner_gave_it_back(node: Node) -> None:
    node.lock("r1")
    node.ok(commands.unlock(node.folder, "r2"))  # not its owner: nothing happens
    assert node.lock("r2").returncode == 5
    node.ok(commands.unlock(node.folder, "r1"))
    done = node.lock("r2")
    assert (done.returncode, done.stdout) == (0, "")


def test_a_lock_that_nobody_keeps_alive_is_taken_over(node: Node) -> None:
    node.lock("r1", "dead")
    age(node, commands.STALE_LOCK_MINUTES - 2)
    assert node.lock("r2").returncode == 5
    age(node, commands.STALE_LOCK_MINUTES + 1)
    assert node.lock("r2", "alive").returncode == 0
    assert (node.root / "lock/owner").read_text() == "alive\n"


def test_every_step_keeps_the_lock_alive(node: Node) -> None:
    node.lock("r1")
    age(node, commands.STALE_LOCK_MINUTES + 1)
    node.ok(commands.mark_job_done(node.folder, "r1", "job", "d", "docker"))
    assert node.lock("r2").returncode == 5


def test_a_lock_that_is_just_being_taken_is_not_stale(node: Node) -> None:
    (node.root / "lock").mkdir(parents=True)  # its owner has not written its name yet
    done = node.lock("r2")
    assert (done.returncode, done.stderr) == (5, "it has just begun\n")


def test_of_many_at_once_one_gets_the_lock(node: Node) -> None:
    node.root.mkdir(parents=True)
    runs = [node.start(commands.lock(node.folder, f"r{i}", f"o{i}")) for i in range(12)]
    codes = [process.wait(30) for process in runs]
    for process in runs:
        process.communicate()
    assert sorted(codes) == [0] + [5] * 11
    assert (node.root / "lock/run").read_text() == f"r{codes.index(0)}\n"


def test_steps_are_refused_once_the_lock_is_another_runs(node: Node) -> None:
    node.lock("r1")
    node.install("000001", ONE)
    age(node, commands.STALE_LOCK_MINUTES + 1)
    node.lock("r2")
    folder = node.folder
    steps = [
        commands.stage(folder, "r1", "000002", "docker compose", removed=(), folders=("data/x",)),
        commands.switch(folder, "r1", "000002"),
        commands.switch_back(folder, "r1", "000002", ""),
        commands.unstage(folder, "r1", "000002"),
        commands.mark_job_done(folder, "r1", "job", "d", "docker"),
        commands.unmark_job(folder, "r1", "job"),
        commands.mark_verified(folder, "r1", "d", "", "docker"),
    ]
    before = node.tree()
    for argv in steps:
        done = node.run(argv, payload("000002", TWO))
        assert (done.returncode, done.stderr) == (5, "this run no longer holds the lock\n")
    assert (node.tree(), node.current(), node.generations()) == (before, "generations/000001", ["000001"])
    assert not (node.root / "state/jobs/job").exists()


def test_an_install_folder_that_was_made_and_left_empty_goes_again(node: Node) -> None:
    node.lock()
    node.stage("000001", ONE, folders=("data/media",))
    node.ok(commands.unstage(node.folder, "r1", "000001"))
    node.ok(commands.unlock(node.folder, "r1"))
    assert not node.root.exists()


def test_an_engine_that_hangs_is_told_and_asked_no_further(node: Node) -> None:
    """Twenty seconds on a node; here a clock that is a hundred times faster."""
    (node.tools / "timeout").write_text('#!/bin/sh\nshift\nexec /usr/bin/timeout 0.2 "$@"\n')
    (node.tools / "timeout").chmod(0o755)
    (node.tools / "docker").write_text(
        f'#!/bin/sh\ncase "$1" in ps|info|volume|image) echo x >> {node.tools}/asked; exec sleep 60 ;; esac\n'
    )
    facts = node.look("", "an/image:1")
    assert not facts.engine_ok
    assert facts.engine_message == "it did not answer within 20 s"
    assert (node.tools / "asked").read_text() == "x\n"


def test_an_install_folder_of_the_operators_stays(node: Node) -> None:
    node.root.mkdir(parents=True)
    node.lock()
    node.ok(commands.unlock(node.folder, "r1"))
    assert node.root.exists()
    assert not (node.root / "lock").exists()


def test_an_install_folder_that_is_no_folder_is_told(node: Node) -> None:
    node.root.parent.mkdir(parents=True)
    node.root.write_text("a file")
    done = node.lock()
    assert done.returncode == 1
    assert "exists" in done.stderr
    assert node.root.read_text() == "a file"


def test_the_install_folder_is_closed_to_others(node: Node) -> None:
    node.lock()
    node.install("000001", ONE)
    for path in (node.root, node.root / "generations", node.root / "generations/000001"):
        assert path.stat().st_mode & 0o777 == 0o700, path


# --- stage -------------------------------------------------------------------------------------------


def test_stage_and_switch(node: Node) -> None:
    node.lock()
    done = node.stage("000001", ONE, folders=("data/media", "data/models"))
    assert done.returncode == 0, done.stderr
    assert (node.root / "lock/folders").read_text() == "data/media\ndata/models\n"
    assert stat.S_IMODE((node.root / "data").stat().st_mode) == 0o700, "M7: no login reads the media"
    assert stat.S_IMODE((node.root / "data/media").stat().st_mode) == 0o755, "containers do"
    assert node.current() == ""
    assert (node.root / "data/media").stat().st_mode & 0o777 == 0o755
    node.switch("000001")
    assert node.current() == "generations/000001"
    assert {path: node.tree()[path] for path in ONE} == ONE
    assert "compose -p oz --project-directory" in node.called()
    assert "config -q" in node.called()


def test_what_did_not_change_is_kept_and_what_goes_is_removed(node: Node) -> None:
    node.lock()
    node.install("000001", {**ONE, "config/gone": "x", "shown/config/gone": "****"})
    inode = (node.root / "current/config/x").stat().st_mtime_ns
    done = node.stage("000002", TWO, send=["config/api"], removed=["config/gone"])
    assert done.returncode == 0, done.stderr
    node.switch("000002")
    assert {path: text for path, text in node.tree().items() if path in TWO} == TWO
    assert (node.root / "current/config/x").stat().st_mtime_ns == inode
    assert not list(node.root.glob("current/**/gone"))
    assert (node.root / "generations/000001/config/gone").exists()


def test_modes_arrive(node: Node) -> None:
    node.lock()
    node.install("000001", {**ONE, "secret": "s"})
    assert (node.root / "current/secret").stat().st_mode & 0o777 == 0o600
    assert (node.root / "current/config/api").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    ("manifest", "said"),
    [(f"{'0' * 64}  config/api\n", "config/api"), (f"{sha('x')}  config/missing\n", "missing"), ("?", "")],
)
def test_what_does_not_match_the_manifest_is_refused(node: Node, manifest: str, said: str) -> None:
    node.lock()
    done = node.stage("000001", ONE, manifest=manifest, folders=("data/media",))
    assert done.returncode not in (0, 5)
    assert said in done.stderr
    assert node.current() == ""
    assert not (node.root / "data").exists()


def test_locale_ok_a_node_that_speaks_another_language_installs(node: Node) -> None:
    """LOCALE-OK: coreutils say «OK» in the node's language; only the exit status counts."""
    real = shutil.which("sha256sum")
    fake = node.tools / "sha256sum"
    fake.write_text(
        "#!/bin/sh\nexec 3>&1\n"
        f'{{ {real} "$@"; echo $? > {node.tools}/sum-status; }} 2>&1 |'
        " sed -e 's/: OK$/: ЦЕЛ/' -e 's/: FAILED.*/: ПОВРЕЖДЁН/' >&3\n"
        f'exit "$(cat {node.tools}/sum-status)"\n'
    )
    fake.chmod(0o755)
    node.lock()
    node.install("000001", ONE)
    broken = node.stage(
        "000002", ONE, manifest=f"{sha('x')}  config/api\n{sha(ONE['config/api'])}  config/api\n"
    )
    assert (broken.returncode, broken.stderr) == (1, "config/api: differs from the manifest\n")
    node.ok(commands.unstage(node.folder, "r1", "000002"))


def test_half_a_stream_is_refused(node: Node) -> None:
    node.lock()
    argv = commands.stage(node.folder, "r1", "000001", "docker compose", removed=(), folders=("data/a",))
    whole = payload("000001", ONE)
    for length in (0, 100, 700, 1200, 2000):
        done = node.run(argv, whole[:length])
        assert done.returncode not in (0, 5), length
    assert not (node.root / "data").exists()


def test_what_compose_does_not_take_is_refused_and_no_folder_made(node: Node) -> None:
    node.lock()
    done = node.stage("000001", {**ONE, "compose.yaml": "INVALID"}, folders=("data/media",))
    assert (done.returncode, done.stderr) == (15, "services.x: invalid\n")
    assert not (node.root / "data").exists()
    node.ok(commands.unstage(node.folder, "r1", "000001"))
    node.ok(commands.unlock(node.folder, "r1"))
    assert not node.root.exists()


def test_jobs_are_checked_by_compose_too(node: Node) -> None:
    node.lock()
    assert node.stage("000001", {**ONE, "jobs.yaml": "INVALID"}).returncode == 15
    assert node.stage("000001", {"jobs.yaml": "services: {}\n"}).returncode == 0


def test_what_an_earlier_run_left_half_done_goes(node: Node) -> None:
    node.lock()
    for name in ("000001.partial", "000007.partial"):
        (node.root / "generations" / name / "config").mkdir(parents=True)
        (node.root / "generations" / name / "config/junk").write_text("junk")
    node.install("000001", ONE)
    assert node.generations() == ["000001"]
    assert "config/junk" not in node.tree()


def test_a_folder_where_a_file_should_be_is_replaced(node: Node) -> None:
    """Docker makes a folder of a mounted file that is missing."""
    node.lock()
    node.install("000001", ONE)
    (node.root / "current/config/api").unlink()
    (node.root / "current/config/api").mkdir()
    done = node.stage("000002", ONE, send=["config/api"])
    assert done.returncode == 0, done.stderr
    node.switch("000002")
    assert node.tree()["config/api"] == "one\n"


def test_folders_that_are_there_are_not_made_again(node: Node) -> None:
    node.lock()
    (node.root / "data/media").mkdir(parents=True)
    (node.root / "data/media").chmod(0o777)
    assert node.stage("000001", ONE, folders=("data/media",)).stdout == ""
    assert (node.root / "data/media").stat().st_mode & 0o777 == 0o777


def test_unstage_takes_only_what_was_made(node: Node) -> None:
    node.lock()
    (node.root / "data/media").mkdir(parents=True)
    (node.root / "data/media/film").write_text("x")
    node.stage("000001", ONE, folders=("data/media", "data/models"))
    node.ok(commands.unstage(node.folder, "r1", "000001"))
    assert (node.root / "data/media/film").exists()
    assert not (node.root / "data/models").exists()
    assert node.generations() == []


# --- switch and back -----------------------------------------------------------------------------------


def test_only_so_many_generations_are_kept(node: Node) -> None:
    """But all of them until the newest was seen to work: a run that is taken back leaves what it found."""
    node.lock()
    for number in range(1, commands.KEPT_GENERATIONS + 4):
        node.install(f"{number:06d}", {**ONE, "config/api": f"{number}\n"})
    assert len(node.generations()) == commands.KEPT_GENERATIONS + 3
    node.ok(commands.mark_verified(node.folder, "r1", "digest", f"{number - 1:06d}", "docker"))
    expected = [f"{number:06d}" for number in range(4, commands.KEPT_GENERATIONS + 4)]
    assert node.generations() == expected
    assert node.current() == f"generations/{expected[-1]}"


def test_neither_the_current_nor_the_one_before_it_is_ever_deleted(node: Node) -> None:
    node.lock()
    for number in range(1, 8):
        node.install(f"{number:06d}", ONE)
    (node.root / "current").unlink()
    (node.root / "current").symlink_to("generations/000003")  # as after a rollback
    assert node.stage("000008", TWO, send=["config/api"]).returncode == 0
    node.switch("000008")
    assert node.current() == "generations/000008"
    node.ok(commands.mark_verified(node.folder, "r1", "digest", "000003", "docker"))
    assert {"000003", "000008"} <= set(node.generations())
    node.ok(commands.switch_back(node.folder, "r1", "000008", "000003"))
    assert node.tree()["config/api"] == "one\n"


def test_back_to_the_previous_generation(node: Node) -> None:
    node.lock()
    node.install("000001", ONE)
    before = node.tree()
    node.install("000002", TWO)
    node.ok(commands.switch_back(node.folder, "r1", "000002", "000001"))
    assert (node.current(), node.generations(), node.tree()) == ("generations/000001", ["000001"], before)


def test_back_to_nothing(node: Node) -> None:
    node.lock()
    node.install("000001", ONE)
    node.ok(commands.switch_back(node.folder, "r1", "000001", ""))
    assert (node.current(), node.generations()) == ("", [])
    assert not (node.root / "generations").exists()


def test_back_of_a_switch_that_did_not_happen(node: Node) -> None:
    node.lock()
    node.install("000001", ONE)
    node.stage("000002", TWO)
    node.ok(commands.switch_back(node.folder, "r1", "000002", "000001"))
    assert (node.current(), node.generations()) == ("generations/000001", ["000001"])


def test_back_never_leaves_a_link_to_nothing(node: Node) -> None:
    node.lock()
    node.install("000001", ONE)
    node.install("000002", TWO)
    shutil.rmtree(node.root / "generations/000001")
    done = node.run(commands.switch_back(node.folder, "r1", "000002", "000001"))
    assert done.returncode == 1
    assert node.tree()["config/api"] == "two\n"


def test_a_switch_of_what_was_not_staged_leaves_the_current_one(node: Node) -> None:
    node.lock()
    node.install("000001", ONE)
    assert node.run(commands.switch(node.folder, "r1", "000002")).returncode == 1
    assert (node.current(), node.tree()["config/api"]) == ("generations/000001", "one\n")


# --- jobs, look ----------------------------------------------------------------------------------------


def test_jobs_are_remembered_and_forgotten(node: Node) -> None:
    node.lock()
    node.ok(commands.mark_job_done(node.folder, "r1", "oz-init-db", "abc", "docker"))
    node.ok(commands.mark_verified(node.folder, "r1", "def", "", "docker"))
    facts = node.look()
    assert (facts.jobs, facts.verified) == ({"oz-init-db": "abc"}, "def")
    node.ok(commands.unmark_job(node.folder, "r1", "oz-init-db"))
    assert node.look().jobs == {}


def test_what_was_seen_to_work_is_remembered_and_forgotten(node: Node) -> None:
    node.lock()
    node.ok(commands.mark_verified(node.folder, "r1", "digest", "", "docker"))
    assert node.look().verified == "digest"
    node.ok(commands.unmark_verified(node.folder, "r1", "", ""))
    assert node.look().verified == ""
    assert not (node.root / "state/verified").exists()
    node.ok(commands.unmark_verified(node.folder, "r1", "", ""))


def test_a_look_at_nothing_makes_nothing(node: Node) -> None:
    facts = node.look()
    assert facts.record is None
    assert facts.details is not None
    assert facts.details.engine_version == "26.1.5"
    assert facts.details.disk_free > 0
    assert not node.root.parent.exists()


def test_a_look_at_what_is_installed(node: Node) -> None:
    node.lock("r1", "me")
    node.install("000001", {**ONE, "shown/config/api": "masked"})
    (node.root / "current/config/x").chmod(0o600)
    (node.root / "current/config/api").write_text("by hand")
    (node.tools / "containers").write_text("oz-api\tUp 1 hour (healthy)\tdig\timage:1\n")
    facts = node.look("other", "nginx:1")
    assert facts.files == {path: sha(text) for path, text in {**ONE, "config/api": "by hand"}.items()}
    assert facts.wrong_modes == ("config/x",)
    assert (facts.generation, facts.lock) == ("000001", "me")
    assert facts.record is not None
    assert facts.containers["oz-api"].is_healthy
    assert facts.details is not None
    assert facts.details.images == {"nginx:1", "nginx@sha256:aa"}
    assert facts.details.generations == ("000001",)
    assert facts.details.volumes == {"oz_redis"}
    assert facts.details.compose_plugin == "2.26.1"


def test_details_are_looked_at_only_where_another_bundle_is_installed(node: Node) -> None:
    node.lock()
    node.install("000001", ONE)
    assert node.look("d").details is None
    assert node.look("e").details is not None
    assert node.look("").details is not None


@pytest.mark.parametrize("engine", ["docker", "podman"])
def test_only_the_compose_of_the_engine_is_asked(node: Node, engine: str) -> None:
    """A podman-compose that is merely asked its version makes ~/.config where there is none."""
    composes = {"docker": {"docker", "docker-compose"}, "podman": {"podman", "podman-compose"}}
    for name in composes["docker"] | composes["podman"]:
        tool = node.tools / name
        tool.write_text(
            f'#!/bin/sh\n[ "$1" != ps ] || exit 0\necho {name} >> "{node.tools}/asked"; echo 2.0.0\n'
        )
        tool.chmod(0o755)
    parse_facts("n", node.ok(commands.read_facts(node.folder, engine, "", ())))
    assert set((node.tools / "asked").read_text().split()) == composes[engine]


@pytest.mark.parametrize("status", [1, 127])
def test_an_engine_that_does_not_answer_is_noticed(node: Node, status: int) -> None:
    (node.tools / "status").write_text(str(status))
    (node.tools / "containers").write_text("Cannot connect to the Docker daemon\n")
    facts = node.look()
    assert not facts.engine_ok
    assert facts.engine_message == "Cannot connect to the Docker daemon"


def test_an_engine_that_is_not_there_is_noticed(node: Node) -> None:
    argv = list(commands.read_facts(node.folder, "no-such-engine", "", ()))
    facts = parse_facts("n", node.ok(argv))
    assert not facts.engine_ok
    assert "not found" in facts.engine_message


def test_what_was_staged_from_a_bundle_plans_to_nothing(node: Node) -> None:
    """The whole circle: bundle, tar, node, look, plan."""
    node.lock()
    wanted = bundle(service("api"), config_api="x\n", secret_a="y\n")
    install_bundle(node, wanted, "000001")
    (node.tools / "containers").write_text(
        "".join(
            f"{one.name}\tUp 1 hour (healthy)\t{one.digest}\t{one.image}\n" for one in wanted.long_running
        )
    )
    assert plan_node(wanted, node.look(wanted.digest)).needs_verification
    node.ok(commands.mark_verified(node.folder, "r1", wanted.digest, "", "docker"))
    assert plan_node(wanted, node.look(wanted.digest)).nothing_to_do
    assert json.loads((node.root / "current/record.json").read_text())["digest"] == wanted.digest


def install_bundle(node: Node, wanted: Bundle, generation: str) -> None:
    files = {file.path: file.content.decode() for file in wanted.files}
    manifest = "".join(f"{file.digest}  {file.path}\n" for file in wanted.files)
    out = io.BytesIO()
    parts = {**files, "manifest": manifest, "record.json": record_of(wanted, generation).dumps()}
    with tarfile.open(fileobj=out, mode="w") as tar:
        for path, text in parts.items():
            member = tarfile.TarInfo(path)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    argv = commands.stage(node.folder, "r1", generation, "docker compose", removed=(), folders=wanted.folders)
    node.ok(argv, out.getvalue())
    node.switch(generation)


def test_an_unknown_command_is_refused(node: Node) -> None:
    argv = list(commands.read_facts(node.folder, "docker", "", ()))
    argv[4] = "details"
    assert node.run(argv).returncode == 2


# --- a kill at any instant -------------------------------------------------------------------------------


def kill_after(node: Node, seconds: float, steps: Sequence[tuple[Sequence[str], bytes]]) -> bool:
    """Run the steps one after the other and kill -9 all of it after so long; whether that came in time."""
    until = time.monotonic() + seconds
    for argv, stdin in steps:
        process = node.start(argv)
        try:
            process.communicate(stdin, timeout=max(until - time.monotonic(), 0.0001))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return True
        assert process.returncode == 0
    return False


def test_a_kill_at_any_instant_leaves_the_old_or_the_new_and_never_half(node: Node) -> None:
    node.lock()
    versions = [
        {"compose.yaml": f"# {text}\n", **{f"config/{i}": f"{text} {i}\n" * 200 for i in range(12)}}
        for text in ("old", "new")
    ]
    node.install("000001", versions[0])
    began = time.monotonic()
    node.install("000002", versions[1])
    whole = time.monotonic() - began
    number, now, killed, old_kept, new_came = 2, 1, 0, 0, 0
    chance = random.Random(7)  # noqa: S311 - instants, not secrets
    for turn in range(30):
        number, wanted = number + 1, versions[1 - now]
        name = f"{number:06d}"
        stage = commands.stage(node.folder, "r1", name, "docker compose", removed=(), folders=())
        steps = [(stage, payload(name, wanted)), (commands.switch(node.folder, "r1", name), b"")]
        killed += kill_after(node, 30 if turn % 10 == 9 else chance.uniform(0, whole), steps)
        found = {path: text for path, text in node.tree().items() if path in wanted}
        assert found in versions
        assert node.current().removeprefix("generations/") in node.generations()
        assert not node.current().endswith(".partial")
        if found == wanted:
            now, new_came = 1 - now, new_came + 1
        else:
            old_kept += 1
    assert killed >= 5
    assert old_kept
    assert new_came
    node.install(f"{number + 1:06d}", versions[0])  # and the next run goes on from there
    assert node.tree()["config/3"] == versions[0]["config/3"]


def test_a_folder_that_may_be_written_is_told(node: Node) -> None:
    assert detail(node) == "ok"


def detail(node: Node) -> str:
    found = node.look().details
    assert found is not None
    return found.folder_access
