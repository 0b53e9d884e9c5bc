"""Trying answers in the making: only what is tried need be right; what goes wrong is told of its node."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from oz_installer.answers.drafts.working_copy import WorkingCopy
from oz_installer.answers.file import parse_text
from oz_installer.answers.model import Node
from oz_installer.answers.secrets.resolve import Secrets
from oz_installer.checks.context import Finding
from oz_installer.errors import AnswersError, ConnectError
from oz_installer.installation.nodes.connection_pool import ConnectionPool
from oz_installer.installation.wizard.partial_answers import api_names, partial_answers
from oz_installer.installation.wizard.probe import NodeProbe, ProbedSection, probe_nodes, probe_section
from oz_installer.remote.ssh.target import HostKeyRefused
from oz_installer.remote.transport import CommandResult, Transport
from oz_installer.secret import Secret
from tests.local_transport import LocalTransport

CANARY = "canary-password"
NOWHERE = Path("/nowhere/answers.yml")


def working(text: str) -> WorkingCopy:
    return WorkingCopy.of(parse_text(text))


class Node1(LocalTransport):
    """This machine; ``words`` stands for what it says of itself."""

    closed = 0

    @property
    def host_key_fingerprint(self) -> str:
        return "SHA256:known"

    def close(self) -> None:
        self.closed += 1


def tried(
    draft: WorkingCopy, *names: str, opened: dict[str, Transport | Exception] | None = None
) -> dict[str, NodeProbe]:
    """Try with these connections; by name."""
    found: list[NodeProbe] = []
    lines = opened or {}

    def open_transport(node: Node, secrets: Secrets) -> Transport:
        line = lines.get(node.name, Node1(node.name, become="none"))
        if isinstance(line, Exception):
            raise line
        return line

    probe_nodes(draft, NOWHERE, names, open_transport, found.append, threading.Event())
    assert len({one.node for one in found}) == len(found)
    return {one.node: one for one in found}


def test_one_node_of_a_draft_that_has_nothing_else() -> None:
    node = Node1("n1", become="none")
    one = tried(working("nodes: [{name: n1, host: 10.0.0.1}]"), "n1", opened={"n1": node})["n1"]
    assert (one.connected, one.key_known, one.fingerprint) == (True, "known", "SHA256:known")
    assert {"OS", "CPU", "Memory", "Disk"} <= dict(one.facts).keys()
    assert {finding.check for finding in one.findings} == {"host", "engine"}
    assert any("layout poc-1" in finding.needed for finding in one.findings)
    assert node.closed == 1


def test_wrong_answers_elsewhere_do_not_matter_and_own_ones_do() -> None:
    draft = working(
        "scenario: pocc\nrelease: '9.9'\ndatabase: {port: x}\n"
        "nodes: [{name: n1, host: 10.0.0.1}, {name: n2, host: 'a b', port: 99999}, {name: n3}]"
    )
    found = tried(draft, "n1", "n2", "n3", "n4")
    assert found["n1"].connected
    assert "Host is neither" in found["n2"].error
    assert "SSH port should" in found["n2"].error
    assert "Host is missing" in found["n3"].error
    assert "no node n4" in found["n4"].error
    for name in ("n2", "n3", "n4"):
        assert found[name].hint
        assert not found[name].connected


def test_an_unknown_key_can_be_accepted_and_a_changed_one_not() -> None:
    def refused(*, changed: bool = False, jump: bool = False) -> HostKeyRefused:
        return HostKeyRefused(
            "the host key is ...", "Do this.", node="n", fingerprint="SHA256:new", changed=changed, jump=jump
        )

    names = ("new", "changed", "jump", "gone")
    rows = ", ".join(f"{{name: {name}, host: 10.0.0.{place}}}" for place, name in enumerate(names, 1))
    lines: dict[str, Transport | Exception] = {
        "new": refused(),
        "changed": refused(changed=True),
        "jump": refused(jump=True),
        "gone": ConnectError("port 22 is closed", "Is sshd running?"),
    }
    found = tried(working(f"scenario: medium\nnodes: [{rows}]"), *names, opened=lines)
    seen = {name: (one.connected, one.fingerprint, one.key_known) for name, one in found.items()}
    assert seen == {
        "new": (False, "SHA256:new", "unknown"),
        "changed": (False, "SHA256:new", "changed"),
        "jump": (False, None, "unknown"),
        "gone": (False, None, "unknown"),
    }
    assert (found["gone"].error, found["gone"].hint) == ("port 22 is closed", "Is sshd running?")


def test_secrets_reach_the_connection_and_nothing_else() -> None:
    draft = working("nodes: [{name: n1, host: 10.0.0.1}]").with_text("nodes[0].password", CANARY)
    seen: list[Secret | None] = []

    def open_transport(node: Node, secrets: Secrets) -> Transport:
        seen.append(secrets.of_node("n1", "password"))
        raise ZeroDivisionError(f"oh {CANARY}")

    found: list[NodeProbe] = []
    probe_nodes(draft, NOWHERE, ["n1"], open_transport, found.append, threading.Event())
    assert seen == [Secret(CANARY)]
    assert "something unexpected happened: ZeroDivisionError" in found[0].error
    assert CANARY not in repr(found)


def test_a_secret_that_cannot_be_had_is_told_of_its_node() -> None:
    draft = working(
        "nodes: [{name: n1, host: 10.0.0.1, password: {env: OZ_NOT_SET}}, {name: n2, host: 10.0.0.2}]"
    )
    found = tried(draft, "n1", "n2")
    assert "OZ_NOT_SET is not set" in found["n1"].error
    assert found["n2"].connected


def test_what_was_seen_stays_when_the_look_fails() -> None:
    class Mute(Node1):
        def run(self, *args: object, **options: object) -> CommandResult:
            raise ConnectError("sudo wants a password", "Give it one.", node="n1")

    one = tried(working("nodes: [{name: n1, host: h}]"), "n1", opened={"n1": Mute("n1")})["n1"]
    assert (one.connected, one.key_known, one.error) == (True, "known", "sudo wants a password")
    assert one.facts == ()


@pytest.mark.parametrize("moment", ["connecting", "looking"])
def test_a_stop_is_heeded_within_a_second(moment: str) -> None:
    let_go, stop = threading.Event(), threading.Event()

    class Stuck(Node1):
        def run(self, *args: object, **options: object) -> CommandResult:
            let_go.wait(30)
            raise ConnectError("gone")

    late = Stuck("n1")

    def open_transport(node: Node, secrets: Secrets) -> Transport:
        if moment == "connecting":
            let_go.wait(30)
        return late

    found: list[NodeProbe] = []
    threading.Timer(0.2, stop.set).start()
    began = time.monotonic()
    draft = working("nodes: [{name: n1, host: 10.0.0.1}]")
    probe_nodes(draft, NOWHERE, ["n1"], open_transport, found.append, stop)
    assert time.monotonic() - began < 1.5
    let_go.set()
    until = time.monotonic() + 5
    while not late.closed and time.monotonic() < until:
        time.sleep(0.01)
    assert late.closed
    assert found == []


# ---- database and storage


DATABASE = "database: {host: 127.0.0.1, port: %d, password: {env: OZ_TRY}, sslmode: disable}\n"


def findings(draft: WorkingCopy, what: ProbedSection = "database") -> list[Finding]:
    found: list[Finding] = []

    def open_transport(node: Node, secrets: Secrets) -> Transport:
        if node.host == "10.0.0.9":
            raise ConnectError("10.0.0.9:22 did not answer", "Is it on?", node=node.name)
        return LocalTransport(node.name, become="none")

    probe_section(what, draft, NOWHERE, open_transport, found.append, threading.Event())
    return found


def test_the_database_is_tried_from_every_api_node(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OZ_TRY", CANARY)
    a, b = "{name: a, host: 10.0.0.1, roles: [api]}", "{name: b, host: 10.0.0.9, roles: [api, bio]}"
    rows = f"nodes: [{a}, {b}, {{name: c}}]"
    found = {one.id: one for one in findings(working(DATABASE % 1 + rows))}
    assert set(found) == {"database/a", "database/b"}
    assert "127.0.0.1:1 cannot be reached" in found["database/a"].seen
    assert "10.0.0.9:22 did not answer" in found["database/b"].seen
    assert CANARY not in repr(found)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("database: {host: h}", "no node has the role api"),
        ("database: {host: h}\nnodes: [{name: a, roles: [api]}]", "host is missing"),
        ("database: {host: 'a b'}\nnodes: [{name: a, host: h}]", "database.host"),
        ("database: {host: db}\nnodes: [{name: a, host: h}]", "database.password is needed"),
    ],
)
def test_answers_that_cannot_be_tried_yet(text: str, words: str) -> None:
    with pytest.raises(AnswersError) as caught:
        findings(working(text))
    assert words in caught.value.message
    assert caught.value.hint or caught.value.problems


def test_storage_is_tried_where_the_layout_puts_the_api(tmp_path: Path) -> None:
    rows = ", ".join(f"{{name: n{number}, host: 10.0.0.{number}}}" for number in range(1, 5))
    text = f"scenario: medium\nstorage: {{type: path, path: {tmp_path}}}\nnodes: [{rows}]"
    found = {one.id: one.level for one in findings(working(text), "storage")}
    told = {
        name: level for name, level in found.items() if name.startswith(("storage.folder", "storage.shared"))
    }
    assert told == {"storage.folder/n1": "ok", "storage.folder/n2": "ok", "storage.shared/n2": "ok"}
    assert "failure" not in found.values()
    assert list(tmp_path.iterdir()) == []


def test_partial_answers_of_next_to_nothing() -> None:
    assert partial_answers(WorkingCopy.new()).nodes == ()
    assert api_names(partial_answers(WorkingCopy.new())) == []
    assert api_names(partial_answers(working("nodes: [{}, {}]"))) == ["to-be-answered 2"]


# ---- connections when they are needed


def test_a_line_is_opened_once_and_its_failure_is_everybodys() -> None:
    opened: list[str] = []

    def open_node(name: str) -> Transport:
        opened.append(name)
        if name == "bad":
            raise ConnectError("no")
        return LocalTransport(name)

    lines = ConnectionPool(open_node)
    assert lines("a") is lines("a")
    for _ in range(2):
        with pytest.raises(ConnectError):
            lines("bad")
    assert opened == ["a", "bad"]
    lines.close()
