"""The one gate that every change of a node goes through. A dry run swaps the gate, never branches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import field
from typing import Protocol

from oz_installer.frozen import dataclass
from oz_installer.remote.transport import CommandResult, Transport


@dataclass(frozen=True, kw_only=True)
class DryRunChange:
    """A change as it is told: on which node (none: this workstation), what, and the command that makes it."""

    node: str
    what: str
    argv: tuple[str, ...] = field(repr=False)


class Gate(Protocol):
    """Lets changes through, or only writes them down."""

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
    ) -> CommandResult:
        """Make one change on a node. ``timeout`` is seconds of silence."""
        ...

    def run_on_node(self, transport: Transport, what: str, work: Callable[[], bool]) -> bool:
        """Make a change that is not one command, such as a pull through the SDK."""
        ...

    def run_locally(self, what: str, work: Callable[[], None]) -> None:
        """Make a change on this workstation."""
        ...

    def wait(self, condition: Callable[[], bool]) -> bool:
        """Wait on the effect of a change; whether it came."""
        ...


class LiveGate:
    """Makes the changes."""

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
    ) -> CommandResult:
        """Run the command on the node."""
        return transport.run(argv, stdin=stdin, timeout=timeout, on_sent=on_sent, on_output=on_output)

    def run_on_node(self, transport: Transport, what: str, work: Callable[[], bool]) -> bool:  # noqa: ARG002
        """Do the work."""
        return work()

    def run_locally(self, what: str, work: Callable[[], None]) -> None:  # noqa: ARG002
        """Do the work."""
        work()

    def wait(self, condition: Callable[[], bool]) -> bool:
        """Ask until the condition decides."""
        return condition()


class DryGate:
    """Makes no change and says what would be done."""

    def __init__(self, tell: Callable[[DryRunChange], None]) -> None:
        self._tell = tell

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
    ) -> CommandResult:
        """Say what would be run, and answer that it worked."""
        self._tell(DryRunChange(node=transport.name, what=what, argv=tuple(argv)))
        return CommandResult(argv=tuple(argv), status=0)

    def run_on_node(self, transport: Transport, what: str, work: Callable[[], bool]) -> bool:  # noqa: ARG002
        """Say what would be done, and answer that it worked."""
        self._tell(DryRunChange(node=transport.name, what=what, argv=()))
        return True

    def run_locally(self, what: str, work: Callable[[], None]) -> None:  # noqa: ARG002
        """Say what would be done."""
        self._tell(DryRunChange(node="", what=what, argv=()))

    def wait(self, condition: Callable[[], bool]) -> bool:  # noqa: ARG002
        """Nothing was changed, so there is nothing to wait for."""
        return True
