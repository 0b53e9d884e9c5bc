"""FALSE-NOTHING-TO-DO: a job is done only as long as what it filled is there. node.sh for real."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from oz_installer.deploy.compose import node_commands as commands
from oz_installer.deploy.compose.facts import LOST, parse_facts
from oz_installer.deploy.compose.planner import plan_node
from oz_installer.deploy.plan import Plan
from oz_installer.formatting.plan import plan_text
from tests.unit.deploy.compose.deploy_support import bundle, fresh, service
from tests.unit.render.bundle_cases import case

SHELLS = [
    pytest.param(argv, id=argv[0])
    for argv in (("dash",), ("bash",), ("busybox", "sh"))
    if shutil.which(argv[0])
]
PG = ("container", "oz-api-pg", "oz_api-pg", "read identity")
DOCKER = r"""#!/bin/sh
# A docker with one container, its id in the file "id", and one volume, the identity of its data in "data".
cd "$(dirname "$0")" || exit 1
case "$1 ${2:-}" in
  "ps -a") [ ! -e id ] || printf 'oz-api-pg\tUp 2 minutes (healthy)\td\ti\t%s\n' "$(cat id)" ;;
  "container inspect") cat id 2> /dev/null ;;
  "exec oz-api-pg") echo exec >> called
    [ "$5" = "read identity" ] && [ -e id ] && [ ! -e stopped ] && cat data ;;
  "volume inspect") [ -e data ] || { echo "Error response from daemon: no such volume" >&2; exit 1; } ;;
esac
"""


@dataclass
class Node:
    """A node with a database in a container."""

    shell: Sequence[str]
    root: Path

    def run(self, argv: Sequence[str]) -> str:
        """What a command of node.sh prints."""
        environment = {**os.environ, "PATH": f"{self.root}:{os.environ['PATH']}"}
        done = subprocess.run(
            [*self.shell, *argv[1:]], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    @property
    def folder(self) -> str:
        return str(self.root / "oz")

    def finish(self, *fills: str) -> None:
        """Lock the node and mark a job as done."""
        self.run(commands.lock(self.folder, "r1", "me"))
        self.run(commands.mark_job_done(self.folder, "r1", "oz-init-db", "abc", "docker", fills))

    def done(self) -> str:
        """The digest of the finished job, as facts tell it."""
        text = self.run(commands.read_facts(self.folder, "docker", "", ()))
        return parse_facts("n1", text).jobs["oz-init-db"]

    def put(self, name: str, text: str = "") -> None:
        (self.root / name).write_text(f"{text}\n")

    def recreate(self, data: str = "") -> None:
        """Another container, with these data or the same."""
        self.put("id", f"id-{os.urandom(4).hex()}")
        if data:
            self.put("data", data)


@pytest.fixture(params=SHELLS)
def node(request: pytest.FixtureRequest, tmp_path: Path) -> Node:
    made = Node(request.param, tmp_path)
    made.put("docker", DOCKER)
    (tmp_path / "docker").chmod(0o755)
    made.recreate(" 65 d7\n 01 02")
    return made


def test_the_same_container_is_not_asked(node: Node) -> None:
    """A run with nothing to do starts no more programs than before."""
    node.finish(*PG)
    (node.root / "called").unlink()
    assert node.done() == "abc"
    assert not (node.root / "called").exists()


@pytest.mark.parametrize(("data", "done"), [("", "abc"), ("another", LOST)])
def test_another_container_is_known_by_its_data(node: Node, data: str, done: str) -> None:
    node.finish(*PG)
    node.recreate(data)
    assert node.done() == done


def test_without_a_container_only_a_missing_volume_is_certain(node: Node) -> None:
    node.finish(*PG)
    (node.root / "id").unlink()
    assert node.done() == "abc"
    (node.root / "data").unlink()
    assert node.done() == LOST


def test_a_new_container_that_does_not_run_yet_is_not_judged(node: Node) -> None:
    node.finish(*PG)
    node.recreate("another")
    node.put("stopped")
    assert node.done() == "abc"


def test_the_end_of_a_run_binds_jobs_to_the_container_of_then(node: Node) -> None:
    node.finish(*PG)
    node.recreate()
    node.run(commands.mark_verified(node.folder, "r1", "digest", "", "docker"))
    node.put("stopped")  # it could not say who it is
    (node.root / "called").unlink()
    assert node.done() == "abc"
    assert not (node.root / "called").exists()


def test_the_end_of_a_run_does_not_bind_jobs_to_other_data(node: Node) -> None:
    node.finish(*PG)
    node.recreate("another")
    node.run(commands.mark_verified(node.folder, "r1", "digest", "", "docker"))
    assert node.done() == LOST


def test_a_folder_that_is_empty_or_gone_is_lost(node: Node) -> None:
    models = node.root / "oz/data/models"
    models.mkdir(parents=True)
    (models / "model").touch()
    node.finish("folder", "data/models")
    assert node.done() == "abc"
    (models / "model").unlink()
    assert node.done() == LOST
    models.rmdir()
    assert node.done() == LOST


def test_a_job_that_fills_nothing_here_stays_done(node: Node) -> None:
    """Such as the tables of an external database."""
    node.finish()
    node.recreate("another")
    assert node.done() == "abc"


def test_a_job_whose_work_is_lost_runs_again_and_the_plan_says_why() -> None:
    job = service("init", job=True)
    of = plan_node(bundle(job), fresh(jobs={"init": LOST}))
    assert of.jobs == ("init",)
    assert "> init runs once: what it made is lost" in plan_text(Plan(targets=(of,)))


def test_what_the_jobs_of_the_catalogue_fill() -> None:
    of_one = {job.name: job.fills[:3] for job in case("everything on one")["n1"].jobs}
    assert of_one == {
        "oz-bio-init": ("folder", "data/models"),
        "oz-init-db": PG[:3],
        "oz-init-user": PG[:3],
        "oz-o2n-pg-init": ("container", "oz-o2n-pg", "oz_o2n-pg"),
    }
    external = {job.name: job.fills for job in case("medium-2")["n1"].jobs}
    assert external["oz-init-db"] == ()
