"""``python -m oz_installer`` and the ``oz-install`` command."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

STOPPED = 130


def main() -> None:
    """Run the command line and exit with its code."""
    from oz_installer.unattended.stopping import interruptible

    try:
        with interruptible():
            code = _run(sys.argv[1:])
    except KeyboardInterrupt:  # while loading, or while telling how it ended
        code = STOPPED
    leave(code)


def _run(argv: list[str]) -> int:
    """Without arguments straight to the wizard: its first frame does not wait for the command line."""
    if argv:
        from oz_installer.cli import run

        return run(argv)
    from oz_installer.ending import Options, guarded
    from oz_installer.wizard import open_wizard

    return guarded(open_wizard, Options())


def leave(code: int) -> NoReturn:
    """Exit with this code, even where who read our output is gone and cannot be told the rest."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):  # else Python tries again while it ends, and exits with 120
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    sys.exit(code)


if __name__ == "__main__":
    main()
