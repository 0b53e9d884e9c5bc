"""The port matrix and the way out on lab nodes: blocked for real, named, opened; no listener stays."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from oz_installer.answers.file import read
from oz_installer.answers.secrets.resolve import Secrets
from oz_installer.checks.context import Finding
from oz_installer.checks.network import listener as listener_module
from oz_installer.checks.network.listener import Listener
from oz_installer.installation.check import check_prepared
from oz_installer.installation.prepare import prepare
from tests.e2e.checked_nodes import BOTH_API, Bench, bad
from tests.e2e.site import RELOAD_SSHD
from tests.unit.checks.tls_support import connect_proxy, tls_server, write_certificate

SSHD = "/etc/ssh/sshd_config.d/00-checks.conf"
NARROW = f"printf 'AllowTcpForwarding no\\nMaxSessions 1\\n' > {SSHD}; {RELOAD_SSHD}"
MEND = f"rm -f {SSHD}; {RELOAD_SSHD}"
HOSTS = (
    "api.cryptlex.com",
    "bio-admin.infra.ozforensics.ai",
    "s3.amazonaws.com",
    "s3-accelerate.amazonaws.com",
)
LEFT = (
    "ss -Hltn | grep -E ':(6379|8501|8521|8880|600[0-9][0-9]|60100)\\b'; "
    "pgrep -af 'oz-install-check|IS -c' | grep -v pgrep; true"
)


def only(bench: Bench, check: str, **changes: Any) -> dict[str, Finding]:
    """The findings of one check by id."""
    path, told = bench.answers(**changes), list[Finding]()
    prepared = prepare(read(path), path, bench.opener(path))
    try:
        check_prepared(prepared, told.append, threading.Event(), only=(check,))
    finally:
        prepared.close()
    return {one.id: one for one in told}


def left(bench: Bench) -> str:
    """Listeners and processes of ours."""
    return "".join(bench.site.each(("node1", "node2"), LEFT).values())


def soon(holds: Callable[[], bool], seconds: float = 20) -> bool:
    until = time.monotonic() + seconds
    while not holds() and time.monotonic() < until:
        time.sleep(0.1)
    return holds()


@contextmanager
def firewall(bench: Bench, *rules: tuple[str, str]) -> Iterator[None]:
    """iptables rules on nodes, for a while."""
    with ExitStack() as stack:
        for node, rule in rules:
            chain, _, rest = rule.partition(" ")
            stack.enter_context(
                bench.during(node, f"iptables -I {chain} {rest}", f"iptables -D {chain} {rest}")
            )
        yield


def drop(port: int) -> str:
    return f"INPUT -p tcp --dport {port} -j DROP"


def reject(port: int, kind: str = "icmp-port-unreachable") -> str:
    return f"INPUT -p tcp --dport {port} -j REJECT --reject-with {kind}"


@pytest.fixture(autouse=True)
def nothing_stays(bench: Bench) -> Iterator[None]:
    assert left(bench) == ""
    yield
    assert soon(lambda: left(bench) == ""), left(bench)


def test_the_whole_preflight_sees_open_ways_and_no_listener_of_its_own(bench: Bench) -> None:
    found = bench.check()
    assert bad(found) == {}
    assert found["network/node1"].seen == "1 connection to 1 other node"
    assert found["network/node2"].seen == "4 connections to 1 other node"
    assert found["egress/node1"].seen == "skipped: air_gapped is set"
    assert left(bench) == ""


def test_what_a_firewall_blocks_is_named(bench: Bench) -> None:
    rules = [("node2", drop(8501)), ("node1", reject(6379)), ("node1", reject(8521, "icmp-host-prohibited"))]
    with firewall(bench, *rules, ("node1", drop(60050))):
        found = bench.check()
    assert bad(found) == {
        "network.8501/node1:node2": "warning",
        "network.6379/node2:node1": "warning",
        "network.8521/node2:node1": "warning",
        "network.60000/node2:node1": "warning",
    }
    seen = {
        name.partition("/")[0]: one.seen
        for name, one in found.items()
        if one.level == "warning" and one.check == "network"
    }
    assert seen == {
        "network.8501": "node1 → node2 tcp/8501, for BIO: no answer within 3 s",
        "network.6379": "node2 → node1 tcp/6379, for Redis: refused, although a program listens",
        "network.8521": "node2 → node1 tcp/8521, for model updates: No route to host",
        "network.60000": "node2 → node1 tcp/60000-60100, for model updates (passive): "
        "60050: no answer within 3 s",
    }
    assert found["network/node2"].seen == "1 connection to 1 other node"
    assert left(bench) == ""
    assert bad(bench.check()) == {}


def test_what_blocks_elsewhere_than_in_the_target_is_a_failure(bench: Bench) -> None:
    """The source's OUTPUT stands for a firewall in between."""
    with firewall(bench, ("node1", "OUTPUT -p tcp --dport 8501 -j DROP")):
        assert bad(only(bench, "network")) == {"network.8501/node1:node2": "failure"}
    with firewall(bench, ("node2", drop(8501)), ("node2", drop(8501).replace("INPUT", "DOCKER-USER"))):
        assert bad(only(bench, "network")) == {"network.8501/node1:node2": "failure"}
    assert bad(only(bench, "network")) == {}


@pytest.mark.slow
def test_what_listens_already_is_tried_itself(bench: Bench) -> None:
    serve = "import signal, socket; s = socket.create_server(('{}', 8501)); print('up', flush=True)"
    for address in ("0.0.0.0", "127.0.0.1"):
        start = (
            f'python3 -c "{serve.format(address)}; signal.pause()" > /tmp/serving 2>&1 & '
            "until grep -q up /tmp/serving; do sleep 0.05; done"
        )
        gone = "until ! ss -Hltn | grep -q :8501; do sleep 0.05; done"
        stop = f"pkill -f 'socket[.]create_server'; rm -f /tmp/serving; {gone}"
        with bench.during("node2", start, stop):
            assert bad(only(bench, "network")) == {}, address
            if address == "0.0.0.0":
                for rule in (drop(8501), reject(8501).replace("INPUT", "INPUT ! -i lo")):
                    with firewall(bench, ("node2", rule)):
                        assert set(bad(only(bench, "network"))) == {"network.8501/node1:node2"}


def test_a_published_port_whose_container_does_not_listen_is_no_firewall(bench: Bench) -> None:
    """As those of the updater's passive range."""
    image = "nginxinc/nginx-unprivileged:1.24"
    start = f"docker run -d --name idle -p 8501:8501 --entrypoint sleep {image} 300"
    with bench.during("node2", start, "docker rm -f -v idle"):
        knock = f"bash -c '< /dev/tcp/{bench.site.lab.node(2).address}/8501' 2>&1; true"
        assert "refused" in bench.site.on("node1", knock)
        assert bad(only(bench, "network")) == {}


def test_another_login_than_root(bench: Bench) -> None:
    password, document = str(bench.site.lab.sudo_password), bench.site.answers("medium-2")
    nodes = [
        {**node, **more, "user": "ozpw", "become": "sudo", "become_password": {"file": password}}
        for node, more in zip(document["nodes"], BOTH_API, strict=True)
    ]
    found = only(bench, "network", nodes=nodes)
    assert bad(found) == {}
    assert set(found) == {"network/node1", "network/node2"}
    assert "was not checked" not in repr(found)


def test_one_session_a_connection_and_no_tunnels(bench: Bench) -> None:
    with bench.during("node1", NARROW, MEND), bench.during("node2", NARROW, MEND):
        found = bench.check()
        wrong = {name: found[name].seen for name in bad(found) if not name.startswith("database")}
        assert wrong == {}
        assert found["network/node2"].seen == "4 connections to 1 other node"
        with firewall(bench, ("node2", drop(8501))):
            assert set(bad(only(bench, "network"))) == {"network.8501/node1:node2"}


def test_a_node_without_python(bench: Bench) -> None:
    away = "mv /usr/bin/python3 /usr/bin/python3.away"
    with bench.during("node2", away, "mv /usr/bin/python3.away /usr/bin/python3"):
        found = only(bench, "network")
        assert bad(found) == {"network.untried/node2": "warning"}
        assert "no python3" in found["network.untried/node2"].seen
        assert found["network/node2"].seen == "4 connections to 1 other node"
        with firewall(bench, ("node2", drop(8501)), ("node1", reject(6379))):
            found = only(bench, "network")
        assert bad(found) == {"network.8501/node1:node2": "warning", "network.6379/node2:node1": "warning"}
    assert bad(only(bench, "network")) == {}


def test_a_killed_workstation_leaves_no_listener(bench: Bench) -> None:
    path = bench.answers()
    command = [sys.executable, "-m", "oz_installer", "check", "--only", "network", "--answers", str(path)]
    with firewall(bench, ("node2", drop(8501))):  # so it lasts for three seconds
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert soon(lambda: ":8501" in left(bench)), process.communicate(timeout=30)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=30)
        assert soon(lambda: left(bench) == ""), left(bench)


def test_a_broken_connection_leaves_no_listener(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    path = bench.answers()
    node = read(path).answers.nodes[1]
    transport = bench.opener(path)(node, Secrets({}))
    listener = Listener(transport, (8501,), timeout=5)
    assert listener.ready(time.monotonic() + 10)
    assert ":8501" in left(bench)
    transport.close()
    assert soon(lambda: left(bench) == ""), left(bench)
    # one of which the node hears nothing any more: only the program's own end is left
    monkeypatch.setattr(listener_module, "LIFE_SECONDS", 3)
    transport = bench.opener(path)(node, Secrets({}))
    listener = Listener(transport, (8501,), timeout=5)
    assert listener.ready(time.monotonic() + 10)
    with firewall(bench, ("node2", "INPUT -p tcp --dport 22 -j DROP")):
        assert ":8501" in left(bench)
        assert soon(lambda: left(bench) == ""), left(bench)
    transport.close()


def test_nodes_that_are_left_out(bench: Bench) -> None:
    path, told = bench.answers(), list[Finding]()
    prepared = prepare(read(path), path, bench.opener(path), limit=("node1",), new_secrets=True)
    try:
        check_prepared(prepared, told.append, threading.Event(), only=("network",))
    finally:
        prepared.close()
    assert {one.id: one.level for one in told} == {"network.untried/node2": "ok"}  # told, not warned of


@pytest.mark.slow
def test_a_node_that_hangs_is_left_to_other_checks(bench: Bench) -> None:
    path, told = bench.answers(), list[Finding]()
    prepared = prepare(read(path), path, bench.opener(path))
    ours = "pgrep -f 'sshd(-session)?: root'"
    with bench.during("node2", f"kill -STOP $({ours})", f"kill -CONT $({ours})"):
        began = time.monotonic()
        try:
            check_prepared(prepared, told.append, threading.Event(), only=("network",))
        finally:
            prepared.close()
        assert time.monotonic() - began < 10
    assert bad({one.id: one for one in told}) == {}
    assert [one.id for one in told if one.node == "node2"] == []


def test_a_node_whose_sshd_says_nothing_is_told_once(bench: Bench) -> None:
    """Its listener goes on accepting, in the kernel; the other node's storage cannot be shared with it."""
    with bench.during("node1", "kill -STOP $(cat /run/sshd.pid)", "kill -CONT $(cat /run/sshd.pid)"):
        found = bench.check()
    wrong = bad(found)
    assert wrong.pop("look/node1") == "failure"
    assert [one.id for one in found.values() if one.id in wrong and one.check != "storage"] == []
    assert "failure" not in wrong.values(), wrong
    assert "did not finish the SSH handshake in 8 s" in found["look/node1"].seen
    of_node1 = {one.id for one in found.values() if one.node == "node1" and one.check != "egress"}
    assert of_node1 == {"look/node1"}
    assert not [one for one in found.values() if "no answer within" in one.seen]
    assert {one.check for one in found.values() if one.node == "node2"} >= {"host", "engine", "database"}


# ---- the way out


@pytest.fixture
def gateway(bench: Bench) -> str:
    """This workstation as nodes of the lab see it."""
    return str(bench.site.lab.subnet[1])


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of all destinations; this workstation trusts who signed it."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    return write_certificate(tmp_path, HOSTS)


@contextmanager
def names(bench: Bench, address: str) -> Iterator[None]:
    """The destinations are at this address, as the nodes know it."""
    lines = f"cp -p /etc/hosts /tmp/hosts; echo '{address} {' '.join(HOSTS)}' >> /etc/hosts"
    mend = "cat /tmp/hosts > /etc/hosts; touch -r /tmp/hosts /etc/hosts; rm /tmp/hosts"
    with bench.during("node1", lines, mend), bench.during("node2", lines, mend):
        yield


def egress(bench: Bench, proxy: Mapping[str, Any] | None = None) -> dict[str, Finding]:
    return only(bench, "egress", air_gapped=False, **({"proxy": proxy} if proxy else {}))


def unreached(*nodes: str) -> dict[str, str]:
    return {f"egress.{host}/{node}": "warning" for host in HOSTS for node in nodes}


def test_the_way_out_both_ways(bench: Bench, gateway: str, certificate: Path) -> None:
    found = egress(bench)  # a lab has none
    assert bad(found) == unreached("node1", "node2")
    assert "api.cryptlex.com:443 is not reached: " in found["egress.api.cryptlex.com/node1"].seen
    with names(bench, gateway), tls_server(certificate, gateway, 443):
        found = egress(bench)
        assert bad(found) == {}
        assert {one.seen for one in found.values()} == {"4 destinations reached"}
        with firewall(bench, ("node2", f"OUTPUT -p tcp -d {gateway} --dport 443 -j DROP")):
            found = egress(bench)
        assert bad(found) == unreached("node2")
        assert "no answer within 4 s" in found["egress.s3.amazonaws.com/node2"].seen
        with bench.during("node1", NARROW, MEND):
            found = egress(bench)
        assert bad(found) == {}
        assert "by TCP only" in found["egress/node1"].seen


def test_the_way_out_through_a_proxy(bench: Bench, gateway: str, certificate: Path) -> None:
    """Names are the proxy's to resolve: the nodes know none of them."""
    with tls_server(certificate, gateway) as port, connect_proxy((gateway, port), address=gateway) as proxy:
        found = egress(bench, {"url": f"http://{gateway}:{proxy.port}"})
        assert bad(found) == {}
        assert found["egress/node2"].seen == f"4 destinations reached through http://{gateway}:{proxy.port}"
        assert sorted(set(proxy.asked)) == sorted(f"CONNECT {host}:443 HTTP/1.1" for host in HOSTS)
        with bench.during("node1", NARROW, MEND):
            found = egress(bench, {"url": f"http://{gateway}:{proxy.port}"})
        assert bad(found) == {}
    with connect_proxy((gateway, 1), "HTTP/1.1 403 Forbidden", address=gateway) as proxy:
        found = egress(bench, {"url": f"http://{gateway}:{proxy.port}", "no_proxy": [".amazonaws.com"]})
        assert bad(found) == unreached("node1", "node2")
        assert "the proxy answers HTTP/1.1 403 Forbidden" in found["egress.api.cryptlex.com/node1"].seen
        assert "proxy" not in found["egress.s3.amazonaws.com/node1"].seen
