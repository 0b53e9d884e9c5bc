"""What a rerun takes away from a running installation is named, and not done unless it is accepted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.e2e.ground import LEAN
from tests.e2e.site import Outcome, Site, write_answers
from tests.e2e.works import assert_all_well


def found(checked: Outcome) -> dict[str, str]:
    """What the check says of removals, by id."""
    told = [json.loads(line) for line in checked.stdout.splitlines()]
    return {one["id"]: one["seen"] for one in told if one["event"] == "Finding" and one["level"] != "ok"}


def test_services_nodes_and_data(clean: Site, tmp_path: Path) -> None:
    parts = {**LEAN, "web_ui": True}
    document: dict[str, Any] = clean.answers("poc-2", components=parts)
    del document["database"]
    document["public_url"] = f"http://{clean.lab.node(2).address}:8880"
    path = write_answers(tmp_path, document)
    assert found(clean.run("check", "--answers", str(path), "--only", "removal", "--json")) == {}
    fresh = clean.install(path)
    assert fresh.status == 0, fresh.stderr
    assert found(clean.run("check", "--answers", str(path), "--only", "removal", "--json")) == {}

    first, second = document["nodes"]
    swapped = {**document, "nodes": [{**first, "roles": ["api"]}, {**second, "roles": ["bio"]}]}
    write_answers(tmp_path, swapped)
    before = clean.shape("node1"), clean.shape("node2")
    refused = clean.install(path)
    assert refused.status == 3
    assert "oz-api-pg" in refused.stderr
    assert "--accept removal.services" in refused.stderr
    assert (clean.shape("node1"), clean.shape("node2")) == before
    losses = found(clean.run("check", "--answers", str(path), "--only", "removal", "--json"))
    assert set(losses) == {
        "removal.services/node1", "removal.services/node2", "removal.database/node2", "removal.media/node2",
    }  # fmt: skip
    bundled = "the bundled PostgreSQL"
    moves = f"the API's database moves from {bundled} to {bundled} on node1; nothing is copied"
    assert losses["removal.database/node2"] == moves
    planned = clean.run("plan", "--answers", str(path))
    assert "! the API's database moves from the bundled PostgreSQL" in planned.stdout

    write_answers(tmp_path, {**document, "nodes": [{**second, "roles": ["api", "bio"]}]})
    losses = found(clean.run("check", "--answers", str(path), "--only", "removal", "--json"))
    host = clean.lab.node(1).address
    left = f"node1 ({host}) is no longer one of the nodes; its services keep running"
    assert losses == {"removal.node-node1": left}

    write_answers(tmp_path, {**document, "components": LEAN})
    refused = clean.install(path)
    assert refused.status == 3
    assert "oz-webui" in refused.stderr
    done = clean.install(path, "--accept", "removal.services")
    assert done.status == 0, done.stderr
    assert "oz-webui" not in clean.containers("node2")
    assert_all_well(clean, path)


def test_a_new_password_of_the_administrator_is_tried(clean: Site, tmp_path: Path) -> None:
    """M1: what the answers say is not called set when the account has another one."""
    old, new = tmp_path / "old", tmp_path / "new"
    for file in (old, new):
        file.touch(mode=0o600)
        file.write_text(f"canary-{file.name}-password")
    document = clean.answers("poc-1", components=LEAN)
    path = write_answers(tmp_path, {**document, "admin": {"password": {"file": str(old)}}})
    fresh = clean.install(path)
    assert fresh.status == 0, fresh.stderr
    before = clean.shape("node1")
    write_answers(tmp_path, {**document, "admin": {"password": {"file": str(new)}}})
    tried = clean.install(path)
    assert tried.status == 4, tried.stderr
    assert "change it in the web UI" in tried.stderr
    assert "canary" not in tried.stderr + tried.stdout
    assert clean.shape("node1") == before
    write_answers(tmp_path, {**document, "admin": {"password": {"file": str(old)}}})
    assert "Nothing to do" in clean.install(path).stdout
