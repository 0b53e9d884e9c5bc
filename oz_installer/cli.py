"""Composition root: commands, flags, which front end, exit code. Heavy imports wait for their command."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from oz_installer import __version__
from oz_installer.connecting import opener
from oz_installer.ending import Options, guarded
from oz_installer.errors import Interrupted

if TYPE_CHECKING:
    pass

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

EXIT_CODES = """\b
Exit codes: 0 done, or nothing to do · 1 unexpected · 2 answers or usage ·
3 not ready, nothing changed · 4 failed, taken back; run again to go on ·
5 another run is at work · 130 interrupted."""


pass_options: Decorator = click.make_pass_decorator(Options, ensure=True)


def answers_option(required: bool = True) -> Decorator:
    """--answers, the same everywhere."""
    return click.option(
        "--answers",
        "-a",
        "answers",
        type=click.Path(path_type=Path),
        required=required,  # no default: to click from 8.3 on None is a value like any other
        metavar="FILE",
        help="The answers file, such as answers.yml.",
    )


limit_option: Decorator = click.option(
    "--limit", multiple=True, metavar="NODE", help="Only this node; may be given again."
)
json_option: Decorator = click.option("--json", "as_json", is_flag=True, help="JSON lines on stdout.")


@click.group(
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EXIT_CODES,
)
@answers_option(required=False)
@click.option("--yes", "-y", is_flag=True, help="Do not ask before changing anything.")
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@limit_option
@json_option
@click.option(
    "--health-timeout",
    type=click.FloatRange(min=1),
    metavar="SECONDS",
    help="Give up on a service that is not healthy after this time.",
)
@click.option("--new-secrets", is_flag=True, help="Make new passwords for those of a lost secrets file.")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
@click.version_option(__version__, prog_name="oz-install")
@click.pass_context
def oz_install(
    context: click.Context,
    answers: Path | None,
    yes: bool,
    dry_run: bool,
    limit: tuple[str, ...],
    as_json: bool,
    health_timeout: float | None,
    new_secrets: bool,
    debug: bool,
) -> None:
    """Install Oz API on your servers, upgrade it, or repair it.

    Without options it opens the wizard. With --answers it does so unattended: the same command installs,
    upgrades, repairs, or says that there is nothing to do; the wizard asks for what the file leaves out.
    """
    options = context.ensure_object(Options)
    options.debug, options.json = debug, as_json
    if context.invoked_subcommand is not None:
        if answers is not None or yes or dry_run or limit or new_secrets or health_timeout is not None:
            raise click.UsageError(
                f"Write the options behind the command: oz-install {context.invoked_subcommand} ..."
            )
        return
    plain = not (yes or dry_run or as_json or limit or new_secrets or health_timeout is not None)
    if answers is None and not plain:
        raise click.UsageError("Name the answers file: --answers FILE.")
    from oz_installer.wizard import open_wizard, to_be_completed

    if answers is None or (plain and to_be_completed(answers)):
        open_wizard(answers)
        return
    from oz_installer.unattended.command import Flags, install

    flags = Flags(
        yes=yes,
        dry_run=dry_run,
        limit=limit,
        json=as_json,
        health_timeout=health_timeout,
        new_secrets=new_secrets,
    )
    install(answers, flags, opener(), options)


@oz_install.command()
@answers_option()
@limit_option
@json_option
@click.option(
    "--svg", type=click.Path(path_type=Path), metavar="FILE", help="Also write the topology as a picture."
)
@pass_options
def plan(options: Options, answers: Path, limit: tuple[str, ...], as_json: bool, svg: Path | None) -> None:
    """Show what would change on the nodes; change nothing."""
    from oz_installer.unattended.command import Flags, show_plan

    flags = Flags(yes=False, dry_run=True, limit=limit, json=as_json or options.json, health_timeout=None)
    show_plan(answers, flags, opener(), options, svg)


@oz_install.command()
@answers_option()
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, metavar="DIR", help="Folder to write to."
)
@pass_options
def render(options: Options, answers: Path, out: Path) -> None:
    """Write every node's files to a folder; contact nobody."""
    from oz_installer.unattended.command import render_to

    render_to(answers, out, options)


@oz_install.command()
@answers_option()
@limit_option
@json_option
@pass_options
def check(options: Options, answers: Path, limit: tuple[str, ...], as_json: bool) -> None:
    """Examine nodes, database and storage; change nothing."""
    from oz_installer.unattended.checking import check as examine
    from oz_installer.unattended.command import Flags

    flags = Flags(yes=False, dry_run=True, limit=limit, json=as_json or options.json, health_timeout=None)
    examine(answers, flags, opener(), options)


@oz_install.command()
@answers_option()
@json_option
@pass_options
def status(options: Options, answers: Path, as_json: bool) -> None:
    """Show what runs where."""
    from oz_installer.unattended.command import Flags, show_status

    flags = Flags(yes=False, dry_run=True, limit=(), json=as_json or options.json, health_timeout=None)
    show_status(answers, flags, opener(), options)


@oz_install.command()
@answers_option()
@click.argument("service")
@click.option(
    "--lines", type=click.IntRange(1, 100_000), default=100, show_default=True, help="How many lines."
)
def logs(answers: Path, service: str, lines: int) -> None:
    """Show the last log lines of SERVICE, wherever it runs."""
    from oz_installer.unattended.command import show_logs

    show_logs(answers, service, lines, opener())


@oz_install.command()
def schema() -> None:
    """Print a JSON Schema of answers.yml, for editors."""
    import json

    from oz_installer.answers.schema import json_schema

    click.echo(json.dumps(json_schema(), indent=2))


@oz_install.group()
def lab() -> None:
    """Rehearse on throw-away nodes on this machine (Linux, root, Docker Engine)."""


lab_name: Decorator = click.option("--name", default="default", show_default=True, help="Which lab.")


@lab.command("up")
@lab_name
@click.option("--nodes", type=click.IntRange(1, 8), default=2, show_default=True, help="How many nodes.")
@click.option(
    "--suite",
    type=click.Choice(["trixie", "bookworm"]),
    default="trixie",
    show_default=True,
    help="Debian release of the nodes; bookworm has the older engines.",
)
@click.option(
    "--with",
    "extras",
    multiple=True,
    type=click.Choice(["rabbitmq", "podman"]),
    help="Also RabbitMQ's image, or all images for Podman; may be given again.",
)
def lab_up(name: str, nodes: int, suite: Any, extras: tuple[Any, ...]) -> None:
    """Start nodes and a database server, and write an inventory and a ready answers file."""
    from oz_installer.lab import LabOptions, up

    up(LabOptions(name=name, nodes=nodes, suite=suite, extras=extras, say=_say))


@lab.command("down")
@lab_name
@click.option("--engine", is_flag=True, help="Also stop the Docker Engine, if the lab started it.")
@click.option("--cache", is_flag=True, help="Also remove the images that all labs share.")
def lab_down(name: str, engine: bool, cache: bool) -> None:
    """Remove the lab and all that belongs to it."""
    from oz_installer.lab import clean, down, stop_engine

    down(name, say=_say)
    if cache:
        clean(_say)
    if engine:
        stop_engine(_say)


@lab.command("status")
@lab_name
@click.pass_context
def lab_status(context: click.Context, name: str) -> None:
    """Show the lab's parts; exit code 1 when one is not ready."""
    from oz_installer.lab import status as look

    found = look(name)
    if not found.parts:
        click.echo(f"There is no lab {name!r}; oz-install lab up makes one.", err=True)
    for part in found.parts:
        mark = "ready" if part.ready else "not ready"
        click.echo(f"{part.name:8} {part.address!s:15} {part.state:10} {mark:10} {part.detail}".rstrip())
    if not found.ready:
        context.exit(1)


def _say(text: str) -> None:
    click.echo(text, err=True)


def run(argv: Sequence[str]) -> int:
    """Run one command; every failure ends as a message, a hint and an exit code."""
    options = Options()
    options.debug = "--debug" in argv
    return guarded(lambda: _command(argv, options), options)


def _command(argv: Sequence[str], options: Options) -> int:
    try:
        ended = oz_install.main(list(argv), prog_name="oz-install", standalone_mode=False, obj=options)
    except click.exceptions.Abort:
        raise Interrupted("stopped at your request", "Nothing was changed.") from None
    except click.ClickException as error:
        error.show(sys.stderr)
        return 2
    return ended if isinstance(ended, int) else 0
