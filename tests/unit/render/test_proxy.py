"""The proxy reaches the containers that call the vendor, and no others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import yaml

from oz_installer.answers.model import Node
from oz_installer.answers.sections import Proxy
from tests.unit.render.bundle_cases import answers_for, bundles_of

NODES = (
    Node(name="n1", host="one.example.com", address="10.0.0.1", roles=("api",)),
    Node(name="n2", host="10.0.0.2", roles=("bio",)),
)
BASE = answers_for("poc-2", nodes=NODES)


def environments(proxy: Proxy) -> dict[str, dict[str, Any]]:
    """What each service of each node gets."""
    found = {}
    for bundle in bundles_of(replace(BASE, proxy=proxy)).values():
        for file in bundle.files:
            if file.path in ("compose.yaml", "jobs.yaml"):
                services = yaml.safe_load(file.content)["services"]
                found.update({name: one.get("environment", {}) for name, one in services.items()})
    return found


SPELLINGS = ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "ALL_PROXY")
NONE = {spelling: "" for name in SPELLINGS for spelling in (name, name.lower())}


@pytest.mark.parametrize("url", ["http://proxy.example.com:3128", "http://proxy.example.com:3128/"])
def test_those_with_egress_go_through_it_and_no_others(url: str) -> None:
    plain = environments(Proxy())
    found = environments(Proxy(url=url, no_proxy=(".example.com", "10.0.0.2", "s$x")))
    added = {
        name: {key: value for key, value in one.items() if plain[name].get(key) != value}
        for name, one in found.items()
    }
    wanted = {
        "HTTP_PROXY": "http://proxy.example.com:3128",
        "HTTPS_PROXY": "http://proxy.example.com:3128",
        "NO_PROXY": "localhost,127.0.0.1,::1,10.0.0.1,one.example.com,10.0.0.2,.example.com,s$$x",
    }
    both = {**wanted, **{name.lower(): value for name, value in wanted.items()}}
    assert {name: more for name, more in added.items() if more} == {
        "oz-bio-updater": both,
        "oz-tfss": both,
    }
    assert all(plain[name].keys() <= one.keys() for name, one in found.items())


def test_without_one_every_container_is_told_that_there_is_none() -> None:
    """Docker's command line and Podman give containers the proxy of their own settings otherwise."""
    found = environments(Proxy(no_proxy=("a",)))
    assert len(found) > 10
    for name, one in found.items():
        assert NONE.items() <= one.items(), name
        assert not {"NO_PROXY", "no_proxy"} & one.keys()
