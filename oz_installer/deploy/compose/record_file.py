"""Where a node keeps its record: a file of the current generation.

It is read with the facts, in their one round trip, and written with the bundle, so it is switched and rolled
back with the generation that it describes.
"""

from __future__ import annotations

from collections.abc import Mapping

from oz_installer.deploy.record import Record, parse_record
from oz_installer.remote.transport import RemoteFile
from oz_installer.render.project import RECORD_FILE

_SECTION = "record"
"""The section of ``node.sh facts`` that holds the file."""


def read_record(sections: Mapping[str, str]) -> Record | None:
    """Return the record in the facts; None when there is none or it is invalid.

    Raises KeyError for facts that are incomplete."""
    return parse_record(sections[_SECTION])


def record_file(record: Record) -> RemoteFile:
    """Return the file that a new generation is staged with; only the owner may read it."""
    return RemoteFile(path=RECORD_FILE, content=record.dumps().encode(), mode=0o600)
