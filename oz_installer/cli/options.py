"""Options that several commands share, and the decorator that passes the shared state."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from oz_installer.cli.exit import RunOptions

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

FILE = click.Path(path_type=Path)

pass_options: Decorator = click.make_pass_decorator(RunOptions, ensure=True)


def answers_option(required: bool = True) -> Decorator:
    """Return the option --answers, worded the same everywhere."""
    return click.option(
        "--answers",
        "-a",
        "answers",
        type=FILE,
        required=required,  # no default: to click from 8.3 on None is a value like any other
        metavar="FILE",
        help="Answers file, such as answers.yml.",
    )


limit_option: Decorator = click.option(
    "--limit", multiple=True, metavar="NODE", help="Only this node; may be repeated."
)

# ``cli.main.run`` reads its value before anything is parsed, so that usage errors are JSON, too
json_option: Decorator = click.option(
    "--json", is_flag=True, expose_value=False, help="Print JSON lines on stdout, errors included."
)

accept_option: Decorator = click.option(
    "--accept", multiple=True, metavar="ID", help="Accept this warning of the preflight; may be repeated."
)
