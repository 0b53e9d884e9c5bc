"""The commands of an unattended run: from flags to what is printed."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

from oz_installer.answers.file import read
from oz_installer.console.commands.dry_run import dry_run
from oz_installer.console.commands.preflight import preflight
from oz_installer.console.commands.prepare import prepare_for
from oz_installer.console.commands.render import check_picture, write_file
from oz_installer.console.context import Flags, Opener, RunState, print_json
from oz_installer.console.output.json_documents import plan_json, summary_json
from oz_installer.console.output.progress import open_output, output_kind
from oz_installer.console.output.streams import colours, is_interactive, write
from oz_installer.console.signals import stop_on_signal
from oz_installer.deploy.events import RunEnded
from oz_installer.errors import RERUN_HINT, DeployError, Interrupted
from oz_installer.formatting.plan import plan_text, total_text
from oz_installer.formatting.summary import summary_text
from oz_installer.installation.apply import apply
from oz_installer.installation.failure_log import write_failure_log
from oz_installer.installation.prepare import Prepared
from oz_installer.installation.summary import summarise, with_diffs
from oz_installer.text import plural


def install(path: Path, flags: Flags, opener: Opener, shared: RunState) -> None:
    """Install, upgrade, repair, or say that there is nothing to do."""
    with _untouched():
        prepared = prepare_for(read(path), path, flags, opener, shared)
    try:
        with _untouched():
            wanted = _is_wanted(prepared, flags)
        if wanted:
            _carry_out(prepared, flags)
    finally:
        prepared.close()


def _is_wanted(prepared: Prepared, flags: Flags) -> bool:
    """Show what should be seen first; whether there is something to carry out, and leave to do so."""
    if prepared.plan.nothing_to_do:
        _nothing_to_do(prepared, flags)
        return False
    prepared.require_engines()
    if flags.dry_run:
        _show(prepared, flags)
        dry_run(prepared, flags)
        return False
    warnings = preflight(prepared, flags)
    if not flags.yes and is_interactive(sys.stdin):
        _show(prepared, flags)
        _confirm(f"Go on in spite of {plural(warnings, 'warning')}?" if warnings else "Go on?")
    return True


@contextlib.contextmanager
def _untouched() -> Iterator[None]:
    """Where a run is stopped before it changes anything."""
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted("stopped at your request; nothing was changed", RERUN_HINT) from None


def show_plan(path: Path, flags: Flags, opener: Opener, shared: RunState, svg: Path | None) -> None:
    """Print what would change."""
    loaded = read(path)
    if svg is not None:
        check_picture(svg, loaded, path)
    prepared = prepare_for(loaded, path, flags, opener, shared)
    try:
        if svg is not None:
            from oz_installer.topology.drawing.svg import draw_svg

            write_file(svg, draw_svg(prepared.blueprint.topology))
        prepared.require_engines()
        _show(prepared, flags)
    finally:
        prepared.close()


def _nothing_to_do(prepared: Prepared, flags: Flags) -> None:
    if flags.json:
        print_json(RunEnded(outcome="nothing to do", seconds=0).as_json())
    else:
        write(sys.stdout, f"{total_text(prepared.plan)}\n")


def _show(prepared: Prepared, flags: Flags) -> None:
    plan = with_diffs(prepared)
    masker = prepared.blueprint.secrets.masker()
    if flags.json:
        print_json(plan_json(plan, masker))
        return
    _draw(prepared)
    write(sys.stdout, plan_text(plan, colour=colours(sys.stdout), masker=masker))


def _confirm(question: str) -> None:
    import click

    if not click.confirm(question, default=False, err=True):
        raise Interrupted("stopped at your request; nothing was changed", RERUN_HINT)


def _carry_out(prepared: Prepared, flags: Flags) -> None:
    masker = prepared.blueprint.secrets.masker()
    screen = open_output(output_kind(flags.json, sys.stderr), sys.stdout, sys.stderr, masker)
    try:
        with stop_on_signal() as stop:
            apply(prepared, screen.on_event, health_timeout=flags.health_timeout, stop=stop)
    except DeployError as error:
        write_failure_log(prepared.blueprint.path, error, masker)
        raise
    finally:
        screen.close()
    try:
        _summary(prepared, flags)
    except KeyboardInterrupt:
        raise Interrupted(
            "stopped at your request; everything is installed", "oz-install status shows what runs where."
        ) from None


def _summary(prepared: Prepared, flags: Flags) -> None:
    summary = summarise(prepared)
    if flags.json:
        print_json(summary_json(summary))
        return
    # the picture is long: what is wanted next, URLs and credentials, stays on the screen below it
    _draw(prepared)
    write(sys.stdout, summary_text(summary))


def _draw(prepared: Prepared) -> None:
    from oz_installer.topology.drawing.diagram import draw

    write(sys.stdout, draw(prepared.blueprint.topology) + "\n")
