"""Jobs of the steps Review, Preflight, Install and Done. They run in threads; no widgets."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event as Stop
from time import time
from typing import TYPE_CHECKING

from oz_installer.errors import Interrupted, OzError, PreflightError
from oz_installer.text import plural
from oz_installer.tui.messages import Installed
from oz_installer.tui.views.rows import plan_rows
from oz_installer.tui.views.styled_rows import MeasuredRows

if TYPE_CHECKING:
    from oz_installer.answers.drafts.working_copy import WorkingCopy
    from oz_installer.checks.context import Finding
    from oz_installer.deploy.events import Event
    from oz_installer.installation.prepare import Prepared
    from oz_installer.tui.core import OperationsApi
    from oz_installer.tui.jobs import Post

MOST_NAMED = 5
"""Most findings that an error names."""


@dataclass(frozen=True, kw_only=True)
class JobStage:
    """The current stage of a job, before there are events."""

    text: str


@dataclass(frozen=True, kw_only=True)
class PlanReady:
    """The plan as rows, and its total."""

    sheet: MeasuredRows = field(repr=False)
    total: str


@dataclass(frozen=True, kw_only=True)
class ChecksDone:
    """The checks have ended; ``stopped``: before all had run."""

    stopped: bool


def compare(
    core: OperationsApi, path: Path, working: WorkingCopy | None, post: Post, stop: Stop
) -> PlanReady:
    """Compute what would change on the nodes, with unsaved answers if given.

    Raises OzError, also Interrupted."""
    from oz_installer.formatting.plan import plan_text, total_text

    post(JobStage(text="Connecting to the nodes and comparing ..."))
    prepared = core.prepare(path, stop, _stages(post), working)
    try:
        plan = core.with_diffs(prepared, stop)
    finally:
        prepared.close()
    return PlanReady(sheet=MeasuredRows.of(plan_rows(plan_text(plan))), total=total_text(plan))


def check(core: OperationsApi, path: Path, working: WorkingCopy | None, post: Post, stop: Stop) -> ChecksDone:
    """Run the checks on the file or on unsaved answers; report every finding. Raises OzError."""
    post(JobStage(text="Connecting and checking ..."))
    core.check(path, post, stop, working)
    return ChecksDone(stopped=stop.is_set())


def read_status(core: OperationsApi, path: Path, stop: Stop) -> Installed:
    """Read the status and the pending changes. Raises OzError, also Interrupted."""
    from oz_installer.formatting.plan import total_text

    prepared = core.prepare(path, stop)
    try:
        summary, changes = core.summarise(prepared, stop), total_text(core.with_diffs(prepared, stop))
        return Installed(path=path, summary=summary, changes=changes, at=time())
    finally:
        prepared.close()


def install(
    core: OperationsApi,
    path: Path,
    post: Post,
    on_event: Callable[[Event], None],
    stop: Stop,
    *,
    checked: bool,
    accepted: Collection[str] = (),
) -> Installed:
    """Install; unless ``checked``, run the checks first.

    Raises OzError: PreflightError for a failed check or a warning that is not ``accepted``; Interrupted."""
    post(JobStage(text="Connecting to the nodes and comparing ..."))
    prepared = _prepared(core, path, post, stop)
    try:
        _raise_if_stopped(stop)
        if not checked:
            post(JobStage(text="Checking that everything is ready ..."))
            _require(core, prepared, stop, accepted)
        if not prepared.plan.nothing_to_do:
            prepared.require_engines()
            post(JobStage(text="Starting ..."))
            core.apply(prepared, on_event, stop)
        else:
            prepared.remove_leftovers()
        return _summed_up(core, prepared, path, stop)
    finally:
        prepared.close()


def _stages(post: Post) -> Callable[[Event], None]:
    """Return a listener that shows which phase has begun."""
    from oz_installer.deploy.events import PhaseStarted

    def on_event(event: Event) -> None:
        if isinstance(event, PhaseStarted):
            post(JobStage(text=f"{event.phase} ..."))

    return on_event


def _prepared(core: OperationsApi, path: Path, post: Post, stop: Stop) -> Prepared:
    try:
        return core.prepare(path, stop, _stages(post))
    except Interrupted:
        raise _untouched() from None


def _raise_if_stopped(stop: Stop) -> None:
    if stop.is_set():
        raise _untouched()


def _untouched() -> Interrupted:
    return Interrupted(
        "stopped at your request; nothing was changed", "Start the installation again to continue."
    )


def _require(core: OperationsApi, prepared: Prepared, stop: Stop, accepted: Collection[str]) -> None:
    found: list[Finding] = []
    core.run_checks(prepared, found.append, stop)
    _raise_if_stopped(stop)
    failed = [one for one in found if one.level == "failure"]
    if failed:
        raise PreflightError(
            f"{plural(len(failed), 'check')} failed; nothing was changed\n{_named(failed)}",
            "Go back to Preflight for the details.",
        )
    warned = [one for one in found if one.level == "warning" and not one.is_accepted(accepted)]
    if warned:
        raise PreflightError(
            f"{plural(len(warned), 'warning')} not accepted; nothing was changed\n{_named(warned)}",
            "Go back to Preflight and run the checks; fix the warnings or accept them there.",
        )


def _named(found: Sequence[Finding]) -> str:
    lines = [f"{one.node}: {one.seen}" if one.node else one.seen for one in found[:MOST_NAMED]]
    more = [f"and {len(found) - MOST_NAMED} more"] if len(found) > MOST_NAMED else []
    return "\n".join([*lines, *more])


def _summed_up(core: OperationsApi, prepared: Prepared, path: Path, stop: Stop) -> Installed:
    """Return the result; a failure to read the status does not make the installation a failure."""
    try:
        return Installed(path=path, summary=core.summarise(prepared, stop))
    except OzError as error:
        return Installed(path=path, trouble=str(error))
