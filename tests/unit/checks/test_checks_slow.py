"""An engine that is slow, and one whose service is masked: neither is started by anybody but its owner."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from oz_installer.checks.engine import Engine, Seen
from oz_installer.checks.ports import Ports
from oz_installer.checks.running import sections, whole_script
from oz_installer.checks.runtime import Runtime
from oz_installer.remote.local import LocalTransport
from tests.unit.checks.checks_support import API, judged, levels, site
from tests.unit.checks.test_checks_judges import SEEN
from tests.unit.checks.test_checks_remedies import SILENT, SYSTEMD
from tests.unit.checks.test_checks_scripts import DOCKER, here, program, tools

__all__ = ["tools"]


@pytest.mark.parametrize(
    ("enabled", "words"),
    [
        ("masked", "systemctl unmask docker.service &&"),
        ("masked-runtime", "systemctl unmask --runtime docker.service &&"),
        ("disabled", "Start it (systemctl enable --now docker)"),
    ],
)
def test_an_engine_whose_service_is_masked(enabled: str, words: str) -> None:
    """Somebody wanted it so: he is told how to undo that, and nothing does it for him."""
    seen = Seen(engine=SILENT, means=replace(SYSTEMD, enabled=enabled))
    found = judged(Engine(), seen, at=site())["engine"]
    assert words in found.hint
    assert (found.remedy is None) is enabled.startswith("masked")


def test_an_engine_that_is_slow_is_warned_of() -> None:
    means = replace(SYSTEMD, process=True, active="active")
    found = judged(Engine(), replace(SEEN, slow=True, means=means), at=site())
    assert levels(found) == {"engine": "warning"}
    assert found["engine"].seen == "the engine is slow: docker info gives no answer within 5 s"
    assert found["engine"].remedy is None
    lost = replace(SEEN.engine, compose_plugin="")
    seen = replace(SEEN, slow=True, means=means, engine=lost, strangers=("other",))
    found = judged(Engine(), seen, at=site())
    assert levels(found) == {"engine": "warning", "engine.compose": "warning", "engine.project": "failure"}
    assert found["engine.compose"].remedy is None  # it may well be there
    old = replace(SEEN.engine, version="1.13.1")
    assert levels(judged(Engine(), replace(SEEN, slow=True, engine=old), at=site())) == {"engine": "failure"}


@pytest.mark.parametrize("shell", ["sh", "bash"])
@pytest.mark.parametrize(("listing", "complete"), [("exec sleep 60", False), ("exit 0", True)])
def test_an_engine_that_is_slow_is_no_dead_one(tools: Path, shell: str, listing: str, complete: bool) -> None:
    """``docker info`` asks everything of it; its version takes it no time."""
    docker = DOCKER.replace("#!/bin/sh", f'#!/bin/sh\necho "$1" >> {tools}/asked', 1)
    docker = docker.replace('"info "*)', '"info "*) exec sleep 60 ;; "version "*) echo 26.1.5 ;; x)')
    docker = docker.replace('"ps -a")', f'"ps -a") {listing} ;; y)').replace('echo "$ASKED"', "echo 2.26.1")
    program(tools, "docker", docker)
    program(tools, "docker-compose", "#!/bin/sh\nexit 1\n")
    fast = '[ "$1" != docker ] || { /usr/bin/timeout 0.5 "$@"; exit; }'
    noted = f'[ "$2" != docker ] || echo "$1" >> {tools}/waited'
    program(tools, "timeout", f'#!/bin/sh\n{noted}\nshift\n{fast}\nexec "$@"\n')
    at = here()
    pieces = {one.name: one.script(at, API) for one in (Engine(), Ports(), Runtime())}
    argv = [shell, "-c", whole_script(pieces, [Engine().before(at)])]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True)
    parts = sections(done.stdout)
    facts = Engine().parse(parts["engine"])
    assert (facts.slow, facts.engine.answers, facts.engine.version) == (True, True, "26.1.5")
    assert facts.engine.compose_plugin == "2.26.1"
    assert Ports().parse(parts["ports"]).complete is complete
    assert Runtime().parse(parts["runtime"]).known is False
    assert (tools / "asked").read_text().split() == ["info", "version", "ps", "compose"]
    assert (tools / "waited").read_text().split() == ["5", "2", "2", "2"]  # a look has 12 seconds


@pytest.mark.parametrize(
    ("boot", "uid", "sudo"),
    [("disabled", 1000, True), ("enabled", 1000, False), ("disabled", 0, False)],
)
def test_sudo_is_asked_where_something_is_to_be_enabled(tools: Path, boot: str, uid: int, sudo: bool) -> None:
    """A sudo that refuses may write to the administrator."""
    program(tools, "docker", DOCKER)
    program(tools, "id", f"#!/bin/sh\necho {uid}\n")
    program(tools, "sudo", f"#!/bin/sh\necho x >> {tools}/asked\n")
    program(tools, "systemctl", f"#!/bin/sh\necho {boot}\n")
    script = Runtime().script(here(), API).replace("[ -d /run/systemd/system ]", "true")
    whole = whole_script({"x": script}, [Runtime().before(here())])
    answer = LocalTransport(become="none").run(("sh", "-c", whole))
    facts = Runtime().parse(sections(answer.text)["x"])
    assert (facts.boot, facts.as_root, facts.sudo) == (boot, uid == 0, sudo)
    assert (tools / "asked").exists() is sudo
