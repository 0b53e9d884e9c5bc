"""One run on nodes: connections, facts, plan, and how phases change nodes through the gate."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, wait
from dataclasses import dataclass, field
from time import monotonic
from typing import TypeVar

from oz_installer.deploy.command_output import collapse_repeats, drop_progress, last_lines
from oz_installer.deploy.compose import node_commands as commands
from oz_installer.deploy.compose.abort import AbortLoop
from oz_installer.deploy.compose.facts import NodeFacts
from oz_installer.deploy.errors import combine_errors, hint_for
from oz_installer.deploy.events import Event, Level, Message
from oz_installer.deploy.gate import Gate
from oz_installer.deploy.plan import Plan
from oz_installer.deploy.settings import RunSettings
from oz_installer.errors import ConnectError, DeployError, Interrupted, LockedError
from oz_installer.remote.docker_commands import ComposeTool
from oz_installer.remote.docker_engine import DockerEngine
from oz_installer.remote.parallel import start_all, wait_all
from oz_installer.remote.transport import CommandResult, Transport
from oz_installer.render.compose.bundle import Bundle
from oz_installer.topology.model import Topology

T = TypeVar("T")
EmitEvent = Callable[[Event], None]
STOP_POLL_SECONDS = 0.2
RECONNECT_SECONDS = 15.0
LOCK_LOST = 5


@dataclass(kw_only=True)
class NodesRun:
    """One installation at work. Nodes are named in the operator's order everywhere."""

    topology: Topology
    bundles: Mapping[str, Bundle]
    transports: Mapping[str, Transport]
    facts: dict[str, NodeFacts]
    plan: Plan
    gate: Gate
    settings: RunSettings
    emit: EmitEvent
    masked_files: Callable[[str], Mapping[str, bytes]]
    fingerprints: Callable[[str], Mapping[str, str]]
    id: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    compose: dict[str, ComposeTool] = field(default_factory=dict)
    generations: dict[str, str] = field(default_factory=dict)
    engines: dict[str, DockerEngine] = field(default_factory=dict)
    stop: threading.Event = field(default_factory=threading.Event)
    cancelled: threading.Event = field(default_factory=threading.Event)
    undoing: bool = False
    reopen: Callable[[str], None] | None = None
    keep_secrets: Callable[[], None] | None = None

    @property
    def nodes(self) -> tuple[str, ...]:
        """Every node of this run."""
        return tuple(self.bundles)

    @property
    def targets(self) -> tuple[str, ...]:
        """Every node of this run: the targets of Compose are nodes."""
        return self.nodes

    @property
    def changing(self) -> tuple[str, ...]:
        """Nodes on which something changes."""
        return self.plan.changing

    def log(self, text: str, target: str | None = None, level: Level = "info") -> None:
        """Report a line to the front end."""
        self.emit(Message(level=level, text=text, node=target))

    def check_stop(self) -> None:
        """Raises Interrupted once the operator has asked to stop; never while undoing."""
        if self.stop.is_set() and not self.undoing:
            raise Interrupted("stopped at your request")

    def check_cancelled(self) -> None:
        """The same, and also once another node has failed."""
        self.check_stop()
        if self.cancelled.is_set() and not self.undoing:
            raise Interrupted("stopped, because another node failed")

    def change(self, node: str, what: str, argv: Sequence[str], **options: object) -> CommandResult:
        """Change a node through the gate. Raises DeployError when the command fails."""
        result = self.gate.change(self.transports[node], what, argv, **options)  # type: ignore[arg-type]
        if not result.ok:
            # masked first: a cut through a secret would leave a part of it
            said = self.settings.masker(result.stderr.decode("utf-8", "replace")).strip()
            said = said or self.settings.masker(result.text).strip()
            if result.status == LOCK_LOST and "lock is no longer ours" in said:
                hint = "See lock/owner in the install folder for who it is; run again when that is done."
                raise LockedError(f"cannot {what}: another run has taken the node over", hint, node=node)
            details = collapse_repeats(drop_progress(said))
            raise DeployError(
                f"cannot {what}: {last_lines(said)}", hint_for(said), node=node, details=details
            )
        return result

    def each(
        self,
        nodes: Sequence[str],
        work: Callable[[str], T],
        *,
        abort: Callable[[str], None] | None = None,
        patience: float | None = None,
    ) -> dict[str, T]:
        """Do the same on several nodes at once; waits for all, then raises the first failure.

        When one fails, or the operator asks to stop, the others are told (``cancelled``), and ``abort`` may
        cut short what is under way on a node; it is called again while that goes on, for at first the node
        may not have got to it yet. ``patience`` (seconds) is how long the work is waited for then: only for
        work that may be left alone.
        """
        futures = start_all(nodes, work)
        told: float | None = None
        aborting = AbortLoop(abort, self.log)
        while pending := _pending(futures):
            wait([futures[node] for node in pending], timeout=STOP_POLL_SECONDS, return_when=FIRST_EXCEPTION)
            if told is None and not self.undoing and (self.stop.is_set() or _failed(futures)):
                told = monotonic()
                self._tell_to_stop(_pending(futures))
            if told is not None:
                aborting.repeat(_pending(futures))
            if told is not None and patience is not None and monotonic() - told > patience:
                break
        aborting.end()
        failures = [error for f in futures.values() if f.done() and (error := f.exception()) is not None]
        self.check_stop()
        if failures:
            raise combine_errors(failures)
        return {node: future.result() for node, future in futures.items()}

    def recover(self) -> None:
        """Reconnect to the changing nodes whose connection is lost, so that their changes can be undone.

        A node that cannot be reached stays lost, and each command to it says so.
        """
        for future in wait_all(start_all(self.changing, self._reconnect)).values():
            future.exception()

    def _reconnect(self, node: str) -> None:
        try:
            self.transports[node].run(("true",), become=False, timeout=RECONNECT_SECONDS)
        except ConnectError:
            if self.reopen is None:
                return
            self.log("the connection was lost; connecting again to take back what was begun", node, "warning")
            self.reopen(node)
            self.engines.pop(node, None)
            self.change(node, "wait for what is under way", commands.wait_idle(self.settings.install_dir))

    def _tell_to_stop(self, pending: Sequence[str]) -> None:
        self.cancelled.set()
        if pending and self.stop.is_set():
            self.log(f"stopping; what is under way on {', '.join(pending)} is ended first", None)


def _pending(futures: Mapping[str, Future[T]]) -> list[str]:
    return [node for node, future in futures.items() if not future.done()]


def _failed(futures: Mapping[str, Future[T]]) -> bool:
    return any(future.done() and future.exception() is not None for future in futures.values())
