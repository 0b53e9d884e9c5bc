"""The palette finds every step, and a question of every section, by the operator's words."""

from __future__ import annotations

import asyncio

import pytest
from textual.command import CommandPalette
from textual.widgets import OptionList

from oz_installer.answers.questions import questions
from oz_installer.tui.palette import PaletteProvider
from oz_installer.tui.steps import STEPS, step_of
from tests.tui import support
from tests.tui.by_keys import asked_now, hit
from tests.tui.fake_core import FakeCore
from tests.tui.nodes_case import ANSWERS, MEDIUM
from tests.tui.support import Driver, app_of, press, settle, until, wizard

BY_LABEL = {
    "workload: scenario": "scenario",
    "workload: analyses per minute": "workload.apm",
    "release: install folder": "install_dir",
    "components: statistics": "components.statistic",
    "broker: type": "broker.type",
    "nodes: known_hosts file": "known_hosts",
    "database: tls mode": "database.sslmode",
    "storage: nfs export": "storage.export",
    "access: public url": "public_url",
    "load balancer: type": "load_balancer.type",
    "administrator: e-mail": "admin.email",
    "licences: bio licence": "license.bio",
    "updater: client token": "updater.token",
    "proxy: url": "proxy.url",
    "network: container subnet": "network.subnet",
    "registry: user name": "registry.username",
    "config.py": "extra.config",
}
"""What is typed, and the question that it leads to; every section is among them."""


async def choose(pilot: Driver, words: str) -> None:
    """Type into the palette and choose the first match."""
    await pilot.press("ctrl+p")
    await hit(pilot, *words)
    palette = pilot.app.screen
    assert isinstance(palette, CommandPalette)
    listed = palette.query_one(OptionList)
    first = words.rpartition(": ")[2]
    await until(pilot, lambda: bool(listed.options) and first in str(listed.options[0].prompt).lower())
    await press(pilot, "enter")


async def test_every_step() -> None:
    async with wizard(FakeCore({ANSWERS: MEDIUM}), path=ANSWERS, step="workload") as pilot:
        for step in reversed(STEPS):
            await choose(pilot, f"go to {step.title.lower()}")
            assert step.id == support.step_of(pilot).STEP


def test_every_section_is_tried() -> None:
    asked = {question.section or step_of(question.key) for question in questions()}
    tried = {key.partition(".")[0] if "." in key else step_of(key) for key in BY_LABEL.values()}
    assert asked - tried == {"nodes", "start", "preflight"} - tried, "those have tests of their own"


@pytest.mark.parametrize("words", BY_LABEL)
async def test_a_question_of_every_section(words: str) -> None:
    async with wizard(FakeCore({ANSWERS: MEDIUM}), path=ANSWERS, step="review") as pilot:
        await choose(pilot, words)
        assert step_of(BY_LABEL[words]) == support.step_of(pilot).STEP
        assert asked_now(pilot) == BY_LABEL[words]


async def test_no_question_is_left_out() -> None:
    async with wizard(FakeCore({ANSWERS: MEDIUM}), path=ANSWERS, step="nodes") as pilot:
        await press(pilot, "down", "down")
        offered = [
            about.partition(" · ")[0] for _, about, _, _ in PaletteProvider(support.step_of(pilot))._all()
        ]
        for question in questions():
            key = question.key.replace("[]", "[2]")
            assert offered.count(key) == (question.key not in ("nodes", "version"))


async def test_a_question_of_the_node_that_is_selected() -> None:
    async with wizard(FakeCore({ANSWERS: MEDIUM}), path=ANSWERS, step="nodes") as pilot:
        for place, name in ((2, "bio1"), (3, "bio2"), (0, "api1")):
            await press(pilot, "ctrl+home", *["down"] * place)
            await choose(pilot, f"node {name}: jump host")
            assert asked_now(pilot) == f"nodes[{place}].jump"
            await press(pilot, "escape")


async def test_actions() -> None:
    core = FakeCore({ANSWERS: MEDIUM})
    async with wizard(core, path=ANSWERS, step="workload") as pilot:
        await choose(pilot, "save the answers")
        await until(pilot, lambda: ANSWERS in core.kept)
        dark = app_of(pilot).current_theme.dark
        await choose(pilot, "dark or light")
        assert app_of(pilot).current_theme.dark is not dark
        await choose(pilot, "help")
        assert "Help: Workload" in support.text_of(pilot)
        await press(pilot, "escape")
        await settle(pilot)
        await pilot.press("ctrl+p", *"quit")
        listed = pilot.app.screen.query_one(OptionList)
        await until(pilot, lambda: bool(listed.options) and "Quit" in str(listed.options[0].prompt))
        await pilot.press("enter")
        end = asyncio.get_running_loop().time() + support.PATIENCE
        while pilot.app.return_value is None and asyncio.get_running_loop().time() < end:
            await pilot.pause()
    assert pilot.app.return_value is not None


async def test_the_buttons_of_the_open_step() -> None:
    """The palette offers the buttons that are enabled, and no other."""
    async with wizard(FakeCore({ANSWERS: MEDIUM}), path=ANSWERS, step="nodes") as pilot:
        await choose(pilot, "duplicate")
        assert app_of(pilot).session.working.nodes() == 5
        labels = [name for name, *_ in PaletteProvider(pilot.app.screen)._of_step()]
        assert "Test all" in labels
        assert "Run the checks" not in labels
