"""Roles of nodes while answers are in the making; what is barred though other answers go with it."""

from __future__ import annotations

from oz_installer.answers.working import Working
from oz_installer.installation.possible import needed, possible
from oz_installer.installation.seating import seating


def nodes(count: int, scenario: str | None = None) -> Working:
    """So many nodes."""
    working = Working.new() if scenario is None else Working.new().put("scenario", scenario)
    for number in range(count):
        working = working.add_node({"name": f"n{number}", "host": f"10.0.0.{number}"})
    return working


def test_roles_by_the_layout() -> None:
    found = seating(nodes(4, "medium"))
    assert (found.layout, found.sizes, found.apis) == ("medium-4", (2, 3, 4), ("n0", "n1"))
    assert [seat.roles for seat in found.seats] == [("api",), ("api",), ("bio",), ("bio",)]
    assert found.seats[0].needs is not None


def test_no_layout_for_so_many() -> None:
    found = seating(nodes(7, "medium"))
    assert found.layout is None
    assert {seat.roles for seat in found.seats} == {()}


def test_nothing_is_known_yet() -> None:
    assert seating(Working.new()).seats == ()
    assert seating(nodes(2)).scenario is None
    assert seating(nodes(2, "high-load")).sizes == ()


def test_nameless_twins_and_a_release_that_nobody_knows() -> None:
    working = Working.new().add_node().add_node({"name": "a"}).add_node({"name": "a"})
    found = seating(working.put("release", "9.9"))
    assert [seat.name for seat in found.seats] == ["node 1", "a", "a"]


def test_moved_roles() -> None:
    found = seating(nodes(2, "medium").put("nodes[0].roles", ("bio",)))
    assert (found.layout, found.seats[0].moved) == ("medium-2-custom", True)


def test_a_choice_is_barred_though_other_answers_go_with_it() -> None:
    working = nodes(4, "medium").put("storage.type", "nfs").put("storage.server", "nfs.example.com")
    assert "local" in possible(working, ["storage.type"])["storage.type"].barred


def test_what_is_wrong_when_it_is_left_out() -> None:
    assert "needs an external" in (needed(nodes(4, "medium"), "database.host") or "")
    assert needed(nodes(1, "poc").put("database.host", "db.example.com"), "database.host") is None
