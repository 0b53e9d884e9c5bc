"""``oz-install`` without a command's name: the wizard, or an unattended installation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from oz_installer.cli.exit import RunOptions
from oz_installer.cli.options import accept_option, answers_option, json_option, limit_option

OPTIONS = (
    answers_option(required=False),
    click.option(
        "--yes", "-y", is_flag=True, help="Skip the confirmation. Without a terminal there is none."
    ),
    click.option("--dry-run", is_flag=True, help="Show what would change; skip the preflight."),
    limit_option,
    json_option,
    click.option(
        "--health-timeout",
        type=click.FloatRange(min=1),
        metavar="SECONDS",
        help="Longest time to wait for a service to become healthy.",
    ),
    click.option("--new-secrets", is_flag=True, help="Generate new passwords when the secrets file is lost."),
    accept_option,
    click.option("--skip-checks", is_flag=True, help="Skip the preflight."),
)


def install_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of an installation to a command, in the order of its help."""
    for option in reversed(OPTIONS):
        function = option(function)
    return function


def install(options: RunOptions, answers: Path | None, **flags: Any) -> None:
    """Open the wizard, or install unattended. Raises UsageError without an answers file."""
    plain = not options.json and not any(flags.values())
    if answers is None and not plain:
        raise click.UsageError("Name the answers file: --answers FILE.")
    if answers is None or plain:
        from oz_installer.cli.wizard import needs_completion, open_wizard

        if answers is None or needs_completion(answers):
            open_wizard(answers, options)
            return
    from oz_installer.console.commands.install import install as install_answers
    from oz_installer.console.commands.install_flags import InstallFlags
    from oz_installer.installation.nodes.connect import transport_opener

    install_answers(answers, InstallFlags(**flags, json=options.json), transport_opener(), options)
