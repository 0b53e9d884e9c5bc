"""What an installation leaves on a node: release, generation, digests. Part of each generation."""

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

FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Record:
    """The record of one generation. Digests are SHA-256, hexadecimal.

    ``secrets`` are fingerprints of the generated secrets in its files, by slot; None in a record of a version
    that kept none. ``data`` is where the API's data lie, as the bundle says it; empty in older records.
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
        """As JSON, sorted, ending in a newline; ``node.sh`` greps the digest's line."""
        return json.dumps(asdict(self), indent=1, sort_keys=True) + "\n"


class Facts(Protocol):
    """The facts of a target, as far as every platform reads them."""

    @property
    def record(self) -> Record | None:
        """The record of what is installed; None when nothing is, or the record cannot be read."""
        ...


def record_of(rendering: Rendering, generation: str, secrets: Mapping[str, str] | None = None) -> Record:
    """Return the record that a rendering will leave as this generation."""
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
    """SHA-256 of a generated secret, salted with its slot: 40 random characters cannot be found from it."""
    return hashlib.sha256(f"{slot}\0{secret.reveal()}".encode()).hexdigest()


def parse_record(text: str) -> Record | None:
    """Read a record; None when there is none or it cannot be read (then everything is sent anew)."""
    try:
        value = json.loads(text)
        known = {key: value[key] for key in Record.__dataclass_fields__ if key in value}
        record = Record(**known)
    except (ValueError, TypeError, KeyError):
        return None
    return record if _is_whole(record) else None


def _is_whole(record: Record) -> bool:
    secrets = {} if record.secrets is None else record.secrets
    digests: tuple[object, ...] = (record.files, record.services, record.jobs, secrets, record.data)
    texts = [part for some in digests if isinstance(some, dict) for pair in some.items() for part in pair]
    texts += [record.node, record.release, record.generation, record.digest]
    return all(isinstance(some, dict) for some in digests) and all(isinstance(one, str) for one in texts)


def next_generation(existing: tuple[str, ...], current: str) -> str:
    """The number after the highest there is, six digits."""
    numbers = [int(name.split(".")[0]) for name in (*existing, current) if name.split(".")[0].isdigit()]
    return f"{max(numbers, default=0) + 1:06d}"
