"""The built wheel, installed into an empty environment and run from elsewhere, has all that it needs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from oz_installer import __version__
from tests.unit.render.golden_cases import ENVIRONMENT, LAYOUTS, golden, prepare, tree

ROOT = Path(__file__).parents[2]
DATA = ("catalog/scenarios.yml", "catalog/releases/5.2.yml", "deploy/compose/node.sh", "py.typed")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this checkout."""
    out = tmp_path_factory.mktemp("dist")
    argv = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (found,) = out.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def program(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``oz-install`` of an environment in which there is nothing but the wheel and what it asks for."""
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, with_pip=True)
    pip = [str(folder / "bin/pip"), "install", "--quiet", "--disable-pip-version-check", str(wheel)]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "bin/oz-install"


def call(program: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run it in a folder that knows nothing of this checkout."""
    hidden = {"PYTHONPATH", "VIRTUAL_ENV"}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    environment |= {**ENVIRONMENT, "HOME": str(folder)}
    return subprocess.run(
        [str(program), *arguments], capture_output=True, text=True, check=False, cwd=folder, env=environment
    )


def test_every_data_file_is_in_the_wheel(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    wanted = {f"oz_installer/{name}" for name in DATA}
    wanted |= {f"oz_installer/{path.relative_to(ROOT)}" for path in (ROOT / "templates").rglob("*.j2")}
    wanted |= {
        str(path.relative_to(ROOT))
        for path in (ROOT / "oz_installer").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert wanted <= names
    assert not any(name.startswith(("tests/", "templates/")) or name.endswith(".pyc") for name in names)


def test_version_and_schema(program: Path, tmp_path: Path) -> None:
    done = call(program, tmp_path, "--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert __version__ in done.stdout
    done = call(program, tmp_path, "schema")
    assert (done.returncode, done.stderr) == (0, "")
    assert "scenario" in json.loads(done.stdout)["properties"]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_rendering_is_the_golden_one(program: Path, tmp_path: Path, layout: str) -> None:
    prepare(layout, tmp_path)
    done = call(program, tmp_path, "render", "--answers", "answers.yml", "--out", "out")
    assert (done.returncode, done.stderr) == (0, "")
    assert tree(tmp_path / "out") == golden(layout)


def test_a_plan_gets_as_far_as_the_node(program: Path, tmp_path: Path) -> None:
    """Which needs paramiko, node.sh and the rest of the package; nobody listens on the port."""
    prepare("poc-1", tmp_path)
    answers = tmp_path / "answers.yml"
    answers.write_text(answers.read_text().replace("host: 192.0.2.11", "host: 127.0.0.1, port: 1"))
    done = call(program, tmp_path, "plan", "--answers", "answers.yml")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("error: oz1: ")


def test_it_runs_as_a_module_too(program: Path, tmp_path: Path) -> None:
    done = call(program.with_name("python"), tmp_path, "-m", "oz_installer", "--help")
    assert done.returncode == 0
    assert "Exit codes" in done.stdout
