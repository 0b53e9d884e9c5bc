"""Four nodes on which everything is installed, and whole runs on them in processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from oz_installer.answers.file import read
from oz_installer.deploy.record import record_of
from oz_installer.installation.render import build_desired_state
from oz_installer.render.compose.bundle import Bundle
from tests.unit.deploy.compose.test_deploy_facts import output

ANSWERS = """\
version: 1
scenario: medium
public_url: http://oz.example.com
nodes:
  - {name: api1, host: 10.0.0.1, roles: [api]}
  - {name: bio1, host: 10.0.0.2}
  - {name: bio2, host: 10.0.0.3}
  - {name: api2, host: 10.0.0.4, roles: [api]}
database: {host: 10.0.0.9, password: {file: password.txt}}
storage: {type: nfs, server: 10.0.0.8, export: /srv/oz}
admin: {password: {file: password.txt}}
license: {bio: ./license.key}
updater: {token: {file: password.txt}}
"""
COMMANDS: Mapping[str, tuple[str, ...]] = {
    "help": ("--help",),
    "render": ("render", "--answers", "answers.yml", "--out", "out"),
    "nothing to do": ("--answers", "answers.yml", "--yes"),
}
"""What is counted. ``render`` needs a folder that is not there yet."""


@dataclass(frozen=True, kw_only=True)
class FinishedRun:
    """What a run printed on stdout, and the names of the modules that it had loaded at its end."""

    output: str
    modules: frozenset[str]


def prepare_folder(folder: Path) -> Path:
    """Write answers, what they name, and what such nodes say when they have all of it; return the folder."""
    answers = folder / "answers.yml"
    answers.write_text(ANSWERS)
    for name in ("license.key", "password.txt"):
        (folder / name).write_text("Password-canary-1\n")
        (folder / name).chmod(0o600)
    desired = build_desired_state(read(answers), answers, ask=None, connecting=True)
    desired.save_secrets()
    found = {}
    for name, bundle in cast("Mapping[str, Bundle]", desired.renderings).items():
        found[name] = output(
            containers="".join(
                f"{one.name}\tUp 3 days (healthy)\t{one.digest}\t{one.image}\n" for one in bundle.long_running
            ),
            link="generations/000001",
            record=record_of(bundle, "000001", desired.fingerprints(name)).dumps(),
            verified=bundle.digest,
            jobs="".join(f"{one.name} {one.digest}\n" for one in bundle.jobs),
            files="".join(f"{one.digest}  ./{one.path}\n" for one in bundle.files),
        )
    (folder / "facts.json").write_text(json.dumps(found))
    return folder


def command_line(*arguments: str) -> list[str]:
    """Return the argv of oz-install on these nodes, to be run in their folder."""
    return [sys.executable, "-m", "tests.unit.installed_run", "facts.json", *arguments]


def environment(folder: Path) -> dict[str, str]:
    """Return an environment in which a run does the same every time; compiled code is kept in the folder."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return {
        **kept,
        "HOME": str(folder),
        "NO_COLOR": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "PYTHONPYCACHEPREFIX": str(folder / "compiled"),
    }


def run_installed(folder: Path, *arguments: str) -> FinishedRun:
    """Run oz-install on these nodes. Raises CalledProcessError when it does not end well."""
    listing = folder / "modules.txt"
    done = subprocess.run(
        command_line(*arguments),
        cwd=folder,
        env={**environment(folder), "OZ_TEST_MODULES": str(listing)},
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    return FinishedRun(output=done.stdout, modules=frozenset(listing.read_text().split("\n")))
