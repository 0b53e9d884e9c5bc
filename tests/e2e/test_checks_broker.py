"""Brokers of the operator's own on lab nodes: made to fail for real, named, mended, seen to pass."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from oz_installer.lab import LabOptions, up
from tests.e2e.checked_nodes import Bench, bad, both, of, secret_file
from tests.e2e.site import Site as LabSite


@contextmanager
def redis(bench: Bench, *options: str) -> Iterator[dict[str, Any]]:
    """A Redis of the operator's own on node2, by Debian's package in an image of the lab; answers for it."""
    image = standin(bench, "oz-api-redis")
    node, name = "node2", "checked-redis"
    words = " ".join(("--requirepass", "canary-redis", "--port", "6390", *options))
    bench.site.on(
        node, f"docker run -d --name {name} --network host --entrypoint redis-server {image} {words}"
    )
    answers = {
        "type": "redis",
        "host": str(bench.site.lab.node(2).address),
        "port": 6390,
        "password": secret_file(bench, "redis", "canary-redis"),
    }
    try:
        wait_for_port(bench, node, 6390)
        yield answers
    finally:
        bench.site.on(node, f"docker rm -f -v {name}")


def standin(bench: Bench, word: str) -> str:
    """An image of the lab's on node2 whose name has that word."""
    listed = bench.site.on("node2", "docker images --format '{{.Repository}}:{{.Tag}}'").split()
    return next(one for one in listed if word in one)


def wait_for_port(bench: Bench, node: str, port: int) -> None:
    bench.site.on(
        node, f"for n in $(seq 600); do ss -Hltn | grep -q ':{port} ' && exit 0; sleep 0.1; done; exit 1"
    )


def test_an_external_redis(bench: Bench) -> None:
    with redis(bench, "--databases", "4") as answers:
        found = of(bench.check(broker=answers), "broker")
        assert bad(found) == {}
        assert {name.partition("/")[0] for name in found} == {
            "broker.login", "broker.version", "broker.mode", "broker.databases", "broker.policy"
        }  # fmt: skip
        wrong = {**answers, "password": secret_file(bench, "wrong", "canary-wrong")}
        found = of(bench.check(broker=wrong), "broker")
        assert bad(found) == both("broker.login", "failure")
        assert "WRONGPASS" in found["broker.login/node1"].seen
        found = of(bench.check(broker={**answers, "port": 1}), "broker")
        assert bad(found) == both("broker", "failure")
        found = of(bench.check(broker={**answers, "port": 22}), "broker")
        assert bad(found) == both("broker", "failure")
        assert "does not speak Redis" in found["broker/node1"].seen
    options = ("--databases", "2", "--maxmemory", "50mb", "--maxmemory-policy", "allkeys-lru")
    with redis(bench, *options) as answers:
        found = of(bench.check(broker=answers), "broker")
        assert bad(found) == {**both("broker.databases", "failure"), **both("broker.policy", "warning")}
        assert found["broker.policy/node1"].seen == "allkeys-lru, 50 MB"
    with redis(bench, "--cluster-enabled", "yes") as answers:
        found = of(bench.check(broker=answers), "broker")
        assert bad(found)["broker.mode/node1"] == "failure"


@pytest.fixture
def with_rabbitmq(site: LabSite) -> None:
    """The nodes have RabbitMQ's image before their state is taken down."""
    lab = site.lab
    up(LabOptions(name=lab.name, nodes=site.count, directory=lab.directory, extras=("rabbitmq",), say=print))


@pytest.mark.slow
@pytest.mark.usefixtures("with_rabbitmq")
def test_an_external_rabbitmq(bench: Bench) -> None:
    image = standin(bench, "rabbitmq")
    start = (
        "docker run -d --name checked-rabbit --network host -e RABBITMQ_DEFAULT_USER=oz "
        f"-e RABBITMQ_DEFAULT_PASS=canary-rabbit {image} rabbitmq-server"
    )
    answers = {
        "type": "rabbitmq",
        "host": str(bench.site.lab.node(2).address),
        "user": "oz",
        "password": secret_file(bench, "rabbit", "canary-rabbit"),
    }
    with bench.during("node2", start, "docker rm -f -v checked-rabbit"):
        wait_for_port(bench, "node2", 5672)
        found = of(bench.check(broker=answers), "broker")
        assert bad(found) == {}
        assert found["broker.version/node1"].seen.startswith("RabbitMQ ")
        wrong = {**answers, "password": secret_file(bench, "wrong", "canary-wrong")}
        found = of(bench.check(broker=wrong), "broker")
        assert bad(found) == both("broker.login", "failure")
        assert "ACCESS_REFUSED" in found["broker.login/node1"].seen
        control = "docker exec checked-rabbit rabbitmqctl -q"
        with bench.during(
            "node2",
            f"{control} clear_permissions -p / oz",
            f"{control} set_permissions -p / oz '.*' '.*' '.*'",
        ):
            found = of(bench.check(broker=answers), "broker")
            assert bad(found) == both("broker.vhost", "failure")
        assert bad(of(bench.check(broker=answers), "broker")) == {}
