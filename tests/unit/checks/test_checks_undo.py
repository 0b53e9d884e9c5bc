"""What takes remedies back, run for real here: as often as one likes."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from oz_installer.checks.host import Host
from oz_installer.checks.means import Means
from tests.unit.checks.checks_support import judged, site
from tests.unit.checks.test_checks_judges import HOST
from tests.unit.checks.test_checks_remedies import DENIED, remedy
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
    one = judged(Host(), facts, at=site(install_dir=str(folder)))["host.folder"].remedy
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
    one = remedy(DENIED, Means(sudo=True, login="oz", member=False))
    assert one is not None
    assert undone(one.undo[0]) == 0
    assert ((tools / "left").read_text() if (tools / "left").exists() else "") == left
