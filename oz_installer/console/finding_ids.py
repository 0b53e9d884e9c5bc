"""Ids of warnings and checks in ``--accept`` and ``--only``: validation and suggestions."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Iterator, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

from oz_installer.answers import value_rules
from oz_installer.answers.file import LoadedAnswers
from oz_installer.answers.model import Answers
from oz_installer.console.check_names import CHECK_NAMES
from oz_installer.errors import AnswersError
from oz_installer.topology.constraints import WARNINGS

if TYPE_CHECKING:
    from oz_installer.checks.context import Finding


def accept_ids(loaded: LoadedAnswers, ids: Sequence[str]) -> LoadedAnswers:
    """Return the answers with more accepted warnings. Raises AnswersError for an invalid id."""
    if not ids:
        return loaded
    once = tuple(dict.fromkeys(ids))
    nodes = [node.name for node in loaded.answers.nodes]
    if problems := [problem for one in once if (problem := id_problem(one, nodes))]:
        raise AnswersError(
            "\n".join(f"--accept: {problem}" for problem in problems),
            "Take the id from the output of oz-install check: "
            f"host.memory/{nodes[0]} for one node, host.memory for every node.",
        )
    accepted = tuple(dict.fromkeys((*loaded.answers.accept, *once)))
    return dataclasses.replace(loaded, answers=dataclasses.replace(loaded.answers, accept=accepted))


def id_problem(one: str, nodes: Sequence[str]) -> str | None:
    """Return the problem of an id, without running checks: its form, check or node."""
    if one in WARNINGS:
        return None
    if problem := value_rules.warning_ids((one,)):
        return problem
    about, slash, target = one.partition("/")
    name, dot, what = about.partition(".")
    if name not in CHECK_NAMES:
        other = f"{dot}{what}{slash}{target}"
        return f"{one!r} names no check{_suggestion(name, CHECK_NAMES, other) or _suggestion(one, WARNINGS)}"
    if (dot and not what) or not (dot or slash):
        return f"{one!r} is a check, not one of its warnings"
    return _target_problem(one, about, target, nodes) if slash else None


def _target_problem(one: str, about: str, target: str, nodes: Sequence[str]) -> str | None:
    """Return the problem of the part after the slash: ``NODE`` or ``NODE:OTHER``."""
    first, colon, other = target.partition(":")
    if not target:
        return f"{one!r} names no node after the slash" + (f"; did you mean {about}?" if "." in about else "")
    if first not in nodes:
        known = (
            _suggestion(first, nodes, f"{colon}{other}", f"{about}/") or f"; the nodes are {', '.join(nodes)}"
        )
        return f"{one!r} names no node of the answers{known}"
    if colon and other not in nodes:
        return f"{one!r} names no node of the answers{_suggestion(other, nodes, '', f'{about}/{first}:')}"
    return None


def _suggestion(text: str, known: Iterable[str], after: str = "", before: str = "") -> str:
    close = get_close_matches(text, list(known), n=1)
    return f"; did you mean {before}{close[0]}{after}?" if close else ""


def check_names(only: Sequence[str]) -> tuple[str, ...]:
    """Return the checks of ids: ``host`` for ``host``, ``host.memory`` and ``host.memory/api1``.

    Raises AnswersError for an unknown check."""
    names = tuple(dict.fromkeys(one.partition("/")[0].partition(".")[0] for one in only))
    if unknown := [name for name in names if name not in CHECK_NAMES]:
        raise AnswersError(f"there is no check {unknown[0]!r}", f"The checks are: {', '.join(CHECK_NAMES)}.")
    return names


def unused_ids(
    answers: Answers, found: Sequence[Finding], *, typed: Collection[str] = (), only: Collection[str] = ()
) -> Iterator[str]:
    """Yield accepted ids that match no finding, each with the closest id that does.

    ``typed`` are the ids of the command line. The others may be meant for findings that come and go, so only
    likely typos among them are yielded. Nothing is yielded while a check fails, because a failure hides other
    findings. ``only``: the names of the checks that were run, if not all.
    """
    if any(one.level == "failure" for one in found):
        return
    ids = list(dict.fromkeys(one.id for one in found))
    abouts = list(dict.fromkeys(one.partition("/")[0] for one in ids))
    nodes = {one.node for one in found}
    for one in answers.accept:
        about, slash, target = one.partition("/")
        left_out = slash and target.partition(":")[0] not in nodes
        made = not only or about.partition(".")[0] in only
        if one in WARNINGS or left_out or not made or one in (ids if slash else abouts):
            continue
        close = get_close_matches(one, ids if slash else abouts, n=1, cutoff=0.8)
        if close:
            yield f"{one} (did you mean {close[0]}?)"
        elif one in typed or about.partition(".")[0] not in CHECK_NAMES:
            yield one


def unmatched_note(
    answers: Answers, found: Sequence[Finding], *, typed: Collection[str] = (), only: Collection[str] = ()
) -> str:
    """Return the unmatched ids as one line; empty if there are none."""
    ids = ", ".join(unused_ids(answers, found, typed=typed, only=only))
    return f"note: accepted ids that match no finding: {ids}\n" if ids else ""


def empty_checks(answers: Answers, only: Sequence[str], found: Sequence[Finding]) -> Iterator[str]:
    """Yield a line for each check of ``only`` without findings, with the reason."""
    if any(
        one.check == "look" for one in found
    ):  # a node that cannot be checked is the reason, and is reported
        return
    for name in only:
        if not any(one.check == name for one in found):
            yield f"{name}: nothing to check: {_empty_reason(answers, name)}"


def _empty_reason(answers: Answers, name: str) -> str:
    if name == "broker" and not answers.broker.host:
        return "the broker is bundled"
    if name == "public-url-here":
        return "public_url is an IP address, and no server presents a certificate there"
    if name == "admin":
        return "no administrator's password is given, or it is long enough"
    return "nothing that it checks is in these answers or on the nodes of --limit"
