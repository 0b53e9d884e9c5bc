"""Roles of nodes while answers are in the making; what is barred though other answers go with it."""

from __future__ import annotations

from oz_installer.answers.drafts.working_copy import WorkingCopy
from oz_installer.installation.wizard.choices import allowed_values, missing_reason
from oz_installer.installation.wizard.role_assignment import assign_roles


def nodes(count: int, scenario: str | None = None) -> WorkingCopy:
    """So many nodes."""
    working = WorkingCopy.new() if scenario is None else WorkingCopy.new().with_value("scenario", scenario)
    for number in range(count):
        working = working.add_node({"name": f"n{number}", "host": f"10.0.0.{number}"})
    return working


def test_roles_by_the_layout() -> None:
    found = assign_roles(nodes(4, "medium"))
    assert (found.layout, found.sizes, found.api_nodes) == ("medium-4", (2, 3, 4), ("n0", "n1"))
    assert [seat.roles for seat in found.seats] == [("api",), ("api",), ("bio",), ("bio",)]
    assert found.seats[0].needs is not None


def test_no_layout_for_so_many() -> None:
    found = assign_roles(nodes(7, "medium"))
    assert found.layout is None
    assert {seat.roles for seat in found.seats} == {()}


def test_nothing_is_known_yet() -> None:
    assert assign_roles(WorkingCopy.new()).seats == ()
    assert assign_roles(nodes(2)).scenario is None
    assert assign_roles(nodes(2, "high-load")).sizes == ()


def test_nameless_twins_and_a_release_that_nobody_knows() -> None:
    working = WorkingCopy.new().add_node().add_node({"name": "a"}).add_node({"name": "a"})
    found = assign_roles(working.with_value("release", "9.9"))
    assert [seat.name for seat in found.seats] == ["node 1", "a", "a"]


def test_moved_roles() -> None:
    found = assign_roles(nodes(2, "medium").with_value("nodes[0].roles", ("bio",)))
    assert (found.layout, found.seats[0].custom) == ("medium-2-custom", True)


def test_a_choice_is_barred_though_other_answers_go_with_it() -> None:
    working = (
        nodes(4, "medium").with_value("storage.type", "nfs").with_value("storage.server", "nfs.example.com")
    )
    assert "local" in allowed_values(working, ["storage.type"])["storage.type"].disabled


def test_what_is_wrong_when_it_is_left_out() -> None:
    assert "needs an external" in (missing_reason(nodes(4, "medium"), "database.host") or "")
    assert (
        missing_reason(nodes(1, "poc").with_value("database.host", "db.example.com"), "database.host") is None
    )
