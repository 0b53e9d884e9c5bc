"""What goes wrong while deploying is told with its reason, and taken back; then the same command finishes."""

from __future__ import annotations

import difflib
import stat
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.e2e.ground import FRESH, INSTALLED, LEAN, Document, Ground, assert_told
from tests.e2e.site import CLEAN, Outcome

pytestmark = pytest.mark.slow

LISTENER = (
    "import socket, time; s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); "
    "s.bind(('0.0.0.0', 8880)); s.listen(); time.sleep(1e6)"
)


BLIND = "--skip-checks"
"""The preflight would find it first; what it does not see may come later."""


def fail_both(ground: Ground, spoil: dict[str, object], *flags: str) -> dict[str, Outcome]:
    """The same fault as an upgrade of the one node and as a first installation on the other, at once.

    Both nodes have the shape that they had before, and what ran runs again.
    """
    before = {node: ground.site.shape(node) for node in (INSTALLED, FRESH)}

    def install(node: str) -> Outcome:
        document: Document = {**ground.document(node), **spoil}
        return ground.site.install(ground.write(document, node), *flags)

    with ThreadPoolExecutor(2) as pool:
        ended = dict(zip(before, pool.map(install, before), strict=True))
    assert_same(before, {node: ground.site.shape(node) for node in before})
    return ended


def assert_same(before: Mapping[str, str], after: Mapping[str, str]) -> None:
    """Nothing differs; what does is shown by line."""
    for node in before:
        was, now = before[node].splitlines(), after[node].splitlines()
        differing = "\n".join(difflib.unified_diff(was, now, n=0, lineterm=""))
        assert not differing, f"{node}:\n{differing}"


def works_again(ground: Ground) -> None:
    """The right answers find the installed node as it was: nothing to do."""
    done = ground.site.install(ground.write(ground.document(INSTALLED), INSTALLED))
    assert done.status == 0, done.stderr
    assert "Nothing to do" in done.stdout, done.stderr


def report(ground: Ground, node: str) -> str:
    """What was kept of a failure, readable by its owner only."""
    path = ground.folder / f"{node}.failure.log"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = path.read_text()
    path.unlink()
    return text


def test_an_image_that_does_not_exist(ground: Ground) -> None:
    containers = ground.site.containers(INSTALLED)
    images = {"oz-redis": "ozforensics/oz-api-redis:no-such-tag"}
    for node, ended in fail_both(ground, {"images": images}, BLIND).items():
        assert_told(ended, 4, (f"{node}: ", "oz-api-redis:no-such-tag", "answers: images"))
    assert ground.site.containers(INSTALLED) == containers
    works_again(ground)


def test_a_job_that_fails(ground: Ground, tmp_path: Path) -> None:
    """The wrong password of the database: the job that makes its tables cannot."""
    wrong = tmp_path / "wrong"
    wrong.touch(mode=0o600)
    wrong.write_text("wrong-Password-of-the-database")
    database = {**ground.document(FRESH)["database"], "password": {"file": str(wrong)}}
    for node, ended in fail_both(ground, {"database": database}, BLIND).items():
        assert_told(ended, 4, (f"{node}: oz-init-db", "failed", "password", "Fix the reported problem"))
        kept = report(ground, node)
        assert "oz-init-db" in kept
        assert "password authentication failed" in kept
        for text in (ended.stderr, kept):
            assert "wrong-Password" not in text
    works_again(ground)


DEAF = (
    "docker create --name deaf --entrypoint sleep ozforensics/oz-web-ui:1.3.3 infinity && "
    "docker commit deaf lab/deaf:1 && docker rm deaf"
)


def test_a_container_that_never_gets_healthy(ground: Ground) -> None:
    """A web UI that runs and never answers."""
    nodes = (INSTALLED, FRESH)
    spoil = {"components": {**LEAN, "web_ui": True}, "images": {"oz-webui": "lab/deaf:1"}}
    ground.site.each(nodes, DEAF)
    try:
        for node, ended in fail_both(ground, spoil, "--health-timeout", "40").items():
            assert_told(ended, 4, (f"{node}: oz-webui", "last 20 log lines", "its last log lines"))
            assert "not healthy after" in ended.stderr or "is unhealthy" in ended.stderr
            assert "last 20 log lines" in report(ground, node)
    finally:
        ground.site.each(nodes, "docker rmi lab/deaf:1")
    works_again(ground)


def test_a_container_that_crashes_again_and_again(ground: Ground) -> None:
    """Rubbish among the vendor's settings: the API gives up while reading config.py."""
    images = {"oz-tfss": "ozforensics/oz-bio-init:1.0.10"}
    for node, ended in fail_both(ground, {"images": images}, "--health-timeout", "40").items():
        assert_told(ended, 4, (f"{node}: oz-tfss", "does not stay up", "last 20 log lines"))
        assert "oz-tfss" in report(ground, node)
    works_again(ground)


def test_a_port_that_is_taken(ground: Ground) -> None:
    before = ground.site.shape(FRESH)
    path = ground.write(ground.document(FRESH), FRESH)
    ground.site.on(FRESH, f'setsid python3 -c "{LISTENER}" > /dev/null 2>&1 & echo $! > /run/listener')
    try:
        seen = ground.site.install(path)
        assert_told(seen, 3, ("Port 8880", "taken by python3", "Nothing was changed"))
        ended = ground.site.install(path, BLIND)
        assert_told(ended, 4, (f"{FRESH}: ", "8880", "address already in use", "the other program"))
        assert ground.site.shape(FRESH) == before
    finally:
        ground.site.on(FRESH, "kill $(cat /run/listener); rm /run/listener")
    again = ground.site.install(path)
    assert again.status == 0, again.stderr
    ground.site.on(FRESH, CLEAN)


def test_two_runs_at_once(ground: Ground) -> None:
    """The second names the first and ends; the first is not disturbed."""
    document = ground.document(INSTALLED)
    document["updater"]["period"] = 7300
    path = ground.write(document, INSTALLED)
    command = [sys.executable, "-m", "oz_installer", "--answers", str(path), "--yes"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as first:
        assert first.stderr is not None
        for line in first.stderr:
            if "Send files" in line:
                break
        second = ground.site.install(path)
        _out, err = first.communicate()
    assert_told(
        second, 5, (f"{INSTALLED}: another run is changing this node", f"process {first.pid}", "Wait for it")
    )
    assert first.returncode == 0, err
    ground.ready()


@pytest.mark.parametrize("alive", [False, True], ids=["dead", "unknown"])
def test_the_lock_of_another_run(ground: Ground, alive: bool) -> None:
    """One that died on this workstation is taken over at once; of another workstation's nothing is known."""
    dead = subprocess.run(
        [
            sys.executable,
            "-c",
            "from oz_installer.deploy import process_identity as at; print(at.process_identity())",
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    process = dead.replace("/", "x/", 1) if alive else dead
    document = ground.document(INSTALLED)
    document["updater"]["period"] = 7400
    path = ground.write(document, INSTALLED)
    ground.site.on(
        INSTALLED,
        "mkdir /opt/oz/lock; cd /opt/oz/lock; echo r0 > run; echo eve@there > owner; "
        f"echo '{process}' > process",
    )
    try:
        ended = ground.site.install(path)
        if alive:
            assert_told(ended, 5, ("eve@there", "/opt/oz/lock", "30 minutes"))
        else:
            assert ended.status == 0, ended.stderr
            assert "took over the lock of a run that died: eve@there" in ended.stderr
    finally:
        ground.site.on(INSTALLED, "rm -rf /opt/oz/lock")
    ground.ready()
