"""The state that the phases Connect and ReadFacts share."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from oz_installer.deploy.compose import node_commands as commands
from oz_installer.deploy.compose.facts import NodeFacts, parse_facts
from oz_installer.deploy.events import Event, Message, MessageLevel
from oz_installer.errors import Interrupted, OzError, PreflightError
from oz_installer.remote.transport import Transport
from oz_installer.secret import Masker
from oz_installer.text import safe_line

if TYPE_CHECKING:
    from oz_installer.render.compose.bundle import Bundle

_SHOWN = 600


@dataclass(kw_only=True)
class Preparation:
    """The nodes to connect to, with their connections and facts as they arrive.

    ``open_node`` opens a connection, in a thread per node; ``render`` renders the bundles in the meantime. A
    node that fails does not hold up the others: see ``failures``.
    """

    nodes: Sequence[str]
    open_node: Callable[[str], Transport]
    render: Callable[[], Mapping[str, Bundle]]
    install_dir: str
    engine: str
    masker: Masker
    emit: Callable[[Event], None] = field(default=lambda _event: None)
    stop: threading.Event | None = None
    bundles: Future[Mapping[str, Bundle]] = field(default_factory=Future)
    reading: Mapping[str, Future[NodeFacts]] = field(default_factory=dict)
    failures: dict[str, OzError] = field(default_factory=dict)
    transports: dict[str, Transport] = field(default_factory=dict)
    facts: dict[str, NodeFacts] = field(default_factory=dict)
    cancelled: threading.Event = field(default_factory=threading.Event)
    undoing: bool = False

    @property
    def targets(self) -> tuple[str, ...]:
        """Every node to connect to."""
        return tuple(self.nodes)

    @property
    def changing(self) -> tuple[str, ...]:
        """No node: nothing is changed here."""
        return ()

    def log(self, text: str, target: str | None = None, level: MessageLevel = "info") -> None:
        """Report a line to the front end."""
        self.emit(Message(level=level, text=text, node=target))

    def check_stop(self) -> None:
        """Raise Interrupted once the operator has asked to stop."""
        if self.stop is not None and self.stop.is_set():
            raise Interrupted("stopped at your request")

    def check_cancelled(self) -> None:
        """Raise Interrupted once the operator has asked to stop."""
        self.check_stop()

    def recover(self) -> None:
        """Do nothing: nothing was changed."""

    def not_undone(self) -> tuple[str, ...]:
        """Return nothing: nothing was changed."""
        return ()

    def read_facts(self, node: str, transport: Transport, *, detailed: bool = False) -> NodeFacts:
        """Read the facts of one node in one round trip. Raises PreflightError.

        Details are read if another bundle is installed, or when ``detailed`` is set.
        """
        bundle = self.bundles.result()[node]
        digest = "" if detailed else bundle.digest
        result = transport.run(commands.read_facts(self.install_dir, self.engine, digest, bundle.images))
        try:
            return parse_facts(node, result.text, self.masker)
        except (ValueError, KeyError) as error:
            printed = self.masker(f"{result.stderr_text}\n{result.text[-_SHOWN:]}")
            raise PreflightError(
                f"cannot read the state of the node: {error} (status {result.status}); "
                f"it printed: {safe_line(printed, _SHOWN) or 'nothing'}",
                "Run this again; if it stays, send this message to Oz Forensics.",
                node=node,
            ) from error
