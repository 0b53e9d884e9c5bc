"""Where an installation keeps its data, and what a change leaves behind. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from oz_installer.answers.model import Answers
from oz_installer.frozen import dataclass

BUNDLED, FOLDER = "the bundled PostgreSQL", "a folder of the node"
LOCAL = (BUNDLED, FOLDER)
"""Locations that are another place on every node."""

Locations = Mapping[str, str]
"""Locations by what is kept there: ``database``, ``media``."""


@dataclass(frozen=True, kw_only=True)
class StorageMove:
    """A new location for data (``database``, ``media``). Nothing is copied."""

    what: str
    before: str
    now: str


def data_locations(answers: Answers) -> dict[str, str]:
    """Return where the API's nodes keep their data."""
    database, storage = answers.database, answers.storage
    location = f"{database.host}:{database.port}/{database.name}" if database.host else BUNDLED
    return {"database": location, "media": storage.location or FOLDER}


def data_left(
    before: Mapping[str, Locations], now: Mapping[str, Locations]
) -> Iterator[tuple[str, StorageMove]]:
    """Yield a node and what it leaves behind, from the locations of every node before and now.

    Nodes without data have no locations. The whole installation is compared: the API may have moved to
    another node.
    """
    for node, places in before.items():
        for what, place in places.items():
            if place == now.get(node, {}).get(what):
                continue
            anywhere = {where: name for name, places_now in now.items() if (where := places_now.get(what))}
            if not anywhere or (place in anywhere and place not in LOCAL):
                continue
            new, holder = next(iter(anywhere.items()))
            named = f"{new} on {holder}" if new in LOCAL and holder != node else new
            yield node, StorageMove(what=what, before=place, now=named)
