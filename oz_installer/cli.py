"""Composition root: commands, flags, which front end, exit code. Heavy imports wait for their command."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from oz_installer import __version__
from oz_installer.cli_lab import lab
from oz_installer.errors import AGAIN, AnswersError, Interrupted, OzError

if TYPE_CHECKING:
    from oz_installer.secret import Masker

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

EXIT_CODES = """\b
Exit codes: 0 done, or nothing to do · 1 unexpected · 2 answers or usage ·
3 not ready, nothing changed (status: not all is well) ·
4 failed, taken back; run again to go on · 5 another run is at work ·
130 interrupted."""


class Options:
    """Flags that every command shares."""

    def __init__(self) -> None:
        self.debug = False
        self.json = False
        self.masker: Masker | None = None


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
# its value is looked up in ``run``, before anything is parsed: what is wrong with that is told as JSON, too
json_option: Decorator = click.option(
    "--json", is_flag=True, expose_value=False, help="JSON lines on stdout, errors too."
)


class Commands(click.Group):
    """All commands. Click itself would turn an interrupt anywhere into the one at a question, before which
    nothing is ever changed."""

    def invoke(self, ctx: click.Context) -> Any:
        """Raises Interrupted where a command was stopped that does not say more about it."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise Interrupted("stopped at your request", AGAIN) from None


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EXIT_CODES,
)
@answers_option(required=False)
@click.option("--yes", "-y", is_flag=True, help="Do not ask first; without a terminal nobody is asked.")
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
    health_timeout: float | None,
    new_secrets: bool,
    debug: bool,
) -> None:
    """Install Oz API on your servers, upgrade it, or repair it.

    With --answers it does so unattended: the same command installs, upgrades, repairs, or says that
    there is nothing to do. On a terminal it shows what would change and asks first, unless --yes is
    given; without a terminal (cron, CI, a pipe) it does not ask and goes ahead.
    """
    options = context.ensure_object(Options)
    options.debug = debug
    if context.invoked_subcommand is not None:
        if answers is not None or yes or dry_run or limit or new_secrets or health_timeout is not None:
            raise click.UsageError(
                f"Write the options behind the command: oz-install {context.invoked_subcommand} ..."
            )
        return
    if answers is None:
        raise AnswersError(
            "there is no wizard in this version yet",
            "Write an answers file (see examples/) and give it with --answers.",
        )
    from oz_installer.unattended.command import install
    from oz_installer.unattended.context import Flags

    flags = Flags(
        yes=yes,
        dry_run=dry_run,
        limit=limit,
        json=options.json,
        health_timeout=health_timeout,
        new_secrets=new_secrets,
    )
    install(answers, flags, _opener(), options)


@oz_install.command()
@answers_option()
@limit_option
@json_option
@click.option(
    "--svg", type=click.Path(path_type=Path), metavar="FILE", help="Also write the topology as a picture."
)
@pass_options
def plan(options: Options, answers: Path, limit: tuple[str, ...], svg: Path | None) -> None:
    """Show what would change on the nodes; change nothing."""
    from oz_installer.unattended.command import show_plan
    from oz_installer.unattended.context import Flags

    flags = Flags(limit=limit, json=options.json)
    show_plan(answers, flags, _opener(), options, svg)


@oz_install.command()
@answers_option()
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, metavar="DIR", help="Folder to write to."
)
@pass_options
def render(options: Options, answers: Path, out: Path) -> None:
    """Write every node's files to a folder; contact nobody."""
    from oz_installer.unattended.writing import render_to

    render_to(answers, out, options)


@oz_install.command()
@answers_option()
@limit_option
@json_option
@pass_options
def status(options: Options, answers: Path, limit: tuple[str, ...]) -> int:
    """Show what runs where.

    Exit code 0 when everything is installed and as it should be, 3 when anything is not, or could not be
    looked at.
    """
    from oz_installer.unattended.context import Flags
    from oz_installer.unattended.looking import show_status

    return show_status(answers, Flags(limit=limit, json=options.json), _opener(), options)


@oz_install.command()
@answers_option()
@click.argument("service")
@json_option
@click.option(
    "--lines", type=click.IntRange(1, 100_000), default=100, show_default=True, help="How many lines."
)
@pass_options
def logs(options: Options, answers: Path, service: str, lines: int) -> None:
    """Show the last log lines of SERVICE, wherever it runs.

    Exit code 3 when the log of a container cannot be read.
    """
    from oz_installer.unattended.looking import show_logs

    show_logs(answers, service, lines, _opener(), json=options.json)


@oz_install.command()
def schema() -> None:
    """Print a JSON Schema of answers.yml, for editors."""
    import json

    from oz_installer.answers.schema import json_schema

    click.echo(json.dumps(json_schema(), indent=2))


oz_install.add_command(lab)


def _opener() -> Any:
    """What opens a transport to a node of the answers."""
    from oz_installer.answers.model import Node
    from oz_installer.answers.secrets import Secrets

    def open_transport(node: Node, secrets: Secrets, base: Path, known_hosts: Path | None) -> Any:
        from oz_installer.answers.paths import located
        from oz_installer.remote.ssh import SshTarget, connect

        return connect(
            SshTarget(
                name=node.name,
                host=node.host,
                port=node.port,
                user=node.user,
                key_file=located(node.key_file, base) if node.key_file else None,
                key_passphrase=secrets.of_node(node.name, "key_passphrase"),
                password=secrets.of_node(node.name, "password"),
                jump=node.jump,
                become=node.become,
                become_password=secrets.of_node(node.name, "become_password"),
                host_key=node.host_key,
                known_hosts=located(known_hosts, base) if known_hosts else None,
            )
        )

    return open_transport


def run(argv: Sequence[str]) -> int:
    """Run one command; every failure ends here as a message, a hint and an exit code."""
    options = Options()
    options.debug, options.json = "--debug" in argv, "--json" in argv
    try:
        ended = oz_install.main(list(argv), prog_name="oz-install", standalone_mode=False, obj=options)
    except click.exceptions.Abort:
        return _fail(Interrupted("stopped at your request; nothing was changed", AGAIN), options)
    except click.ClickException as error:
        if options.json:
            return _fail(AnswersError(error.format_message()), options)
        error.show(sys.stderr)
        return 2
    except KeyboardInterrupt:
        return _fail(Interrupted("stopped at your request", AGAIN), options)
    except OzError as error:
        return _fail(error, options)
    except Exception as error:  # noqa: BLE001 - the last resort: no traceback reaches an operator
        hint = "Run again with --debug and send us what it prints; rerunning is safe."
        unexpected = OzError(f"something unexpected happened: {type(error).__name__}: {error}", hint)
        unexpected.__cause__ = error
        return _fail(unexpected, options)
    return ended if isinstance(ended, int) else 0


def _fail(error: OzError, options: Options) -> int:
    from oz_installer.unattended.error_text import error_json, print_error
    from oz_installer.unattended.streams import write

    if options.json:
        write(sys.stdout, error_json(error, options.masker) + "\n")
    print_error(error, sys.stderr, options.debug, options.masker)
    return error.exit_code
