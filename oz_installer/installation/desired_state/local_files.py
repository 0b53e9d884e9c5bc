"""Read the local files that the answers name; files that cannot be read become problems."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from oz_installer.answers.file import LoadedAnswers
from oz_installer.answers.licence_file import read_licence
from oz_installer.answers.local_files import UnreadableFile, resolve_path
from oz_installer.errors import Problem
from oz_installer.topology.licences import nodes_by_licence
from oz_installer.topology.model import Topology

DATABASE_CA = "ca:database"
"""Key of the database's authorities among the files that services mount."""


def read_licences(
    loaded: LoadedAnswers, base: Path, topology: Topology | None
) -> tuple[dict[str, bytes], list[Problem]]:
    """Read the licence files that services mount. Return contents by mount, and problems.

    Without a topology it is unknown which are mounted: then all that the answers name are read.
    """
    found, problems = {}, []
    for key in sorted(nodes_by_licence(topology)) if topology else _named(loaded):
        file = resolve_path(getattr(loaded.answers.license, key), base)
        try:
            found[f"licence:{key}"] = read_licence(file)
        except UnreadableFile as fault:
            problems.append(_problem(loaded, key, f"{file} {fault}"))
    return found, problems


def read_database_ca(loaded: LoadedAnswers, base: Path) -> tuple[dict[str, bytes], list[Problem]]:
    """Read the database's authorities, if the answers name some. Return them and the problem."""
    named = loaded.answers.database.ca_file
    if named is None or loaded.answers.database.host is None:
        return {}, []
    from oz_installer.answers.authorities_file import read_authorities

    file = resolve_path(named, base)
    try:
        return {DATABASE_CA: read_authorities(file)}, []
    except UnreadableFile as fault:
        hint = "name a PEM file with the certificates of the authorities"
        problem = Problem(key="database.ca_file", message=f"{file} {fault}", hint=hint)
        return {}, [loaded.with_location(problem)]


def known_hosts_problems(loaded: LoadedAnswers, base: Path) -> Iterator[Problem]:
    """Yield the problem of a known_hosts file that cannot be read: every host would be unknown."""
    if loaded.answers.known_hosts is None:
        return
    file = resolve_path(loaded.answers.known_hosts, base)
    if file.is_file() and os.access(file, os.R_OK):
        return
    message = f"{file} cannot be read" if file.exists() else f"there is no file {file}"
    hint = "correct the path, or leave it out: ~/.ssh/known_hosts is always read"
    yield loaded.with_location(Problem(key="known_hosts", message=message, hint=hint))


def _named(loaded: LoadedAnswers) -> list[str]:
    keys = (key.removeprefix("license.") for key in loaded.lines if key.startswith("license."))
    return sorted(key for key in keys if getattr(loaded.answers.license, key) is not None)


def _problem(loaded: LoadedAnswers, key: str, message: str) -> Problem:
    hint = "name the file that Oz Forensics gave you"
    return loaded.with_location(Problem(key=f"license.{key}", message=message, hint=hint))
