"""Rules on lab nodes for what is forwarded to containers: seen before anything of Oz runs."""

from __future__ import annotations

from tests.e2e.checked_nodes import BOTH_API, Bench, bad
from tests.e2e.test_checks_network import firewall, only


def test_what_stops_packets_for_containers_alone_is_a_warning(bench: Bench) -> None:
    """Nothing of it stops a plain program, so that the trial itself sees no harm."""
    one = bench.site.lab.node(1).address
    warning = {"network.forward-8501/node1:node2": "warning"}
    for rule in (f"DOCKER-USER -s {one} -j DROP", f"FORWARD -s {one} -p tcp --dport 8501 -j DROP"):
        with firewall(bench, ("node2", rule)):
            found = only(bench, "network")
        assert bad(found) == warning, rule
        told = found["network.forward-8501/node1:node2"]
        assert f"a firewall rule of node2 may block it: -A {rule.split()[0]} -s {one}/32" in told.seen
        assert f"iptables -I {rule.split()[0]} -s {one} -p tcp --dport 8501 -j ACCEPT" in told.hint
        assert found["network/node2"].seen == "4 connections to 1 other node"
        way = told.hint.partition("before it: iptables -I ")[2].partition(". Or")[0]
        with firewall(bench, ("node2", rule), ("node2", way)):
            assert bad(only(bench, "network")) == {}, way
    table = "nft add table inet mine; nft add chain inet mine passing"
    chain = "'{ type filter hook forward priority 0; policy drop; }'"
    with bench.during("node2", f"{table} {chain}", "nft delete table inet mine"):
        found = only(bench, "network")
        assert bad(found) == warning
        assert "inet mine passing: policy drop" in found["network.forward-8501/node1:node2"].seen
    assert bad(only(bench, "network")) == {}


def test_the_rules_warn_of_what_docker_really_drops(bench: Bench) -> None:
    """With a published port: it is reached, is not with the rule, and is with what the hint says."""
    one, two = bench.site.lab.node(1).address, bench.site.lab.node(2).address
    start = (
        "docker run -d --name shown -p 8501:80 nginx:1.27.3; "
        "inside=$(docker inspect --format '{{.NetworkSettings.IPAddress}}' shown); "
        "until bash -c '< /dev/tcp/$0/80' $inside 2> /dev/null; do sleep 0.1; done"
    )
    knock = f"timeout 2 bash -c '< /dev/tcp/{two}/8501' 2> /dev/null && echo in || echo out"
    with bench.during("node2", start, "docker rm -f -v shown"):
        assert "in" in bench.site.on("node1", knock)
        with firewall(bench, ("node2", f"DOCKER-USER -s {one} -j DROP")):
            assert "out" in bench.site.on("node1", knock)
            found = only(bench, "network")
            assert bad(found) == {"network.8501/node1:node2": "failure"}
            assert f"-A DOCKER-USER -s {one}/32 -j DROP" in found["network.8501/node1:node2"].why
            with firewall(bench, ("node2", f"DOCKER-USER -s {one} -p tcp --dport 80 -j ACCEPT")):
                assert "in" in bench.site.on("node1", knock)
                assert bad(only(bench, "network")) == {}


def test_without_root_it_is_said_what_was_not_looked_at(bench: Bench) -> None:
    document = bench.site.answers("medium-2")
    nodes = [{**node, **more, "user": "ozpw"} for node, more in zip(document["nodes"], BOTH_API, strict=True)]
    found = only(bench, "network", nodes=nodes)
    assert bad(found) == {}
    assert "forwarding to containers was not checked on node2" in found["network/node1"].seen
