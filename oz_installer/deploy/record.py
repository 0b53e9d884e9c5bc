"""The record of an installation on its target: release, generation, digests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, field
from typing import Protocol

from oz_installer import __version__
from oz_installer.frozen import dataclass
from oz_installer.render.rendering import Rendering
from oz_installer.secret import Secret
from oz_installer.text import parse_int

FORMAT = 1
LARGEST = 4 * 1024 * 1024
"""Longest record that is read, in characters; a real one has a few kilobytes."""
LONGEST_NUMBER = 18


@dataclass(frozen=True, kw_only=True)
class Record:
    """The record of one generation. Digests are SHA-256, hexadecimal.

    ``secrets`` are fingerprints of the generated secrets in its files, by slot; None in records of versions
    that stored none. ``data`` is where the API keeps its data, as in the bundle; empty in older records.
    """

    format: int = FORMAT
    installer: str = __version__
    node: str
    release: str
    generation: str
    digest: str
    files: Mapping[str, str] = field(default_factory=dict)
    services: Mapping[str, str] = field(default_factory=dict)
    jobs: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] | None = None
    data: Mapping[str, str] = field(default_factory=dict)

    def dumps(self) -> str:
        """Return sorted JSON that ends in a newline; ``node.sh`` greps the line of the digest."""
        return json.dumps(asdict(self), indent=1, sort_keys=True) + "\n"


class Facts(Protocol):
    """The facts of a target that every platform reads."""

    @property
    def record(self) -> Record | None:
        """The record of the installation; None when there is none or it cannot be read."""
        ...


def record_of(rendering: Rendering, generation: str, secrets: Mapping[str, str] | None = None) -> Record:
    """Return the record of a rendering that is installed as this generation."""
    return Record(
        node=rendering.target,
        release=rendering.release,
        generation=generation,
        digest=rendering.digest,
        files={file.path: file.digest for file in rendering.files},
        services={service.name: service.digest for service in rendering.services if not service.job},
        jobs={service.name: service.digest for service in rendering.services if service.job},
        secrets=secrets,
        data=dict(rendering.data),
    )


def fingerprint(slot: str, secret: Secret) -> str:
    """Return the SHA-256 of a generated secret, salted with its slot.

    A generated secret has 40 random characters, so it cannot be found from its digest."""
    return hashlib.sha256(f"{slot}\0{secret.reveal()}".encode()).hexdigest()


def parse_record(text: str) -> Record | None:
    """Parse a record; None if it is missing or invalid (then every file is sent again)."""
    if len(text) > LARGEST:
        return None
    try:
        value = json.loads(text)
        known = {key: value[key] for key in Record.__dataclass_fields__ if key in value}
        record = Record(**known)
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return record if _is_whole(record) else None


def _is_whole(record: Record) -> bool:
    secrets = {} if record.secrets is None else record.secrets
    digests: tuple[object, ...] = (record.files, record.services, record.jobs, secrets, record.data)
    texts = [part for some in digests if isinstance(some, dict) for pair in some.items() for part in pair]
    texts += [record.node, record.release, record.generation, record.digest]
    return all(isinstance(some, dict) for some in digests) and all(isinstance(one, str) for one in texts)


def next_generation(existing: tuple[str, ...], current: str) -> str:
    """Return the number after the highest existing one, with six digits."""
    numbers = [parse_int(name.split(".")[0][:LONGEST_NUMBER]) or 0 for name in (*existing, current)]
    return f"{max(numbers, default=0) + 1:06d}"
