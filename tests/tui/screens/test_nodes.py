"""The step Nodes: every action by keys and by mouse, the form of a node, bad input, fifty nodes."""

from __future__ import annotations

import time

import pytest
from textual import events

from oz_installer.answers.drafts.working_copy import WorkingCopy
from oz_installer.tui.dialogs.node import COLUMNS, NodeDialog
from oz_installer.tui.screens.nodes import NodesScreen
from oz_installer.tui.widgets.button import FlatButton
from oz_installer.tui.widgets.form import Form
from oz_installer.tui.widgets.node_table import NodeTable
from tests.tui import support
from tests.tui.fake_core import FakeCore
from tests.tui.nodes_case import ANSWERS, MEDIUM, hosts
from tests.tui.support import Driver, app_of, check_golden, left, press, settle, text_of, wizard

CANARY = "canary-Zx9!pass"


def core_of(text: str = MEDIUM) -> FakeCore:
    """Answers in a file."""
    return FakeCore({ANSWERS: text})


def names(pilot: Driver) -> list[str]:
    """The nodes in their order."""
    working = app_of(pilot).session.working
    return [working.get(f"nodes[{place}].name") for place in range(working.nodes())]


def get(pilot: Driver, key: str) -> object:
    """Return the current value of an answer."""
    return app_of(pilot).session.working.get(key)


async def push(pilot: Driver, action: str) -> None:
    """Click a button of the screen."""
    (button,) = [one for one in pilot.app.screen.query(FlatButton) if one.action == action]
    await pilot.click(button)
    await settle(pilot)


async def test_a_node_is_added_by_keys_alone() -> None:
    async with wizard(step="nodes") as pilot:
        await press(pilot, "a", "=api1", "enter", "=10.0.0.1", "enter", "space", "ctrl+n")
        assert names(pilot) == ["api1"]
        assert (get(pilot, "nodes[0].host"), get(pilot, "nodes[0].roles")) == ("10.0.0.1", ("api",))
        assert isinstance(pilot.app.focused, NodeTable)
        assert "10.0.0.1" in text_of(pilot)


async def test_giving_up_puts_the_nodes_back() -> None:
    async with wizard(core_of(), path=ANSWERS, step="nodes") as pilot:
        before = app_of(pilot).session.working
        for keys in (("a", "=new"), ("d", "=10.0.0.9"), ("e", "=x")):
            await press(pilot, *keys)
            assert app_of(pilot).session.working != before
            await press(pilot, "escape")
            assert "Discard changes?" in text_of(pilot)
            await press(pilot, "escape")
            assert isinstance(pilot.app.screen, NodeDialog), "not yet"
            await press(pilot, "escape")
            await support.confirm(pilot)
            await settle(pilot)
            assert app_of(pilot).session.working == before
            assert not isinstance(pilot.app.screen, NodeDialog)


@pytest.mark.parametrize("key", ["a", "d", "e"])
async def test_where_nothing_was_typed_giving_up_asks_nothing(key: str) -> None:
    async with wizard(core_of(), path=ANSWERS, step="nodes") as pilot:
        before = app_of(pilot).session.working
        await press(pilot, key, "escape")
        assert isinstance(pilot.app.focused, NodeTable)
        assert app_of(pilot).session.working == before


async def test_nothing_is_missing_before_the_field_was_left() -> None:
    async with wizard(core_of(), path=ANSWERS, step="nodes") as pilot:
        await press(pilot, "a")
        assert "is missing" not in text_of(pilot)
        await press(pilot, "tab")
        assert "! Name is missing" in text_of(pilot)
        assert "! Host is missing" not in text_of(pilot)
        await press(pilot, "ctrl+n", "end", "e")
        assert "! Host is missing" in text_of(pilot), "it was there before"


async def test_what_is_typed_in_an_open_form_is_in_the_draft() -> None:
    core = core_of()
    async with wizard(core, path=ANSWERS, step="nodes") as pilot:
        await press(pilot, "a", "=half")
        await pilot.press("ctrl+c")
        await left(pilot)
    kept, _ = core.drafted[ANSWERS]
    assert kept.get("nodes[4].name") == "half"


async def test_edit_copy_move_and_remove_by_keys() -> None:
    async with wizard(core_of(), path=ANSWERS, step="nodes") as pilot:
        await press(pilot, "down", "enter", "=b", "ctrl+n")
        assert names(pilot) == ["api1", "api2b", "bio1", "bio2"]
        await press(pilot, "d", "=10.0.0.19", "ctrl+n")
        assert names(pilot)[2] not in ("api2b", "bio1")
        assert get(pilot, "nodes[2].user") == "ozadmin"
        await press(pilot, "shift+down")
        assert names(pilot)[2] == "bio1"
        await press(pilot, "shift+up", "shift+up", "shift+up", "shift+up")
        assert names(pilot)[1:3] == ["api1", "api2b"]
        await press(pilot, "delete", "enter")
        assert len(names(pilot)) == 5
        await press(pilot, "delete", "shift+tab", "enter")
        assert names(pilot) == ["api1", "api2b", "bio1", "bio2"]


async def test_the_same_by_mouse() -> None:
    async with wizard(core_of(), path=ANSWERS, step="nodes") as pilot:
        await pilot.click(NodeTable, offset=(8, 3))
        await push(pilot, "copy_node")
        await press(pilot, "=10.0.0.99")
        await pilot.click("#done")
        await settle(pilot)
        assert names(pilot)[2:4] == ["bio1", "bio3"]
        await push(pilot, "move_node(-1)")
        assert names(pilot)[2] == "bio3"
        await push(pilot, "remove_node")
        await pilot.click("#yes")
        await settle(pilot)
        assert names(pilot) == ["api1", "api2", "bio1", "bio2"]
        await push(pilot, "edit_node")
        assert isinstance(pilot.app.screen, NodeDialog)
        await pilot.click("#cancel")
        await settle(pilot)


async def test_the_form_asks_every_question_of_a_node() -> None:
    async with wizard(core_of(), path=ANSWERS, step="nodes") as pilot:
        await press(pilot, "e")
        assert pilot.app.screen.query_one(Form).keys == tuple(f"nodes[0].{name}" for name in COLUMNS)
        assert "host_key" in COLUMNS


async def test_f1_explains_the_question_with_the_cursor_in_the_form_too() -> None:
    async with wizard(core_of(), path=ANSWERS, step="nodes") as pilot:
        await press(pilot, "e", "tab", "tab", "f1")
        shown = " ".join(text_of(pilot).split())
        assert "What runs here: api, bio or both" in shown
        assert "nodes[0].roles" in shown
        assert "^N ^B" not in shown, "steps cannot be changed from here"
        await press(pilot, "f1")
        assert isinstance(pilot.app.screen, NodeDialog)
        assert pilot.app.screen.focused is not None


@pytest.mark.parametrize(
    ("field", "typed", "shown"),
    [
        ("name", "API 1", "lower-case letters"),
        ("host", "10.0.0.11", "is the same as that of nodes[0]"),
        ("host", "a b", "neither a host name nor an IP address"),
        ("port", "70000", "65535"),
        ("jump", "@x", "jump"),
        ("host_key", "abc", "SHA256"),
    ],
)
async def test_errors_stand_under_the_field(field: str, typed: str, shown: str) -> None:
    async with wizard(core_of(), path=ANSWERS, step="nodes") as pilot:
        support.step_of(pilot).focus_key(f"nodes[1].{field}")
        await settle(pilot)
        await press(pilot, "home", "shift+end", "backspace", f"={typed}")
        assert shown.lower() in " ".join(text_of(pilot).lower().replace("│", " ").split())
        await press(pilot, "ctrl+n")
        assert "to fix" in text_of(pilot)


async def test_pasted_lines_and_ten_thousand_characters() -> None:
    async with wizard(core_of(), path=ANSWERS, step="nodes") as pilot:
        await press(pilot, "a")
        assert pilot.app.focused is not None
        pilot.app.focused.post_message(events.Paste("web7\nsecond\x1b[31m\nthird"))
        await settle(pilot)
        assert get(pilot, "nodes[4].name") == "web7"
        await press(pilot, "enter")
        pilot.app.focused.post_message(events.Paste("x" * 10_000))
        await settle(pilot)
        await press(pilot, "ctrl+n")
        assert app_of(pilot).session.working.texts["nodes[4].host"] == "x" * 10_000
        assert max(len(line) for line in text_of(pilot).splitlines()) <= 120


async def test_a_password_is_on_no_screen_and_in_no_export() -> None:
    async with wizard(core_of(), path=ANSWERS, step="nodes") as pilot:
        support.step_of(pilot).focus_key("nodes[0].password")
        await settle(pilot)
        await press(pilot, f"={CANARY}")
        assert get(pilot, "nodes[0].password") is not None
        assert CANARY not in text_of(pilot) + pilot.app.export_screenshot()
        await press(pilot, "ctrl+n")
        working = app_of(pilot).session.working
        assert CANARY not in text_of(pilot) + repr(working) + working.yaml() + working.yaml(masked=True)


async def test_import_from_ssh_config() -> None:
    core = core_of()
    core.outside.hosts = tuple(hosts())
    async with wizard(core, path=ANSWERS, step="nodes") as pilot:
        await press(pilot, "i")
        assert "is already node api1" in text_of(pilot)
        check_golden("nodes-import", pilot)
        await press(pilot, "space", "down", "space", "down", "enter", "ctrl+n")
        assert names(pilot)[4:] == ["bastion-dmz", "bio7"]
        assert (get(pilot, "nodes[4].user"), get(pilot, "nodes[4].port")) == ("admin", 2222)
        assert (str(get(pilot, "nodes[5].key_file")), get(pilot, "nodes[5].jump")) == ("~/.ssh/oz", "bastion")


async def test_nothing_to_import() -> None:
    async with wizard(step="nodes") as pilot:
        await press(pilot, "i")
        assert "has no hosts to import" in text_of(pilot)


async def test_roles_follow_the_layout_and_the_place() -> None:
    async with wizard(core_of(), path=ANSWERS, step="nodes") as pilot:
        screen = support.step_of(pilot)
        assert isinstance(screen, NodesScreen)
        assert "Layout medium-4" in text_of(pilot)
        await press(pilot, "down", "shift+down")
        seats = screen.query_one(NodeTable)
        assert [str(seats.get_row_at(place)[3]) for place in range(4)] == ["api", "api", "bio", "bio"]
        await press(pilot, "a", "=n5", "enter", "=10.0.0.5", "ctrl+n")
        assert "has layouts for 2, 3 and 4 nodes, not for 5" in " ".join(text_of(pilot).split())


async def test_fifty_nodes_stay_quick() -> None:
    working = WorkingCopy.new()
    for number in range(50):
        working = working.add_node({"name": f"n{number}", "host": f"10.0.1.{number}", "user": "ozadmin"})
    async with wizard(core_of(working.yaml()), path=ANSWERS, step="nodes") as pilot:
        screen = support.step_of(pilot)
        assert screen.query_one(NodeTable).row_count == 50
        took = []
        for number in range(20):
            changed = app_of(pilot).session.working.with_text("nodes[7].host", f"10.9.9.{number}")
            start = time.perf_counter()
            app_of(pilot).edit(changed)
            took.append(time.perf_counter() - start)
        await settle(pilot)
        assert sorted(took)[10] < 0.05
        await press(pilot, "end", "down", "down")
        await press(pilot, "ctrl+end")


@pytest.mark.parametrize("size", support.SIZES)
async def test_how_it_looks(size: tuple[int, int]) -> None:
    async with wizard(core_of(), path=ANSWERS, step="nodes", size=size) as pilot:
        check_golden("nodes", pilot)
        await press(pilot, "e")
        check_golden("nodes-form", pilot)


@pytest.mark.parametrize("more", [0, 3, 4], ids=["a text field", "a secret's ways", "a secret"])
async def test_a_form_that_is_closed_at_once_does_no_harm(more: int) -> None:
    async with wizard(step="nodes") as pilot:
        typed = ("a", *"node1", "enter", *"10.0.0.1", "enter", "space", "enter", "enter", "x")
        for key in (*typed, *["enter"] * more, "ctrl+n"):
            pilot.app.post_message(events.Key(key, key if len(key) == 1 else None))
        await settle(pilot)
        assert app_of(pilot).session.working.values["nodes"] == [
            {"name": "node1", "host": "10.0.0.1", "roles": ("api",), "user": "x"}
        ]
