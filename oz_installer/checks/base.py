"""What a check is: something that gives facts, and a pure judge that gives findings.

Check
├── NodeCheck   facts of each node that it concerns, judged one by one, then across the nodes
│   ├── Look    by a piece of shell; those of all looks are one round trip
│   └── Visit   by a conversation
└── Survey      facts of the installation as a whole
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, Generic, TypeVar

from oz_installer.checks.context import CheckContext, CheckedNode, Finding, Level, Remedy

F = TypeVar("F")


class Check(Generic[F]):
    """One subject. ``name`` begins the ids of its findings, ``title`` names it on screen."""

    name: ClassVar[str]
    title: ClassVar[str]

    def finding(
        self,
        node: CheckedNode | None,
        level: Level,
        seen: str,
        *,
        about: str = "",
        target: str = "",
        subject: str = "",
        needed: str = "",
        why: str = "",
        hint: str = "",
        hint_when_ok: str = "",
        remedy: Remedy | None = None,
    ) -> Finding:
        """A finding of this check; ``node`` None: of no node. ``about`` is the second part of its id, as in
        ``host.memory/api1``, ``target`` another node that it is about, as in ``network.8501/api1:bio2``.

        Where the level is ok, ``why`` and ``hint`` are left out: they tell what is amiss and how to mend it.
        ``hint_when_ok`` stands there instead of ``hint``, for what is worth doing all the same."""
        is_ok = level == "ok"
        name = f"{self.name}.{about}" if about else self.name
        place = f"/{node.name}" if node else ""
        return Finding(
            id=f"{name}{place}{f':{target}' if target else ''}",
            subject=subject or self.title,
            node=node.name if node else None,
            level=level,
            seen=seen,
            needed=needed,
            why="" if is_ok else why,
            hint=hint_when_ok if is_ok else hint,
            remedy=remedy,
        )


class NodeCheck(Check[F]):
    """Judged node by node."""

    def nodes(self, context: CheckContext) -> tuple[CheckedNode, ...]:
        """The nodes that it concerns."""
        return context.nodes

    def judge(self, context: CheckContext, node: CheckedNode, facts: F) -> Iterator[Finding]:
        """What is to be said of the facts. Pure."""
        raise NotImplementedError

    def across(self, context: CheckContext, facts: Mapping[str, F]) -> Iterator[Finding]:
        """What shows only when nodes are held against each other: facts by node, of those that gave some.
        Pure."""
        del context, facts
        yield from ()


class ShellCheck(NodeCheck[F]):
    """Facts from a piece of shell. Those of all looks go to a node as one script, in one round trip."""

    def prelude(self, context: CheckContext) -> str:
        """POSIX sh that runs before all pieces and sets variables for them: what several looks need is asked
        once, for one text stands there once."""
        del context
        return ""

    def script(self, context: CheckContext, node: CheckedNode) -> str:
        """POSIX sh, run in a shell of its own; stderr is dropped. Changes nothing; what may hang is called by
        ``soon``, which gives up after five seconds."""
        raise NotImplementedError

    def parse(self, text: str) -> F:
        """Facts from what the script printed. Raises ValueError or KeyError when it is not as wanted."""
        raise NotImplementedError

    def display(self, facts: F) -> Iterator[tuple[str, str]]:
        """What the operator may want to read of a node that was only connected to: label and value."""
        del facts
        yield from ()


class ProbeCheck(NodeCheck[F]):
    """Facts that need a conversation: a thread for each node that it concerns."""

    def probe(self, context: CheckContext, node: CheckedNode) -> F:
        """Ask. Leaves nothing behind, ends within ten seconds. Raises OzError where the node itself fails."""
        raise NotImplementedError


class InstallationCheck(Check[F]):
    """Facts of the installation as a whole, or of the workstation: what belongs to no single node."""

    def probe(self, context: CheckContext) -> F:
        """Ask. Leaves nothing behind, ends within ten seconds. Raises OzError."""
        raise NotImplementedError

    def judge(self, context: CheckContext, facts: F) -> Iterator[Finding]:
        """What is to be said of the facts; of the workstation or of any node. Pure."""
        raise NotImplementedError
