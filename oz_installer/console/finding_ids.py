"""Ids of warnings and checks as they are typed: what ``--accept`` and ``--only`` may hold, and what a typo
was probably meant as."""

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
    """The answers with more warnings accepted. Raises AnswersError when an id is none."""
    if not ids:
        return loaded
    once = tuple(dict.fromkeys(ids))
    nodes = [node.name for node in loaded.answers.nodes]
    if problems := [problem for one in once if (problem := id_problem(one, nodes))]:
        raise AnswersError(
            "\n".join(f"--accept: {problem}" for problem in problems),
            "oz-install check shows the ids of warnings; "
            f"host.memory/{nodes[0]} is one of a node, host.memory the same of every node.",
        )
    accepted = tuple(dict.fromkeys((*loaded.answers.accept, *once)))
    return dataclasses.replace(loaded, answers=dataclasses.replace(loaded.answers, accept=accepted))


def id_problem(one: str, nodes: Sequence[str]) -> str | None:
    """What is wrong with an id, as far as it can be told without looking: form, check, node."""
    if one in WARNINGS:
        return None
    if problem := value_rules.warning_ids((one,)):
        return problem
    about, slash, place = one.partition("/")
    name, dot, what = about.partition(".")
    if name not in CHECK_NAMES:
        other = f"{dot}{what}{slash}{place}"
        return f"{one!r} names no check{_meant(name, CHECK_NAMES, other) or _meant(one, WARNINGS)}"
    if (dot and not what) or not (dot or slash):
        return f"{one!r} is a check, not one of its warnings"
    return _place_problem(one, about, place, nodes) if slash else None


def _place_problem(one: str, about: str, place: str, nodes: Sequence[str]) -> str | None:
    """What is wrong behind the slash: a node, with a colon another one: ``network.8501/api1:bio2``."""
    first, colon, target = place.partition(":")
    if not place:
        return f"{one!r} names no node after the slash" + (f"; did you mean {about}?" if "." in about else "")
    if first not in nodes:
        known = _meant(first, nodes, f"{colon}{target}", f"{about}/") or f"; the nodes are {', '.join(nodes)}"
        return f"{one!r} names no node of the answers{known}"
    if colon and target not in nodes:
        return f"{one!r} names no node of the answers{_meant(target, nodes, '', f'{about}/{first}:')}"
    return None


def _meant(text: str, known: Iterable[str], behind: str = "", before: str = "") -> str:
    close = get_close_matches(text, list(known), n=1)
    return f"; did you mean {before}{close[0]}{behind}?" if close else ""


def check_names(only: Sequence[str]) -> tuple[str, ...]:
    """The checks that ids belong to: ``host`` of ``host``, ``host.memory`` and ``host.memory/api1``."""
    return tuple(dict.fromkeys(one.partition("/")[0].partition(".")[0] for one in only))


def unused_ids(
    answers: Answers, found: Sequence[Finding], *, typed: Collection[str] = (), only: Collection[str] = ()
) -> Iterator[str]:
    """Accepted ids that nothing has which was found, each with the nearest that something has.

    ``typed`` are those of the command line. Of the others, which may be kept for what comes and goes, only
    likely typos are told. Nothing is said while a check fails: what follows behind a failure is not looked
    at. ``only``: the names of the checks that were made, if not all.
    """
    if any(one.level == "failure" for one in found):
        return
    ids = list(dict.fromkeys(one.id for one in found))
    abouts = list(dict.fromkeys(one.partition("/")[0] for one in ids))
    nodes = {one.node for one in found}
    for one in answers.accept:
        about, slash, place = one.partition("/")
        left_out = slash and place.partition(":")[0] not in nodes
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
    """The same as a line, empty when there is nothing to say."""
    ids = ", ".join(unused_ids(answers, found, typed=typed, only=only))
    return f"note: accepted, but nothing that was found has this id: {ids}\n" if ids else ""


def empty_checks(answers: Answers, only: Sequence[str], found: Sequence[Finding]) -> Iterator[str]:
    """A line for each check that was asked for by name and found nothing at all, with why."""
    if any(one.check == "look" for one in found):  # a node that cannot be asked: that is why, and is told
        return
    for name in only:
        if not any(one.check == name for one in found):
            yield f"{name}: nothing to examine: {_why(answers, name)}"


def _why(answers: Answers, name: str) -> str:
    if name == "broker" and not answers.broker.host:
        return "the broker comes with the installation"
    if name == "public-url-here":
        return "public_url is an address, and nothing shows a certificate there"
    if name == "admin":
        return "no administrator's password is given, or it is long enough"
    return "nothing that it looks at is in these answers, or on the nodes of --limit"
