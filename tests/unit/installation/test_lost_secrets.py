"""The file of generated passwords: who writes it, who does not, and what happens when it is lost."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from oz_installer.answers.file import read
from oz_installer.answers.sections import Components
from oz_installer.cli import main
from oz_installer.deploy.compose.facts import NodeFacts
from oz_installer.deploy.record import Record, fingerprint
from oz_installer.installation.desired_state.secrets_guard import changed_secrets, missing_secrets
from oz_installer.installation.nodes import connect
from oz_installer.installation.render import build_desired_state
from oz_installer.secret import Secret
from oz_installer.topology.planner import plan_topology
from tests.unit.deploy.compose.deploy_support import FakeTransport, fresh, short
from tests.unit.deploy.compose.test_deploy_facts import DETAILS, output
from tests.unit.topology.topology_answers import layout

ANSWERS = """\
version: 1
scenario: poc
public_url: http://oz.example.com
nodes:
  - {name: n1, host: 10.0.0.1}
license: {bio: ./license.key}
updater: {token: {env: OZ_TEST_TOKEN}}
"""
SLOTS = ("redis.password", "database.password", "api_pg.password", "ftp.password", "admin.password")


def record(services: Iterable[str], jobs: Iterable[str] = (), node: str = "n1") -> Record:
    return Record(
        node=node,
        release="5.2",
        generation="000001",
        digest="d",
        services=dict.fromkeys(services, "d"),
        jobs=dict.fromkeys(jobs, "d"),
    )


INSTALLED = record(("oz-redis", "oz-api-pg", "oz-bio-updater", "oz-tfss", "oz-api"), ("oz-init-user",))


class Site:
    """A folder with answers and one node that shows what it is told to show."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.record: Record | None = None
        self.sent: list[str] = []

    @property
    def secrets(self) -> Path:
        return self.folder / "answers.secrets.json"

    def slots(self) -> set[str]:
        return set(json.loads(self.secrets.read_text())["secrets"])

    def open(self, *_: object, **__: object) -> FakeTransport:
        return FakeTransport("n1", answer=self._answer)

    def run(self, *arguments: str) -> int:
        return main.run([*arguments, "--answers", str(self.folder / "answers.yml")])

    def _answer(self, argv: tuple[str, ...]) -> str | None:
        if short(argv) != "node.sh facts":
            self.sent.append(short(argv))
            return None
        return output(**{**DETAILS, "record": self.record.dumps() if self.record else ""})


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setenv("OZ_TEST_TOKEN", "token")
    (tmp_path / "license.key").write_text("licence\n")
    (tmp_path / "answers.yml").write_text(ANSWERS)
    made = Site(tmp_path)
    monkeypatch.setattr(connect, "transport_opener", lambda: made.open)
    return made


@pytest.mark.parametrize("command", [["plan"], ["status"], ["logs", "oz-api"], ["--dry-run"]])
def test_whoever_only_looks_leaves_no_trace(site: Site, command: list[str]) -> None:
    assert site.run(*command) == (3 if command == ["status"] else 0)  # nothing is installed
    assert sorted(path.name for path in site.folder.iterdir()) == ["answers.yml", "license.key"]


def test_a_dry_run_says_that_passwords_would_be_kept(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert site.run("--dry-run") == 0
    assert "would save new passwords next to the answers" in capsys.readouterr().err


def test_rendered_files_are_carried_by_hand_so_their_passwords_are_kept(site: Site) -> None:
    assert site.run("render", "--out", str(site.folder / "out")) == 0
    assert site.slots() == set(SLOTS)
    first = site.secrets.read_bytes()
    assert site.run("render", "--out", str(site.folder / "again")) == 0
    assert site.secrets.read_bytes() == first


COMMANDS = [["plan"], ["status"], ["logs", "oz-api"], ["--dry-run"], ["--yes"]]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_lost_file_stops_everything_and_changes_nothing(
    site: Site, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    site.record = INSTALLED
    assert site.run(*command) == 2
    said = capsys.readouterr()
    assert said.out == ""
    where = f"are stored in {site.secrets}, which is missing"
    assert f"the passwords of the installation on n1 {where}" in said.err
    assert "Restore it from a copy" in said.err
    assert "--new-secrets" in said.err
    assert not site.secrets.exists()
    assert site.sent == []


def test_a_lost_slot_is_named(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert site.run("render", "--out", str(site.folder / "out")) == 0
    kept = json.loads(site.secrets.read_text())
    del kept["secrets"]["redis.password"]
    site.secrets.write_text(json.dumps(kept))
    site.record = INSTALLED
    capsys.readouterr()
    assert site.run("plan") == 2
    assert "which lacks redis.password" in capsys.readouterr().err
    assert "redis.password" not in site.slots()


def test_new_secrets_are_made_on_purpose(site: Site) -> None:
    site.record = INSTALLED
    assert site.run("--dry-run", "--new-secrets") == 0
    assert not site.secrets.exists()


def test_new_secrets_belong_to_the_installation_only(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["--new-secrets", "plan", "--answers", "answers.yml"]) == 2
    assert "behind the command" in capsys.readouterr().err
    assert site.run("plan", "--new-secrets") == 2


def install_on(site: Site) -> None:
    """The node has an installation with just the passwords that are kept now."""
    kept = json.loads(site.secrets.read_text())["secrets"]
    prints = {slot: fingerprint(slot, Secret(value)) for slot, value in kept.items()}
    site.record = replace(INSTALLED, secrets=prints)


@pytest.mark.parametrize("command", COMMANDS)
def test_render_does_not_make_up_for_a_lost_file(
    site: Site, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert site.run("render", "--out", str(site.folder / "out")) == 0
    install_on(site)
    site.secrets.unlink()
    assert site.run("render", "--out", str(site.folder / "again")) == 0
    others = site.secrets.read_bytes()
    capsys.readouterr()
    assert site.run(*command) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "which has another " in said.err
    assert "redis.password" in said.err
    assert "--new-secrets" in said.err
    assert site.secrets.read_bytes() == others
    assert site.sent == []


def test_an_old_copy_restored_by_mistake_is_noticed_and_can_be_meant(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    assert site.run("render", "--out", str(site.folder / "out")) == 0
    install_on(site)
    assert site.run("plan") == 0
    kept = json.loads(site.secrets.read_text())
    kept["secrets"]["redis.password"] = "older" * 8
    site.secrets.write_text(json.dumps(kept))
    capsys.readouterr()
    assert site.run("--yes") == 2
    assert f"{site.secrets}, which has another redis.password" in capsys.readouterr().err
    assert site.run("--dry-run", "--new-secrets") == 0


def test_a_given_password_is_the_operators_own_affair(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    assert site.run("render", "--out", str(site.folder / "out")) == 0
    install_on(site)
    monkeypatch.setenv("OZ_TEST_ADMIN", "chosen by the operator")
    given = "admin: {password: {env: OZ_TEST_ADMIN}}\n"
    (site.folder / "answers.yml").write_text(ANSWERS + given)
    assert site.run("plan") == 0
    path = site.folder / "answers.yml"
    desired_state = build_desired_state(read(path), path, ask=None, connecting=True)
    assert desired_state.fingerprints("n1").keys() == {*SLOTS} - {"admin.password"}


TWO = ANSWERS.replace(
    "  - {name: n1, host: 10.0.0.1}\n", "  - {name: n1, host: 10.0.0.1}\n  - {name: n2, host: 10.0.0.2}\n"
)


def test_a_node_keeps_on_record_what_stands_in_its_files(site: Site) -> None:
    path = site.folder / "answers.yml"
    path.write_text(TWO)
    desired_state = build_desired_state(read(path), path, ask=None, connecting=True)
    prints = {node: desired_state.fingerprints(node) for node in ("n1", "n2")}
    assert {*prints["n1"], *prints["n2"]} == {*SLOTS}
    for node, some in prints.items():
        bundle = desired_state.renderings[node]
        for slot in SLOTS:
            value = desired_state.secrets[slot].reveal().encode()
            assert any(value in file.content for file in bundle.files) == (slot in some)
            assert value.decode() not in str(some)


@pytest.mark.parametrize("command", [["plan"], ["--dry-run"], ["--yes"]])
def test_limit_makes_no_passwords_while_other_nodes_may_have_them(
    site: Site, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (site.folder / "answers.yml").write_text(TWO)
    assert site.run(*command, "--limit", "n1") == 2
    said = capsys.readouterr().err
    assert "--limit leaves out n2" in said
    assert "Run without --limit" in said
    assert not site.secrets.exists()
    assert site.run("--dry-run", "--limit", "n1", "--new-secrets") == 0
    assert site.run("render", "--out", str(site.folder / "out")) == 0
    assert site.run("plan", "--limit", "n1") == 0


def test_only_what_is_on_record_is_compared() -> None:
    facts = {
        "n1": fresh("n1", record=replace(INSTALLED, secrets={"a": "1", "b": "2"})),
        "n2": fresh("n2", record=replace(INSTALLED, secrets={"b": "3"})),
        "n3": fresh("n3", record=INSTALLED),  # of a version that kept none
        "n4": fresh("n4"),
    }
    assert changed_secrets({"a": "1", "b": "2", "c": "4"}, facts) == {"b": ("n2",)}
    assert changed_secrets({"b": "5"}, facts) == {"b": ("n1", "n2")}


def lost(
    made: Iterable[str], facts: dict[str, NodeFacts], one_to_n: bool = False
) -> dict[str, tuple[str, ...]]:
    topology = plan_topology(layout("poc-2", components=Components(one_to_n=one_to_n)))
    return missing_secrets(topology, made, facts)


def test_a_password_of_something_new_is_not_lost() -> None:
    facts = {"n1": fresh("n1", record=record(("oz-tfss",))), "n2": fresh("n2", record=INSTALLED)}
    made = ("redis.password", "o2n.password")
    assert lost(made, facts, one_to_n=True) == {"redis.password": ("n2",)}
    assert lost(made, {"n1": fresh("n1"), "n2": fresh("n2")}, one_to_n=True) == {}


def test_a_job_that_was_done_counts_too() -> None:
    facts = {"n1": fresh("n1"), "n2": fresh("n2", record=record((), ("oz-init-user",)))}
    assert lost(("admin.password", "redis.password"), facts) == {"admin.password": ("n2",)}


def test_where_the_own_node_is_not_looked_at_any_installation_counts() -> None:
    facts = {"n1": fresh("n1", record=record(("oz-tfss",)))}  # --limit n1
    assert lost(("redis.password",), facts) == {"redis.password": ("n1",)}
    assert lost(("redis.password",), {"n1": fresh("n1")}) == {}


def test_a_service_that_moves_takes_its_password_along() -> None:
    facts = {"n1": fresh("n1", record=INSTALLED), "n2": fresh("n2")}  # it was on n1, and comes to n2
    assert lost(("redis.password",), facts) == {"redis.password": ("n1",)}
