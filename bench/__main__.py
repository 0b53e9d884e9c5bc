"""``bench/run``: a lab of its own, the measuring, the tables, and the lab away again."""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from bench import report
from bench.checked_nodes import checks
from bench.deploying import TURNS, Deploying, say
from bench.nodes import WrongResultError, clean
from bench.report_checking import checking_limits, checking_table
from bench.report_wizard import wizard_limits, wizard_table
from bench.samples import Samples, ToolFailedError
from bench.starting import heavy_modules, starts
from bench.tools import Toolbox
from bench.tricks import tricks, tricks_table
from bench.twins import twins
from bench.uploading import uploads
from bench.wizard import wizard
from bench.workload import NODES, Workload
from oz_installer.errors import OzError
from oz_installer.lab import LabOptions, down, up
from oz_installer.tui.internals.switches import ALL

LAB = "bench"
PARTS = ("deploy", "delay", "upload", "check", "start", "wizard")
WITHOUT_LAB = frozenset({"start", "wizard"})
CACHE = Path.home() / ".oz-install" / "cache" / "bench"
RESULTS = Path(__file__).with_name("RESULTS.md")
README = Path(__file__).parents[1] / "README.md"
PEER_PACKAGES = ("pyinfra", "ansible-core")


@dataclass
class Done:
    """What a run brought."""

    samples: Samples
    mebibytes: int
    imports: dict[str, float] = field(default_factory=dict)
    heavy: tuple[str, ...] | None = None


def options(words: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="bench/run", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="rounds; figures are medians over all (3)")
    parser.add_argument("--quick", action="store_true", help="one round, no repeats, a smaller file")
    parser.add_argument("--only", action="append", choices=PARTS, help="only this part; may be given again")
    parser.add_argument("--tool", action="append", choices=TURNS, help="only this tool's turns")
    parser.add_argument(
        "--without",
        action="append",
        choices=sorted(ALL),
        help="a trick of the wizard to turn off",
    )
    parser.add_argument(
        "--tricks",
        action="store_true",
        help="only what each trick is worth, or each of --without",
    )
    parser.add_argument("--keep-lab", action="store_true", help="leave the lab up, for the next run")
    parser.add_argument("--results", type=Path, help="also write the tables between this file's markers")
    return parser.parse_args(words)


def main(words: Sequence[str]) -> int:
    """Measure; 0 whatever the figures, 1 when something broke."""
    chosen = options(words)
    parts = tuple(chosen.only or PARTS)
    if chosen.tricks:
        return measure_tricks(chosen)
    try:
        done = measure_all(chosen, parts)
    except (OzError, ToolFailedError, WrongResultError, subprocess.CalledProcessError) as error:
        say(f"bench: {error}")
        return 1
    text = written(done, chosen)
    print(text)
    complete = set(parts) == set(PARTS) and not (chosen.quick or chosen.tool or chosen.without)
    target = chosen.results or (RESULTS if complete else None)
    if target is not None:
        target.write_text(report.replace_marked(target.read_text(), text))
        say(f"bench: written to {target}")
    if target == RESULTS:
        README.write_text(report.replace_marked(README.read_text(), short(done, chosen)))
        say(f"bench: written to {README}")
    return 0


def measure_tricks(chosen: argparse.Namespace) -> int:
    """Print what each trick of the wizard is worth; 0 whatever the figures, 1 when something broke."""
    try:
        found = tricks(CACHE / "work", 1 if chosen.quick else chosen.runs, chosen.without or (), say)
    except ToolFailedError as error:
        say(f"bench: {error}")
        return 1
    print(tricks_table(found))
    return 0


def measure_all(chosen: argparse.Namespace, parts: Sequence[str]) -> Done:
    """Everything that was asked for."""
    runs = 1 if chosen.quick else chosen.runs
    folder = CACHE / "work"
    done = Done(Samples(CACHE / "samples.jsonl"), 256 if chosen.quick else 512)
    if "start" in parts:
        folder.mkdir(parents=True, exist_ok=True)
        starts(done.samples, folder, runs)
        done.heavy = heavy_modules(["--help"])
    if "wizard" in parts:
        wizard(done.samples, folder, runs, chosen.without or ())
    if set(parts) <= WITHOUT_LAB:
        return done
    turns = tuple(chosen.tool or TURNS)
    peers = peers_folder() if set(turns) - set(TURNS[:2]) and {"deploy", "delay"} & set(parts) else CACHE
    with ExitStack() as stack:
        if not chosen.keep_lab:
            stack.callback(down, LAB, say=say)
        lab = up(LabOptions(name=LAB, nodes=len(NODES), say=say))
        workload = Workload(lab, folder)
        workload.write(0)
        if {"deploy", "delay"} & set(parts):
            slow = stack.enter_context(twins(workload)) if "delay" in parts else None
            repeats = 1 if chosen.quick else 3
            work = Deploying(workload, Toolbox(workload, peers), done.samples, slow, repeats)
            for number in range(runs):
                work.round(number, turns)
            done.imports = dict(work.imports)
        if "check" in parts:
            clean(lab)
            checks(workload, done.samples, folder, runs)
        if "upload" in parts:
            uploads(workload, done.samples, runs, done.mebibytes)
    return done


def peers_folder() -> Path:
    """An environment with the peers; says what it installs. Raises CalledProcessError."""
    folder = CACHE / "peers"
    if not (folder / "bin" / "ansible-playbook").exists() or not (folder / "bin" / "pyinfra").exists():
        say(f"Installing {' and '.join(PEER_PACKAGES)} from PyPI into {folder}")
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        pip = [str(folder / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *PEER_PACKAGES], check=True, stdout=sys.stderr)
    return folder / "bin"


def short(done: Done, chosen: argparse.Namespace) -> str:
    """The table of the README."""
    return f"{heading(chosen)}\n\n{report.deployments(done.samples)}"


def heading(chosen: argparse.Namespace) -> str:
    """When, on what, and how often it was measured."""
    cores, load = os.cpu_count(), os.getloadavg()[1]
    today = datetime.datetime.now(tz=datetime.UTC).date()
    runs = 1 if chosen.quick else chosen.runs
    python = f"{platform.python_version()} ({Path(sys.executable).resolve()})"
    return (
        f"{today}, {cores} cores, Python {python}, load {load:.1f}: medians of {runs} "
        f"round{'s' if runs > 1 else ''}. In brackets: times the floor of that column."
    )


def written(done: Done, chosen: argparse.Namespace) -> str:
    """All tables."""
    samples = done.samples
    limits = (*report.limits(samples, done.heavy), *checking_limits(samples), *wizard_limits(samples))
    tables = [
        report.deployments(samples),
        report.table(
            ("target", "limit", "measured", ""),
            (one.row() for one in limits),
        ),
        report.one_node(samples),
        report.uploading(samples, done.mebibytes),
        report.costs(samples),
        checking_table(samples),
        report.starting(samples, done.imports),
        wizard_table(samples),
    ]
    return "\n\n".join((heading(chosen), *(one for one in tables if one.count("\n") > 1)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
