"""Write bundles and the topology picture to local files."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from oz_installer.answers.file import LoadedAnswers, read
from oz_installer.answers.local_files import foreign_owner, resolve_path, secrets_file_path
from oz_installer.console.context import RunState, secret_prompt
from oz_installer.console.output.streams import write
from oz_installer.errors import AnswersError
from oz_installer.installation.desired_state.desired_state import DesiredState
from oz_installer.installation.render import build_desired_state
from oz_installer.text import plural

SVG_HEAD = 1024
"""Bytes at the start of a file that identify an SVG."""


def write_bundles(path: Path, out: Path, shared: RunState) -> None:
    """Write every node's bundle below ``out``."""
    desired_state = build_desired_state(read(path), path, ask=secret_prompt(), connecting=False)
    shared.masker = desired_state.secrets.masker()
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise AnswersError(f"{out} exists and is not an empty folder", "Name a new folder with --out.")
    if out.exists() and (owner := foreign_owner(out.stat())):
        raise AnswersError(f"{out} {owner}", "Name a new folder with --out.")
    try:
        _write_bundles(desired_state, out)
    except OSError as error:
        raise AnswersError(
            f"cannot write to {out}: {error.strerror}", "Name another folder with --out."
        ) from error
    count = sum(len(rendering.files) for rendering in desired_state.renderings.values())
    nodes = plural(len(desired_state.renderings), "node")
    write(sys.stdout, f"{plural(count, 'file')} of {nodes} {'is' if count == 1 else 'are'} in {out}\n")


def _write_bundles(desired_state: DesiredState, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    out.chmod(0o700)
    desired_state.save_secrets()  # the files hold them, so a later installation must use the same ones
    for name, rendering in desired_state.renderings.items():
        for file in rendering.files:
            target = out / name / file.path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.touch(mode=0o600 if file.secret else file.mode)
            target.write_bytes(file.content)


def check_picture(svg: Path, loaded: LoadedAnswers, path: Path) -> None:
    """Raise AnswersError when a picture would overwrite a file that is not a picture."""
    mine = {file.resolve() for file in _own_files(loaded, path)}
    if svg.resolve() in mine:
        raise AnswersError(f"{svg} is a file of this installation", "Name a new file with --svg.")
    if svg.exists() and not _is_picture(svg):
        raise AnswersError(f"{svg} exists and is not an SVG", "Name a new file with --svg.")


def _own_files(loaded: LoadedAnswers, path: Path) -> Iterable[Path]:
    """Return the paths of answers, secrets, licences and authorities, existing or not."""
    answers = loaded.answers
    named = (answers.license.bio, answers.license.web_adapter, answers.database.ca_file)
    return (path, secrets_file_path(path), *(resolve_path(file, path.parent) for file in named if file))


def _is_picture(svg: Path) -> bool:
    try:
        with svg.open("rb") as stream:
            return b"<svg" in stream.read(SVG_HEAD)
    except OSError:
        return False


def write_file(path: Path, text: str) -> None:
    """Write a file that holds no secret. Raises AnswersError."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise AnswersError(
            f"cannot write {path}: {os.strerror(error.errno or 0)}", "Name another file."
        ) from error
