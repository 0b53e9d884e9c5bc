"""The wizard's speed: its first paint beside a bare Textual app's, and keys with fifty nodes."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.pseudo import Pseudo
from bench.samples import Cost, Sample, Samples
from bench.tools import OURS

FIRST = "FIRST PAINT"
BARE_APP = "bare Textual app"
LOOP = "event loop"
KINDS = ("typing", "moving")
ROOT = Path(__file__).parents[1]
NODES = 50
TYPIST = """\
import pathlib, sys, oz_installer.tui
from oz_installer.tui.internals import switches
switches.turn_off(sys.argv[2:])
from bench import typist
typist.main(pathlib.Path(sys.argv[1]))
"""
"""The wizard's package comes before Textual, as in the program; tricks are off before either."""

PATIENCE = 60.0
LONG = 600.0
"""Seconds: more than all keys take on a busy machine."""


def wizard(samples: Samples, scratch: Path, runs: int, without: Sequence[str] = ()) -> None:
    """First paints in turns, the first round only warms up; then every key, once, without some tricks."""
    scratch.mkdir(parents=True, exist_ok=True)
    programs = {
        BARE_APP: ([sys.executable, str(Path(__file__).with_name("bare_app.py"))], b"Nothing but Textual"),
        OURS: ([str(Path(sys.executable).with_name("oz-install"))], b"New installation"),
    }
    for number in range(-1, max(5 * runs, 15)):
        for name, (command, text) in programs.items():
            with Pseudo(command, scratch, environment(scratch)) as one:
                seconds = one.wait_for(text, PATIENCE)
            if number >= 0:
                samples.add(_sample(name, FIRST, 0, seconds, round=number))
    keys(samples, scratch, without)


def keys(samples: Samples, scratch: Path, without: Sequence[str] = ()) -> None:
    """Add what ``typist`` notes, with some tricks off. Raises ToolFailedError."""
    scratch.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-c", TYPIST, str(scratch), *without]
    with Pseudo(command, scratch, environment(scratch)) as one:
        one.wait(LONG)
    for line in (scratch / "keys.jsonl").read_text().splitlines():
        said = json.loads(line)
        if "longest" in said:
            samples.add(_sample(LOOP, said["callback"], NODES, said["longest"]))
        else:
            samples.add(_sample(said["what"], said["screen"], NODES, said["seconds"], said["cpu"]))


def environment(scratch: Path) -> dict[str, str]:
    """This checkout, and drafts of its own."""
    return {"PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(scratch / "state")}


def _sample(tool: str, phase: str, nodes: int, seconds: float, cpu: float = 0.0, round: int = 0) -> Sample:
    return Sample(
        tool=tool, phase=phase, nodes=nodes, round=round, cost=Cost(seconds=seconds, cpu=cpu, largest_kib=0)
    )
