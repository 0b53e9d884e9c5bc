"""status and logs: what can be looked at is shown, what cannot is named, and the exit code says which."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from oz_installer.answers.model import Node
from oz_installer.cli import main
from oz_installer.deploy.compose.states import service_states
from oz_installer.errors import ConnectError
from oz_installer.installation.nodes import connect
from oz_installer.remote.transport import CommandResult
from tests.unit.deploy.compose.deploy_support import FakeTransport, bundle, container, failed, service, short
from tests.unit.deploy.compose.deploy_support import installed as installed_facts
from tests.unit.deploy.compose.test_deploy_facts import DETAILS, output
from tests.unit.installation.test_lost_secrets import record

ANSWERS = """\
version: 1
scenario: poc
public_url: http://oz.example.com
nodes:
  - {name: bio1, host: 10.0.0.1}
  - {name: api1, host: 10.0.0.2}
database: {host: 10.0.0.3, password: {env: OZ_TEST_SECRET}}
admin: {password: {env: OZ_TEST_SECRET}}
license: {bio: ./license.key}
updater: {token: {env: OZ_TEST_SECRET}}
"""
UP = "\tUp 3 minutes (healthy)\tdigest\timage:1\n"


class Site:
    """Two nodes; each shows what it is told to show: a look, nothing answering, or no way in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seen: dict[str, str] = {"bio1": bare(), "api1": bare()}
        self.logs: dict[str, CommandResult | str] = {}
        self.sent: list[tuple[str, ...]] = []
        self.open: list[FakeTransport] = []

    def connect(self, node: Node, *_: object, **__: object) -> FakeTransport:
        if node.name not in self.seen:
            raise ConnectError("port 22 of 10.0.0.2 is closed", "Is sshd running?", node=node.name)
        transport = FakeTransport(node.name, answer=lambda argv: self._answer(node.name, argv))
        self.open.append(transport)
        return transport

    def _answer(self, node: str, argv: tuple[str, ...]) -> CommandResult | str | None:
        self.sent.append(argv)
        if short(argv) == "node.sh facts":
            return self.seen[node]
        return self.logs.get(node, "out\nerr\n")

    def run(self, *arguments: str) -> int:
        return main.run([*arguments, "--answers", str(self.folder / "answers.yml")])


def bare() -> str:
    """A node on which nothing is installed."""
    return output(**DETAILS)


def installed(node: str, *names: str) -> str:
    """A node with an installation and so many healthy containers."""
    one = record(names, node=node)
    parts = {
        "record": one.dumps(),
        "containers": "".join(name + UP for name in names),
        "verified": one.digest,
    }
    return output(**{**DETAILS, **parts})


BIO = ("oz-tfss", "oz-bio-updater")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setenv("OZ_TEST_SECRET", "secret-canary")
    (tmp_path / "license.key").write_text("licence\n")
    (tmp_path / "answers.yml").write_text(ANSWERS)
    (tmp_path / "answers.secrets.json").touch(0o600)
    slots = dict.fromkeys(("redis.password", "ftp.password", "api_pg.password"), "x" * 20)
    (tmp_path / "answers.secrets.json").write_text(json.dumps({"version": 1, "secrets": slots}))
    made = Site(tmp_path)
    monkeypatch.setattr(connect, "transport_opener", lambda: made.connect)
    return made


def test_where_nothing_is_installed_one_line_says_so(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert site.run("status") == 3
    said = capsys.readouterr()
    assert said.out == "Nothing is installed on bio1, api1 yet.\n"
    assert "hint: Run oz-install --answers" in said.err
    assert all(transport.closed for transport in site.open)


def test_a_node_that_is_down_does_not_hide_the_others(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.seen = {"bio1": installed("bio1", *BIO)}
    assert site.run("status") == 3
    said = capsys.readouterr()
    assert "oz-tfss" in said.out
    assert "\napi1  ! unreachable: port 22 of 10.0.0.2 is closed\n" in said.out
    assert "1 node could not be checked (!)" in said.out
    assert "hint: Is sshd running?" in said.err
    assert "oz-celery-beat" not in said.out
    assert "secret-canary" not in said.out + said.err


def test_a_node_whose_engine_is_down(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    down = {"engine-status": "1", "containers": "Cannot connect to the Docker daemon"}
    site.seen = {"bio1": installed("bio1", *BIO), "api1": output(**{**DETAILS, **down})}
    assert site.run("status") == 3
    said = capsys.readouterr()
    assert "api1  ! Docker does not answer: Cannot connect" in said.out
    assert "systemctl enable --now docker" in said.err


@pytest.mark.parametrize("filling", [295, 299, 190])
def test_what_an_engine_says_is_masked_before_it_is_cut(
    site: Site, capsys: pytest.CaptureFixture[str], filling: int
) -> None:
    down = {"engine-status": "1", "containers": f"{'z' * filling}secret-canary"}
    site.seen["api1"] = output(**{**DETAILS, **down})
    assert site.run("status") == 3
    said = capsys.readouterr()
    assert "zzz" in said.out
    assert "z*" in said.out
    assert "zs" not in said.out + said.err
    site.seen["api1"] = output(**{**DETAILS, "engine-version": f"{'z' * (filling - 100)}secret-canary"})
    assert site.run("plan") == 3
    assert "zs" not in capsys.readouterr().err


def test_limit_looks_at_that_node_only(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.seen = {"bio1": installed("bio1", *BIO)}
    site.run("status", "--limit", "bio1")
    said = capsys.readouterr()
    assert "api1  !" not in said.out
    assert site.run("status", "--limit", "nope") == 2


def test_answers_that_were_changed_since_do_not_make_an_installation_ill() -> None:
    job, api = service("oz-init", job=True), service("oz-api")
    before = bundle(job, api, a="1")
    starting = {"oz-api": container("oz-api", "Up 2 seconds (health: starting)")}
    facts = installed_facts(before, containers=starting)
    after = bundle(service("oz-init", job=True, digest="other"), service("oz-api", digest="other"), a="2")
    well = {"n1/oz-init": "finished", "n1/oz-api": "healthy"}
    assert service_states(before, facts) == service_states(after, facts) == well
    undone = replace(facts, jobs={}, verified="")
    assert service_states(after, undone) == {"n1/oz-init": "not done", "n1/oz-api": "starting"}


def test_what_nobody_has_verified_is_not_healthy(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    """FALSE-NOTHING-TO-DO: the engine asks a container from inside only."""
    of = bundle(service("oz-api"))
    assert service_states(of, installed_facts(of, verified="")) == {"n1/oz-api": "not verified"}
    unwell = {"oz-api": container("oz-api", "Up 5 minutes (unhealthy)")}
    assert service_states(of, installed_facts(of, verified="", containers=unwell)) == {
        "n1/oz-api": "unhealthy"
    }
    site.seen = {"bio1": installed("bio1", *BIO).replace("\n@verified\n", "\n@verified\nnot ")}
    assert site.run("status", "--limit", "bio1") == 3
    said = capsys.readouterr()
    assert "! not verified" in said.out
    assert "hint: Run oz-install --answers" in said.err
    assert "to verify what runs" in said.err


def test_json_has_it_all_and_a_total(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.seen = {"bio1": installed("bio1", *BIO)}
    assert site.run("status", "--json") == 3
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert told["ready"] is False
    assert told["troubles"] == [{"node": "api1", "message": "unreachable: port 22 of 10.0.0.2 is closed"}]
    assert told["total"]["services"] == len(told["services"]) > 1
    assert told["total"]["well"] >= 1


def test_logs_come_in_the_order_of_their_writing(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert site.run("logs", "oz-api") == 0
    assert capsys.readouterr().out == "api1/oz-api | out\napi1/oz-api | err\n"
    look, argv = site.sent
    assert short(look) == "node.sh facts"
    assert argv[:3] == ("sh", "-c", 'exec "$@" 2>&1')
    assert argv[4:] == ("docker", "logs", "--tail", "100", "oz-api")


def test_logs_as_json_are_an_object_a_line(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert site.run("logs", "oz-api", "--json") == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    of = {"event": "LogLine", "node": "api1", "service": "oz-api"}
    assert told == [{**of, "text": "out"}, {**of, "text": "err"}]
    site.logs["api1"] = failed(output="Cannot connect to the Docker daemon\n")
    assert site.run("logs", "oz-api", "--json") == 3
    (error,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (error["event"], error["exit_code"]) == ("Error", 3)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("Error response from daemon: No such container: oz-api\n", "there is no such container on the node"),
        ("Cannot connect to the Docker daemon\n", "Cannot connect to the Docker daemon"),
    ],
)
def test_a_log_that_cannot_be_read_is_an_error(
    site: Site, capsys: pytest.CaptureFixture[str], said: str, told: str
) -> None:
    site.logs["api1"] = failed(output=said)
    assert site.run("logs", "oz-api") == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert f"error: cannot read the log of api1/oz-api: {told}\n" in err


def test_logs_of_a_node_that_is_down(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    del site.seen["api1"]
    assert site.run("logs", "oz-api") == 3
    assert "cannot read the log of api1/oz-api: port 22 of 10.0.0.2 is closed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("api", "did you mean oz-api?"),
        ("oz-tffs", "did you mean oz-tfss?"),
        ("zzz", "Known: oz-"),
        ("oz-init-db", "oz-init-db is a job, which runs once and keeps no log"),
    ],
)
def test_a_service_of_another_name(
    site: Site, capsys: pytest.CaptureFixture[str], asked: str, words: str
) -> None:
    assert site.run("logs", asked) == 2
    assert words in capsys.readouterr().err
