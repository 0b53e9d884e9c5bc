"""The network of the containers: the engine's own, or one with the options of the answers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import yaml

from oz_installer.answers.model import Engine
from oz_installer.answers.network import Network
from oz_installer.render.network import network_name
from tests.unit.render.bundle_cases import answers_for, bundles_of

MTU = {"docker": "com.docker.network.driver.mtu", "podman": "mtu"}


def files(network: Network, engine: Engine = "docker") -> list[Any]:
    """Both Compose files of every node."""
    answers = replace(answers_for("medium-4"), network=network, engine=engine)
    bundles = bundles_of(answers).values()
    return [
        yaml.safe_load(file.content)
        for bundle in bundles
        for file in bundle.files
        if file.path in ("compose.yaml", "jobs.yaml")
    ]


def test_without_answers_compose_makes_its_own() -> None:
    for content in files(Network()):
        assert "networks" not in content
        assert not any("networks" in service for service in content["services"].values())
    assert network_name(Network()) == "oz_default"


@pytest.mark.parametrize("engine", ["docker", "podman"])
def test_the_options_reach_every_service_and_job(engine: Engine) -> None:
    network = Network(subnet="10.210.0.0/24", mtu=1450)
    for content in files(network, engine):
        (key,) = content["networks"]
        assert content["networks"][key] == {
            "driver_opts": {MTU[engine]: "1450"},
            "ipam": {"config": [{"subnet": "10.210.0.0/24"}]},
        }
        assert network_name(network) == f"oz_{key}"
        assert all(service["networks"] == [key] for service in content["services"].values())


def test_another_subnet_is_another_network_and_restarts_the_services() -> None:
    names = {network_name(Network(subnet=f"10.{number}.0.0/24")) for number in range(3)}
    assert len(names | {network_name(Network(mtu=1450)), network_name(Network())}) == 5
    digests = [
        {one.digest for bundle in bundles_of(answers).values() for one in bundle.long_running}
        for answers in (
            answers_for("medium-4"),
            replace(answers_for("medium-4"), network=Network(subnet="10.1.0.0/24")),
        )
    ]
    assert not digests[0] & digests[1]
