"""``oz-install check``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from oz_installer.cli.exit import RunOptions
from oz_installer.cli.options import (
    FILE,
    accept_option,
    answers_option,
    json_option,
    limit_option,
    pass_options,
)
from oz_installer.console.check_names import CHECK_NAMES


@click.command()
@answers_option()
@limit_option
@json_option
@accept_option
@click.option(
    "--only",
    multiple=True,
    metavar="CHECK",
    help=f"Only this check; may be repeated. Checks: {', '.join(CHECK_NAMES)}. "
    "An id such as host.memory selects its check.",
)
@click.option(
    "--fix", is_flag=True, help="Fix what is safe to fix: show the commands, ask, then check again."
)
@click.option("--undo", is_flag=True, help="Undo what --fix did, from its undo log.")
@click.option("--yes", "-y", is_flag=True, help="With --fix or --undo: skip the confirmation.")
@click.option(
    "--junit", type=FILE, metavar="FILE", help="Also write the findings as JUnit XML, for pipelines."
)
@pass_options
def check(
    options: RunOptions, answers: Path, undo: bool, yes: bool, junit: Path | None, **flags: Any
) -> None:
    """Check nodes, network, database and storage.

    Changes nothing unless --fix or --undo is given. Each installation runs the same checks first. Exit code 3
    when a check fails; warnings are only reported. --fix writes an undo log next to the answers, and --undo
    undoes its entries.
    """
    if flags["fix"] and undo:
        raise click.UsageError("Use either --fix or --undo.")
    if yes and not (flags["fix"] or undo):
        raise click.UsageError("Use --yes only with --fix or --undo: a check alone asks nothing.")
    from oz_installer.console.commands import check as command
    from oz_installer.console.commands.check_task import CheckFlags
    from oz_installer.installation.nodes.connect import transport_opener

    wanted = CheckFlags(**flags, yes=yes, json=options.json)
    if undo:
        from oz_installer.console.commands import undo as undo_command

        undo_command.undo(answers, wanted, transport_opener(), options)
    else:
        command.check(answers, wanted, transport_opener(), options, junit=junit)
