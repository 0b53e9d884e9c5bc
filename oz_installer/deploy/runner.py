"""Goes through the phases of a recipe, tells about it, and takes back what failed."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic

from oz_installer.deploy.events import PhaseEnded, PhaseStarted, RunEnded, RunStarted
from oz_installer.deploy.phase import Phase
from oz_installer.deploy.run import Run
from oz_installer.errors import Interrupted, OzError


def run_phases(phases: Sequence[Phase], run: Run) -> None:
    """Run every phase in order. On a failure the entered ones are undone in reverse order.

    Raises what the failing phase raised; Interrupted on Ctrl-C.
    """
    began = monotonic()
    wanted = [phase for phase in phases if phase.should_run(run)]
    run.emit(RunStarted(phases=tuple(phase.title for phase in wanted), nodes=run.nodes))
    entered: list[Phase] = []
    try:
        for number, phase in enumerate(wanted, 1):
            run.check_cancelled()
            entered.append(phase)
            run.emit(PhaseStarted(phase=phase.title, number=number, of=len(wanted)))
            _timed(phase, run)
    except BaseException as error:
        run.cancelled.clear()
        _undo(entered, run)
        interrupted = isinstance(error, (KeyboardInterrupt, Interrupted))
        outcome = "interrupted" if interrupted else "failed"
        _close(entered, run)
        run.emit(RunEnded(outcome=outcome, seconds=monotonic() - began))  # type: ignore[arg-type]
        if isinstance(error, KeyboardInterrupt):
            raise _stopped(entered) from None
        raise
    _close(entered, run)
    run.emit(RunEnded(outcome="done", seconds=monotonic() - began))


def _timed(phase: Phase, run: Run) -> None:
    began = monotonic()
    try:
        phase.run(run)
    except BaseException:
        run.emit(PhaseEnded(phase=phase.title, seconds=monotonic() - began, outcome="failed"))
        raise
    run.emit(PhaseEnded(phase=phase.title, seconds=monotonic() - began, outcome="done"))


def _undo(entered: Sequence[Phase], run: Run) -> None:
    for phase in reversed(entered):
        if type(phase).undo is Phase.undo:
            continue
        began = monotonic()
        try:
            phase.undo(run)
            run.emit(PhaseEnded(phase=phase.title, seconds=monotonic() - began, outcome="undone"))
        except OzError as error:
            run.say(f"could not take back «{phase.title}»: {error}", node=error.node, level="error")


def _close(entered: Sequence[Phase], run: Run) -> None:
    for phase in reversed(entered):
        try:
            phase.close(run)
        except OzError as error:
            run.say(f"could not tidy up after «{phase.title}»: {error}", node=error.node, level="warning")


def _stopped(entered: Sequence[Phase]) -> Interrupted:
    title = entered[-1].title if entered else "the start"
    return Interrupted(
        f"stopped at your request during «{title}»; what this run had changed was taken back",
        "Run the same command again to go on.",
    )
