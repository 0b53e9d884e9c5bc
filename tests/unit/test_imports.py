"""What is loaded when: a short command stays short, and an unattended run has no wizard in it."""

from __future__ import annotations

import json
import os
import pkgutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

import oz_installer
from oz_installer.cli.main import COMMANDS
from tests.unit.installed_nodes import COMMANDS as COUNTED
from tests.unit.installed_nodes import prepare_folder, run_installed

HEAVY = ("textual", "paramiko", "docker", "pydantic", "yaml", "jinja2", "rich", "cryptography", "requests")
RUN = """
import json, sys
sys.argv = ["oz-install", *json.loads(sys.argv[1])]
from oz_installer.cli.main import run
code = run(sys.argv[1:])
sys.stdout.flush()
print("\\n" + json.dumps([code, sorted(sys.modules)]))
"""
ANSWERS = """
version: 1
scenario: poc
public_url: http://oz.example.com
nodes: [{name: n1, host: 127.0.0.1, port: 1, host_key: "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}]
updater: {token: {env: OZ_TEST_TOKEN}}
"""


def modules() -> list[str]:
    """Every module of the package."""
    found = pkgutil.walk_packages(oz_installer.__path__, "oz_installer.")
    return sorted(module.name for module in found if ".standins" not in module.name)


def loaded(arguments: Sequence[str], folder: Path) -> tuple[int, set[str]]:
    """Exit code of a command line, and the modules that it loaded."""
    done = subprocess.run(
        [sys.executable, "-c", RUN, json.dumps(list(arguments))],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "OZ_TEST_TOKEN": "token"},
        check=True,
        timeout=120,
    )
    code, names = json.loads(done.stdout.splitlines()[-1])
    return code, set(names)


def answers(folder: Path) -> Path:
    """A small answers file with its licence."""
    (folder / "license.key").write_text("licence\n")
    file = folder / "answers.yml"
    file.write_text(ANSWERS)
    return file


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["plan", "--help"], ["render", "-h"]])
def test_help_and_version_load_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    code, names = loaded(arguments, tmp_path)
    assert code == 0
    assert not names & set(HEAVY)


def test_the_help_of_all_commands_loads_none_of_them(tmp_path: Path) -> None:
    code, names = loaded(["--help"], tmp_path)
    assert code == 0
    assert not names & {f"oz_installer.cli.{name}" for name, _ in COMMANDS}
    assert not names & {"oz_installer.answers.model", "oz_installer.catalog.release"}


def test_a_run_with_nothing_to_do_loads_neither_checks_nor_wizard(tmp_path: Path) -> None:
    run = run_installed(prepare_folder(tmp_path), *COUNTED["nothing to do"])
    assert run.output == "Nothing to do on 4 nodes.\n"
    assert {"paramiko", "jinja2", "oz_installer.installation.prepare"} <= run.modules
    unwanted = (
        "oz_installer.checks",
        "oz_installer.tui",
        "oz_installer.deploy.compose.phases.start",
        "oz_installer.deploy.compose.run",
        "textual",
        "rich",
    )
    assert [name for name in sorted(run.modules) if name.startswith(unwanted)] == []
    assert not run.modules & {"docker", "requests", "pydantic", "email", "importlib.metadata"}


def test_a_rendering_loads_neither_wizard_nor_connections(tmp_path: Path) -> None:
    code, names = loaded(["render", "--answers", str(answers(tmp_path)), "--out", "out"], tmp_path)
    assert code == 0
    assert (tmp_path / "out/n1/compose.yaml").exists()
    assert not names & {"textual", "paramiko", "docker", "pydantic", "cryptography"}


@pytest.mark.parametrize("command", [["plan"], ["--yes"], ["--dry-run"], ["status"], ["check"]])
def test_an_unattended_run_never_loads_the_wizard(command: list[str], tmp_path: Path) -> None:
    """It gets as far as the first connection, which nobody answers."""
    code, names = loaded([*command, "--answers", str(answers(tmp_path))], tmp_path)
    assert code == 3
    assert "paramiko" in names
    assert not names & {"textual", "pydantic", "docker"}


def test_the_unattended_commands_load_no_wizard(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, json, oz_installer.console.commands.install; print(json.dumps(sorted(sys.modules)))",
        ],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    names = set(json.loads(done.stdout))
    assert not names & {"textual", "paramiko", "docker", "pydantic"}


def test_every_module_can_be_imported_alone(tmp_path: Path) -> None:
    """A process for each, forked from one that has other people's libraries only: no module of ours lives
    on what another of ours has loaded."""
    program = """
import importlib, os, sys, traceback
import click, docker, jinja2, paramiko, pg8000.native, rich.live, rich.table, yaml
assert not any(name.startswith("oz_installer") for name in sys.modules)
broken = 0
for name in sys.argv[1:]:
    child = os.fork()
    if child == 0:
        try:
            importlib.import_module(name)
        except BaseException:
            print(name, file=sys.stderr)
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    broken += os.waitpid(child, 0)[1] != 0
sys.exit(broken)
"""
    names = [name for name in modules() if not name.endswith("__main__")]
    assert len(names) > 60
    done = subprocess.run(
        [sys.executable, "-c", program, *names], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
