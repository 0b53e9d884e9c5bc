"""The gate that every change passes. A dry run exchanges the gate; no phase branches on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import field
from typing import Protocol

from oz_installer.frozen import dataclass
from oz_installer.remote.transport import CommandResult, Transport


@dataclass(frozen=True, kw_only=True)
class DryRunChange:
    """A change for a dry run: the node (empty: this workstation), the text and the command.

    ``housekeeping``: it serves the run itself, such as a lock or a mark; the operator need not see it."""

    node: str
    what: str
    argv: tuple[str, ...] = field(repr=False)
    housekeeping: bool = False


class Gate(Protocol):
    """Makes changes, or only reports them.

    ``at_once``: how many services of a node may start in parallel."""

    at_once: int

    def change(
        self,
        transport: Transport,
        what: str,
        argv: Sequence[str],
        *,
        stdin: bytes | Iterable[bytes] | None = None,
        timeout: float = 300.0,
        on_sent: Callable[[int], None] | None = None,
        on_output: Callable[[bytes], None] | None = None,
        housekeeping: bool = False,
    ) -> CommandResult:
        """Make one change on a node. ``timeout`` is the longest time without output, in seconds.

        ``housekeeping``: the change serves the run itself, such as a lock or a mark."""
        ...

    def run_on_node(self, transport: Transport, what: str, work: Callable[[], bool]) -> bool:
        """Make a change on a node that is not one command, such as a pull through the SDK."""
        ...

    def run_locally(self, what: str, work: Callable[[], None]) -> None:
        """Make a change on this workstation."""
        ...

    def wait(self, condition: Callable[[], bool]) -> bool:
        """Wait for the effect of a change. Return whether it came."""
        ...


class LiveGate:
    """The gate of a real run: makes every change."""

    at_once = 3

    def change(
        self,
        transport: Transport,
        what: str,  # noqa: ARG002
        argv: Sequence[str],
        *,
        stdin: bytes | Iterable[bytes] | None = None,
        timeout: float = 300.0,
        on_sent: Callable[[int], None] | None = None,
        on_output: Callable[[bytes], None] | None = None,
        housekeeping: bool = False,  # noqa: ARG002
    ) -> CommandResult:
        """Run the command on the node."""
        return transport.run(argv, stdin=stdin, timeout=timeout, on_sent=on_sent, on_output=on_output)

    def run_on_node(self, transport: Transport, what: str, work: Callable[[], bool]) -> bool:  # noqa: ARG002
        """Call ``work``."""
        return work()

    def run_locally(self, what: str, work: Callable[[], None]) -> None:  # noqa: ARG002
        """Call ``work``."""
        work()

    def wait(self, condition: Callable[[], bool]) -> bool:
        """Return what the condition returns."""
        return condition()


class DryGate:
    """The gate of a dry run: changes nothing and reports each change."""

    at_once = 1  # reports are in the same order in every dry run

    def __init__(self, report: Callable[[DryRunChange], None]) -> None:
        self._report = report

    def change(
        self,
        transport: Transport,
        what: str,
        argv: Sequence[str],
        *,
        stdin: bytes | Iterable[bytes] | None = None,  # noqa: ARG002
        timeout: float = 300.0,  # noqa: ARG002
        on_sent: Callable[[int], None] | None = None,  # noqa: ARG002
        on_output: Callable[[bytes], None] | None = None,  # noqa: ARG002
        housekeeping: bool = False,
    ) -> CommandResult:
        """Report the command, and return success."""
        change = DryRunChange(node=transport.name, what=what, argv=tuple(argv), housekeeping=housekeeping)
        self._report(change)
        return CommandResult(argv=tuple(argv), status=0)

    def run_on_node(self, transport: Transport, what: str, work: Callable[[], bool]) -> bool:  # noqa: ARG002
        """Report the change, and return success."""
        self._report(DryRunChange(node=transport.name, what=what, argv=()))
        return True

    def run_locally(self, what: str, work: Callable[[], None]) -> None:  # noqa: ARG002
        """Report the change."""
        self._report(DryRunChange(node="", what=what, argv=()))

    def wait(self, condition: Callable[[], bool]) -> bool:  # noqa: ARG002
        """Return at once: nothing was changed, so there is nothing to wait for."""
        return True
