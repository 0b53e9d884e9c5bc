"""An engine that is slow, and one whose service is masked: neither is started by anybody but its owner."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from oz_installer.checks.combined_script import combine_scripts, sections
from oz_installer.checks.engine.engine import EngineCheck, EngineCheckFacts
from oz_installer.checks.engine.ports import PortFacts, PortsCheck
from oz_installer.checks.engine.runtime import RuntimeCheck
from tests.local_transport import LocalTransport
from tests.unit.checks.checks_support import API, judged, levels, printed_by, site
from tests.unit.checks.engine.test_checks_remedies import HANGS, SILENT, SYSTEMD
from tests.unit.checks.test_checks_judges import SEEN
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
    seen = EngineCheckFacts(engine=SILENT, capabilities=replace(SYSTEMD, enabled=enabled))
    found = judged(EngineCheck(), seen, at=site())["engine"]
    assert words in found.hint
    assert (found.remedy is None) is enabled.startswith("masked")


@pytest.mark.parametrize(
    ("engine", "process", "words"),
    [
        ("docker", True, "systemctl enable --now docker"),
        ("podman", False, "systemctl enable --now podman"),
        ("podman", True, "systemctl enable --now podman"),
    ],
)
def test_a_mask_of_docker_is_told_of_a_docker_that_does_not_run(
    engine: str, process: bool, words: str
) -> None:
    means = replace(SYSTEMD, enabled="masked", process=process)
    hung = EngineCheckFacts(engine=HANGS, name=engine, capabilities=means)
    hint = judged(EngineCheck(), hung, at=site(engine=engine))["engine"].hint
    assert f"journalctl -u {engine}" in hint
    assert "mask" not in hint
    seen = EngineCheckFacts(engine=replace(SILENT, message="no"), name=engine, capabilities=means)
    hint = judged(EngineCheck(), seen, at=site(engine=engine))["engine"].hint
    assert words in hint
    assert "mask" not in hint


def test_an_engine_that_is_slow_is_warned_of() -> None:
    means = replace(SYSTEMD, process=True, active="active")
    found = judged(EngineCheck(), replace(SEEN, slow=True, capabilities=means), at=site())
    assert levels(found) == {"engine": "warning"}
    assert found["engine"].seen == "the engine is slow: docker info does not answer within 5 s"
    assert found["engine"].remedy is None
    assert found["engine"].why.endswith(
        "Not checked for that reason: storage driver, cgroups, start at boot, engine's disk."
    )
    lost = replace(SEEN.engine, compose_plugin="")
    seen = replace(SEEN, slow=True, capabilities=means, engine=lost, foreign=("other",), compose_late=True)
    found = judged(EngineCheck(), seen, at=site())
    assert levels(found) == {"engine": "warning", "engine.compose": "warning", "engine.project": "failure"}
    assert found["engine.compose"].remedy is None  # it may well be there
    has = replace(means, installed=frozenset({"docker.io", "docker-cli"}))
    found = judged(EngineCheck(), replace(seen, compose_late=False, capabilities=has), at=site())
    assert levels(found)["engine.compose"] == "failure"
    assert found["engine.compose"].seen == "Docker Compose is not installed"
    assert found["engine.compose"].remedy is not None
    there = replace(seen, engine=SEEN.engine, foreign=())
    assert levels(judged(EngineCheck(), there, at=site())) == {"engine": "warning"}
    old = replace(SEEN.engine, version="1.13.1")
    assert levels(judged(EngineCheck(), replace(SEEN, slow=True, engine=old), at=site())) == {
        "engine": "failure"
    }


def test_containers_that_were_not_listed_are_warned_of() -> None:
    """Nobody knows of another project, nor whether containers publish ports that nobody listens on."""
    found = judged(EngineCheck(), replace(SEEN, slow=True, listed=False), at=site())
    assert levels(found) == {"engine": "warning", "engine.project": "warning"}
    assert found["engine"].why.endswith("engine's disk, containers.")
    assert "not checked: the engine did not list its containers" in found["engine.project"].seen
    found = judged(EngineCheck(), replace(SEEN, listed=False, foreign=("other",)), at=site())
    assert levels(found) == {"engine.project": "failure"}  # what it has listed is there
    found = judged(PortsCheck(), PortFacts(complete=False), API)
    assert levels(found) == {"ports": "warning"}
    assert "the ports that containers publish are unknown" in found["ports"].seen
    assert (
        levels(judged(PortsCheck(), PortFacts(complete=False, absent=True), API)) == {}
    )  # nothing publishes


@pytest.mark.parametrize("engine", ["docker", "podman"])
@pytest.mark.parametrize(
    ("compose", "late", "levels_of"),
    [("exec sleep 60", True, "warning"), ("exit 125", False, "failure"), ("echo 2.26.1", False, "ok")],
)
def test_how_asking_compose_ended_is_told(
    tools: Path, engine: str, compose: str, late: bool, levels_of: str
) -> None:
    """One that says nothing in time may be there, one that is not there is missing."""
    version = 'case "$1" in info) echo version 26.1.5 ;; ps) exit 3 ;; *) COMPOSE ;; esac'
    program(tools, engine, f"#!/bin/sh\n{version.replace('COMPOSE', compose)}\n")
    program(tools, "docker-compose", "#!/bin/sh\nexit 1\n")
    program(tools, "podman-compose", f"#!/bin/sh\n{compose.replace('2.26', 'podman-compose version 2.26')}\n")
    program(tools, "timeout", '#!/bin/sh\nshift\nexec /usr/bin/timeout 0.5 "$@"\n')
    at = here(engine=engine)
    facts = EngineCheck().parse(printed_by(EngineCheck(), at))
    assert (facts.engine.answers, facts.compose_late, facts.listed) == (True, late, False)
    found = judged(EngineCheck(), facts, at=at)
    assert found["engine.compose"].level == levels_of
    assert found["engine.project"].level == "warning"
    ports = PortsCheck().parse(printed_by(PortsCheck(), at))
    assert (ports.complete, ports.absent) == (False, False)


def test_where_there_is_no_engine_nothing_publishes_ports(
    tools: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("sh", "awk", "timeout", "df", "env"):
        real = shutil.which(name)
        assert real
        (tools / name).symlink_to(real)
    monkeypatch.setenv("PATH", str(tools))
    facts = PortsCheck().parse(printed_by(PortsCheck(), here()))
    assert (facts.complete, facts.absent) == (False, True)


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
    pieces = {one.name: one.script(at, API) for one in (EngineCheck(), PortsCheck(), RuntimeCheck())}
    argv = [shell, "-c", combine_scripts(pieces, [EngineCheck().prelude(at)])]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True)
    parts = sections(done.stdout)
    facts = EngineCheck().parse(parts["engine"])
    assert (facts.slow, facts.engine.answers, facts.engine.version) == (True, True, "26.1.5")
    assert facts.engine.compose_plugin == "2.26.1"
    assert facts.listed is complete
    assert PortsCheck().parse(parts["ports"]).complete is complete
    assert RuntimeCheck().parse(parts["runtime"]).known is False
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
    script = RuntimeCheck().script(here(), API).replace("[ -d /run/systemd/system ]", "true")
    whole = combine_scripts({"x": script}, [RuntimeCheck().prelude(here())])
    answer = LocalTransport(become="none").run(("sh", "-c", whole))
    facts = RuntimeCheck().parse(sections(answer.text)["x"])
    assert (facts.boot, facts.as_root, facts.sudo) == (boot, uid == 0, sudo)
    assert (tools / "asked").exists() is sudo
