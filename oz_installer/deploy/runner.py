"""Goes through the phases of a recipe, tells about it, and takes back what failed."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic
from typing import Any

from oz_installer.deploy.events import PhaseEnded, PhaseStarted, RunEnded, RunStarted
from oz_installer.deploy.phase import Phase, R
from oz_installer.errors import RERUN_HINT, ConnectError, DeployError, Interrupted, OzError


def run_phases(phases: Sequence[Phase[R]], run: R) -> None:
    """Run every phase in order. On a failure the entered ones are undone in reverse order.

    Raises what the failing phase raised, as a DeployError where a node was lost on the way; Interrupted
    when the operator asked to stop. A KeyboardInterrupt leaves at once, and undoes nothing more.
    """
    began = monotonic()
    wanted = [phase for phase in phases if phase.should_run(run)]
    run.emit(RunStarted(phases=tuple(phase.title for phase in wanted), nodes=run.targets))
    entered: list[Phase[R]] = []
    try:
        try:
            for number, phase in enumerate(wanted, 1):
                run.check_cancelled()
                entered.append(phase)
                run.emit(PhaseStarted(phase=phase.title, number=number, of=len(wanted)))
                _timed(phase, run)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever it was, it is undone and raised again
            remains = _take_back(entered, run)
            interrupted = isinstance(error, Interrupted)
            outcome = "interrupted" if interrupted else "failed"
            run.emit(RunEnded(outcome=outcome, seconds=monotonic() - began))  # type: ignore[arg-type]
            raise _told(error, entered, remains) from (None if interrupted else error.__cause__)
        _close(entered, run)
    except KeyboardInterrupt:
        run.emit(RunEnded(outcome="interrupted", seconds=monotonic() - began))
        raise _left(entered, run) from None
    run.emit(RunEnded(outcome="done", seconds=monotonic() - began))


def run_read_only(phases: Sequence[Phase[R]], run: R) -> None:
    """Run phases that change nothing: there is nothing to undo. Raises what a phase raised."""
    wanted = [phase for phase in phases if phase.should_run(run)]
    for number, phase in enumerate(wanted, 1):
        run.check_cancelled()
        run.emit(PhaseStarted(phase=phase.title, number=number, of=len(wanted)))
        _timed(phase, run)


def _timed(phase: Phase[R], run: R) -> None:
    began = monotonic()
    try:
        phase.run(run)
    except BaseException:
        run.emit(PhaseEnded(phase=phase.title, seconds=monotonic() - began, outcome="failed"))
        raise
    run.emit(PhaseEnded(phase=phase.title, seconds=monotonic() - began, outcome="done"))


def _take_back(entered: Sequence[Phase[R]], run: R) -> list[str]:
    """Undo what was entered, and tidy up; what could not be taken back."""
    run.undoing = True
    run.cancelled.clear()
    if not all(phase.read_only for phase in entered):
        run.log("taking back what this run has changed")
        run.recover()
    remains = [*_undo(entered, run), *_close(entered, run)]
    return list(dict.fromkeys(remains))


def _undo(entered: Sequence[Phase[R]], run: R) -> list[str]:
    remains = []
    for phase in reversed(entered):
        if type(phase).undo is Phase.undo:
            continue
        began = monotonic()
        try:
            phase.undo(run)
            run.emit(PhaseEnded(phase=phase.title, seconds=monotonic() - began, outcome="undone"))
        except Exception as error:  # noqa: BLE001 - the other phases must be undone whatever this one met
            run.log(f"could not take back «{phase.title}»: {error}", level="error")
            remains.append(f"«{phase.title}»: {error}")
    return remains


def _close(entered: Sequence[Phase[R]], run: R) -> list[str]:
    remains = []
    for phase in reversed(entered):
        try:
            phase.close(run)
        except Exception as error:  # noqa: BLE001 - what is done is done; this only tidies up
            run.log(f"could not tidy up after «{phase.title}»: {error}", level="warning")
            remains.append(f"«{phase.title}»: {error}")
    return remains


def _told(error: BaseException, entered: Sequence[Phase[Any]], remains: Sequence[str]) -> BaseException:
    """The error as the operator gets it: what was taken back, and what could not be."""
    if isinstance(error, Interrupted):
        error = _stopped(entered)
    elif isinstance(error, OzError) and (
        isinstance(error, ConnectError) or error.exit_code == OzError.exit_code
    ):
        error = DeployError(error.message, error.hint, node=error.node)
    if remains and isinstance(error, OzError):
        left = "\n".join(f"  {text}" for text in remains)
        error.message = f"{error.message}\nnot everything could be taken back:\n{left}"
        error.hint = f"{error.hint} The same command, run again, repairs what remains.".strip()
    return error


def _stopped(entered: Sequence[Phase[Any]]) -> Interrupted:
    title = entered[-1].title if entered else "the start"
    if all(phase.read_only for phase in entered):
        return Interrupted(f"stopped at your request during «{title}»; nothing was changed", RERUN_HINT)
    return Interrupted(
        f"stopped at your request during «{title}»; what this run had changed was taken back", RERUN_HINT
    )


def _left(entered: Sequence[Phase[R]], run: R) -> Interrupted:
    title = entered[-1].title if entered else "the start"
    if all(phase.read_only for phase in entered):
        return Interrupted(f"stopped at once during «{title}»; nothing was changed", RERUN_HINT)
    nodes = ", ".join(run.changing)
    return Interrupted(
        f"left at once during «{title}»: what this run had changed so far, and its lock, remain on {nodes}",
        f"{RERUN_HINT} It takes the lock over, and repairs what remains.",
    )
