"""Looking from outside: a real HTTP server on this machine plays the published ports."""

from __future__ import annotations

import http.server
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from oz_installer.answers.model import Node
from oz_installer.deploy.compose.phases.verify import Verify
from oz_installer.deploy.compose.run import NodesRun
from oz_installer.deploy.events import Event, Message
from oz_installer.deploy.gate import DryGate
from oz_installer.deploy.runner import run_phases
from oz_installer.errors import DeployError
from oz_installer.topology.model import Topology
from oz_installer.topology.planner import plan_topology
from tests.plans import file_change, target_plan
from tests.unit.deploy.compose.deploy_support import FakeTransport, bundle, fresh, make_run
from tests.unit.topology.topology_answers import layout


class Ports(http.server.BaseHTTPRequestHandler):
    """Answers 200 to all paths but those that are broken."""

    broken: tuple[str, ...] = ()
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(502 if self.path in self.broken else 200)
        self.end_headers()
        self.wfile.write(b"said")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def ports() -> Iterator[type[Ports]]:
    handler = type("Handler", (Ports,), {"asked": []})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    handler.port = server.server_address[1]  # type: ignore[attr-defined]
    yield handler
    server.shutdown()
    server.server_close()


def here(port: int) -> Topology:
    """poc-1 on this machine, with every published port moved to one that we serve."""
    answers = replace(layout("poc-1"), nodes=(Node(name="n1", host="127.0.0.1"),))
    topology = plan_topology(answers)
    services = tuple(
        replace(placed, ports=tuple(replace(one, host=port) for one in placed.ports))
        for placed in topology.nodes[0].services
    )
    nodes = (replace(topology.nodes[0], services=services),)
    return replace(topology, nodes=nodes, public_url=f"http://127.0.0.1:{port}")


def verifying(ports: type[Ports]) -> tuple[NodesRun, FakeTransport]:
    node = FakeTransport("n1", answer=lambda argv: "boom" if argv[1:2] == ("logs",) else None)
    files = (file_change("a", "new"),)
    run = make_run(
        bundle(node="n1"),
        transports={"n1": node},
        facts={"n1": fresh()},
        plans=[target_plan("n1", *files)],
        topology=here(ports.port),  # type: ignore[attr-defined]
        health_timeout=0.1,
        engine="podman",  # its logs are asked for by a command
    )
    return run, node


def test_everything_that_has_a_path_is_asked_and_then_remembered(ports: type[Ports]) -> None:
    run, node = verifying(ports)
    Verify().run(run)
    assert sorted(ports.asked) == [
        "/api/version",
        "/api/version",
        "/login",
        "/metrics",
        "/metrics/flower/metrics",
        "/metrics/nginx",
        "/metrics/redis",
        "/statistic",
        "/v1/models/dummy",
    ]
    assert node.words() == ["node.sh mark_verified"]


def test_what_does_not_answer_is_named_with_its_log(ports: type[Ports]) -> None:
    ports.broken = ("/metrics/redis", "/login")
    run, node = verifying(ports)
    with pytest.raises(DeployError) as caught:
        Verify().run(run)
    address = f"http://127.0.0.1:{ports.port}"  # type: ignore[attr-defined]
    told = str(caught.value)
    assert f"oz-redis-exporter (Metrics of Redis) on n1 does not answer at {address}/metrics/redis" in told
    assert f"oz-webui (Web interface) on n1 does not answer at {address}/login: HTTP 502 said" in told
    assert "boom" in caught.value.details
    assert caught.value.hint.startswith("Read its last log lines above. Check that no firewall blocks port ")
    assert "node.sh mark_verified" not in node.words()


def test_a_closed_port_may_be_a_firewalls(ports: type[Ports]) -> None:
    run, _ = verifying(ports)
    run.topology = here(1)  # nobody listens there
    with pytest.raises(DeployError, match=r"cannot be reached|refused") as caught:
        Verify().run(run)
    assert caught.value.hint.endswith("Check that no firewall blocks port 1 of 127.0.0.1.")


# --- from outside --------------------------------------------------------------------------------------


def told(run: NodesRun) -> list[tuple[str, str]]:
    """Level and text of what was reported."""
    events: list[Event] = []
    run.emit = events.append
    Verify().run(run)
    return [(event.level, event.text) for event in events if isinstance(event, Message)]


def test_the_public_url_is_asked_from_here_through_no_node(ports: type[Ports]) -> None:
    """FALSE-NOTHING-TO-DO: with the port dropped for outsiders all stayed green."""
    run, _ = verifying(ports)
    url = f"http://127.0.0.1:{ports.port}/api/version"  # type: ignore[attr-defined]
    assert told(run) == [("info", f"{url} answers this workstation")]


@pytest.mark.parametrize(
    ("public_url", "reason"),
    [
        ("http://127.0.0.1:1", "Connection refused"),
        ("http://no-such-host.invalid", "resol"),
    ],
)
def test_what_cannot_be_asked_from_here_is_not_called_ok(
    ports: type[Ports], public_url: str, reason: str
) -> None:
    run, node = verifying(ports)
    run.topology = replace(run.topology, public_url=public_url)
    ((level, text),) = told(run)
    assert level == "warning"
    start = f"not checked from outside: {public_url}/api/version does not answer this workstation: "
    assert text.startswith(start)
    assert reason in text or "not known" in text
    assert node.words() == ["node.sh mark_verified"]  # what nodes ask was answered


def test_another_answer_than_success_is_a_warning(ports: type[Ports]) -> None:
    run, _ = verifying(ports)
    path = "/oz/api/version"  # a proxy that is not there yet
    ports.broken = (path,)
    run.topology = replace(run.topology, public_url=f"{run.topology.public_url}/oz")
    ((level, text),) = told(run)
    assert (level, text[-8:]) == ("warning", "HTTP 502")
    assert ports.asked.count(path) == 2


def test_a_url_that_lets_us_wait_delays_a_run_by_little(
    ports: type[Ports], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("oz_installer.deploy.outside.SECONDS", 0.2)
    run, _ = verifying(ports)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections and says nothing
        run.topology = replace(run.topology, public_url=f"http://127.0.0.1:{silent.getsockname()[1]}")
        ((level, text),) = told(run)
    assert (level, "no answer within" in text) == ("warning", True)


def test_a_rehearsal_asks_nothing(ports: type[Ports]) -> None:
    run, _ = verifying(ports)
    run.gate = DryGate(lambda _: None)
    Verify().run(run)
    assert ports.asked == []


# --- the mark ------------------------------------------------------------------------------------------


def test_a_repair_that_cannot_be_verified_withdraws_the_mark(ports: type[Ports]) -> None:
    """FALSE-NOTHING-TO-DO: the next run said «Nothing to do» while users got HTTP 503."""
    ports.broken = ("/api/version",)
    run, node = verifying(ports)
    run.facts["n1"] = replace(run.facts["n1"], verified=run.bundles["n1"].digest, good="000001")
    with pytest.raises(DeployError):
        run_phases([Verify()], run)
    (withdrawn,) = [sent.argv[4:] for sent in node.sent if "verified" in sent.argv[4]]
    assert withdrawn == (
        "unmark_verified",
        "/opt/oz",
        run.id,
        "",
        "000001",
    )


def test_the_mark_of_what_ran_before_an_upgrade_stays(ports: type[Ports]) -> None:
    """It is rolled back to."""
    ports.broken = ("/api/version",)
    run, node = verifying(ports)
    run.facts["n1"] = replace(run.facts["n1"], verified="of another bundle")
    with pytest.raises(DeployError):
        run_phases([Verify()], run)
    assert "node.sh mark_verified" not in node.words()
