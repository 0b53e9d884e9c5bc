"""``oz-install plan``."""

from __future__ import annotations

from pathlib import Path

import click

from oz_installer.cli.exit import RunOptions
from oz_installer.cli.options import FILE, answers_option, json_option, limit_option, pass_options


@click.command()
@answers_option()
@limit_option
@json_option
@click.option("--svg", type=FILE, metavar="FILE", help="Also write the topology as an SVG picture.")
@pass_options
def plan(options: RunOptions, answers: Path, limit: tuple[str, ...], svg: Path | None) -> None:
    """Show what would change on the nodes without changing anything."""
    from oz_installer.console.commands.plan import show_plan
    from oz_installer.installation.nodes.connect import transport_opener

    show_plan(answers, transport_opener(), options, limit=limit, json=options.json, svg=svg)
