"""``oz-install logs``."""

from __future__ import annotations

from pathlib import Path

import click

from oz_installer.cli.exit import RunOptions
from oz_installer.cli.options import answers_option, json_option, pass_options


@click.command()
@answers_option()
@click.argument("service")
@json_option
@click.option(
    "--lines", type=click.IntRange(1, 100_000), default=100, show_default=True, help="Number of lines."
)
@pass_options
def logs(options: RunOptions, answers: Path, service: str, lines: int) -> None:
    """Show the last log lines of a service, from every node that runs it.

    Exit code 3 when the log of a container cannot be read.
    """
    from oz_installer.console.commands.logs import show_logs
    from oz_installer.installation.nodes.connect import transport_opener

    show_logs(answers, service, lines, transport_opener(), json=options.json)
