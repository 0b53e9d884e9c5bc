"""Answers for the tests of the topology, made in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from oz_installer.answers.model import Answers, Node, Role, SecretRef
from oz_installer.answers.sections import Database, Storage, Updater
from oz_installer.catalog.scenario import ScenarioName

SECRET = SecretRef(kind="env", where="ANY")
SHARED = Storage(type="nfs", server="nfs.example.com", export="/srv/oz")
LAYOUTS: dict[str, tuple[ScenarioName, int]] = {
    "poc-1": ("poc", 1),
    "poc-2": ("poc", 2),
    "medium-2": ("medium", 2),
    "medium-3": ("medium", 3),
    "medium-4": ("medium", 4),
}


def answers_for(scenario: ScenarioName, count: int, **more: Any) -> Answers:
    """Answers that fit together, with so many nodes n1, n2, ..."""
    nodes = tuple(Node(name=f"n{i}", host=f"10.0.0.{i}") for i in range(1, count + 1))
    given: dict[str, Any] = {
        "database": Database(host="db.example.com", password=SECRET),
        "storage": SHARED if count >= 4 else Storage(),
        "updater": Updater(token=SECRET),
        **more,
    }
    return Answers(scenario=scenario, public_url="https://oz.example.com", nodes=nodes, **given)


def layout(name: str, **more: Any) -> Answers:
    """Answers of one of the five layouts."""
    return answers_for(*LAYOUTS[name], **more)


def with_roles(answers: Answers, *roles: tuple[Role, ...]) -> Answers:
    """The same with the operator's own roles, node by node."""
    pairs = zip(answers.nodes, roles, strict=True)
    return replace(answers, nodes=tuple(replace(node, roles=some) for node, some in pairs))
