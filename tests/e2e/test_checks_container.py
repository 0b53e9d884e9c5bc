"""What a container on a lab node sees otherwise than the node: named, and nothing stays behind."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.e2e.checked_nodes import Bench, bad, of
from tests.e2e.site import Site
from tests.e2e.test_checks_network import only

LEFT = "docker ps -aq; docker network ls -q --no-trunc | sort; docker images -aq --no-trunc | sort"
RULE = "DOCKER-USER -p tcp --dport 5432 -m length --length 1000:65535 -j DROP"


def test_a_container_sees_what_its_node_sees(bench: Bench) -> None:
    before = bench.site.on("node1", LEFT)
    found = only(bench, "container")
    assert bad(found) == {}
    assert "a container reaches the database" in found["container.network/node1"].seen
    assert bench.site.on("node1", LEFT) == before


def test_hosts_file_a_name_that_only_the_node_knows(bench: Bench) -> None:
    database = bench.site.answers("medium-2")["database"]
    line = f"{database['host']} db.only-here"
    write = f"{{ cat /etc/hosts; echo {line}; }} > /dev/shm/hosts; mount --bind /dev/shm/hosts /etc/hosts"
    back = "umount /etc/hosts; rm /dev/shm/hosts"
    with bench.during("node1", write, back), bench.during("node2", write, back):
        found = only(bench, "container", database={**database, "host": "db.only-here"})
    assert bad(found) == {"container.database/node1": "failure"}  # node2 runs no API
    assert found["container.network/node2"].level == "ok"
    told = found["container.database/node1"]
    assert f"does not resolve db.only-here (the database); the node does: {database['host']}" in told.seen
    assert f"set database.host to {database['host']}" in told.hint


def test_forward_off(bench: Bench) -> None:
    """What the finding says to do is what helps."""
    with bench.during("node1", "sysctl -qw net.ipv4.ip_forward=0", "sysctl -qw net.ipv4.ip_forward=1"):
        found = only(bench, "container")
        assert bad(found) == {"container.forwarding/node1": "failure"}
        remedy = found["container.forwarding/node1"].remedy
        assert remedy is not None
        bench.site.on("node1", " ".join(remedy.commands[0]))
        assert bad(only(bench, "container")) == {}
    folder = "/etc/sysctl.d"
    setting = f"mount -t tmpfs none {folder}; echo net.ipv4.ip_forward = 0 > {folder}/60-cis.conf"
    with bench.during("node1", setting, f"umount {folder}"):
        found = only(bench, "container")
    assert bad(found) == {"container.forwarding/node1": "warning"}
    assert "/etc/sysctl.d/60-cis.conf" in found["container.forwarding/node1"].seen


def test_full_size_packets_that_only_a_container_loses(bench: Bench) -> None:
    with bench.during("node1", f"iptables -I {RULE}", f"iptables -D {RULE}"):
        found = only(bench, "container")
    assert bad(found) == {"container.database-packets/node1": "warning"}
    assert "network.mtu" in found["container.database-packets/node1"].hint


def test_pool_clash_the_next_subnet_would_cover_the_database(bench: Bench) -> None:
    database = bench.site.answers("medium-2")["database"]
    before = bench.site.on("node1", LEFT)
    found = only(bench, "container", database={**database, "host": "172.18.0.10"})
    assert found["container.subnet/node1"].level == "failure"
    assert (
        "gets 172.18.0.0/16, which covers the database (172.18.0.10)" in found["container.subnet/node1"].seen
    )
    chosen = {"subnet": "10.210.0.0/24"}
    found = of(only(bench, "container", network=chosen), "container")
    assert bad(found) == {}
    assert "a container reaches the database" in found["container.network/node1"].seen
    assert bench.site.on("node1", LEFT) == before


def test_chains_gone_and_pool_full(bench: Bench) -> None:
    flush = "iptables-save > /dev/shm/rules; iptables -t nat -F; iptables -t nat -X DOCKER"
    with bench.during("node1", flush, "iptables-restore < /dev/shm/rules; rm /dev/shm/rules"):
        found = only(bench, "container")
    assert bad(found) == {"container.network/node1": "failure"}
    assert "systemctl restart docker" in found["container.network/node1"].hint
    assert bad(only(bench, "container")) == {}
    # what is on a link of the node is no pool
    networks = ("172.16.0.0/12", "192.168.0.0/16")
    taking = "; ".join(f"ip route add {one} dev eth0" for one in networks)
    with bench.during("node1", taking, "; ".join(f"ip route del {one} dev eth0" for one in networks)):
        found = only(bench, "container")
    assert bad(found) == {"container.network/node1": "failure"}
    assert "Set network.subnet" in found["container.network/node1"].hint


@pytest.mark.parametrize("number", [9, 15])
def test_a_check_that_is_killed_leaves_nothing_on_the_node(bench: Bench, number: int) -> None:
    before = bench.site.on("node1", LEFT)
    argv = [
        sys.executable,
        "-m",
        "oz_installer",
        "check",
        "--answers",
        str(bench.answers()),
        "--only",
        "container",
    ]
    running = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while "oz-install-check-" not in bench.site.on("node1", "docker network ls --format '{{.Name}}'"):
        assert time.monotonic() < until
        assert running.poll() is None
    running.send_signal(number)
    running.wait(30)
    while bench.site.on("node1", LEFT) != before:
        assert time.monotonic() < until
        time.sleep(0.2)


def test_old_containers_with_our_names(bench: Bench) -> None:
    create = "docker create --name oz-celery-default nginx:1.27.3 true"
    with bench.during("node1", create, "docker rm -f oz-celery-default"):
        found = only(bench, "engine")
        assert bad(found) == {"engine.names/node1": "failure"}
        assert "oz-celery-default" in found["engine.names/node1"].seen
        done = bench.site.run("--answers", str(bench.answers()), "--yes", "--skip-checks")
        assert done.status == 3
        assert "containers that oz-install did not make have its names: oz-celery-default" in done.stderr
        assert "oz-celery-default" in bench.site.on("node1", "docker ps -a --format '{{.Names}}'")


def test_an_installation_in_a_chosen_subnet(clean: Site, tmp_path: Path) -> None:
    """Services reach each other there, the preflight asks from that network, and another one moves them."""
    bench = Bench(clean, tmp_path)
    shown = "docker network inspect -f '{{(index .IPAM.Config 0).Subnet}}' "
    names = "docker network ls -q -f label=com.docker.compose.project=oz"
    inside = "docker inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}' oz-api"
    for subnet, start in (("10.210.0.0/24", "10.210.0."), ("10.211.0.0/24", "10.211.0.")):
        network = {"subnet": subnet, "mtu": 1400}
        done = clean.install(bench.answers(network=network))
        assert done.status == 0, done.stderr
        assert clean.on("node1", f"{shown} $({names})").split() == [subnet]
        assert clean.on("node1", inside).startswith(start)
        found = only(bench, "container", network=network)
        assert bad(found) == {}
        assert "a container reaches the database" in found["container.network/node1"].seen
