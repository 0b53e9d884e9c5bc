"""Compare and Read status with the installer's core: rows from a node's facts, without secrets.

Only the node is made up: it has what the answers were installed as, and answers ``node.sh facts`` and the tar
that fetches files.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import pytest

from oz_installer.answers.file import read
from oz_installer.deploy.record import record_of
from oz_installer.installation.desired_state.desired_state import DesiredState
from oz_installer.installation.render import build_desired_state
from oz_installer.installation.wizard.core import InstallerCore
from oz_installer.remote.transport import CommandResult
from oz_installer.render.compose.bundle import Bundle
from oz_installer.tui.widgets.row_list import RowList
from tests.tui.support import Driver, app_of, press, settle, step_of, text_of, wizard
from tests.unit.deploy.compose.deploy_support import FakeTransport, short
from tests.unit.deploy.compose.test_deploy_facts import DETAILS, output

CANARY = "canary-T0ken"
OLD, NEW = "http://old.example.com", "http://new.example.com"
ANSWERS = """\
version: 1
scenario: poc
public_url: %s
nodes:
  - {name: n1, host: 10.0.0.1}
updater: {token: {env: OZ_TEST_TOKEN}}
"""


class Node:
    """An installed node; ``stopped`` are services that no longer run."""

    def __init__(self, desired_state: DesiredState) -> None:
        self._bundle = cast("Bundle", desired_state.renderings["n1"])
        record = record_of(self._bundle, "000001", desired_state.fingerprints("n1"))
        self._record = record.dumps()
        self._files: Mapping[str, bytes] = {
            **{file.path: file.content for file in self._bundle.files},
            **{f"shown/{path}": content for path, content in desired_state.masked_files("n1").items()},
        }
        self.stopped: set[str] = set()
        self.opened: list[FakeTransport] = []

    def open(self, *_: object, **__: object) -> FakeTransport:
        """A connection."""
        self.opened.append(FakeTransport("n1", answer=self._answer))
        return self.opened[-1]

    def _answer(self, argv: tuple[str, ...]) -> CommandResult | str | None:
        if short(argv) == "node.sh facts":
            return self._facts()
        assert short(argv) == "sh", argv
        return CommandResult(argv=argv, status=0, stdout=self._tar(argv[4:]))

    def _facts(self) -> str:
        containers = "".join(
            f"{one.name}\t{'Exited (1)' if one.name in self.stopped else 'Up 3 minutes (healthy)'}"
            f"\t{one.digest}\t{one.image}\n"
            for one in self._bundle.long_running
        )
        parts = {
            "link": "generations/000001",
            "record": self._record,
            "containers": containers,
            "files": "".join(f"{file.digest}  ./{file.path}\n" for file in self._bundle.files),
            "jobs": "".join(f"{job.name} {job.digest}\n" for job in self._bundle.jobs),
            "verified": self._bundle.digest,
        }
        return output(**{**DETAILS, **parts})

    def _tar(self, paths: tuple[str, ...]) -> bytes:
        """As the node: of each file its masked twin, where it has one."""
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w") as tar:
            for path in paths:
                name = f"shown/{path}" if f"shown/{path}" in self._files else path
                member = tarfile.TarInfo(name)
                member.size = len(self._files[name])
                tar.addfile(member, io.BytesIO(self._files[name]))
        return stream.getvalue()


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The answers, installed as they are."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("OZ_TEST_TOKEN", CANARY)
    (tmp_path / "license.key").write_text("licence\n", encoding="utf-8")
    path = tmp_path / "answers.yml"
    path.write_text(ANSWERS % OLD, encoding="utf-8")
    return path


@pytest.fixture
def desired_state(path: Path) -> DesiredState:
    """What was installed; its passwords are kept."""
    made = build_desired_state(read(path), path, ask=None, connecting=True)
    made.save_secrets()
    return made


def rows(pilot: Driver, name: str) -> str:
    """Return all rows of a list, scrolled out of view or not."""
    return "\n".join(text for text, _ in step_of(pilot).query_one(f"#{name}", RowList).rows)


async def push(pilot: Driver, button: str) -> None:
    """Press the button and wait until the job has ended."""
    step_of(pilot).query_one(f"#{button}").focus()
    await press(pilot, "enter")


def assert_no_secret(desired_state: DesiredState, shown: str) -> None:
    """Assert that no given or generated secret is in the text."""
    for secret in desired_state.secrets.values():
        assert secret.reveal() not in shown


async def test_compare_shows_what_is_different_from_what_the_node_has(
    path: Path, desired_state: DesiredState
) -> None:
    node = Node(desired_state)
    path.write_text(ANSWERS % NEW, encoding="utf-8")
    async with wizard(InstallerCore(lambda: node.open), path=path, step="review") as pilot:
        await push(pilot, "compare")
        shown = rows(pilot, "changes")
        lines = [line.strip() for line in shown.splitlines()]
        assert any(line.startswith("-") and OLD in line for line in lines)
        assert any(line.startswith("+") and NEW in line for line in lines)
        assert_no_secret(desired_state, shown + text_of(pilot))
    assert [one.closed for one in node.opened] == [1]


async def test_compare_with_what_is_installed_just_so(path: Path, desired_state: DesiredState) -> None:
    node = Node(desired_state)
    async with wizard(InstallerCore(lambda: node.open), path=path, step="review") as pilot:
        await push(pilot, "compare")
        assert "Nothing to do on 1 node." in text_of(pilot)
    assert all(short(sent.argv) == "node.sh facts" for one in node.opened for sent in one.sent)


async def test_look_shows_the_states_and_what_would_change(path: Path, desired_state: DesiredState) -> None:
    node = Node(desired_state)
    node.stopped = {"oz-api"}
    async with wizard(InstallerCore(lambda: node.open), path=path, step="review") as pilot:
        app_of(pilot).go("done")
        await settle(pilot)
        await push(pilot, "look")
        shown = rows(pilot, "runs")
        assert "1 needs attention (!)" in shown
        assert "  ! oz-api on n1: stopped" in shown
        assert "Pending changes: 1 service starts" in shown
        node.stopped = set()
        await push(pilot, "look")
        shown = rows(pilot, "runs")
        assert "Pending changes: Nothing to do on 1 node." in shown
        assert "all well" in shown
        assert str(desired_state.secrets_file) in shown
        assert_no_secret(desired_state, shown + text_of(pilot))
    assert [one.closed for one in node.opened] == [1, 1]
