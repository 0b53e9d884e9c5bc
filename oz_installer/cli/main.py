"""Composition root: commands, flags, which front end, exit code. Heavy imports wait for their command."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from oz_installer import __version__
from oz_installer.cli.exit import RunOptions, run_guarded
from oz_installer.cli.lab import lab
from oz_installer.errors import RERUN_HINT, AnswersError, Interrupted
from oz_installer.installation.nodes.connect import transport_opener

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

EXIT_CODES = """\b
Exit codes: 0 done, or nothing to do · 1 unexpected · 2 answers or usage ·
3 not ready, nothing changed (status: not all is well) ·
4 failed, taken back; run again to go on · 5 another run is at work ·
130 interrupted."""

CHECK_NAMES = (
    "host, identity, engine, runtime, container, ports, network, egress, database, broker, storage, "
    "registry, licence, passwords, updater, admin, public-url, public-url-here, clock"
)
"""Written out: the checks themselves load too much for a help text."""


pass_options: Decorator = click.make_pass_decorator(RunOptions, ensure=True)


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
# its value is looked up in ``run``, before anything is parsed: what is wrong with that is told as JSON, too
json_option: Decorator = click.option(
    "--json", is_flag=True, expose_value=False, help="JSON lines on stdout, errors too."
)

accept_option: Decorator = click.option(
    "--accept", multiple=True, metavar="ID", help="Accept a warning of the preflight; may be given again."
)


class InterruptSafeGroup(click.Group):
    """All commands. Click itself would turn an interrupt anywhere into the one at a question, before which
    nothing is ever changed."""

    def invoke(self, ctx: click.Context) -> Any:
        """Raises Interrupted where a command was stopped that does not say more about it."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise Interrupted("stopped at your request", RERUN_HINT) from None


@click.group(
    cls=InterruptSafeGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EXIT_CODES,
)
@answers_option(required=False)
@click.option("--yes", "-y", is_flag=True, help="Do not ask first; without a terminal nobody is asked.")
@click.option(
    "--dry-run", is_flag=True, help="Show what would change, without the preflight; change nothing."
)
@limit_option
@json_option
@click.option(
    "--health-timeout",
    type=click.FloatRange(min=1),
    metavar="SECONDS",
    help="Give up on a service that is not healthy after this time.",
)
@click.option("--new-secrets", is_flag=True, help="Make new passwords for those of a lost secrets file.")
@accept_option
@click.option("--skip-checks", is_flag=True, help="Go on without the preflight.")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
@click.version_option(__version__, prog_name="oz-install")
@click.pass_context
def oz_install(
    context: click.Context,
    answers: Path | None,
    yes: bool,
    dry_run: bool,
    limit: tuple[str, ...],
    health_timeout: float | None,
    new_secrets: bool,
    accept: tuple[str, ...],
    skip_checks: bool,
    debug: bool,
) -> None:
    """Install Oz API on your servers, upgrade it, or repair it.

    Without options it opens the wizard. With --answers it does so unattended: the same command installs,
    upgrades, repairs, or says that there is nothing to do. On a terminal it shows what would change and asks
    first, unless --yes is given, and the wizard asks for what the file leaves out; without a terminal (cron,
    CI, a pipe) it does not ask and goes ahead.
    """
    options = context.ensure_object(RunOptions)
    options.debug = debug
    flagged = any((yes, dry_run, limit, new_secrets, health_timeout is not None, accept, skip_checks))
    plain = not flagged and not options.json
    if context.invoked_subcommand is not None:
        if answers is not None or flagged:
            raise click.UsageError(
                f"Write the options behind the command: oz-install {context.invoked_subcommand} ..."
            )
        return
    if answers is None and not plain:
        raise click.UsageError("Name the answers file: --answers FILE.")
    from oz_installer.cli.wizard import needs_completion, open_wizard

    if answers is None or (plain and needs_completion(answers)):
        open_wizard(answers, options)
        return
    from oz_installer.console.commands.install import install
    from oz_installer.console.context import Flags

    flags = Flags(
        yes=yes,
        dry_run=dry_run,
        limit=limit,
        json=options.json,
        health_timeout=health_timeout,
        new_secrets=new_secrets,
        accept=accept,
        skip_checks=skip_checks,
    )
    install(answers, flags, transport_opener(), options)


@oz_install.command()
@answers_option()
@limit_option
@json_option
@click.option(
    "--svg", type=click.Path(path_type=Path), metavar="FILE", help="Also write the topology as a picture."
)
@pass_options
def plan(options: RunOptions, answers: Path, limit: tuple[str, ...], svg: Path | None) -> None:
    """Show what would change on the nodes; change nothing."""
    from oz_installer.console.commands.install import show_plan
    from oz_installer.console.context import Flags

    flags = Flags(limit=limit, json=options.json)
    show_plan(answers, flags, transport_opener(), options, svg)


@oz_install.command()
@answers_option()
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, metavar="DIR", help="Folder to write to."
)
@pass_options
def render(options: RunOptions, answers: Path, out: Path) -> None:
    """Write every node's files to a folder; contact nobody."""
    from oz_installer.console.commands.render import write_bundles

    write_bundles(answers, out, options)


@oz_install.command()
@answers_option()
@limit_option
@json_option
@accept_option
@click.option(
    "--only",
    multiple=True,
    metavar="CHECK",
    help=f"Only this check; may be given again. They are: {CHECK_NAMES}. An id such as host.memory is "
    "taken for its check.",
)
@click.option(
    "--fix", is_flag=True, help="Mend what can be mended safely: show the commands, ask, check again."
)
@click.option("--undo", is_flag=True, help="Take back what --fix did, by the list that it kept.")
@click.option("--yes", "-y", is_flag=True, help="With --fix or --undo: do not ask first.")
@click.option(
    "--junit", type=click.Path(path_type=Path), metavar="FILE", help="Also write JUnit XML, for pipelines."
)
@pass_options
def check(
    options: RunOptions,
    answers: Path,
    limit: tuple[str, ...],
    accept: tuple[str, ...],
    only: tuple[str, ...],
    fix: bool,
    undo: bool,
    yes: bool,
    junit: Path | None,
) -> None:
    """Examine nodes, network, database, storage; change nothing unasked.

    The same is done before each installation. Exit code 3 when something fails; warnings are told.
    With --fix what can be mended is mended, and a list of how to take it back kept beside the answers: --undo
    follows it. Without these two nothing is changed.
    """
    if fix and undo:
        raise click.UsageError("Either --fix or --undo.")
    if yes and not (fix or undo):
        raise click.UsageError("--yes goes with --fix or --undo: a check alone asks nothing.")
    from oz_installer.console.commands.check import check as examine
    from oz_installer.console.context import Flags

    flags = Flags(limit=limit, json=options.json, accept=accept, only=only, fix=fix, yes=yes)
    if undo:
        from oz_installer.console.commands.undo import undo as take_back

        take_back(answers, flags, transport_opener(), options)
        return
    examine(answers, flags, transport_opener(), options, junit=junit)


@oz_install.command()
@answers_option()
@limit_option
@json_option
@pass_options
def status(options: RunOptions, answers: Path, limit: tuple[str, ...]) -> int:
    """Show what runs where.

    Exit code 0 when everything is installed and as it should be, 3 when anything is not, or could not be
    looked at.
    """
    from oz_installer.console.commands.status import show_status
    from oz_installer.console.context import Flags

    return show_status(answers, Flags(limit=limit, json=options.json), transport_opener(), options)


@oz_install.command()
@answers_option()
@click.argument("service")
@json_option
@click.option(
    "--lines", type=click.IntRange(1, 100_000), default=100, show_default=True, help="How many lines."
)
@pass_options
def logs(options: RunOptions, answers: Path, service: str, lines: int) -> None:
    """Show the last log lines of SERVICE, wherever it runs.

    Exit code 3 when the log of a container cannot be read.
    """
    from oz_installer.console.commands.status import show_logs

    show_logs(answers, service, lines, transport_opener(), json=options.json)


@oz_install.command()
def schema() -> None:
    """Print a JSON Schema of answers.yml, for editors."""
    import json

    from oz_installer.answers.schema import json_schema

    click.echo(json.dumps(json_schema(), indent=2))


oz_install.add_command(lab)


def run(argv: Sequence[str]) -> int:
    """Run one command; every failure ends as a message, a hint and an exit code."""
    options = RunOptions()
    options.debug, options.json = "--debug" in argv, "--json" in argv
    return run_guarded(lambda: _command(argv, options), options)


def _command(argv: Sequence[str], options: RunOptions) -> int:
    try:
        ended = oz_install.main(list(argv), prog_name="oz-install", standalone_mode=False, obj=options)
    except click.exceptions.Abort:
        raise Interrupted("stopped at your request; nothing was changed", RERUN_HINT) from None
    except click.ClickException as error:
        if options.json:
            raise AnswersError(error.format_message()) from None
        error.show(sys.stderr)
        return 2
    return ended if isinstance(ended, int) else 0
