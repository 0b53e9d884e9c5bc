"""Base classes of the checks: each gathers facts, and a pure ``judge`` makes findings.

Check
├── NodeCheck           facts per node, judged one node at a time, then across the nodes
│   ├── ShellCheck      gathered by a piece of shell; the pieces of all shell checks share one round trip
│   └── ProbeCheck      gathered by a dialogue with the node
└── InstallationCheck   facts of the installation as a whole
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Generic, TypeVar

from oz_installer.checks.context import CheckContext, CheckedNode, Finding, FindingLevel, Remedy

F = TypeVar("F")


class Check(Generic[F]):
    """A check of one subject.

    ``name`` begins the ids of its findings, ``title`` is shown on screen."""

    name: ClassVar[str]
    title: ClassVar[str]

    def finding(
        self,
        node: CheckedNode | None,
        level: FindingLevel,
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
        """Build a finding of this check; ``node`` is None for a finding that belongs to no node.

        ``about`` is the second part of the id, as in ``host.memory/api1``; ``target`` is the other node of
        the finding, as in ``network.8501/api1:bio2``. At level ok, ``why`` and ``hint`` are dropped, and
        ``hint_when_ok`` replaces ``hint``: advice that applies although nothing is wrong."""
        is_ok = level == "ok"
        name = f"{self.name}.{about}" if about else self.name
        suffix = f"/{node.name}" if node else ""
        return Finding(
            id=f"{name}{suffix}{f':{target}' if target else ''}",
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
    """A check that is judged one node at a time."""

    def nodes(self, context: CheckContext) -> tuple[CheckedNode, ...]:
        """Return the nodes that this check applies to."""
        return context.nodes

    def judge(self, context: CheckContext, node: CheckedNode, facts: F) -> Iterator[Finding]:
        """Turn the facts of a node into findings. Pure."""
        raise NotImplementedError

    def across(self, context: CheckContext, facts: Mapping[str, F]) -> Iterator[Finding]:
        """Compare nodes with each other: ``facts`` by node, without the nodes that returned none.

        Pure."""
        del context, facts
        yield from ()


class ShellCheck(NodeCheck[F]):
    """A check by a piece of shell. All pieces go to a node as one script, in one round trip."""

    def prelude(self, context: CheckContext) -> str:
        """Return POSIX sh that runs before all pieces and sets variables for them.

        A prelude that several checks return runs once."""
        del context
        return ""

    def script(self, context: CheckContext, node: CheckedNode) -> str:
        """Return POSIX sh that runs in a subshell and changes nothing; stderr is dropped.

        A command that may hang is called by ``soon``, which ends it after five seconds."""
        raise NotImplementedError

    def parse(self, text: str) -> F:
        """Parse the output of the script. Raises ValueError or KeyError for unexpected output."""
        raise NotImplementedError

    def display(self, facts: F) -> Iterator[tuple[str, str]]:
        """Yield label and value of the facts that are shown after a connection test."""
        del facts
        yield from ()


class ProbeCheck(NodeCheck[F]):
    """A check by a dialogue with a node, in one thread per node."""

    def probe(self, context: CheckContext, node: CheckedNode) -> F:
        """Gather facts within ten seconds and leave nothing behind.

        Raises OzError when the node fails."""
        raise NotImplementedError


class InstallationCheck(Check[F]):
    """A check of the installation as a whole or of the workstation, not of a single node."""

    def probe(self, context: CheckContext) -> F:
        """Gather facts within ten seconds and leave nothing behind. Raises OzError."""
        raise NotImplementedError

    def judge(self, context: CheckContext, facts: F) -> Iterator[Finding]:
        """Turn the facts into findings, of the workstation or of any node. Pure."""
        raise NotImplementedError


AnyNodeCheck = NodeCheck[Any]
"""A check whose facts the reader need not know."""
