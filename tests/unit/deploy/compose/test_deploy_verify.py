"""Looking from outside: a real HTTP server on this machine plays the published ports."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from oz_installer.answers.model import Node
from oz_installer.deploy.compose.phases.verify import Verify
from oz_installer.deploy.compose.run import NodesRun
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
    return replace(topology, nodes=(replace(topology.nodes[0], services=services),))


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
