"""Answers of every kind with fixed secrets, and their bundles: what the tests of bundles look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from oz_installer.answers.model import Answers, Node, SecretRef
from oz_installer.answers.sections import (
    Broker,
    Components,
    Database,
    License,
    LoadBalancer,
    Registry,
    Storage,
    Updater,
)
from oz_installer.render.compose.bundle import Bundle, render
from oz_installer.secret import Secret
from oz_installer.topology.model import Topology
from oz_installer.topology.planner import plan_topology
from oz_installer.topology.secret_slots import secret_slots

GIVEN = SecretRef(kind="env", where="OZ")
SHARED = Storage(type="nfs", server="nfs.example.com", export="/srv/oz")
LAYOUTS = {"poc-1": ("poc", 1), "poc-2": ("poc", 2), "medium-2": ("medium", 2)} | {
    f"medium-{count}": ("medium", count) for count in (3, 4)
}
LICENCES = {
    "licence:bio": b"licence of the BIO\n",
    "licence:web_adapter": b'{"licence": "of the web adapter"}\n',
    "ca:database": b"-----BEGIN CERTIFICATE-----\n",
}
EVERYTHING = Components(
    one_to_n=True, regula="https://regula.example.com", web_adapter="https://sdk.example.com"
)
NOTHING = Components(statistic=False, web_ui=False, monitoring=False, bio_updater=False)


def answers_for(layout: str, **changes: Any) -> Answers:
    """Answers of a standard layout."""
    scenario, count = LAYOUTS[layout]
    given: dict[str, Any] = {
        "scenario": scenario,
        "public_url": "https://oz.example.com",
        "nodes": tuple(Node(name=f"n{i}", host=f"10.0.0.{i}") for i in range(1, count + 1)),
        "database": Database() if scenario == "poc" else Database(host="db.example.com", password=GIVEN),
        "storage": SHARED if count == 4 else Storage(),
        "updater": Updater(token=GIVEN),
    }
    return Answers(**{**given, **changes})


CASES: Mapping[str, Answers] = {
    **{layout: answers_for(layout) for layout in LAYOUTS},
    "everything": answers_for(
        "medium-4",
        components=EVERYTHING,
        license=License(web_adapter=Path("license.json")),
        load_balancer=LoadBalancer(type="node", node="n2"),
    ),
    "everything on one": answers_for(
        "poc-1", components=EVERYTHING, license=License(web_adapter=Path("license.json"))
    ),
    "nothing optional": answers_for("medium-4", components=NOTHING),
    "rabbitmq": answers_for("medium-4", broker=Broker(type="rabbitmq")),
    "external rabbitmq": answers_for(
        "poc-1", broker=Broker(type="rabbitmq", host="mq.example.com", user="queue", password=GIVEN)
    ),
    "external redis": answers_for(
        "medium-4", broker=Broker(host="redis.example.com", port=6390, password=GIVEN)
    ),
    "verify-full": answers_for(
        "medium-4",
        database=Database(
            host="db.example.com", password=GIVEN, sslmode="verify-full", ca_file=Path("ca.pem")
        ),
    ),
    "podman": answers_for("medium-2", engine="podman"),
    "podman, everything": answers_for(
        "poc-1",
        engine="podman",
        components=EVERYTHING,
        license=License(web_adapter=Path("license.json")),
        broker=Broker(type="rabbitmq"),
    ),
    "path": answers_for("medium-4", storage=Storage(type="path", path="/mnt/oz")),
    "nfs over IPv6": answers_for("medium-4", storage=Storage(type="nfs", server="fd00::5", export="/")),
    "registry": answers_for("poc-2", registry=Registry(server="registry.example.com:5000/mirror")),
    "other image": answers_for(
        "poc-1", images={"oz-webui": "example.com/webui:9", "nginx": f"nginx@sha256:{'a' * 64}"}
    ),
    "install_dir": answers_for("poc-2", install_dir="/srv/apps/oz+1"),
    "five nodes": answers_for(
        "medium-4",
        nodes=tuple(
            Node(name=f"n{i}", host=f"10.0.0.{i}", roles=("api",) if i < 3 else ("bio",)) for i in range(1, 6)
        ),
        accept=("many-nodes",),
    ),
}


def secrets_for(topology: Topology, answers: Answers, text: str = "{slot}-1") -> dict[str, Secret]:
    """Fixed secrets: all that the topology needs and all that the answers name."""
    slots = [*secret_slots(topology), "database.password"]
    slots += ["updater.token"] if answers.updater.token else []
    slots += ["broker.password"] if answers.broker.password else []
    return {slot: Secret(text.format(slot=slot)) for slot in slots}


def bundles_of(answers: Answers, secrets: Mapping[str, Secret] | None = None) -> dict[str, Bundle]:
    """Every node's bundle."""
    topology = plan_topology(answers)
    chosen = {**secrets_for(topology, answers), **(secrets or {})}
    return {bundle.node: bundle for bundle in render(answers, topology, chosen, LICENCES)}


@cache
def case(name: str) -> dict[str, Bundle]:
    """The bundles of one case, rendered once."""
    return bundles_of(CASES[name])


@dataclass(frozen=True)
class Composed:
    """A bundle with its Compose files read."""

    bundle: Bundle
    running: Mapping[str, Any]
    jobs: Mapping[str, Any]
    volumes: Mapping[str, Any]

    @property
    def all(self) -> dict[str, Any]:
        """Services and jobs."""
        return {**self.running, **self.jobs}


def composed(bundle: Bundle) -> Composed:
    """Read a bundle's Compose files as YAML."""
    documents = {
        file.path: yaml.safe_load(file.content) for file in bundle.files if file.path.endswith(".yaml")
    }
    running, jobs = documents.get("compose.yaml", {}), documents.get("jobs.yaml", {})
    return Composed(
        bundle=bundle,
        running=running.get("services", {}),
        jobs=jobs.get("services", {}),
        volumes={**running.get("volumes", {}), **jobs.get("volumes", {})},
    )
