"""``oz-install render``."""

from __future__ import annotations

from pathlib import Path

import click

from oz_installer.cli.exit import RunOptions
from oz_installer.cli.options import FILE, answers_option, pass_options


@click.command()
@answers_option()
@click.option("--out", type=FILE, required=True, metavar="DIR", help="Folder to write to.")
@pass_options
def render(options: RunOptions, answers: Path, out: Path) -> None:
    """Write each node's files to a folder without connecting to the nodes."""
    from oz_installer.console.commands.render import write_bundles

    write_bundles(answers, out, options)
