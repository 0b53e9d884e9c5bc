"""What a check is: something that gives facts, and a pure judge that gives findings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Generic, TypeVar

from oz_installer.checks.model import Finding, Level, Site, Spot

F = TypeVar("F")


class Check(Generic[F]):
    """One subject. ``name`` begins the ids of its findings, ``title`` names it on screen."""

    name: ClassVar[str]
    title: ClassVar[str]

    def spots(self, site: Site) -> tuple[Spot, ...]:
        """The nodes that it concerns."""
        return site.spots

    def judge(self, site: Site, spot: Spot, facts: F) -> Iterator[Finding]:
        """What is to be said of the facts. Pure."""
        raise NotImplementedError

    def finding(
        self,
        spot: Spot,
        level: Level,
        seen: str,
        *,
        about: str = "",
        subject: str = "",
        needed: str = "",
        why: str = "",
        hint: str = "",
    ) -> Finding:
        """A finding of this check: ``about`` is the second part of its id, as in ``host.memory/api1``."""
        name = f"{self.name}.{about}" if about else self.name
        return Finding(
            id=f"{name}/{spot.name}",
            subject=subject or self.title,
            node=spot.name,
            level=level,
            seen=seen,
            needed=needed,
            why=why,
            hint=hint,
        )


class Look(Check[F]):
    """Facts from a piece of shell. Those of all looks go to a node as one script, in one round trip."""

    def script(self, site: Site, spot: Spot) -> str:
        """POSIX sh, run in a shell of its own; stderr is dropped. Changes nothing; what may hang is called by
        ``soon``, which gives up after five seconds."""
        raise NotImplementedError

    def parse(self, text: str) -> F:
        """Facts from what the script printed. Raises ValueError or KeyError when it is not as wanted."""
        raise NotImplementedError

    def shown(self, facts: F) -> Iterator[tuple[str, str]]:
        """What the operator may want to read of a node that was only connected to: label and value."""
        del facts
        yield from ()


class Visit(Check[F]):
    """Facts that need a conversation: a thread for each node that it concerns."""

    def probe(self, site: Site, spot: Spot) -> F:
        """Ask. Leaves nothing behind, ends within ten seconds. Raises OzError where the node itself fails."""
        raise NotImplementedError
