"""Carries out remedies: all nodes at once, on each one command after the other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from oz_installer.answers.file import LoadedAnswers
from oz_installer.answers.model import Answers
from oz_installer.answers.secrets.resolve import Ask
from oz_installer.checks.context import Remedy
from oz_installer.deploy.events import Event, Message, NodeProgress
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
"""A package manager that waits for another one, or for a slow mirror, says nothing for long."""

DOOR_SECONDS = 60.0
STOPPED = "stopped at your request"
_LAST_LINES = 5

Tell = Callable[[Event], None]


@dataclass(frozen=True, kw_only=True)
class RepairResult:
    """What became of a remedy: how many of its commands were done, and why not all; empty: all of them.

    ``tried``: how many may have changed something; one more where a command failed on its way, or nobody
    knows how it ended.
    """

    remedy: Remedy
    commands: int = 0
    error: str = ""
    tried: int = 0

    @property
    def undo_commands(self) -> tuple[tuple[str, ...], ...]:
        """What takes back what may have been changed."""
        return self.remedy.undo_for(self.tried)

    @property
    def remaining(self) -> tuple[tuple[str, ...], ...]:
        """The commands that are still to be run, the one that failed first."""
        return self.remedy.commands[self.commands :]

    @property
    def failure_advice(self) -> str:
        """What a remedy that failed has left behind, and what to do about it."""
        if not self.error or not self.tried:
            return "Nothing was done." if self.error else ""
        before = [
            f"«{command_text(self.remedy, command)}»" for command in self.remedy.commands[: self.commands]
        ]
        words = [f"Done before that: {', '.join(before)}."] if before else []
        if self.tried > self.commands:
            words.append("What failed may have been done in part.")
        if self.undo_commands:
            words.append(
                "oz-install check --undo takes it back; or mend the cause and run check --fix again."
            )
        else:
            words.append("Mend the cause, then try again.")
        return " ".join(words)


def distinct(remedies: Iterable[Remedy]) -> list[Remedy]:
    """Each once: what mends a database is found from every node that uses it."""
    found: dict[tuple[object, ...], Remedy] = {}
    for remedy in remedies:
        found.setdefault(remedy_key(remedy), remedy)
    return list(found.values())


def server_address(answers: Answers, remedy: Remedy) -> str:
    """Host and port that the answers name for where a remedy is carried out; empty for an unknown node."""
    if remedy.database:
        return f"{answers.database.host}:{answers.database.port}"
    return next((f"{one.host}:{one.port or 22}" for one in answers.nodes if one.name == remedy.node), "")


def other_server(answers: Answers, remedy: Remedy) -> str:
    """What is told of a remedy that belongs to another server than the answers name now, else empty."""
    known = any(node.name == remedy.node for node in answers.nodes)
    where = server_address(answers, remedy) if known else "no such node"
    if known and remedy.at in ("", where):
        return ""
    return f"that was done on {remedy.at or remedy.node}, and the answers name {where} now"


def remedy_key(remedy: Remedy) -> tuple[object, ...]:
    """The same for remedies that do the same."""
    return (remedy.database or remedy.node, bool(remedy.database), remedy.commands)


def repair(
    loaded: LoadedAnswers,
    path: Path,
    open_transport: OpenTransport,
    remedies: Sequence[Remedy],
    tell: Tell,
    stop: threading.Event,
    *,
    ask: Ask | None = None,
) -> list[RepairResult]:
    """Carry them out over connections of their own; what became of each, in their order.

    Nodes and the database are mended beside each other; the first command that fails is the last there.
    ``tell`` is called by any thread; after ``stop`` is set no further command begins. Raises AnswersError;
    OzError where the list of how to take it back cannot be written.
    """
    inputs = read_inputs(loaded, path, ask=ask, connecting=True)
    nodes = {node.name: node for node in loaded.answers.nodes}
    lines = ConnectionPool(lambda name: open_transport(nodes[name], inputs.secrets))
    try:
        return run_remedies(inputs, lines, remedies, tell, stop)
    finally:
        lines.close()


def run_remedies(
    inputs: Inputs,
    reach: Callable[[str], Transport],
    remedies: Sequence[Remedy],
    tell: Tell,
    stop: threading.Event,
) -> list[RepairResult]:
    """The same over connections that are there."""
    work = _Work(inputs, reach, tell, stop)
    lanes: dict[str, list[int]] = {}
    for place, remedy in enumerate(remedies):
        lanes.setdefault("the database" if remedy.database else remedy.node, []).append(place)
    futures = wait_all(
        start_all(lanes, lambda lane: work.lane([remedies[place] for place in lanes[lane]]), name="mend")
    )
    found: dict[int, RepairResult] = {}
    for lane, future in futures.items():
        found.update(zip(lanes[lane], future.result(), strict=True))
    return [found[place] for place in range(len(remedies))]


class _Work:
    """Mending the nodes of one installation."""

    def __init__(
        self, inputs: Inputs, reach: Callable[[str], Transport], tell: Tell, stop: threading.Event
    ) -> None:
        self._inputs, self._reach, self._tell, self._stop = inputs, reach, tell, stop
        self._undo = UndoLog(undo_log_path(inputs.path))
        self._mask = inputs.secrets.masker()

    def lane(self, remedies: Sequence[Remedy]) -> list[RepairResult]:
        """One after the other, up to the first that fails."""
        done: list[RepairResult] = []
        for remedy in remedies:
            if self._stop.is_set():
                done.append(RepairResult(remedy=remedy, error=STOPPED))
            elif done and done[-1].error:
                done.append(RepairResult(remedy=remedy, error="not tried: what comes before it failed"))
            else:
                done.append(self._recorded(remedy))
        return done

    def _recorded(self, remedy: Remedy) -> RepairResult:
        answers = self._inputs.loaded.answers
        if why := other_server(answers, remedy):
            return RepairResult(remedy=remedy, error=f"{why}: nothing was done")
        self._undo.begin(replace(remedy, at=server_address(answers, remedy)))
        self._say("info", f"{remedy.title} ...", remedy)
        one = self._sql(remedy) if remedy.database else self._commands(remedy)
        self._undo.end(remedy, one.commands, one.error, one.tried)
        if one.error:
            self._say("error", f"{one.error}. {one.failure_advice}", remedy)
        else:
            self._say("info", f"{remedy.title}: done", remedy)
        return one

    def _commands(self, remedy: Remedy) -> RepairResult:
        try:  # before anything begins: whether the node is there and the login becomes root
            transport = self._reach(remedy.node)
            transport.run(("true",), become=True, timeout=DOOR_SECONDS)
        except OzError as error:
            return RepairResult(remedy=remedy, error=self._clean(error.message))
        for number, command in enumerate(remedy.commands):
            if self._stop.is_set():
                return RepairResult(remedy=remedy, commands=number, error=STOPPED, tried=number)
            try:
                result = transport.run(
                    command,
                    become=True,
                    timeout=SILENCE_SECONDS,
                    on_output=_last_line(lambda line: self._progress(remedy, line)),
                )
            except OzError as error:
                why = (
                    f"«{command_text(remedy, command)}» began, and how it ended nobody knows: {error.message}"
                )
            else:
                why = "" if result.ok else _failure(remedy, command, result)
            if why:
                return RepairResult(remedy=remedy, commands=number, error=self._clean(why), tried=number + 1)
        return _all_done(remedy)

    def _sql(self, remedy: Remedy) -> RepairResult:
        from oz_installer.checks.database.postgres_admin import StatementsFailed

        try:
            self._statements(remedy)
        except StatementsFailed as error:
            why = self._clean(error.message)
            return RepairResult(remedy=remedy, commands=error.done, error=why, tried=error.tried)
        except OzError as error:
            return RepairResult(remedy=remedy, error=self._clean(error.message))
        return _all_done(remedy)

    def _statements(self, remedy: Remedy) -> None:
        """SQL as the database's administrator, through the node. Raises OzError."""
        from oz_installer.checks.database.postgres_admin import admin_connection, run_statements

        secrets = self._inputs.secrets
        admin = admin_connection(self._inputs.loaded.answers.database, secrets, remedy.database)
        if admin is None:
            raise OzError(
                "this needs the database's administrator: database.admin_user, database.admin_password"
            )
        role = secrets.get("database.password", Secret(""))
        run_statements(self._reach(remedy.node), admin, remedy, role)

    def _clean(self, text: str) -> str:
        return safe_line(self._mask(text), 600)

    def _say(self, level: str, text: str, remedy: Remedy) -> None:
        kind = "error" if level == "error" else "info"
        self._tell(Message(level=kind, text=self._mask(text), node=remedy.node))  # type: ignore[arg-type]

    def _progress(self, remedy: Remedy, line: str) -> None:
        self._tell(NodeProgress(node=remedy.node, text=f"{remedy.title}: {self._clean(line)}"))


def _all_done(remedy: Remedy) -> RepairResult:
    return RepairResult(remedy=remedy, commands=len(remedy.commands), tried=len(remedy.commands))


def _last_line(tell: Callable[[str], None]) -> Callable[[bytes], None]:
    """Tells the last whole line of each piece of output."""
    rest = b""

    def on_output(piece: bytes) -> None:
        nonlocal rest
        *lines, rest = (rest + piece).replace(b"\r", b"\n").split(b"\n")
        rest = rest[-1000:]
        if full := [line for line in lines if line.strip()]:
            tell(full[-1].decode("utf-8", "replace").strip())

    return on_output


def _failure(remedy: Remedy, command: tuple[str, ...], result: CommandResult) -> str:
    words = (result.stderr_text or result.text.strip()).splitlines()[-_LAST_LINES:]
    return f"«{command_text(remedy, command)}» ended with status {result.status}: {' '.join(words)}"
