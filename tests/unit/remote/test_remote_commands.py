"""Builders of engine commands, versions, image names and pull progress: pure, so compared as data."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from oz_installer.remote import docker_commands
from oz_installer.remote.docker_commands import ComposeVariant, detect_compose, parse_version
from oz_installer.remote.docker_engine import PullTotals, parse_container, split_image


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("Docker version 20.10.24+dfsg1, build 297e128", (20, 10, 24)),
        ("Docker Compose version v2.26.1-4", (2, 26, 1)),
        ("docker-compose version 1.29.2, build unknown", (1, 29, 2)),
        ("podman version 5.4.2", (5, 4, 2)),
        ("27.1", (27, 1)),
        ("", None),
        ("command not found", None),
    ],
)
def test_versions(text: str, version: tuple[int, ...] | None) -> None:
    assert parse_version(text) == version


def test_pick_compose() -> None:
    both = detect_compose("docker", plugin="2.26.1", v1="1.29.2", podman_compose="")
    assert both
    assert (both.variant, both.argv, both.version) == (
        ComposeVariant.PLUGIN,
        ("docker", "compose"),
        (2, 26, 1),
    )
    old = detect_compose("docker", plugin="", v1="1.29.2", podman_compose="")
    assert old
    assert old.argv == ("docker-compose",)
    text = "podman version 5.4.2\npodman-compose version 1.3.0"
    podman = detect_compose("podman", plugin="2.26.1", v1="", podman_compose=text)
    assert podman
    assert podman.version == (1, 3, 0)
    assert detect_compose("docker", plugin="", v1="", podman_compose=text) is None


Build = Callable[[docker_commands.ComposeTool], tuple[str, ...]]


@pytest.mark.parametrize(
    ("build", "plugin", "podman"),
    [
        (
            lambda tool: docker_commands.compose_up(tool, "oz", "/o", ["a"]),
            "docker compose -p oz --project-directory /o/current -f /o/current/compose.yaml"
            " up --detach --no-deps --no-build --no-color a",
            "podman-compose -p oz -f /o/current/compose.yaml up --detach --no-deps --no-build a",
        ),
        (
            lambda tool: docker_commands.compose_create(tool, "oz", "/o", ["a"]),
            "docker compose -p oz --project-directory /o/current -f /o/current/compose.yaml"
            " up --no-start --no-deps --no-build --no-color a",
            "podman-compose -p oz -f /o/current/compose.yaml up --no-start --no-deps --no-build a",
        ),
        (
            lambda tool: docker_commands.compose_run(tool, "oz", "/o", "job"),
            "env COMPOSE_IGNORE_ORPHANS=true docker compose -p oz --project-directory /o/current"
            " -f /o/current/jobs.yaml run --rm --no-deps -T job",
            "podman-compose -p oz -f /o/current/jobs.yaml run --rm --no-deps -T job",
        ),
        (
            lambda tool: docker_commands.compose_down(tool, "oz", "/o", volumes=True),
            "docker compose -p oz --project-directory /o/current -f /o/current/compose.yaml"
            " down --remove-orphans --volumes",
            "podman-compose -p oz -f /o/current/compose.yaml down --remove-orphans --volumes",
        ),
    ],
)
def test_compose_argv(build: Build, plugin: str, podman: str) -> None:
    tools = [
        detect_compose("docker", plugin="2.2", v1="", podman_compose=""),
        detect_compose("podman", plugin="", v1="", podman_compose="1.3.0"),
    ]
    assert [" ".join(build(tool)) for tool in tools if tool] == [plugin, podman]


def test_image_names() -> None:
    assert split_image("host:5000/a/b:1") == ("host:5000/a/b", "1")
    assert split_image("host:5000/a/b") == ("host:5000/a/b", "latest")
    assert split_image("a@sha256:00") == ("a", "sha256:00")


def test_container_of_a_list() -> None:
    state = parse_container(
        {"Names": ["/a"], "State": "running", "Status": "Up 2 s (health: starting)", "Image": "i"}
    )
    assert (state.name, state.health, state.exit_code) == ("a", "starting", None)
    gone = parse_container(
        {"Names": ["/a"], "State": "exited", "Status": "Exited (137) 2 s ago", "Labels": None}
    )
    assert (gone.exit_code, gone.health) == (137, "")


def test_pull_meter_adds_up_layers() -> None:
    meter = PullTotals()
    for layer, done in (("a", 5), ("b", 1), ("a", 10)):
        meter.add({"id": layer, "status": "Downloading", "progressDetail": {"current": done, "total": 20}})
    assert (meter.done, meter.total) == (11, 40)
    meter.add({"id": "a", "status": "Download complete", "progressDetail": {}})
    meter.add({"id": "c", "status": "Already exists", "progressDetail": {}})
    assert (meter.done, meter.total) == (21, 40)
