"""Entry point of ``python -m oz_installer`` and of the ``oz-install`` command."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import NoReturn, TextIO

from oz_installer.errors import RERUN_HINT

STOPPED, NOT_USABLE = 130, 2
WINDOWS = """\
error: oz-install does not run on Windows itself
hint: Run it in WSL 2: install it there (wsl --install), and keep the answers below the home folder of WSL.
"""


def main() -> None:
    """Run the command line and exit with its code."""
    if sys.platform == "win32":
        sys.stderr.write(WINDOWS)
        sys.exit(NOT_USABLE)
    _leave_no_core()
    from oz_installer.console.signals import signals_as_interrupt

    try:
        with signals_as_interrupt():
            code = _run(sys.argv[1:])
    except KeyboardInterrupt:  # while loading, or while printing the outcome
        code = STOPPED
        with suppress(OSError, ValueError):
            sys.stderr.write(f"stopped at your request\nhint: {RERUN_HINT}\n")
    leave(code)


def _leave_no_core() -> None:
    """Forbid core files of this process: they would hold the secrets."""
    if sys.platform != "win32":
        import resource

        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def _run(argv: list[str]) -> int:
    """Run the command line; without arguments open the wizard and do not load click."""
    if argv:
        from oz_installer.cli.main import run

        return run(argv)
    from oz_installer.cli.exit import RunOptions, run_guarded
    from oz_installer.cli.wizard import open_wizard

    return run_guarded(open_wizard, RunOptions())


def leave(code: int) -> NoReturn:
    """Exit with this code, also when the reader of stdout has gone; 1 when output was lost."""
    lost = [error for error in map(_flush, (sys.stdout, sys.stderr)) if error is not None]
    if lost:
        code = code or 1
        with suppress(OSError, ValueError):
            sys.stderr.write(
                f"error: some output could not be written: {lost[0].strerror}\n"
                "hint: Free disk space or redirect the output. `oz-install status` shows what was done.\n"
            )
            sys.stderr.flush()
    if code == STOPPED:  # after a KeyboardInterrupt handled in exec() Python may end by SIGINT
        os._exit(code)
    sys.exit(code)


def _flush(stream: TextIO) -> OSError | None:
    """Flush a stream. On an error drop the rest, else Python tries again and exits with 120."""
    try:
        stream.flush()
    except (OSError, ValueError) as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return error if isinstance(error, OSError) and not isinstance(error, BrokenPipeError) else None
    return None


if __name__ == "__main__":
    main()
