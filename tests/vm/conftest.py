"""Two virtual machines for all tests here; the first is also their NFS server."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from tests.e2e.sshd import free_port, make_key
from tests.vm.image import ensure_image
from tests.vm.machine import Machine, boot
from tests.vm.pair import ADDRESSES, Pair


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


@pytest.fixture(scope="session")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Machine]]:
    """Both at work; gone at the end."""
    image = ensure_image(_say)
    folder = tmp_path_factory.mktemp("vm")
    key = make_key(folder / "key")
    started: list[Machine] = []
    try:
        for name, address in ADDRESSES.items():
            started.append(boot(image, name, address, free_port(), folder, key, first=not started))
        for machine in started:
            machine.wait()
        yield started
    finally:
        for machine in started:
            machine.stop()


@pytest.fixture
def pair(machines: list[Machine], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Both with a healthy server; what tests do leaves nothing there."""
    made = Pair(machines, tmp_path_factory.mktemp("answers"))
    made.export()
    before = made.state()
    yield made
    made.export()
    assert made.same(before) == set()
