"""Keeps what a failed run left behind: it is too long for a screen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from oz_installer.answers.local_files import write_private
from oz_installer.errors import DeployError, OzError
from oz_installer.secret import Masker


def write_failure_log(path: Path, error: DeployError, masker: Masker) -> Path | None:
    """Write log lines and health output of a failure beside the answers, and say so in its hint.

    Gives the file; None where there is nothing to keep, or nowhere to.
    """
    if not error.details:
        return None
    report = path.with_suffix(".failure.log")
    text = masker("\n".join((str(error), error.details, "")))
    try:
        write_private(report, text.encode())
    except OSError:
        return None
    error.hint = f"{error.hint} All of it is kept in {report}."
    return report


@contextmanager
def mask_errors(masker: Masker) -> Iterator[None]:
    """Whatever fails in it holds no secret: what nodes and servers said is in the error."""
    try:
        yield
    except OzError as error:
        error.message, error.hint = masker(error.message), masker(error.hint)
        error.args = (error.message,)
        if isinstance(error, DeployError):
            error.details = masker(error.details)
        raise
