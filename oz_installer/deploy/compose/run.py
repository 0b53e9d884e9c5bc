"""One run on nodes: connections, facts, plan, and changes through the gate."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, wait
from dataclasses import dataclass, field
from time import monotonic
from typing import TypeVar

from oz_installer.deploy.command_output import beyond, collapse_repeats, drop_progress, last_lines
from oz_installer.deploy.compose import node_commands as commands
from oz_installer.deploy.compose.abort import AbortLoop
from oz_installer.deploy.compose.facts import NodeFacts
from oz_installer.deploy.compose.reconnect import reconnect
from oz_installer.deploy.errors import combine_errors, hint_for
from oz_installer.deploy.events import EmitEvent, Message, MessageLevel
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
STOP_POLL_SECONDS = 0.2
LOCK_LOST, LOCK_LOST_TEXT = 5, "this run no longer holds the lock"


@dataclass(kw_only=True)
class NodesRun:
    """One running installation. Nodes are always in the operator's order."""

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
    taken_over: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)
    touched: set[str] = field(default_factory=set)
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

    def log(self, text: str, target: str | None = None, level: MessageLevel = "info") -> None:
        """Report a line to the front end."""
        self.emit(Message(level=level, text=text, node=target))

    def check_stop(self) -> None:
        """Raise Interrupted once the operator has asked to stop; never while undoing."""
        if self.stop.is_set() and not self.undoing:
            raise Interrupted("stopped at your request")

    def check_cancelled(self) -> None:
        """Raise Interrupted once the operator has asked to stop, or another node has failed."""
        self.check_stop()
        if self.cancelled.is_set() and not self.undoing:
            raise Interrupted("stopped, because another node failed")

    def change(self, node: str, what: str, argv: Sequence[str], **options: object) -> CommandResult:
        """Change a node while its lock is ours. Raises DeployError when that fails, LockedError."""
        result = self.try_change(node, what, argv, **options)
        if not result.ok:
            output = self._output(result)
            message = f"cannot {what}: {last_lines(output)}"
            details = beyond(message, collapse_repeats(drop_progress(output)))
            raise DeployError(message, hint_for(output), node=node, details=details)
        return result

    def try_change(self, node: str, what: str, argv: Sequence[str], **options: object) -> CommandResult:
        """Change a node while its lock is ours, and return also a failure. Raises LockedError."""
        guarded = commands.under_lock(self.settings.install_dir, self.id, what, argv)
        result = self.gate.change(self.transports[node], what, guarded, **options)  # type: ignore[arg-type]
        if result.status == LOCK_LOST and LOCK_LOST_TEXT in self._output(result):
            self.taken_over.add(node)
            raise LockedError(
                f"cannot {what}: another run has taken over the node",
                "Read lock/owner in the install folder to see whose run it is; run again after its end.",
                node=node,
            )
        return result

    def _output(self, result: CommandResult) -> str:
        # mask before shortening: a cut inside a secret would leave a part of it
        output = self.settings.masker(result.stderr.decode("utf-8", "replace")).strip()
        return output or self.settings.masker(result.text).strip()

    def fallback(self, node: str) -> str:
        """Return the generation that was verified last, if it is not the one that this run found."""
        facts = self.facts[node]
        kept = facts.details.generations if facts.details else ()
        return facts.good if facts.good != facts.generation and facts.good in kept else ""

    def not_undone(self) -> tuple[str, ...]:
        """Return what could not be rolled back although no undo failed."""
        told = []
        for node in self.nodes:
            if node in self.taken_over:
                told.append(f"{node}: another run has taken over the node, with what this run changed there")
            elif node in self.lost:
                told.append(f"{node}: the node did not come back; its changes and its lock remain")
            elif node in self.touched and node not in self.generations and not self.fallback(node):
                told.append(f"{node}: this run repaired the current files, and no earlier ones were verified")
        return tuple(told)

    def each(
        self,
        nodes: Sequence[str],
        work: Callable[[str], T],
        *,
        abort: Callable[[str], None] | None = None,
        patience: float | None = None,
    ) -> dict[str, T]:
        """Run ``work`` on several nodes in parallel, wait for all, then raise the first failure.

        When one fails, or the operator asks to stop, ``cancelled`` is set for the others, and ``abort`` may
        end the work in progress on a node; it is called repeatedly, because the node may not have begun that
        work yet. ``patience`` (seconds) limits the wait from then on: only for work that may be abandoned.
        While undoing, a lost node is waited for and gets its work again, and nodes that never came back or
        that another run has taken over are left alone.
        """
        futures = self._run_all(nodes, work, abort, patience)
        if self.undoing and (lost := [node for node, one in futures.items() if _is_lost(one)]):
            self._reconnect(lost)
            futures |= self._run_all(lost, work, abort, patience)
        failures = [error for f in futures.values() if f.done() and (error := f.exception()) is not None]
        if self.undoing:
            failures = [error for error in failures if not isinstance(error, LockedError)]  # see not_undone
        self.check_stop()
        if failures:
            raise combine_errors(failures)
        return {node: future.result() for node, future in futures.items() if future.exception() is None}

    def _run_all(
        self,
        nodes: Sequence[str],
        work: Callable[[str], T],
        abort: Callable[[str], None] | None,
        patience: float | None,
    ) -> dict[str, Future[T]]:
        if self.undoing:
            nodes = [node for node in nodes if node not in self.taken_over | self.lost]
        futures = start_all(nodes, work)
        stopped_at: float | None = None
        aborting = AbortLoop(abort, self.log)
        while pending := _pending(futures):
            wait([futures[node] for node in pending], timeout=STOP_POLL_SECONDS, return_when=FIRST_EXCEPTION)
            if stopped_at is None and not self.undoing and (self.stop.is_set() or _failed(futures)):
                stopped_at = monotonic()
                self._cancel(_pending(futures))
            if stopped_at is not None:
                aborting.repeat(_pending(futures))
            if stopped_at is not None and patience is not None and monotonic() - stopped_at > patience:
                break
        aborting.end()
        return futures

    def recover(self) -> None:
        """Reconnect to changing nodes whose connection is lost.

        Those that do not answer are waited for. A node that does not come back is in ``lost``.
        """
        self._reconnect(self.changing)

    def _reconnect(self, nodes: Sequence[str]) -> None:
        for future in wait_all(start_all(nodes, lambda node: reconnect(self, node))).values():
            future.result()

    def _cancel(self, pending: Sequence[str]) -> None:
        self.cancelled.set()
        if pending and self.stop.is_set():
            self.log(f"stopping; the work in progress on {', '.join(pending)} ends first", None)


def _pending(futures: Mapping[str, Future[T]]) -> list[str]:
    return [node for node, future in futures.items() if not future.done()]


def _is_lost(future: Future[T]) -> bool:
    return future.done() and isinstance(future.exception(), ConnectError)


def _failed(futures: Mapping[str, Future[T]]) -> bool:
    return any(future.done() and future.exception() is not None for future in futures.values())
