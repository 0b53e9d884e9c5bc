"""Turn exceptions into an error message, a hint and an exit code. The only place that does."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from oz_installer.errors import RERUN_HINT, Interrupted, OzError, unexpected

if TYPE_CHECKING:
    from oz_installer.secret import Masker


class RunOptions:
    """State that every command shares: two flags, and the masker for error messages."""

    def __init__(self) -> None:
        self.debug = False
        self.json = False
        self.masker: Masker | None = None


def run_guarded(work: Callable[[], int], options: RunOptions) -> int:
    """Return the exit code of ``work``, or of the exception that it raised."""
    try:
        return work()
    except KeyboardInterrupt:
        return _fail(Interrupted("stopped at your request", RERUN_HINT), options)
    except OzError as error:
        return _fail(error, options)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            return _fail(_fault(error), options)
        return _fail(
            OzError(f"a disk of this machine is full: {error}", f"Free some space. {RERUN_HINT}"), options
        )
    except Exception as error:  # noqa: BLE001 - the last resort: operators see no traceback
        return _fail(_fault(error), options)


def _fault(error: Exception) -> OzError:
    fault = unexpected(error)
    fault.hint += " Add what the same command prints with --debug; it is safe to run again."
    return fault


def _fail(error: OzError, options: RunOptions) -> int:
    from oz_installer.console.output.errors import error_json, print_error
    from oz_installer.console.output.streams import write

    if options.json:
        write(sys.stdout, error_json(error, options.masker) + "\n")
    print_error(error, sys.stderr, options.debug, options.masker)
    return error.exit_code
