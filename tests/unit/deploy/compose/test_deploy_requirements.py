"""What must be true of a node before anything is changed: every judgement, around its limit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from oz_installer.catalog.release import MinimumVersions, load_release
from oz_installer.deploy.compose.phases.requirements import CheckRequirements, compose_of, unmet_requirements
from oz_installer.errors import OzError, PreflightError
from oz_installer.remote.engine_requirements import DISK_FREE_MIB, EMULATION
from tests.plans import file_change, target_plan
from tests.unit.deploy.compose.deploy_support import (
    FakeTransport,
    bundle,
    container,
    details,
    fresh,
    make_run,
)

OLDEST = load_release("5.2").engines
PODMAN = {"engine_version": "4.4.0", "compose_plugin": "", "podman_compose": "podman-compose version 1.2.0"}


def found(engine: str = "docker", **changes: Any) -> list[str]:
    """What is said of a node with such details."""
    return [
        message
        for message, _ in unmet_requirements(fresh(details=details(**changes)), engine, OLDEST[engine])
    ]


@pytest.mark.parametrize(
    ("version", "problem"),
    [
        ("26.1.5", None),
        ("26.1.5+dfsg1", None),
        ("20.10.24+dfsg1", None),
        ("19.03.15", None),
        ("19.03.0", None),
        ("18.09.9", "n1: Docker 18.09.9 is too old, 19.03 or newer is needed"),
        ("1.13.1", "n1: Docker 1.13.1 is too old, 19.03 or newer is needed"),
        ("", "n1: the version of Docker is unknown: ''"),
    ],
)
def test_docker(version: str, problem: str | None) -> None:
    assert found(engine_version=version) == ([problem] if problem else [])


@pytest.mark.parametrize(
    ("version", "problem"),
    [
        ("5.4.0", None),
        ("4.4.0", None),
        ("podman version 4.4.1", None),
        ("4.3.1", "n1: Podman 4.3.1 is too old, 4.4 or newer is needed"),
    ],
)
def test_podman(version: str, problem: str | None) -> None:
    assert found("podman", **{**PODMAN, "engine_version": version}) == ([problem] if problem else [])


@pytest.mark.parametrize(
    ("plugin", "v1", "problem"),
    [
        ("2.26.1", "", None),
        ("v2.5.0", "", None),
        ("2.26.1", "1.20.0", None),
        ("", "1.29.2", None),
        ("", "1.27.0", None),
        ("", "1.26.2", "n1: Docker Compose 1.26.2 is too old, 1.27 or newer is needed"),
        ("", "", "n1: Docker Compose is not installed"),
        ("docker: 'compose' is not a docker command.", "", "n1: Docker Compose is not installed"),
    ],
)
def test_compose(plugin: str, v1: str, problem: str | None) -> None:
    assert found(compose_plugin=plugin, compose_v1=v1) == ([problem] if problem else [])


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("podman-compose version 1.2.0\npodman version 5.4.2", None),
        ("podman version 4.4.1\npodman-compose version 1.3.0", None),
        (
            "podman version 5.4.2\npodman-compose version 1.0.6",
            "n1: podman-compose 1.0.6 is too old, 1.2.0 or newer is needed",
        ),
        ("", "n1: podman-compose is not installed"),
    ],
)
def test_podman_compose(said: str, problem: str | None) -> None:
    assert found("podman", **{**PODMAN, "podman_compose": said}) == ([problem] if problem else [])


@pytest.mark.parametrize(
    ("kib", "enough"),
    [(DISK_FREE_MIB * 1024, True), (DISK_FREE_MIB * 1024 - 1, False), (0, False), (-1, True)],
)
def test_disk(kib: int, enough: bool) -> None:
    said = found(disk_free=kib)
    assert bool(said) is not enough
    if said:
        assert f"{kib // 1024} MB free, {DISK_FREE_MIB} MB are needed" in said[0]


@pytest.mark.parametrize(
    ("said", "message", "hint"),
    [
        ("sh: 1: docker: not found", "n1: Docker is not installed", "Install Docker"),
        ("bash: docker: command not found", "n1: Docker is not installed", "Install Docker"),
        (
            "permission denied while trying to connect to the Docker daemon socket",
            "n1: this login may not use Docker: permission denied while",
            "group docker",
        ),
        (
            "Cannot connect to the Docker daemon.\nIs the docker daemon running?",
            "n1: Docker does not answer: Cannot connect to the Docker daemon. Is the docker daemon running?",
            "systemctl enable --now docker",
        ),
    ],
)
def test_no_engine(said: str, message: str, hint: str) -> None:
    facts = fresh(engine_ok=False, engine_message=said, details=details(engine_version=said))
    problems = list(unmet_requirements(facts, "docker", OLDEST["docker"]))
    assert len(problems) == 1  # what follows from it is not told besides
    assert problems[0][0].startswith(message)
    assert hint in problems[0][1]


def test_a_catalogue_whose_oldest_version_cannot_be_read_lets_nobody_through() -> None:
    oldest = MinimumVersions(engine="new", compose="1.0")
    with pytest.raises(OzError, match="the catalogue's minimum version of Docker is not a version: 'new'"):
        list(unmet_requirements(fresh(), "docker", oldest))


def test_a_node_without_details_needs_no_judgement() -> None:
    assert list(unmet_requirements(fresh(details=None, engine_ok=False), "docker", OLDEST["docker"])) == []
    with pytest.raises(PreflightError, match="Compose is missing"):
        compose_of(fresh(details=None), "docker")


def test_the_plugin_is_preferred() -> None:
    both = fresh(details=details(compose_v1="1.29.2"))
    assert compose_of(both, "docker").argv == ("docker", "compose")
    old = fresh(details=details(compose_plugin="", compose_v1="1.29.2"))
    assert compose_of(old, "docker").argv == ("docker-compose",)
    assert compose_of(fresh(details=details(**PODMAN)), "podman").argv == ("podman-compose",)


def test_all_nodes_are_told_at_once_and_nothing_is_sent() -> None:
    names = ("n1", "n2", "n3")
    transports = {name: FakeTransport(name) for name in names}
    files = (file_change("a", "new"),)
    run = make_run(
        *(bundle(node=name) for name in names),
        transports=transports,
        facts={
            "n1": fresh("n1", details=details(engine_version="18.09")),
            "n2": fresh("n2"),
            "n3": fresh("n3", details=details(disk_free=7)),
        },
        plans=[target_plan(name, *files) for name in names],
    )
    phase = CheckRequirements()
    assert phase.should_run(run)
    with pytest.raises(PreflightError) as caught:
        phase.run(run)
    assert str(caught.value).count("\n") == 1
    assert "n1: Docker 18.09 is too old" in str(caught.value)
    assert "n3: the disk" in str(caught.value)
    assert caught.value.exit_code == 3
    assert not any(transport.sent for transport in transports.values())


def test_nodes_that_stay_as_they_are_are_not_judged() -> None:
    run = make_run(facts={"n1": fresh(details=details(engine_version="1.0"))})
    assert not CheckRequirements().should_run(run)
    CheckRequirements().run(run)


def test_containers_of_others_are_never_touched() -> None:
    stranger = {"customer-db": replace(container("customer-db"), digest="")}
    [(said, hint)] = unmet_requirements(fresh(containers=stranger), "docker", OLDEST["docker"])
    assert "customer-db" in said
    assert "Compose file" in hint
    elsewhere = {"api": container("api", digest="d")}
    [(said, hint)] = unmet_requirements(fresh(containers=elsewhere), "docker", OLDEST["docker"])
    assert "another folder" in said
    assert "install_dir" in hint


def test_containers_of_others_with_our_names_are_listed() -> None:
    names = ("oz-api", "oz-redis", "oz-webui")
    others = {"oz-redis": "shop", "oz-api": "", "else": "shop"}
    facts = fresh(details=details(foreign=others))
    [(said, hint)] = unmet_requirements(facts, "docker", OLDEST["docker"], names)
    assert said == (
        "n1: containers that oz-install did not make have its names: oz-api and oz-redis (project shop)"
    )
    assert "docker rm -f NAME" in hint
    assert list(unmet_requirements(facts, "docker", OLDEST["docker"], ("oz-webui",))) == []


def test_docker_29_and_docker_compose_1() -> None:
    assert found(engine_version="29.0.1", compose_plugin="", compose_v1="1.29.2") == [
        "n1: docker-compose 1 cannot talk to Docker 29.0.1"
    ]
    assert found(engine_version="28.5.0", compose_plugin="", compose_v1="1.29.2") == []
    assert found(engine_version="29.0.1") == []


def test_podmans_emulation_is_not_called_an_old_docker() -> None:
    [(said, hint)] = unmet_requirements(
        fresh(details=details(engine_version=EMULATION, compose_plugin="2.26.1")), "docker", OLDEST["docker"]
    )
    assert said == "n1: the command docker is Podman's emulation, not Docker"
    assert "engine: podman" in hint


@pytest.mark.parametrize(
    ("access", "said", "hint"),
    [
        ("denied /opt", "n1: this login may not write to /opt", "become: sudo"),
        ("read-only /opt", "n1: /opt is on a file system that is mounted read-only", "another install_dir"),
        ("blocked /opt/oz/current", "n1: /opt/oz/current is a folder; a link", "rm -r /opt/oz/current"),
    ],
)
def test_a_folder_that_cannot_be_written_is_the_only_problem_told(access: str, said: str, hint: str) -> None:
    """Not that somebody else's installation runs there: the record could not be read, is all."""
    there = {"oz-api": container("oz-api", digest="d")}
    facts = fresh("n1", details=details(folder_access=access), containers=there)
    problems = list(unmet_requirements(facts, "docker", OLDEST["docker"]))
    assert [text.startswith(said) for text, _ in problems] == [True]
    assert hint in problems[0][1]
