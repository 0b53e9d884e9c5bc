"""Print errors with their hints. The only place that does."""

from __future__ import annotations

import json
import traceback
from collections.abc import Iterator
from textwrap import indent
from typing import TextIO

from oz_installer.console.output.json_lines import mask_strings
from oz_installer.console.output.streams import write
from oz_installer.errors import AnswersError, DeployError, Interrupted, OzError
from oz_installer.secret import Masker
from oz_installer.text import plural


def print_error(error: OzError, stream: TextIO, debug: bool = False, masker: Masker | None = None) -> None:
    """Write message, problems, details and hint; a traceback only with ``debug``."""
    mask = masker or Masker()
    text = "\n".join(_lines(error, mask))
    if debug:
        text += "\n\n" + mask("".join(traceback.format_exception(error)).rstrip())
    write(stream, text + "\n")


def error_json(error: OzError, masker: Masker | None = None) -> str:
    """Return an error as one line of JSON."""
    problems = [str(problem) for problem in error.problems] if isinstance(error, AnswersError) else []
    document = {
        "event": "Error",
        "message": str(error),
        "hint": error.hint,
        "problems": problems,
        "exit_code": error.exit_code,
    }
    return json.dumps(mask_strings(document, masker or Masker()))


def _lines(error: OzError, mask: Masker) -> Iterator[str]:
    yield mask(str(error)) if isinstance(error, Interrupted) else f"error: {mask(str(error))}"
    if isinstance(error, AnswersError) and error.problems:
        for problem in error.problems:
            yield f"  {mask(str(problem))}"
        yield f"{plural(len(error.problems), 'problem')} found."
    if isinstance(error, DeployError) and error.details.strip():
        yield indent(mask(error.details).strip("\n"), "  | ", lambda _line: True)
    if error.hint:
        yield f"hint: {mask(error.hint)}"
