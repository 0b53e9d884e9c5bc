"""Containers of others with our names, and a docker that is none: named before anything is pulled."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from oz_installer.checks.engine.engine import EngineCheck
from oz_installer.checks.host.host import HostCheck
from oz_installer.topology.planner import plan_topology
from tests.unit.checks.checks_support import API, judged, levels, printed_by, site
from tests.unit.checks.test_checks_scripts import program, tools

__all__ = ["tools"]
LISTED = """engine docker
status 0
version 26.1.5
listed 0
asked 0 0
plugin 2.26.1
container oz-redis\tshop\t\tUp 2 hours\t
container oz-celery-default\t\t\tCreated\t
container oz-api\toz\tsha\tUp 2 hours\t
container other\tshop\t\tUp 2 hours\t
"""
SHIM = """#!/bin/sh
case "$*" in
  --version) echo "podman version 5.4.2"; echo "Emulate Docker CLI using podman." >&2 ;;
  version*) echo 5.4.2 ;;
  *) echo "Error: template" >&2; exit 125 ;;
esac
"""


def test_containers_that_hold_our_names_are_listed_by_name() -> None:
    at = site()
    planned = replace(at, topology=plan_topology(at.answers))
    facts = EngineCheck().parse(LISTED)
    told = judged(EngineCheck(), replace(facts, recorded=True), API, planned)
    assert levels(told) == {"engine.names": "failure"}
    assert told["engine.names"].seen == (
        "containers that oz-install did not make have its names: "
        "oz-celery-default and oz-redis (project shop)"
    )
    assert "docker rm -f NAME" in told["engine.names"].hint
    assert levels(judged(EngineCheck(), replace(facts, recorded=True, others={}), API, planned)) == {}


def test_podmans_emulation_is_named(tools: Path) -> None:
    program(tools, "docker", SHIM)
    told = judged(EngineCheck(), EngineCheck().parse(printed_by(EngineCheck(), site())), API)
    assert levels(told) == {"engine": "failure"}
    assert told["engine"].seen == "the command docker is Podman's emulation, not Docker"
    assert "engine: podman" in told["engine"].hint
    assert told["engine"].remedy is None


@pytest.mark.parametrize("kind", ["folder", "link", "absent"])
def test_a_folder_in_place_of_the_link(kind: str, tmp_path: Path) -> None:
    at = site(install_dir=str(tmp_path))
    if kind == "folder":
        (tmp_path / "current").mkdir()
    elif kind == "link":
        (tmp_path / "generations").mkdir()
        (tmp_path / "current").symlink_to("generations")
    told = judged(HostCheck(), HostCheck().parse(printed_by(HostCheck(), at)), API, at)
    if kind != "folder":
        assert told["host.folder"].level == "ok"
        return
    assert told["host.folder"].level == "failure"
    assert f"{tmp_path}/current is a folder; a link to the installed generation" in told["host.folder"].seen
    assert told["host.folder"].hint.endswith(f"rm -r {tmp_path}/current")
