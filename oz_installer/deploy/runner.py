"""Run the phases of a recipe, emit their events, and roll back after a failure."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic
from typing import Any, Literal

from oz_installer.deploy.events import PhaseEnded, PhaseStarted, RunEnded, RunStarted
from oz_installer.deploy.phase import Phase, R
from oz_installer.errors import RERUN_HINT, ConnectError, DeployError, Interrupted, LockedError, OzError


def run_phases(phases: Sequence[Phase[R]], run: R) -> None:
    """Run every phase in order. After a failure, undo those that had begun, in reverse order.

    Raises what the failing phase raised, as a DeployError where a node was lost during the run; Interrupted
    when the operator asked to stop. A KeyboardInterrupt exits at once and undoes nothing more.
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
        except BaseException as error:  # noqa: BLE001 - any error is rolled back and raised again
            remains = _roll_back(entered, run)
            interrupted = isinstance(error, Interrupted)
            outcome = "interrupted" if interrupted else "failed"
            run.emit(RunEnded(outcome=outcome, seconds=monotonic() - began))  # type: ignore[arg-type]
            raise _run_error(error, entered, remains) from (None if interrupted else error.__cause__)
        _close(entered, run)
    except KeyboardInterrupt:
        run.emit(RunEnded(outcome="interrupted", seconds=monotonic() - began))
        raise _exited_at_once(entered, run) from None
    run.emit(RunEnded(outcome="done", seconds=monotonic() - began))


def run_read_only(phases: Sequence[Phase[R]], run: R) -> None:
    """Run phases that change nothing and need no undo. Raises what a phase raised."""
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
    outcome: Literal["failed", "done"] = "failed" if phase.has_failed(run) else "done"
    run.emit(PhaseEnded(phase=phase.title, seconds=monotonic() - began, outcome=outcome))


def _roll_back(entered: Sequence[Phase[R]], run: R) -> list[str]:
    """Undo the phases that had begun and clean up. Return what could not be rolled back."""
    run.undoing = True
    run.cancelled.clear()
    if not all(phase.read_only for phase in entered):
        run.log("rolling back the changes of this run")
        run.recover()
    remains = [*_undo(entered, run), *_close(entered, run), *run.not_undone()]
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
        except Exception as error:  # noqa: BLE001 - a failed undo must not keep the other phases from theirs
            run.log(f"could not roll back «{phase.title}»: {error}", level="error")
            remains.append(f"«{phase.title}»: {error}")
    return remains


def _close(entered: Sequence[Phase[R]], run: R) -> list[str]:
    run.undoing = True  # a wish to stop that comes now is no reason to leave something behind
    remains = []
    for phase in reversed(entered):
        try:
            phase.close(run)
        except Exception as error:  # noqa: BLE001 - a failed clean-up does not undo a finished run
            run.log(f"could not clean up after «{phase.title}»: {error}", level="warning")
            remains.append(f"«{phase.title}»: {error}")
    return remains


def _run_error(error: BaseException, entered: Sequence[Phase[Any]], remains: Sequence[str]) -> BaseException:
    """Return the error for the operator: whether the run was rolled back, and what remains."""
    if isinstance(error, Interrupted):
        error = _stopped(entered, whole=not remains)
    elif isinstance(error, OzError) and (
        isinstance(error, ConnectError) or error.exit_code == OzError.exit_code
    ):
        error = DeployError(error.message, error.hint, node=error.node)
    if remains and isinstance(error, OzError):
        details = "\n".join(f"  {text}" for text in remains)
        error.message = f"{error.message}\nnot everything could be rolled back:\n{details}"
        if not isinstance(error, LockedError):
            error.hint = f"{error.hint} Run the same command again to repair what remains.".strip()
    return error


def _stopped(entered: Sequence[Phase[Any]], *, whole: bool) -> Interrupted:
    title = entered[-1].title if entered else "the start"
    if all(phase.read_only for phase in entered):
        return Interrupted(f"stopped at your request during «{title}»; nothing was changed", RERUN_HINT)
    told = "; the changes of this run were rolled back" if whole else ""
    return Interrupted(f"stopped at your request during «{title}»{told}", RERUN_HINT)


def _exited_at_once(entered: Sequence[Phase[R]], run: R) -> Interrupted:
    title = entered[-1].title if entered else "the start"
    if all(phase.read_only for phase in entered):
        return Interrupted(f"stopped at once during «{title}»; nothing was changed", RERUN_HINT)
    nodes = ", ".join(run.changing)
    return Interrupted(
        f"exited at once during «{title}»: its changes so far and its lock remain on {nodes}",
        f"{RERUN_HINT} That run takes over the lock and repairs what remains.",
    )
