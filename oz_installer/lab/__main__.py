"""Run ``python -m oz_installer.lab up|down|status``: the lab without the rest of oz-install."""

from __future__ import annotations

import argparse
import sys
from ipaddress import IPv4Network
from pathlib import Path

from oz_installer.errors import DeployError, OzError
from oz_installer.lab import LabOptions, down, remove_cache, status, stop_engine, up
from oz_installer.lab.options import DEFAULT_NAME


def parser() -> argparse.ArgumentParser:
    root = argparse.ArgumentParser(prog="python -m oz_installer.lab", description=__doc__)
    commands = root.add_subparsers(dest="command", required=True)
    for name in ("up", "down", "status"):
        command = commands.add_parser(name)
        command.add_argument("--name", default=DEFAULT_NAME)
        command.add_argument("--directory", type=Path)
        if name == "up":
            command.add_argument("--nodes", type=int, default=2)
            command.add_argument("--subnet", type=IPv4Network)
            command.add_argument("--suite", choices=("trixie", "bookworm"), default="trixie")
            command.add_argument(
                "--with", dest="extras", action="append", choices=("rabbitmq", "podman"), default=[]
            )
        if name == "down":
            command.add_argument(
                "--engine", action="store_true", help="stop the engine, if the lab started it"
            )
            command.add_argument("--cache", action="store_true", help="also remove images and archives")
    return root


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> int:
    """Run one command and return its exit code."""
    options = parser().parse_args()
    try:
        if options.command == "up":
            up(
                LabOptions(
                    name=options.name, nodes=options.nodes, directory=options.directory,
                    subnet=options.subnet, suite=options.suite, extras=tuple(options.extras), say=_say,
                )
            )  # fmt: skip
        elif options.command == "down":
            down(options.name, directory=options.directory, say=_say)
            if options.cache:
                remove_cache(_say)
            if options.engine:
                stop_engine(_say)
        else:
            found = status(options.name, directory=options.directory)
            for part in found.parts:
                mark = "ready" if part.ready else "not ready"
                print(f"{part.name:8} {part.address:15} {part.state:10} {mark:10} {part.detail}")
            return 0 if found.ready else 1
    except OzError as error:
        details = error.details if isinstance(error, DeployError) else ""
        _say("\n".join(part for part in (f"Error: {error}", error.hint, details) if part))
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
