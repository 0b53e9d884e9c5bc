"""``oz-install --answers FILE``: install, upgrade or repair, if there is anything to do.

Modules that only a run with changes needs are imported when there are changes.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

from oz_installer.answers.file import read
from oz_installer.console.commands.install_flags import InstallFlags
from oz_installer.console.commands.prepare import prepare_for
from oz_installer.console.context import RunState, print_json
from oz_installer.console.output.streams import is_interactive, write
from oz_installer.errors import RERUN_HINT, DeployError, Interrupted
from oz_installer.installation.platform import Opener
from oz_installer.installation.prepare import Prepared
from oz_installer.text import plural


def install(path: Path, flags: InstallFlags, opener: Opener, shared: RunState) -> None:
    """Install, upgrade or repair, or report that there is nothing to do."""
    with _untouched():
        prepared = prepare_for(
            read(path),
            path,
            opener,
            shared,
            limit=flags.limit,
            accept=flags.accept,
            new_secrets=flags.new_secrets,
            quiet=flags.json,
        )
    try:
        with _untouched():
            wanted = _is_wanted(prepared, flags)
        if wanted:
            _apply(prepared, flags)
    finally:
        prepared.close()


def _is_wanted(prepared: Prepared, flags: InstallFlags) -> bool:
    """Return whether to apply changes, after the preflight and the confirmation."""
    if prepared.plan.nothing_to_do:
        _nothing_to_do(prepared, flags)
        return False
    from oz_installer.console.commands.dry_run import dry_run
    from oz_installer.console.commands.plan import print_plan
    from oz_installer.console.commands.preflight import preflight

    prepared.require_engines()
    if flags.dry_run:
        print_plan(prepared, json=flags.json)
        dry_run(prepared, flags)
        return False
    warnings = preflight(prepared, flags)
    if not flags.yes and is_interactive(sys.stdin):
        print_plan(prepared, json=flags.json)
        _confirm(f"Continue despite {plural(warnings, 'warning')}?" if warnings else "Continue?")
    return True


@contextlib.contextmanager
def _untouched() -> Iterator[None]:
    """Report an interrupt inside the ``with`` block as one before any change."""
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted("stopped at your request; nothing was changed", RERUN_HINT) from None


def _nothing_to_do(prepared: Prepared, flags: InstallFlags) -> None:
    for text in prepared.remove_leftovers(dry_run=flags.dry_run):
        _tell(text, json=flags.json)
    if flags.json:
        from oz_installer.deploy.events import RunEnded

        print_json(RunEnded(outcome="nothing to do", seconds=0).as_json())
    else:
        from oz_installer.formatting.plan import total_text

        write(sys.stdout, f"{total_text(prepared.plan)}\n")


def _tell(text: str, *, json: bool) -> None:
    if json:
        from oz_installer.deploy.events import Message

        print_json(Message(level="warning", text=text).as_json())
    else:
        write(sys.stderr, f"{text}\n")


def _confirm(question: str) -> None:
    import click

    if not click.confirm(question, default=False, err=True):
        raise Interrupted("stopped at your request; nothing was changed", RERUN_HINT)


def _apply(prepared: Prepared, flags: InstallFlags) -> None:
    from oz_installer.console.output.progress import open_output, output_kind
    from oz_installer.console.signals import stop_on_signal
    from oz_installer.installation.apply import apply
    from oz_installer.installation.failure_log import write_failure_log

    masker = prepared.desired_state.secrets.masker()
    screen = open_output(output_kind(flags.json, sys.stderr), sys.stdout, sys.stderr, masker)
    try:
        with stop_on_signal() as stop:
            apply(prepared, screen.on_event, health_timeout=flags.health_timeout, stop=stop)
    except DeployError as error:
        write_failure_log(prepared.desired_state.path, error, masker)
        raise
    finally:
        screen.close()
    try:
        _summary(prepared, flags)
    except KeyboardInterrupt:
        raise Interrupted(
            "stopped at your request; everything is installed",
            "Run oz-install status to see what runs where.",
        ) from None


def _summary(prepared: Prepared, flags: InstallFlags) -> None:
    from oz_installer.console.commands.plan import print_diagram
    from oz_installer.console.output.json_documents import summary_json
    from oz_installer.formatting.summary import summary_text
    from oz_installer.installation.summary import summarise

    summary = summarise(prepared)
    if flags.json:
        print_json(summary_json(summary))
        return
    # the diagram is long: URLs and credentials, which are needed next, stay on the screen below it
    print_diagram(prepared)
    write(sys.stdout, summary_text(summary))
