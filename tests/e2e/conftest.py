"""A lab of its own for every test run: four nodes, a database server, and what cleans them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from oz_installer.lab import LabOptions, down, find, up
from tests.e2e.site import Site

NODES = 4


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The lab that end-to-end tests share; ``OZ_E2E_LAB`` names one that is up already."""
    if name := os.environ.get("OZ_E2E_LAB"):
        yield Site(find(name), NODES)
        return
    name = f"e2e-{os.getpid()}"
    folder: Path = tmp_path_factory.mktemp("lab")
    try:
        yield Site(up(LabOptions(name=name, nodes=NODES, directory=folder, say=_say)), NODES)
    finally:
        down(name, directory=folder, say=_say)


@pytest.fixture
def clean(site: Site) -> Site:
    """The lab with nothing installed on its nodes and an empty database."""
    site.clean()
    return site
