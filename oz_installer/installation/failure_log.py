"""Save the details of a failed run, which are too long for a screen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from oz_installer.answers.local_files import write_private
from oz_installer.errors import DeployError, OzError
from oz_installer.secret import Masker


def write_failure_log(path: Path, error: DeployError, masker: Masker) -> Path | None:
    """Write the details of a failure next to the answers, and name the file in its hint.

    Return the file; None if there are no details or the file cannot be written.
    """
    if not error.details:
        return None
    report = path.with_suffix(".failure.log")
    text = masker("\n".join((str(error), error.details, "")))
    try:
        write_private(report, text.encode())
    except OSError:
        return None
    error.hint = f"{error.hint} The whole output is in {report}."
    return report


@contextmanager
def mask_errors(masker: Masker) -> Iterator[None]:
    """Mask secrets in errors of the ``with`` block, which hold output of nodes and servers."""
    try:
        yield
    except OzError as error:
        error.message, error.hint = masker(error.message), masker(error.hint)
        error.args = (error.message,)
        if isinstance(error, DeployError):
            error.details = masker(error.details)
        raise
