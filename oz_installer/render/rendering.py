"""The rendered files of one target, for every platform."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import field
from functools import cached_property
from typing import Protocol

from oz_installer.frozen import dataclass


@dataclass(frozen=True, kw_only=True)
class RenderedFile:
    """One rendered file.

    ``path`` is relative to the target's folder; ``secret`` files are masked on screen. The mode is 0644
    because containers read the files as their own users; on a node the folder of all generations is 0700, so
    no other user can read them.
    """

    path: str
    content: bytes = field(repr=False)
    mode: int = 0o644
    secret: bool = False

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the content, hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()


class RenderedService(Protocol):
    """A service of a rendering; ``digest`` covers its definition and the files it reads."""

    @property
    def name(self) -> str:
        """Name on the target."""
        ...

    @property
    def job(self) -> bool:
        """Whether it runs once and ends."""
        ...

    @property
    def digest(self) -> str:
        """SHA-256, hexadecimal."""
        ...


class Rendering(Protocol):
    """Everything rendered for one target. On a node it is a ``Bundle``."""

    @property
    def target(self) -> str:
        """Name of the node, or of the workload in a cluster."""
        ...

    @property
    def release(self) -> str:
        """Release of Oz API."""
        ...

    @property
    def files(self) -> tuple[RenderedFile, ...]:
        """Files, sorted by path."""
        ...

    @property
    def services(self) -> Sequence[RenderedService]:
        """Services and jobs, in the order of their start."""
        ...

    @property
    def data(self) -> Mapping[str, str]:
        """Locations of the API's data (``database``, ``media``); empty if the API does not run here."""
        ...

    @property
    def digest(self) -> str:
        """SHA-256 over paths, modes and contents, hexadecimal."""
        ...
