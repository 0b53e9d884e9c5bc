"""What ``lab up`` writes."""

from __future__ import annotations

import stat
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest
import yaml

from oz_installer.answers.local_files import write_private
from oz_installer.lab.files import answers_text, inventory_text, remove
from oz_installer.lab.options import Lab

LAB = Lab(name="default", directory=Path('/labs/a "b'), subnet=IPv4Network("172.30.77.0/24"))


def answers(count: int) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(answers_text(LAB, LAB.nodes(count)))
    return loaded


@pytest.mark.parametrize(
    ("count", "scenario", "roles"),
    [
        (1, "poc", [["api", "bio"]]),
        (2, "poc", [["bio"], ["api"]]),
        (3, "medium", [["api"], ["bio"], ["bio"]]),
        (4, "medium", [["api"], ["api"], ["bio"], ["bio"]]),
        (6, "medium", [["api"], ["api"], ["bio"], ["bio"], ["bio"], ["bio"]]),
    ],
)
def test_answers_follow_the_layout_of_that_many_nodes(
    count: int, scenario: str, roles: list[list[str]]
) -> None:
    written = answers(count)
    assert written["scenario"] == scenario
    assert [node["roles"] for node in written["nodes"]] == roles


@pytest.mark.parametrize(("count", "kind"), [(1, "local"), (2, "local"), (3, "local"), (4, "path")])
def test_media_are_shared_just_when_two_nodes_run_the_api(count: int, kind: str) -> None:
    assert answers(count)["storage"]["type"] == kind


def test_secrets_are_referred_to_and_paths_survive_quoting() -> None:
    written = answers(2)
    assert written["database"]["password"] == {"file": '/labs/a "b/db_password'}
    assert written["updater"]["token"] == {"file": '/labs/a "b/updater_token'}
    assert written["known_hosts"] == '/labs/a "b/known_hosts'
    assert written["release"] == "5.2"


def test_a_lab_has_no_way_out() -> None:
    assert answers(2)["air_gapped"] is True


def test_the_public_url_leads_to_the_first_api_node() -> None:
    assert answers(2)["public_url"] == "http://172.30.77.12:8880"
    assert answers(3)["public_url"] == "http://172.30.77.11:8880"


def test_inventory_lines_are_what_the_benchmarks_read() -> None:
    lab = Lab(name="x", directory=Path("/l"), subnet=IPv4Network("10.1.2.0/24"))
    lines = inventory_text(lab, lab.nodes(2)).splitlines()
    assert lines[1:] == [
        "node1 10.1.2.11 root /l/id_ed25519 /l/known_hosts",
        "node2 10.1.2.12 root /l/id_ed25519 /l/known_hosts",
    ]


def test_private_files_are_private_even_when_they_were_not(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("old")
    path.chmod(0o644)
    write_private(path, b"new")
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_going_down_leaves_what_the_lab_did_not_write(tmp_path: Path) -> None:
    lab = Lab(name="x", directory=tmp_path / "lab", subnet=IPv4Network("10.1.2.0/24"))
    lab.directory.mkdir()
    lab.answers.write_text("")
    (lab.directory / "operators-own").write_text("")
    remove(lab)
    assert [path.name for path in lab.directory.iterdir()] == ["operators-own"]
    (lab.directory / "operators-own").unlink()
    remove(lab)
    assert not lab.directory.exists()
