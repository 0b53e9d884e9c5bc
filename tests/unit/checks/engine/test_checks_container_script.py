# ruff: noqa: E501 - tables read best with a rule a row
"""The scripts of the test container: subnets by any awk, and what is left when they end, however they end."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from oz_installer.checks.engine import container
from oz_installer.checks.engine.container import ContainerCheck, container_argv
from oz_installer.checks.engine.tiny_image import image
from tests.unit.checks.checks_support import API, site
from tests.unit.checks.test_checks_scripts import here, program, tools

__all__ = ["tools"]
POOLS = Path(container.__file__).with_name("pools.awk").read_text()
AWKS = (("mawk",), ("gawk",), ("busybox", "awk"))
# /proc/net/route: 0.0.0.0/0, 172.17.0.0/16, 10.1.2.0/24
ROUTES = (
    "route eth0 00000000 0101A8C0 0003 0 0 0 00000000 0 0 0\n"
    "route docker0 000011AC 00000000 0001 0 0 0 0000FFFF 0 0 0\n"
    "route eth0 0002010A 00000000 0001 0 0 0 00FFFFFF 0 0 0\n"
)
DOCKER = "pool 172.17.0.0/16 16\npool 172.18.0.0/16 16\npool 172.20.0.0/14 16\n"
BRIDGE = "net bridge 172.17.0.0/16\n"


def plan(text: str, awk: tuple[str, ...] = AWKS[0], **variables: str) -> list[str]:
    """The lines that the awk prints."""
    path = shutil.which(awk[0])
    assert path, f"tests/machine.sh installs {awk[0]}"
    given = {"network": "oz_default", "subnet": "", "first": "", **variables}
    options = [word for name, value in given.items() for word in ("-v", f"{name}={value}")]
    argv = [path, *awk[1:], *options, POOLS]
    return subprocess.run(argv, input=text, capture_output=True, text=True, check=True).stdout.splitlines()


@pytest.mark.parametrize("awk", AWKS, ids="-".join)
@pytest.mark.parametrize(
    ("text", "variables", "lines"),
    [
        # the first that is free; what no pool has is safe
        (DOCKER + "watch database 10.9.9.9 dns -\n", {}, ["next 172.18.0.0/16", "safe 172.18.0.0/16", "create auto"]),
        # the next one would cover the database
        (DOCKER + "watch database 172.18.3.4 dns -\n", {},
         ["next 172.18.0.0/16", "safe 172.20.0.0/16", "risk database 172.18.3.4 172.18.0.0/16", "create none"]),
        # one after it would: the test uses the next
        (DOCKER + "watch ssh 172.21.3.4\n", {},
         ["next 172.18.0.0/16", "safe 172.18.0.0/16", "risk ssh 172.21.3.4 172.21.0.0/16", "create 172.18.0.0/16"]),
        # Podman always takes the first
        (DOCKER + "watch ssh 172.21.3.4\n", {"first": "1"}, ["next 172.18.0.0/16", "safe 172.18.0.0/16", "create auto"]),
        # a route of one's own keeps a pool from being used
        (DOCKER + "route eth1 000015AC 00000000 0001 0 0 0 0000FFFF 0 0 0\nwatch ssh 172.21.3.4\n", {},
         ["next 172.18.0.0/16", "safe 172.18.0.0/16", "create auto"]),
        # one behind a gateway does not
        (DOCKER + "route eth1 000015AC 0101A8C0 0003 0 0 0 0000FFFF 0 0 0\nwatch ssh 172.21.3.4\n", {},
         ["next 172.18.0.0/16", "safe 172.18.0.0/16", "risk ssh 172.21.3.4 172.21.0.0/16", "create 172.18.0.0/16"]),
        # all are taken
        ("pool 10.99.0.0/23 24\nnet a 10.99.0.0/24\nnet b 10.99.1.0/24 fd00::/64\n", {}, ["create auto"]),
        # the project's network is there
        (DOCKER + "net oz_default 172.18.0.0/16\nwatch ssh 172.20.0.1\n", {},
         ["exists 172.18.0.0/16", "next 172.20.0.0/16", "safe 172.21.0.0/16", "create existing"]),
        (DOCKER + "net oz_default 172.18.0.0/16\nwatch ssh 172.18.0.1\n", {},
         ["exists 172.18.0.0/16", "covered ssh 172.18.0.1 oz_default 172.18.0.0/16", "next 172.20.0.0/16",
          "safe 172.20.0.0/16", "create existing"]),
        # another network has the address
        (DOCKER + "net shop 10.9.0.0/16\nwatch database 10.9.9.9 dns -\n", {},
         ["covered database 10.9.9.9 shop 10.9.0.0/16", "next 172.18.0.0/16", "safe 172.18.0.0/16", "create auto"]),
        # the subnet of the answers
        (DOCKER + "watch database 172.18.3.4 dns -\n", {"subnet": "10.210.0.0/24"},
         ["next 172.18.0.0/16", "safe 172.20.0.0/16", "create 10.210.0.0/24"]),
        (DOCKER + "watch database 10.210.0.4 dns -\n", {"subnet": "10.210.0.0/24"},
         ["next 172.18.0.0/16", "safe 172.18.0.0/16", "risk database 10.210.0.4 10.210.0.0/24", "create none"]),
        (DOCKER, {"subnet": "10.1.0.0/16"},
         ["next 172.18.0.0/16", "safe 172.18.0.0/16", "overlap 10.1.0.0/16 route eth0", "create none"]),
        (DOCKER, {"subnet": "172.17.4.0/24"},
         ["next 172.18.0.0/16", "safe 172.18.0.0/16", "overlap 172.17.4.0/24 network bridge", "create none"]),
        # what is no address is left out
        (DOCKER + "watch database - dns -\nwatch broker fd00::1 dns -\nnet odd x/y\n", {},
         ["next 172.18.0.0/16", "safe 172.18.0.0/16", "create auto"]),
    ],
)  # fmt: skip
def test_which_subnet_is_next_and_what_it_covers(
    text: str, variables: dict[str, str], lines: list[str], awk: tuple[str, ...]
) -> None:
    assert plan(ROUTES + BRIDGE + text, awk, **variables) == lines


# An engine that writes down its calls. «run» works as the tiny program and, on a network, runs what it is given.
ENGINE = """#!/bin/sh
echo "$*" | head -n 1 >> "$CALLS"
case "$1 $2" in
  "network ls") echo 1 ;;
  "network inspect") echo "net bridge 172.17.0.0/16" ;;
  "import "*) cat > /dev/null; echo sha256:tiny ;;
  "network create") [ -z "$REFUSES" ] || { echo "$REFUSES" >&2; exit 1; } ;;
  "run "*) [ -z "$HANGS" ] || { touch "$HANGS"; sleep 60; }; exit 7 ;;
esac
"""


def test_everything_it_made_is_removed(tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tools, "docker", ENGINE)
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    at = here()
    facts = ContainerCheck().probe(at, API)
    assert facts.status == 7
    assert_removed(tmp_path / "calls")


def test_a_refused_network_leaves_nothing_either(
    tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tools, "docker", ENGINE)
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("REFUSES", "no pool")
    facts = ContainerCheck().probe(here(), API)
    assert (facts.status, facts.refused) == (7, "no pool")
    assert_removed(tmp_path / "calls")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_script_that_is_ended_removes_it_too(
    number: int, tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tools, "docker", ENGINE)
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("HANGS", str(tmp_path / "hangs"))
    argv = container_argv(site(), API, "oz-install-check-1")
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdin is not None
    process.stdin.write(image())
    process.stdin.close()
    until = time.monotonic() + 30
    while not (tmp_path / "hangs").exists():
        assert time.monotonic() < until
        time.sleep(0.02)
    os.killpg(process.pid, number)
    process.wait(30)
    assert process.stdout is not None
    process.stdout.close()
    assert_removed(tmp_path / "calls")


def assert_removed(calls: Path) -> None:
    """Container, network and image of that name are gone."""
    made = calls.read_text().splitlines()
    (name,) = {line.split()[-1] for line in made if line.startswith("network create")}
    assert name.startswith("oz-install-check-")
    assert f"rm -f {name}" in made
    assert f"network rm {name}" in made
    assert "rmi -f sha256:tiny" in made
    assert f"network create --label oz-install.check=1 {name}" in made
    for what in ("container", "network", "image"):  # what a killed one left
        assert f"{what} prune --force --filter label=oz-install.check --filter until=1h" in made
