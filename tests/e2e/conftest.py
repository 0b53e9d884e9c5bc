"""A lab of its own for every test run: four nodes, a database server, and what cleans them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from oz_installer.lab import LabOptions, down, find, status, up
from tests.e2e.checked_nodes import TOUCHED, Bench
from tests.e2e.ground import Ground
from tests.e2e.site import Site
from tests.e2e.variety import vary

NODES = 4

RUN, WORKER = "OZ_E2E_RUN", "PYTEST_XDIST_WORKER"
WORKERS = ("gw0", "gw1")
"""Names that pytest-xdist gives; each has a lab of its own."""

LONG = ("test_variants", "test_layouts", "test_wizard", "test_signals")
"""Files that take minutes, the longest first: no worker has one of them left at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Workers take file after file in this order."""
    turns = {name: turn for turn, name in enumerate(LONG)}
    items.sort(key=lambda item: turns.get(item.path.stem, len(LONG)))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _lab_of(worker: str) -> str:
    return f"e2e-{os.environ[RUN]}-{worker}"


def pytest_configure() -> None:
    """Workers know whose they are."""
    if WORKER not in os.environ:
        os.environ[RUN] = str(os.getpid())


def pytest_unconfigure() -> None:
    """A worker that was stopped has no time to take its lab down (pytest-xdist gives it 10 s)."""
    if WORKER not in os.environ:
        for name in map(_lab_of, WORKERS):
            if status(name).parts:
                down(name, say=_say)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The lab that end-to-end tests share; ``OZ_E2E_LAB`` names one that is up already."""
    if name := os.environ.get("OZ_E2E_LAB"):
        lab = find(name)
        count = sum(part.name.startswith("node") for part in status(name).parts)
        yield Site(lab, count)
        return
    name = _lab_of(os.environ.get(WORKER, WORKERS[0]))
    folder: Path = tmp_path_factory.mktemp("lab")
    try:
        made = Site(up(LabOptions(name=name, nodes=NODES, directory=folder, say=_say)), NODES)
        vary(made)
        yield made
    finally:
        down(name, directory=folder, say=_say)


@pytest.fixture
def clean(site: Site) -> Site:
    """The lab with nothing installed on its nodes and an empty database."""
    site.clean()
    return site


@pytest.fixture(scope="session")
def ground_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the answers and secrets of the one installation lie that several files share."""
    return tmp_path_factory.mktemp("ground")


@pytest.fixture(scope="module")
def ground(site: Site, ground_folder: Path) -> Ground:
    """node1 with a working installation, made or put right; node2 with nothing."""
    made = Ground(site, ground_folder)
    made.ready()
    return made


@pytest.fixture
def bench(clean: Site, tmp_path: Path) -> Iterator[Bench]:
    """The lab, on which checks leave every file, mount and container as it was."""
    names = ("node1", "node2")
    before = {name: clean.state(name).splitlines() for name in names}
    yield Bench(clean, tmp_path)
    for name in names:
        now = set(clean.state(name).splitlines())
        changed = now.symmetric_difference(before[name])
        assert {line for line in changed if not line.startswith(TOUCHED)} == set()
