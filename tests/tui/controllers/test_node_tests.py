"""Tests of nodes: facts, findings, new and changed host keys, a step that is left meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from oz_installer.answers.drafts.working_copy import WorkingCopy
from oz_installer.errors import AnswersError
from oz_installer.installation.wizard.probe import NodeProbe
from oz_installer.tui.dialogs.host_keys import HostKeys
from oz_installer.tui.widgets.node_table import NodeTable
from tests.tui import support
from tests.tui.fake_core import FakeCore
from tests.tui.nodes_case import ANSWERS, KEY, MEDIUM, fit, short_of_memory, stranger
from tests.tui.support import Driver, app_of, check_golden, press, settle, text_of, wizard

OTHER = "SHA256:" + "Zz12" * 10 + "xyz"


class Servers(FakeCore):
    """Servers that accept a connection with their host key; records what was tried."""

    def __init__(self) -> None:
        super().__init__({ANSWERS: MEDIUM})
        self.tried: list[list[str]] = []
        self.strangers = {"bio1": KEY, "bio2": OTHER}

    def node_probes(self, working: WorkingCopy, names: Sequence[str]) -> Iterator[NodeProbe]:
        """Return a result for each node by its answers."""
        self.tried.append(list(names))
        rows = {row["name"]: row for row in working.values["nodes"]}
        for name in names:
            key = self.strangers.get(name)
            known = key is None or rows[name].get("host_key") == key
            found = (short_of_memory(name),) if name == "api1" else ()
            yield fit(name, *found) if known else stranger(name, key or "")


def words(pilot: Driver) -> str:
    """Return the screen's text in one line."""
    return " ".join(text_of(pilot).split())


def states(pilot: Driver) -> list[str]:
    """Return the last column of the table."""
    table = support.step_of(pilot).query_one(NodeTable)
    return [str(table.get_row_at(place)[5]) for place in range(table.row_count)]


async def test_one_node() -> None:
    core = Servers()
    async with wizard(core, path=ANSWERS, step="nodes") as pilot:
        await press(pilot, "t")
        assert core.tried == [["api1"]]
        assert states(pilot) == ["1 warning", "-", "-", "-"]
        for shown in ("Debian GNU/Linux 13", "8 cores", "15.6 GB", "88.2 GB free", "Docker 28.1.1", "24 GB"):
            assert shown in text_of(pilot)
        await press(pilot, "down")
        assert "Debian" not in text_of(pilot)


async def test_all_nodes_and_new_keys() -> None:
    core = Servers()
    async with wizard(core, path=ANSWERS, step="nodes") as pilot:
        await press(pilot, "f5")
        assert isinstance(pilot.app.screen, HostKeys)
        assert KEY in text_of(pilot)
        assert OTHER in text_of(pilot)
        check_golden("nodes-keys", pilot)
        await press(pilot, "shift+tab", "enter")
        working = app_of(pilot).session.working
        assert [working.get(f"nodes[{place}].host_key") for place in range(4)] == [None, None, KEY, OTHER]
        assert core.tried[1] == ["bio1", "bio2"]
        assert states(pilot) == ["1 warning", "ok", "ok", "ok"]
        assert support.step_of(pilot).query_one("#status").has_class("-warning"), "one falls short"
        check_golden("nodes-tested", pilot)


async def test_a_new_key_later() -> None:
    core = Servers()
    async with wizard(core, path=ANSWERS, step="nodes") as pilot:
        await press(pilot, "k")
        assert "No new host key" in text_of(pilot)
        await press(pilot, "down", "down", "t", "escape")
        assert states(pilot)[2] == "? new key"
        assert app_of(pilot).session.working.get("nodes[2].host_key") is None
        await press(pilot, "k")
        assert app_of(pilot).session.working.get("nodes[2].host_key") == KEY
        assert states(pilot)[2] == "ok"


async def test_a_changed_key_is_never_offered() -> None:
    core = FakeCore({ANSWERS: MEDIUM})
    error = "the server shows another key than the known one"
    core.outside.tried = [
        NodeProbe(node="api1", fingerprint=OTHER, key_known="changed", error=error, hint="Ask.")
    ]
    async with wizard(core, path=ANSWERS, step="nodes") as pilot:
        await press(pilot, "t")
        assert states(pilot)[0] == "! KEY CHANGED"
        assert error in text_of(pilot)
        await press(pilot, "k")
        assert app_of(pilot).session.working.get("nodes[0].host_key") is None


async def test_what_was_found_holds_for_the_answers_it_was_found_with() -> None:
    async with wizard(Servers(), path=ANSWERS, step="nodes") as pilot:
        await press(pilot, "t", "e", "enter", "=9", "ctrl+n")
        assert states(pilot)[0] == "-"
        assert "changed since the test" in text_of(pilot)


async def test_the_screen_is_left_while_nodes_are_tried() -> None:
    core = Servers()
    core.outside.pace = 600.0
    async with wizard(core, path=ANSWERS, step="nodes") as pilot:
        await pilot.press("f5")
        while not core.tried:
            await pilot.pause(0.01)
        assert states(pilot) == ["testing…"] * 4
        await press(pilot, "ctrl+n")
        assert support.step_of(pilot).STEP == "database"
        await press(pilot, "ctrl+b")
        assert states(pilot) == ["-"] * 4
        await pilot.press("f5")
        await pilot.press("ctrl+q")
        await pilot.pause()
    assert not app_of(pilot).is_running


async def test_a_dialog_does_not_end_the_test() -> None:
    core = Servers()
    core.outside.pace = 0.05
    async with wizard(core, path=ANSWERS, step="nodes") as pilot:
        await pilot.press("t")
        await pilot.press("e")
        await settle(pilot)
        await press(pilot, "escape")
        assert states(pilot)[0] == "1 warning"


@pytest.mark.parametrize("failure", [AnswersError("the password was not given", "Try again.")])
async def test_a_test_that_cannot_be_made(failure: Exception) -> None:
    core = FakeCore({ANSWERS: MEDIUM})
    core.outside.failure = failure
    async with wizard(core, path=ANSWERS, step="nodes") as pilot:
        await press(pilot, "f5")
        assert "the password was not given" in text_of(pilot)
        assert states(pilot) == ["-"] * 4


async def test_a_new_key_is_accepted_by_a_key_of_the_keyboard() -> None:
    core = FakeCore({ANSWERS: MEDIUM})
    core.outside.tried = [
        replace(stranger("api1"), hint=f'write `host_key: "{KEY}"` into the answers, or run: ssh-keyscan')
    ]
    async with wizard(core, path=ANSWERS, step="nodes") as pilot:
        await press(pilot, "t", "escape")
        assert "press k to accept the key" in words(pilot)
        assert "ssh-keygen -lf" in words(pilot)
        assert "host_key" not in words(pilot)


async def test_hints_name_the_fields_and_not_the_keys_of_the_file() -> None:
    core = FakeCore({ANSWERS: MEDIUM})
    error = "key file /k cannot be read"
    core.outside.tried = [NodeProbe(node="api1", error=error, hint="Correct `key_file` of the node.")]
    async with wizard(core, path=ANSWERS, step="nodes") as pilot:
        await press(pilot, "t")
        assert "Correct «Private key file» of the node." in words(pilot)


async def test_what_is_wrong_with_a_node_is_told_in_full() -> None:
    text = MEDIUM.replace("name: api1", "name: Node One-")
    async with wizard(FakeCore({ANSWERS: text}), path=ANSWERS, step="nodes", size=(80, 24)) as pilot:
        await press(pilot, "escape")
        assert "! Name should be" in words(pilot)
        assert "no hyphen at either end" in words(pilot)


async def test_what_falls_short_comes_first_and_page_down_shows_the_rest() -> None:
    async with wizard(Servers(), path=ANSWERS, step="nodes", size=(80, 24)) as pilot:
        await press(pilot, "t")
        assert "needed: 24 GB" in words(pilot)
        assert "Docker 28.1.1" not in words(pilot)
        await press(pilot, "pagedown")
        assert "Docker 28.1.1" in words(pilot)
        await press(pilot, "down")
        assert "api2: api" in words(pilot), "another node begins at the top"
        assert "[ Test t ]" in words(pilot)


async def test_sizes_are_not_judged_without_a_role() -> None:
    core = FakeCore({ANSWERS: MEDIUM.replace("scenario: medium\n", "scenario: high-load\n")})
    core.outside.tried = [fit("api1")]
    async with wizard(core, path=ANSWERS, step="nodes") as pilot:
        await press(pilot, "t")
        assert "Connected. No role yet: sizes not checked." in words(pilot)
        assert "All requirements are met" not in words(pilot)
        app_of(pilot).change("nodes[0].roles", ("api",))
        await settle(pilot)
        assert states(pilot)[0] == "-", "it was not held against what it needs now"
        assert "Its role or requirements have changed" in words(pilot)


async def test_what_was_found_with_another_engine_does_not_hold() -> None:
    async with wizard(Servers(), path=ANSWERS, step="nodes") as pilot:
        await press(pilot, "t")
        app_of(pilot).change("engine", "podman")
        await settle(pilot)
        assert states(pilot)[0] == "-"
        assert "Release, engine or install folder have changed since the test" in words(pilot)
        app_of(pilot).change("engine", "docker")
        await settle(pilot)
        assert states(pilot)[0] == "1 warning"


async def test_another_scenario_asks_for_other_sizes() -> None:
    core = FakeCore(
        {ANSWERS: MEDIUM.replace("  - {name: bio2, host: 10.0.0.22, user: ozadmin, port: 2222}\n", "")}
    )
    core.outside.tried = [fit("api1")]
    async with wizard(core, path=ANSWERS, step="nodes") as pilot:
        await press(pilot, "t")
        assert states(pilot)[0] == "ok"
        app_of(pilot).change("scenario", "poc")
        await settle(pilot)
        assert states(pilot)[0] == "-"
        assert "? Its role or requirements have changed since the test: test it again." in words(pilot)
        assert "Its answers have changed" not in words(pilot)
        assert "Debian GNU/Linux 13" in words(pilot), "it is the same machine"
        app_of(pilot).change("scenario", "medium")
        await settle(pilot)
        assert states(pilot)[0] == "ok"


async def test_nothing_to_try() -> None:
    async with wizard(step="nodes") as pilot:
        await press(pilot, "f5", "t")
        assert "Nothing to test" in text_of(pilot)
