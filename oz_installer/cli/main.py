"""The composition root: commands, imported when they run, and the exit code."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from oz_installer import __version__
from oz_installer.cli.exit import RunOptions, run_guarded
from oz_installer.cli.install import install_options
from oz_installer.errors import RERUN_HINT, AnswersError, Interrupted

COMMANDS = (
    ("plan", "Show what would change on the nodes without changing anything."),
    ("render", "Write each node's files to a folder without connecting to the nodes."),
    ("check", "Check nodes, network, database and storage."),
    ("status", "Show which services run on which node, and their health."),
    ("logs", "Show the last log lines of a service, from every node that runs it."),
    ("schema", "Print the JSON Schema of answers.yml, for editors."),
    ("lab", "Run throw-away nodes on this machine to rehearse on."),
)
"""Name of command and module, and short help; a test holds it equal to the command's own."""

EXIT_CODES = """\b
Exit codes: 0 done, or nothing to do · 1 unexpected error · 2 answers or usage ·
3 preflight failed, nothing changed (status: not everything is healthy) ·
4 failed and rolled back; run again to resume · 5 locked by another run ·
130 interrupted."""


class CommandGroup(click.Group):
    """Import commands on demand; report an interrupt without claiming that nothing changed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the names in the order of the table."""
        return [name for name, _ in COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command; None when there is none of that name."""
        if cmd_name not in self.list_commands(ctx):
            return None
        module = importlib.import_module(f"oz_installer.cli.{cmd_name}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the table of commands without importing one."""
        with formatter.section("Commands"):
            formatter.write_dl(COMMANDS)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Resolve the command. Raises UsageError when an installation option precedes its name."""
        name, command, rest = super().resolve_command(ctx, args)
        typed = [one for one in ctx.params if ctx.get_parameter_source(one) is ParameterSource.COMMANDLINE]
        if set(typed) - {"debug"}:
            ctx.fail(f"Write the options behind the command: {ctx.command_path} {name} ...")
        return name, command, rest

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. Raises Interrupted when it is interrupted without an error of its own.

        Click turns every interrupt into Abort. Here Abort means an interrupt at a prompt, before
        which nothing is changed.
        """
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise Interrupted("stopped at your request", RERUN_HINT) from None


@click.group(
    cls=CommandGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EXIT_CODES,
)
@install_options
@click.option("--debug", is_flag=True, help="Show tracebacks.")
@click.version_option(__version__, prog_name="oz-install")
@click.pass_context
def oz_install(context: click.Context, /, answers: Path | None, debug: bool, **flags: Any) -> None:
    """Install, upgrade or repair Oz API on your servers.

    Without options it opens the wizard. With --answers it runs unattended: the same command installs,
    upgrades, repairs, or reports that there is nothing to do. On a terminal it shows the plan and asks for
    confirmation unless --yes is given, and the wizard asks for answers that the file leaves out. Without a
    terminal (cron, CI, a pipe) it does not ask.
    """
    options = context.ensure_object(RunOptions)
    options.debug = debug
    if context.invoked_subcommand is None:
        from oz_installer.cli.install import install

        install(options, answers, **flags)


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
