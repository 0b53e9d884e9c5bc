"""Apply remedies: all nodes in parallel, one command at a time per node."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from oz_installer.answers.file import LoadedAnswers
from oz_installer.answers.model import Answers
from oz_installer.answers.secrets.resolve import Ask
from oz_installer.checks.context import Remedy
from oz_installer.deploy.events import Event, Message, MessageLevel, NodeProgress
from oz_installer.deploy.gate import Gate, LiveGate
from oz_installer.errors import OzError
from oz_installer.frozen import dataclass
from oz_installer.installation.desired_state.inputs import Inputs, read_inputs
from oz_installer.installation.nodes.connection_pool import ConnectionPool
from oz_installer.installation.platform import OpenTransport
from oz_installer.installation.undo_log import UndoLog, command_text, undo_log_path
from oz_installer.remote.parallel import start_all, wait_all
from oz_installer.remote.transport import CommandResult, Transport
from oz_installer.secret import Secret
from oz_installer.text import safe_line

SILENCE_SECONDS = 900.0
"""A package manager that waits for another one or for a slow mirror prints nothing for long."""

LOGIN_SECONDS = 60.0
STOPPED = "stopped at your request"
_LAST_LINES = 5

OnEvent = Callable[[Event], None]


@dataclass(frozen=True, kw_only=True)
class RepairResult:
    """The result of a remedy: how many commands were done, and the error; empty: all were done.

    ``tried`` is the number of commands that may have changed something: one more than ``commands`` when a
    command failed or its result is unknown.
    """

    remedy: Remedy
    commands: int = 0
    error: str = ""
    tried: int = 0

    @property
    def undo_commands(self) -> tuple[tuple[str, ...], ...]:
        """Commands that undo what may have been changed."""
        return self.remedy.undo_for(self.tried)

    @property
    def remaining(self) -> tuple[tuple[str, ...], ...]:
        """The commands that were not completed, beginning with the one that failed."""
        return self.remedy.commands[self.commands :]

    @property
    def failure_advice(self) -> str:
        """The effect of a failed remedy, and what to do next."""
        if not self.error or not self.tried:
            return "Nothing was done." if self.error else ""
        before = [
            f"«{command_text(self.remedy, command)}»" for command in self.remedy.commands[: self.commands]
        ]
        words = [f"Done before that: {', '.join(before)}."] if before else []
        if self.tried > self.commands:
            words.append("The failed command may have been done in part.")
        if self.undo_commands:
            words.append(
                "Run oz-install check --undo, or fix the cause and run oz-install check --fix again."
            )
        else:
            words.append("Fix the cause, then try again.")
        return " ".join(words)


def distinct(remedies: Iterable[Remedy]) -> list[Remedy]:
    """Return each remedy once: a remedy for a database is found from every node that uses it."""
    found: dict[tuple[object, ...], Remedy] = {}
    for remedy in remedies:
        found.setdefault(remedy_key(remedy), remedy)
    return list(found.values())


def server_address(answers: Answers, remedy: Remedy) -> str:
    """Return host and port of the remedy's server in the answers; empty for an unknown node."""
    if remedy.database:
        return f"{answers.database.host}:{answers.database.port}"
    return next((f"{one.host}:{one.port or 22}" for one in answers.nodes if one.name == remedy.node), "")


def other_server(answers: Answers, remedy: Remedy) -> str:
    """Return a message if the remedy belongs to another server than the answers name, else ""."""
    known = any(node.name == remedy.node for node in answers.nodes)
    where = server_address(answers, remedy) if known else "no such node"
    if known and remedy.at in ("", where):
        return ""
    return f"that was done on {remedy.at or remedy.node}, and the answers name {where} now"


def remedy_key(remedy: Remedy) -> tuple[object, ...]:
    """Return a key that is equal for remedies with the same effect."""
    return (remedy.database or remedy.node, bool(remedy.database), remedy.commands)


def repair(
    loaded: LoadedAnswers,
    path: Path,
    open_transport: OpenTransport,
    remedies: Sequence[Remedy],
    on_event: OnEvent,
    stop: threading.Event,
    *,
    ask: Ask | None = None,
) -> list[RepairResult]:
    """Apply remedies over connections of their own. Return the result of each, in their order.

    Nodes and the database are fixed in parallel; each stops at its first failed command. ``on_event`` is
    called from any thread; after ``stop`` is set no further command begins. Raises AnswersError, and OzError
    when the undo log cannot be written.
    """
    inputs = read_inputs(loaded, path, ask=ask, connecting=True)
    nodes = {node.name: node for node in loaded.answers.nodes}
    pool = ConnectionPool(lambda name: open_transport(nodes[name], inputs.secrets))
    try:
        return run_remedies(inputs, pool, remedies, on_event, stop)
    finally:
        pool.close()


def run_remedies(
    inputs: Inputs,
    reach: Callable[[str], Transport],
    remedies: Sequence[Remedy],
    on_event: OnEvent,
    stop: threading.Event,
    *,
    gate: Gate | None = None,
) -> list[RepairResult]:
    """Apply remedies over existing connections, each command through the gate."""
    work = _Repair(inputs, reach, on_event, stop, gate or LiveGate())
    lanes: dict[str, list[int]] = {}
    for index, remedy in enumerate(remedies):
        lanes.setdefault("the database" if remedy.database else remedy.node, []).append(index)
    futures = wait_all(
        start_all(lanes, lambda lane: work.lane([remedies[index] for index in lanes[lane]]), name="fix")
    )
    found: dict[int, RepairResult] = {}
    for lane, future in futures.items():
        found.update(zip(lanes[lane], future.result(), strict=True))
    return [found[index] for index in range(len(remedies))]


class _Repair:
    """Applies remedies to the nodes and the database of one installation."""

    def __init__(
        self,
        inputs: Inputs,
        reach: Callable[[str], Transport],
        on_event: OnEvent,
        stop: threading.Event,
        gate: Gate,
    ) -> None:
        self._inputs, self._reach, self._on_event = inputs, reach, on_event
        self._stop, self._gate = stop, gate
        self._undo = UndoLog(undo_log_path(inputs.path))
        self._mask = inputs.secrets.masker()

    def lane(self, remedies: Sequence[Remedy]) -> list[RepairResult]:
        """Apply remedies one after the other, up to the first that fails."""
        done: list[RepairResult] = []
        for remedy in remedies:
            if self._stop.is_set():
                done.append(RepairResult(remedy=remedy, error=STOPPED))
            elif done and done[-1].error:
                done.append(RepairResult(remedy=remedy, error="not tried: an earlier fix failed"))
            else:
                done.append(self._recorded(remedy))
        return done

    def _recorded(self, remedy: Remedy) -> RepairResult:
        answers = self._inputs.loaded.answers
        if mismatch := other_server(answers, remedy):
            return RepairResult(remedy=remedy, error=f"{mismatch}: nothing was done")
        self._undo.begin(replace(remedy, at=server_address(answers, remedy)))
        self._log("info", f"{remedy.title} ...", remedy)
        one = self._sql(remedy) if remedy.database else self._commands(remedy)
        self._undo.end(remedy, one.commands, one.error, one.tried)
        if one.error:
            self._log("error", f"{one.error}. {one.failure_advice}", remedy)
        else:
            self._log("info", f"{remedy.title}: done", remedy)
        return one

    def _commands(self, remedy: Remedy) -> RepairResult:
        try:  # first check that the node is reachable and the login becomes root
            transport = self._reach(remedy.node)
            transport.run(("true",), become=True, timeout=LOGIN_SECONDS)
        except OzError as error:
            return RepairResult(remedy=remedy, error=self._clean(error.message))
        for number, command in enumerate(remedy.commands):
            if self._stop.is_set():
                return RepairResult(remedy=remedy, commands=number, error=STOPPED, tried=number)
            try:
                result = self._gate.change(
                    transport,
                    remedy.title,
                    command,
                    timeout=SILENCE_SECONDS,
                    on_output=_last_line(lambda line: self._progress(remedy, line)),
                )
            except OzError as error:
                started = f"«{command_text(remedy, command)}» was started"
                failure = f"{started}, but its result is unknown: {error.message}"
            else:
                failure = "" if result.ok else _failure(remedy, command, result)
            if failure:
                return RepairResult(
                    remedy=remedy, commands=number, error=self._clean(failure), tried=number + 1
                )
        return _all_done(remedy)

    def _sql(self, remedy: Remedy) -> RepairResult:
        from oz_installer.checks.database.postgres_admin import StatementsFailed

        try:
            self._statements(remedy)
        except StatementsFailed as error:
            message = self._clean(error.message)
            return RepairResult(remedy=remedy, commands=error.done, error=message, tried=error.tried)
        except OzError as error:
            return RepairResult(remedy=remedy, error=self._clean(error.message))
        return _all_done(remedy)

    def _statements(self, remedy: Remedy) -> None:
        """Run SQL as the database's administrator, through the node. Raises OzError."""
        from oz_installer.checks.database.postgres_admin import admin_connection, run_statements
        from oz_installer.checks.viewpoint import NodeViewpoint

        secrets = self._inputs.secrets
        database, base = self._inputs.loaded.answers.database, self._inputs.path.parent
        admin = admin_connection(database, secrets, remedy.database, base)
        if admin is None:
            raise OzError(
                "this needs the database's administrator: set database.admin_user and database.admin_password"
            )
        role = secrets.get("database.password", Secret(""))
        transport = self._reach(remedy.node)

        def work() -> bool:
            run_statements(NodeViewpoint(transport), admin, remedy, role)
            return True

        self._gate.run_on_node(transport, remedy.title, work)

    def _clean(self, text: str) -> str:
        return safe_line(self._mask(text), 600)

    def _log(self, level: MessageLevel, text: str, remedy: Remedy) -> None:
        self._on_event(Message(level=level, text=self._mask(text), node=remedy.node))

    def _progress(self, remedy: Remedy, line: str) -> None:
        self._on_event(NodeProgress(node=remedy.node, text=f"{remedy.title}: {self._clean(line)}"))


def _all_done(remedy: Remedy) -> RepairResult:
    return RepairResult(remedy=remedy, commands=len(remedy.commands), tried=len(remedy.commands))


def _last_line(on_line: Callable[[str], None]) -> Callable[[bytes], None]:
    """Return an output handler that reports the last complete line of each piece."""
    rest = b""

    def on_output(piece: bytes) -> None:
        nonlocal rest
        *lines, rest = (rest + piece).replace(b"\r", b"\n").split(b"\n")
        rest = rest[-1000:]
        if full := [line for line in lines if line.strip()]:
            on_line(full[-1].decode("utf-8", "replace").strip())

    return on_output


def _failure(remedy: Remedy, command: tuple[str, ...], result: CommandResult) -> str:
    output = (result.stderr_text or result.text.strip()).splitlines()[-_LAST_LINES:]
    return f"«{command_text(remedy, command)}» ended with status {result.status}: {' '.join(output)}"
