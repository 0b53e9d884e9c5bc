"""Names of Textual, paramiko, urllib3 and requests that the package leans on, with a digest of their source.

The table is ``borrowed.txt``: our file, and below it one line per name: module:class, name, digest of the
source that our file was written for, reason. Names that only tests lean on have no line: such a test fails
by itself. ``python -m tests.unit.borrowed`` writes the digests of what is installed; review first.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import re
from dataclasses import dataclass
from pathlib import Path

TABLE = Path(__file__).with_suffix(".txt")


@dataclass(frozen=True)
class Borrowed:
    """One name, and the digest of its source that ``file`` was written for."""

    file: str
    owner: str
    name: str
    digest: str
    reason: str

    def __str__(self) -> str:
        return f"{self.owner}.{self.name}"

    @property
    def line(self) -> str:
        """Its line in the table."""
        return f"  {self.owner} {self.name} {self.digest} {self.reason}"


def read_table() -> list[Borrowed]:
    """Read the table."""
    rows: list[Borrowed] = []
    file = ""
    for line in TABLE.read_text().splitlines():
        if line.startswith("  "):
            owner, name, digest, reason = line.strip().split(" ", 3)
            rows.append(Borrowed(file, owner, name, digest, reason))
        else:
            file = line
    return rows


def source_digest(owner: str, name: str) -> str:
    """Digest a method's source, or the lines of its class that mention an attribute: 16 digits of SHA-256;
    "" when there is none. Raises ImportError or AttributeError when the owner is gone."""
    module, _, cls = owner.partition(":")
    live = importlib.import_module(module)
    holder = getattr(live, cls) if cls else live
    member = inspect.getattr_static(holder, name, None)
    member = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
    member = inspect.unwrap(member) if callable(member) else None
    if inspect.isfunction(member):
        text = inspect.getsource(member)
    else:
        lines = inspect.getsource(holder).splitlines()
        text = "\n".join(line.strip() for line in lines if re.search(rf"\b{name}\b", line))
    return hashlib.sha256(text.encode()).hexdigest()[:16] if text else ""


def write_digests() -> None:
    """Write the table with the digests of what is installed."""
    lines: list[str] = []
    for row in read_table():
        if row.file not in lines:
            lines.append(row.file)
        seen = source_digest(row.owner, row.name)
        lines.append(Borrowed(row.file, row.owner, row.name, seen, row.reason).line)
    TABLE.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    write_digests()
