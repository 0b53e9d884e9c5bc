"""What checks look at, and what they find. Frozen, and free of secrets once it is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from oz_installer.answers.model import Answers
from oz_installer.catalog.model import Port, Release, Resources
from oz_installer.remote.transport import Transport
from oz_installer.secret import Secret

Level = Literal["ok", "warning", "failure"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One judgement. ``id`` is stable, for ``accept``: ``host.memory/api1``; ``host`` is the check's name.

    ``needed`` names its source; ``why`` it matters; ``hint`` what to do.
    """

    id: str
    subject: str
    node: str | None
    level: Level
    seen: str
    needed: str = ""
    why: str = ""
    hint: str = ""

    @property
    def check(self) -> str:
        """The name of the check that it comes from."""
        return self.id.partition("/")[0].partition(".")[0]

    def mapped(self, change: Callable[[str], str]) -> Finding:
        """The same with its free texts changed, such as by a masker."""
        return replace(
            self,
            seen=change(self.seen),
            needed=change(self.needed),
            why=change(self.why),
            hint=change(self.hint),
        )


@dataclass(frozen=True, kw_only=True)
class Spot:
    """One node as checks see it. ``needs`` is None where no layout says what it needs, ``source`` is who says
    it; ``ports`` are those that it will publish."""

    name: str
    roles: tuple[str, ...]
    needs: Resources | None = None
    source: str = ""
    ports: tuple[Port, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Site:
    """Everything that a check may know. ``reach`` gives a node's connection; it raises ConnectError."""

    answers: Answers
    release: Release
    spots: tuple[Spot, ...]
    reach: Callable[[str], Transport]
    secrets: Mapping[str, Secret] = field(default_factory=dict, repr=False)

    @property
    def install_dir(self) -> str:
        """The install folder without a slash at its end."""
        return self.answers.install_dir.rstrip("/")

    @property
    def api_spots(self) -> tuple[Spot, ...]:
        """The nodes that run the API."""
        return tuple(spot for spot in self.spots if "api" in spot.roles)
