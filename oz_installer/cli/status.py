"""``oz-install status``."""

from __future__ import annotations

from pathlib import Path

import click

from oz_installer.cli.exit import RunOptions
from oz_installer.cli.options import answers_option, json_option, limit_option, pass_options


@click.command()
@answers_option()
@limit_option
@json_option
@pass_options
def status(options: RunOptions, answers: Path, limit: tuple[str, ...]) -> int:
    """Show which services run on which node, and their health.

    Exit code 0 when everything is installed and healthy, 3 when something is not or cannot be read.
    """
    from oz_installer.console.commands.status import show_status
    from oz_installer.installation.nodes.connect import transport_opener

    return show_status(answers, transport_opener(), options, limit=limit, json=options.json)
