"""The number of modules that short runs load, within 5 % of ``figures.json``.

``make figures`` also compares the processor instructions that they execute; counting those takes a minute.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.figures import FIGURES, TOLERANCE
from tests.unit.installed_nodes import COMMANDS, prepare_folder, run_installed


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare_folder(tmp_path_factory.mktemp("installed"))


@pytest.mark.parametrize("name", COMMANDS)
def test_the_number_of_modules_that_a_run_loads(folder: Path, name: str) -> None:
    loaded = run_installed(folder, *COMMANDS[name]).modules
    ours = {one for one in loaded if one.startswith("oz_installer")}
    for what, count in (("modules", len(loaded)), ("own modules", len(ours))):
        expected = FIGURES[what][name]
        allowed = max(1, round(expected * TOLERANCE))
        assert abs(count - expected) <= allowed, (
            f"{name} loads {count} {what}, {expected} are committed: make figures-update if that is meant"
        )
