"""What takes remedies back, run for real here: as often as one likes."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from oz_installer.checks.host.capabilities import NodeCapabilities
from oz_installer.checks.host.host import HostCheck
from tests.unit.checks.checks_support import judged, site
from tests.unit.checks.engine.test_checks_remedies import DEBIAN, DENIED, MISSING, remedy
from tests.unit.checks.test_checks_judges import HOST
from tests.unit.checks.test_checks_scripts import program, tools

__all__ = ["tools"]


def undone(command: Sequence[str]) -> int:
    """Its status, run here."""
    assert command[:3] == ("sudo", "-n", "sh")
    return subprocess.run(command[2:], check=False).returncode


def test_a_folder_is_taken_back_as_often_as_one_likes(tmp_path: Path) -> None:
    """What others put beside it stays; what is in it is told."""
    folder = tmp_path / "ab" / "c" / "oz"
    place, access = str(tmp_path), f"denied {tmp_path}"
    facts = replace(HOST, uid=1000, login="oz", sudo=True, access=access, place=place)
    one = judged(HostCheck(), facts, at=site(install_dir=str(folder)))["host.folder"].remedy
    assert one is not None
    folder.mkdir(parents=True)
    (folder / "file").touch()
    assert undone(one.undo[0]) != 0
    (folder / "file").unlink()
    (tmp_path / "ab" / "other").touch()
    for _ in range(2):
        assert [undone(command) for command in one.undo] == [0, 0, 0]
    assert [path.name for path in (tmp_path / "ab").iterdir()] == ["other"]


@pytest.mark.parametrize(("groups", "left"), [("oz docker", "-d oz docker\n"), ("oz dockers", "")])
def test_a_login_leaves_the_group_once(tools: Path, groups: str, left: str) -> None:
    """gpasswd fails where somebody else took it out already."""
    program(tools, "id", f"#!/bin/sh\necho {groups}\n")
    program(tools, "gpasswd", f'#!/bin/sh\necho "$@" > {tools}/left\n')
    one = remedy(DENIED, NodeCapabilities(sudo=True, login="oz", member=False))
    assert one is not None
    assert undone(one.undo[0]) == 0
    assert ((tools / "left").read_text() if (tools / "left").exists() else "") == left


# Of the package that it is asked for it says what the file of that name says: a state, or nothing.
QUERY = """#!/bin/sh
for name; do :; done
state=$(cat {there}/$name) || {{ echo "no packages found matching $name" >&2; exit 1; }}
[ "$state" != broken ] || {{ echo "cannot read the database" >&2; exit 2; }}
printf '%s' "$state"
"""
REMOVE = """#!/bin/sh
for name; do [ ! -e {there}/"$name" ] || rm {there}/"$name"; done
echo "$@" >> {there}/.asked
"""


@pytest.mark.parametrize(
    ("states", "removed"),
    [
        ({}, []),
        ({"docker.io": "installed", "docker-cli": "installed"}, ["docker.io docker-cli"]),
        ({"docker-cli": "half-configured", "docker.io": "unpacked"}, ["docker.io docker-cli"]),
        ({"docker.io": "config-files", "docker-cli": "not-installed", "vim": "installed"}, []),
    ],
)
def test_packages_are_taken_back_as_far_as_they_are_there(
    tools: Path, tmp_path: Path, states: dict[str, str], removed: list[str]
) -> None:
    """apt refuses all where it does not know one of the names: what failed could never be taken back."""
    there = tmp_path / "there"
    there.mkdir()
    for name, state in states.items():
        (there / name).write_text(state)
    program(tools, "dpkg-query", QUERY.format(there=there))
    program(tools, "apt-get", REMOVE.format(there=there))
    one = remedy(MISSING, replace(DEBIAN, root=False, sudo=True))
    assert one is not None
    for _ in range(2):
        assert [undone(command) for command in one.undo] == [0]
    asked = (there / ".asked").read_text().splitlines() if (there / ".asked").exists() else []
    assert asked == [f"-y -o DPkg::Lock::Timeout=300 remove {names}" for names in removed]


def test_packages_that_cannot_be_asked_for_stay_on_the_list(tools: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir()
    (there / "docker-cli").write_text("broken")
    program(tools, "dpkg-query", QUERY.format(there=there))
    program(tools, "apt-get", REMOVE.format(there=there))
    one = remedy(MISSING, replace(DEBIAN, root=False, sudo=True))
    assert one is not None
    assert [undone(command) for command in one.undo] == [2]
    assert not (there / ".asked").exists()


@pytest.mark.parametrize(
    ("states", "removed"),
    [
        (("rpm",), []),
        (("rpm", "podman-compose"), ["-y remove --noautoremove podman-compose"]),
        ((), []),
    ],
)
def test_rpms_are_taken_back_as_far_as_they_are_there(
    tools: Path, tmp_path: Path, states: tuple[str, ...], removed: list[str]
) -> None:
    there = tmp_path / "there"
    there.mkdir()
    for name in states:
        (there / name).touch()
    program(tools, "rpm", f'#!/bin/sh\n[ "$1" = -q ] && [ -e {there}/"$2" ]\n')
    program(tools, "dnf", REMOVE.format(there=there))
    means = replace(DEBIAN, root=False, sudo=True, base=("rhel", (9, 4)), manager="dnf")
    one = remedy(replace(MISSING, message="podman: not found"), means, name="podman")
    assert one is not None
    for _ in range(2):
        assert [undone(command) for command in one.undo] == [0 if "rpm" in states else 1]
    asked = (there / ".asked").read_text().splitlines() if (there / ".asked").exists() else []
    assert asked == removed
