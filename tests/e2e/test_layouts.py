"""Every layout on real nodes: installed, run again, changed by one setting."""

from __future__ import annotations

from pathlib import Path

import pytest

from oz_installer.answers.secrets.store import SecretStore
from tests.e2e.site import LAYOUTS, Site, write_answers
from tests.e2e.works import assert_all_well, assert_works, different


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layout(clean: Site, tmp_path: Path, layout: str) -> None:
    document = clean.answers(layout)
    path = write_answers(tmp_path, document)
    nodes = [node["name"] for node in document["nodes"]]

    fresh = clean.install(path)
    assert fresh.status == 0, fresh.stderr
    assert_all_well(clean, path)
    assert_works(clean, path, document)
    assert SecretStore(tmp_path / "answers.secrets.json").read()["redis.password"]

    before = {node: clean.state(node) for node in nodes}
    again = clean.install(path)
    assert again.status == 0, again.stderr
    assert "Nothing to do" in again.stdout
    assert {node: clean.state(node) for node in nodes} == before

    containers = {node: clean.containers(node) for node in nodes}
    document["updater"]["period"] = 7000
    write_answers(tmp_path, document)
    changed = clean.install(path)
    assert changed.status == 0, changed.stderr
    assert different(containers, {node: clean.containers(node) for node in nodes}) == {"oz-bio-updater"}
    assert_all_well(clean, path)
