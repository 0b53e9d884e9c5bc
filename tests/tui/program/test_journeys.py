"""An operator's journey by keys alone, for each layout: the file equals the hand-written one.

Files, secrets, drafts, forms and judging are the real ones; the nodes are played.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from oz_installer.answers.drafts.store import list_drafts
from oz_installer.answers.file import read
from tests.tui.by_keys import add_node, choose, fill, get, give_secret, go_on, switch, type_text
from tests.tui.fake_core import FilesCore
from tests.tui.support import Driver, app_of, press, settle, step_of, text_of, wizard

GOLDEN = Path(__file__).parents[2] / "golden" / "bundles"
URL = "https://oz.example.com"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The operator's folder, and where drafts are kept."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


async def begin(pilot: Driver, scenario: str) -> None:
    """A new installation, and its scenario."""
    await press(pilot, "enter")
    assert step_of(pilot).STEP == "workload"
    await choose(pilot, "scenario", scenario)
    await go_on(pilot, "release")


async def database(pilot: Driver) -> None:
    """A server of the operator's own."""
    await go_on(pilot, "database")
    await press(pilot, "left")  # from the bundled one, where that may be chosen
    await fill(pilot, "database.host", "db.example.com")
    await give_secret(pilot, "database.password", "OZ_DB_PASSWORD", "variable")


async def access(pilot: Driver, url: str = URL) -> None:
    """The public URL."""
    await go_on(pilot, "access")
    await fill(pilot, "public_url", url)


async def token(pilot: Driver) -> None:
    """The updater's token."""
    await give_secret(pilot, "updater.token", "OZ_UPDATER_TOKEN", "variable")


async def save(pilot: Driver) -> None:
    """Go to the review without problems, and save to the proposed path."""
    await go_on(pilot, "review")
    judged = app_of(pilot).session.judged
    assert judged is not None
    assert judged.problems == ()
    await press(pilot, "ctrl+s", "enter")
    assert "Saved to" in text_of(pilot), text_of(pilot)


# --- the five layouts -------------------------------------------------------------------------------
async def poc_1(pilot: Driver) -> None:
    """The shortest way: what has a default keeps it."""
    await begin(pilot, "poc")
    await go_on(pilot, "nodes")
    await add_node(pilot, "oz1", "192.0.2.11")
    await go_on(pilot, "database")
    await go_on(pilot, "storage")
    await access(pilot, "http://192.0.2.11:8880")
    await token(pilot)
    await save(pilot)


async def poc_2(pilot: Driver) -> None:
    """Back and forth: nodes in the wrong order, the database later, a URL without its scheme."""
    await begin(pilot, "medium")
    await go_on(pilot, "nodes")
    await add_node(pilot, "api1", "api1.example.com", address="10.0.0.12")
    await add_node(pilot, "bio1", "bio1.example.com", address="10.0.0.11")
    await press(pilot, "ctrl+b", "ctrl+b")
    assert step_of(pilot).STEP == "workload"
    await choose(pilot, "scenario", "poc")
    await press(pilot, "f2", "down", "down", "enter")
    assert step_of(pilot).STEP == "nodes"
    await press(pilot, "end", "up", "down", "shift+up")
    await go_on(pilot, "database")
    await press(pilot, "ctrl+p")
    await type_text(pilot, "public url")
    await pilot.pause(0.2)
    await press(pilot, "enter")
    await type_text(pilot, "oz.example.com")
    await settle(pilot)
    assert f"write {URL}" in text_of(pilot)
    await fill(pilot, "public_url", URL)
    await token(pilot)
    await press(pilot, "ctrl+b", "ctrl+b", "ctrl+b")
    await database(pilot)
    await choose(pilot, "database.sslmode", "require")
    await go_on(pilot, "storage")
    await go_on(pilot, "access")
    assert get(pilot, "public_url") == URL
    await save(pilot)


async def medium_2(pilot: Driver) -> None:
    """No components, an external broker and registry, settings of the vendor."""
    await begin(pilot, "medium")
    for key in ("components.bio_updater", "components.monitoring"):
        await switch(pilot, key)
    await fill(pilot, "broker.host", "redis.example.com")
    await give_secret(pilot, "broker.password", "OZ_REDIS_PASSWORD", "variable")
    await go_on(pilot, "nodes")
    await add_node(pilot, "oz1", "10.0.0.11")
    await press(pilot, "d")
    await fill(pilot, "nodes[1].host", "10.0.0.12")
    await press(pilot, "ctrl+n")
    await database(pilot)
    await go_on(pilot, "storage")
    await access(pilot)
    await fill(pilot, "registry.server", "registry.example.com:5000/oz")
    await fill(
        pilot,
        "extra.config",
        'OZ_SESSION_TTL: 600\nOZ_LABEL: "it\'s 100% \\"quoted\\""\nOZ_LIMITS: {video: [1, 2.5, null, true]}',
    )
    await save(pilot)


async def medium_3(pilot: Driver) -> None:
    """Every optional part."""
    await begin(pilot, "medium")
    await switch(pilot, "components.one_to_n")
    await fill(pilot, "components.regula", "https://regula.example.com")
    await fill(pilot, "components.web_adapter", "https://sdk.example.com")
    await choose(pilot, "broker.type", "rabbitmq")
    await go_on(pilot, "nodes")
    for number, name in enumerate(("api1", "bio1", "bio2"), 11):
        await add_node(pilot, name, f"10.0.0.{number}")
    await database(pilot)
    await choose(pilot, "database.sslmode", "require")
    await go_on(pilot, "storage")
    await access(pilot)
    await fill(pilot, "license.web_adapter", "license.json")
    await token(pilot)
    await save(pilot)


async def medium_4(pilot: Driver) -> None:
    """The largest: shared storage, an external load balancer; a surplus node is removed."""
    await begin(pilot, "medium")
    await go_on(pilot, "nodes")
    for number, name in enumerate(("api1", "api2", "oops", "bio1", "bio2"), 10):
        await add_node(pilot, name, f"10.0.0.{number if name < 'b' else number + 1}")
    await press(pilot, "up", "up", "delete", "shift+tab", "enter")
    for place in range(4):
        await press(pilot, *["up"] * 4, *["down"] * place, "enter")
        await fill(pilot, f"nodes[{place}].host", f"10.0.0.{11 + place}")
        await press(pilot, "ctrl+n")
    await database(pilot)
    await go_on(pilot, "storage")
    await choose(pilot, "storage.type", "nfs")
    await fill(pilot, "storage.server", "nfs.example.com")
    await fill(pilot, "storage.export", "/srv/oz")
    await access(pilot)
    await choose(pilot, "load_balancer.type", "node")
    await token(pilot)
    await save(pilot)


JOURNEYS: dict[str, Callable[[Driver], Awaitable[None]]] = {
    "poc-1": poc_1,
    "poc-2": poc_2,
    "medium-2": medium_2,
    "medium-3": medium_3,
    "medium-4": medium_4,
}


def test_there_is_a_journey_for_each_layout() -> None:
    assert set(JOURNEYS) == {folder.name for folder in GOLDEN.iterdir()}


@pytest.mark.parametrize("layout", JOURNEYS)
async def test_a_journey_ends_in_the_hand_written_answers(layout: str, tmp_path: Path) -> None:
    async with wizard(FilesCore()) as pilot:
        await JOURNEYS[layout](pilot)
        topology = app_of(pilot).core.topology(app_of(pilot).session.working)
    assert topology is not None
    assert topology.layout == layout
    assert read(tmp_path / "answers.yml").answers == read(GOLDEN / layout / "answers.yml").answers
    assert list_drafts() == ()
