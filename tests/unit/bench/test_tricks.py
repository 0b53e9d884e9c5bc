"""The table of what each trick is worth, and the switches."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bench.samples import Cost, Sample, Samples
from bench.tricks import AGAIN, ALL_ON, tricks_table
from bench.wizard import NODES
from oz_installer.tui.internals import switches


def samples(path: Path, milliseconds: float) -> Samples:
    """One key of each kind on one screen."""
    made = Samples(path)
    for kind in ("typing", "moving"):
        cost = Cost(seconds=milliseconds / 1000, cpu=0, largest_kib=0)
        made.add(Sample(tool=kind, phase="access", nodes=NODES, round=0, cost=cost))
    return made


def test_a_trick_stays_when_it_buys_a_millisecond(tmp_path: Path) -> None:
    found = {
        ALL_ON: samples(tmp_path / "all", 10),
        AGAIN: samples(tmp_path / "again", 8.5),
        "one-frame": samples(tmp_path / "frame", 11.2),
        "pieces": samples(tmp_path / "pieces", 12.5),
        "idle-gc": samples(tmp_path / "gc", 10.5),
    }
    rows = tricks_table(found).splitlines()[2:]
    assert rows[0] == "| all on | 10.0 | 10.0 |  |  |"
    assert rows[1] == "| all on again | -1.5 | -1.5 | -1.5 (access: typing) | noise |"
    assert rows[2] == "| without one-frame | +1.2 | +1.2 | +1.2 (access: typing) | no |"
    assert rows[3] == "| without pieces | +2.5 | +2.5 | +2.5 (access: typing) | yes |"
    assert rows[4] == "| without idle-gc | +0.5 | +0.5 | +0.5 (access: typing) | no |"


def test_an_unknown_trick_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown tricks: magic; known: draw-ahead"):
        switches.turn_off(["magic"])
    assert switches.ENABLED == switches.ALL


def test_every_trick_is_asked_for_by_the_wizard_and_off_when_turned_off() -> None:
    program = (
        "from oz_installer.tui.internals import switches; switches.turn_off(switches.ALL);"
        "from oz_installer.tui.internals.chunked_screen import ChunkedScreen;"
        "from oz_installer.tui.internals.row_compositor import RowCompositor;"
        "import sys; sys.exit(isinstance(ChunkedScreen()._compositor, RowCompositor))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
    folder = Path(switches.__file__).parent
    text = "".join(file.read_text() for file in folder.glob("*.py"))
    assert not [trick for trick in switches.ALL if f'on("{trick}")' not in text]
