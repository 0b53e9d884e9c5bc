"""The inputs of rendering: answers, topology, secrets, licence files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from oz_installer.answers.file import LoadedAnswers
from oz_installer.answers.local_files import secrets_file_path
from oz_installer.answers.secrets.resolve import Ask, Secrets, resolve_secrets
from oz_installer.errors import AnswersError, Problem
from oz_installer.frozen import dataclass
from oz_installer.installation.desired_state.local_files import (
    known_hosts_problems,
    read_database_ca,
    read_licences,
)
from oz_installer.topology.model import Topology
from oz_installer.topology.planner import plan_topology
from oz_installer.topology.secret_slots import secret_slots


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """Everything that is read before rendering."""

    loaded: LoadedAnswers
    path: Path
    topology: Topology
    secrets: Secrets
    local_files: Mapping[str, bytes] = field(repr=False)


def read_inputs(loaded: LoadedAnswers, path: Path, *, ask: Ask | None, connecting: bool) -> Inputs:
    """Read all inputs. Raises AnswersError with every problem, each with its line."""
    path = path.absolute()  # so that messages have the whole path of every file
    topology, problems = _topology(loaded)
    local_files, unread = read_licences(loaded, path.parent, topology)
    authorities, unusable = read_database_ca(loaded, path.parent)
    local_files |= authorities
    problems += [*unread, *unusable]
    if connecting:
        problems += known_hosts_problems(loaded, path.parent)
    secrets = resolve_secrets(
        loaded.answers,
        base=path.parent,
        ask=ask,
        store_path=secrets_file_path(path),
        slots=secret_slots(topology) if topology else (),
        wanted=lambda slot: connecting or not _is_login(slot),
        place=loaded.with_location,
        also=problems,
    )
    assert topology is not None, "without one there was a problem"  # noqa: S101
    return Inputs(loaded=loaded, path=path, topology=topology, secrets=secrets, local_files=local_files)


def _topology(loaded: LoadedAnswers) -> tuple[Topology | None, list[Problem]]:
    """Return the topology, or the problems that prevent one."""
    try:
        return plan_topology(loaded.answers), []
    except AnswersError as error:
        return None, [loaded.with_location(problem) for problem in error.problems]


def _is_login(slot: str) -> bool:
    return slot.startswith("nodes.") or slot in ("registry.password", "database.admin_password")
