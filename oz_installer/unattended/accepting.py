"""Warnings that the command line accepts besides those of the answers."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from oz_installer.answers import rules
from oz_installer.answers.file import LoadedAnswers
from oz_installer.errors import AnswersError


def accepting(loaded: LoadedAnswers, ids: Sequence[str]) -> LoadedAnswers:
    """The answers with more warnings accepted. Raises AnswersError when an id is none."""
    if not ids:
        return loaded
    if problem := rules.warning_ids(tuple(dict.fromkeys(ids))):
        raise AnswersError(f"--accept: {problem}", "The ids are those that oz-install check shows.")
    accepted = tuple(dict.fromkeys((*loaded.answers.accept, *ids)))
    return dataclasses.replace(loaded, answers=dataclasses.replace(loaded.answers, accept=accepted))
