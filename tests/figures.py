"""Counts what short runs cost and compares it with ``figures.json``: ``python -m tests.figures [--update]``.

Instructions are counted by ``perf stat`` where the machine allows it, else by ``valgrind --tool=callgrind``.
They depend on the interpreter and the libraries, so they are committed by platform; on an unknown one only
modules are compared, and that is printed. Exit status 1 when a figure is off by more than 5 %, or when this
machine cannot count instructions.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("figures.json")
FIGURES: dict[str, Any] = json.loads(FILE.read_text())
TOLERANCE = 0.05
LIBRARIES = ("click", "jinja2", "pyyaml", "paramiko", "cryptography")


def platform_key(tool: str) -> str:
    """Return what instruction counts depend on: tool, interpreter, its build, machine, libraries."""
    build = f"{platform.python_implementation()} {platform.python_version()} ({platform.python_compiler()})"
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return f"{tool}; {build}; {platform.machine()}; {libraries}"


def counter() -> str | None:
    """Return the tool that can count instructions on this machine: perf, valgrind, or None."""
    if shutil.which("perf"):
        try:
            if _perf([sys.executable, "-c", "pass"], cwd=Path.cwd(), env=None):
                return "perf"
        except subprocess.CalledProcessError:
            pass
    return "valgrind" if shutil.which("valgrind") else None


def _perf(argv: list[str], cwd: Path, env: Mapping[str, str] | None) -> int:
    command = ["perf", "stat", "-x,", "-e", "instructions:u", *argv]
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=True)
    found = re.search(r"^(\d+),,instructions", done.stderr, re.M)
    return int(found[1]) if found else 0


def _valgrind(argv: list[str], cwd: Path, env: Mapping[str, str]) -> int:
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *argv]
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=True)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if found is None:
        raise RuntimeError(f"valgrind counted nothing: {done.stderr[-500:]}")
    return int(found[1])


def measure(tool: str | None) -> dict[str, dict[str, int]]:
    """Return modules, own modules and, with a tool, instructions of every command, compiled code warm."""
    from tests.unit.installed_nodes import COMMANDS, command_line, environment, prepare_folder, run_installed

    found: dict[str, dict[str, int]] = {"modules": {}, "own modules": {}, "instructions": {}}
    with tempfile.TemporaryDirectory() as made:
        folder = prepare_folder(Path(made))
        for name, arguments in COMMANDS.items():
            for _ in range(2):
                modules = run_installed(folder, *arguments).modules
                shutil.rmtree(folder / "out", ignore_errors=True)
            found["modules"][name] = len(modules)
            found["own modules"][name] = sum(one.startswith("oz_installer") for one in modules)
            if tool:
                count = _perf if tool == "perf" else _valgrind
                found["instructions"][name] = count(command_line(*arguments), folder, environment(folder))
                shutil.rmtree(folder / "out", ignore_errors=True)
    return found


def differences(
    found: Mapping[str, Mapping[str, int]], expected: Mapping[str, Mapping[str, int]]
) -> Iterator[str]:
    """Yield a line for each figure that is off by more than 5 %."""
    for what, figures in expected.items():
        for name, figure in figures.items():
            now = found[what].get(name)
            if now is not None and abs(now - figure) > max(1, figure * TOLERANCE):
                yield f"{name}: {now:,} {what}, committed are {figure:,} ({now / figure - 1:+.1%})"


def main() -> int:
    """Measure, print, compare or update; return the exit status."""
    parser = argparse.ArgumentParser(description="Count modules and instructions of short runs.")
    parser.add_argument("--update", action="store_true", help="write the figures instead of comparing them")
    update = parser.parse_args().update
    tool = counter()
    found = measure(tool)
    for what, figures in found.items():
        for name, figure in figures.items():
            print(f"{name:15} {figure:>15,} {what}")
    if tool is None:
        print("error: instructions were not counted: install valgrind, or perf", file=sys.stderr)
        return 1
    key = platform_key(tool)
    if update:
        known = {**FIGURES["instructions"], key: found["instructions"]}
        FILE.write_text(json.dumps({**found, "instructions": known}, indent=1, sort_keys=True) + "\n")
        return 0
    expected = {what: FIGURES[what] for what in ("modules", "own modules")}
    if key in FIGURES["instructions"]:
        expected["instructions"] = FIGURES["instructions"][key]
    else:
        print(f"note: instructions are not compared: no figures are committed for this platform: {key}")
    off = list(differences(found, expected))
    for line in off:
        print(f"error: {line}", file=sys.stderr)
    return 1 if off else 0


if __name__ == "__main__":
    sys.exit(main())
