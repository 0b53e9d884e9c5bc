"""Tries the media folder of api nodes: one holds a file there, the others look for it."""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass, replace
from statistics import median
from typing import Self

from oz_installer.checks.network.tcp import TCP_SECONDS
from oz_installer.checks.storage import nfs
from oz_installer.checks.storage.nfs import NfsAnswer
from oz_installer.checks.storage.scripts import HOLD, MOUNT_SECONDS, READ, WRITES, program
from oz_installer.errors import ConnectError
from oz_installer.remote.transport import TIMED_OUT, Transport
from oz_installer.text import parse_fields, parse_int, safe_line

END_SECONDS = 3.0
"""How long the end of a script is awaited: it comes without us, too."""
_SECONDS = 2 * TCP_SECONDS
_CONFLICT = "1"
_LATE = tuple(map(str, TIMED_OUT))
_NOTHING_TOLD = ("", "126", "127", *_LATE)
_COPIED = re.compile(r"copied, ([0-9.e-]+) s")


@dataclass(frozen=True, kw_only=True)
class StorageFacts:
    """What one api node sees. None: not asked, or not told.

    ``server`` is how the server of NFS answered, ``mount`` why the volume cannot be mounted (empty: it can).
    ``folder`` is ``ok``, ``missing``, ``file`` (no folder), ``hangs``, ``unseen`` (mounted, but only root may
    look) or why it cannot be written; ``held`` False where the first api node, asked for a file, cannot;
    ``away`` why it could not be asked (empty: it could); ``shared`` whether its file is seen here;
    ``locks`` whether it can be locked, ``lock_seen`` whether its lock was noticed here; ``write_ms`` what a
    write of 4 KiB to the disk takes; ``readable`` whether the user that reads media can; ``system_disk``
    whether it lies on the root file system; ``free`` in KiB.
    """

    server: NfsAnswer | None = None
    mount: str = ""
    folder: str = "ok"
    held: bool = True
    away: str = ""
    shared: bool | None = None
    said: str = ""
    free: int | None = None
    locks: bool | None = None
    lock_seen: bool | None = None
    write_ms: float | None = None
    readable: bool | None = None
    system_disk: bool | None = None

    @property
    def is_writable(self) -> bool:
        """Whether this node itself can write media."""
        return (self.server is None or self.server.speaks_nfs) and not self.mount and self.folder == "ok"


@dataclass(frozen=True, kw_only=True)
class MediaLocation:
    """Where the media are: a folder of the nodes, or with ``options`` and ``device`` an NFS volume of their
    engine, of a ``server``. ``reader`` is the user id that reads them."""

    folder: str = ""
    server: str = ""
    options: str = ""
    device: str = ""
    engine: str = "docker"
    reader: int | None = None

    def ask(self, transport: Transport) -> NfsAnswer | None:
        """How the server answers this node; None where there is none. Raises ConnectError."""
        if not self.server:
            return None
        port, version = nfs.port_of(self.options), nfs.version_of(self.options)
        return nfs.nfs_null_call(transport, self.server, port, version)

    def argv(self, script: str, name: str, word: str, *, measure: bool) -> tuple[str, ...]:
        """The command for a node."""
        nfs = bool(self.device)
        return (
            "sh",
            "-c",
            script,
            "oz-install-check",
            "nfs" if nfs else "path",
            self.folder,
            name,
            word,
            "yes" if measure and self.reader is not None else "",
            str(self.reader or 0),
            *((self.engine, self.options, self.device, program()) if nfs else ("", "", "", "")),
        )

    @property
    def timeout(self) -> float:
        """Seconds of silence that are normal."""
        return _SECONDS + (2 * MOUNT_SECONDS if self.device else 0)


class _Script:
    """A script at work on a node, as long as the block lasts."""

    def __init__(self, transport: Transport, argv: tuple[str, ...], patience: float) -> None:
        self.heard = b""
        self._transport = transport
        self._argv = argv
        self._patience = patience
        self._sock: socket.socket | None = None

    def __enter__(self) -> Self:
        self._sock = self._transport.stream(self._argv, timeout=_SECONDS)
        self._sock.settimeout(self._patience)
        return self

    def __exit__(self, *_: object) -> None:
        if self._sock is None:
            return
        self._sock.settimeout(END_SECONDS)
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)
            self.hear(None)
        self._sock.close()

    def hear(self, word: str | None) -> bool:
        """Until that line, or the end. Whether it came."""
        assert self._sock is not None  # noqa: S101 - entered
        mark = None if word is None else f"\n{word}\n".encode()
        with contextlib.suppress(OSError):
            while (mark is None or mark not in b"\n" + self.heard) and (data := self._sock.recv(4096)):
                self.heard += data
        return mark is not None and mark in b"\n" + self.heard

    def tell(self, word: str) -> None:
        """One line."""
        assert self._sock is not None  # noqa: S101 - entered
        with contextlib.suppress(OSError):
            self._sock.sendall(f"{word}\n".encode())


class HeldFile(_Script):
    """A file in the media folder of one node, as long as the block lasts. ``on_open`` is called once the node
    is at it."""

    def __init__(
        self,
        transport: Transport,
        place: MediaLocation,
        name: str,
        word: str,
        *,
        measure: bool = False,
        on_open: Callable[[], object] | None = None,
    ) -> None:
        super().__init__(transport, place.argv(HOLD, name, word, measure=measure), place.timeout)
        self.facts = StorageFacts()
        self._on_open = on_open

    def __enter__(self) -> Self:
        super().__enter__()
        if self._on_open is not None:
            self._on_open()
        self.hear("held")
        self.facts = facts_of(self.heard)
        return self


def read_back(
    transport: Transport,
    place: MediaLocation,
    name: str,
    word: str,
    other: Callable[[], StorageFacts] = StorageFacts,
) -> StorageFacts:
    """What a node sees of the file that another holds. ``other`` waits for the facts of that one, and is
    called once this node can write itself. Raises ConnectError when the node is gone."""
    argv = place.argv(READ, name, word, measure=True)
    with _Script(transport, argv, place.timeout) as script:
        if not script.hear("waiting"):
            return facts_of(script.heard)
        first = other()
        held = first.is_writable and not first.away
        if not held:
            return replace(facts_of(script.heard), held=held, away=first.away)
        script.tell("held")
        script.hear("over")
    told = parse_fields(script.heard.decode("utf-8", "replace"))
    if "read" not in told:
        raise ConnectError("it was lost while it looked for a file in the media folder", node=transport.name)
    seen, status = told["read"], told.get("locks", "")
    return replace(
        facts_of(script.heard),
        shared=seen == word,
        said="" if seen == word else safe_line(seen),
        lock_seen=None if seen != word or status in _NOTHING_TOLD else status == _CONFLICT,
    )


def facts_of(heard: bytes) -> StorageFacts:
    """Facts from what a script printed."""
    told = parse_fields(heard.decode("utf-8", "replace"))
    status, _, words = told.get("mount", "0").partition(" ")
    if status != "0":
        late = f"it is not mounted within {MOUNT_SECONDS} s" if status in _LATE else f"status {status}"
        return StorageFacts(mount=_plain(words) or late)
    folder = told.get("folder") or safe_line(told.get("denied", ""))
    if not folder:
        folder = safe_line(heard.decode("utf-8", "replace")) or "the node gives no answer"
    disk = [parse_int(word) for word in told.get("disk", "").split()]
    size, free = (disk[0], disk[2]) if len(disk) == 3 else (None, None)
    mine, _, root = told.get("device", "").partition(" ")
    locked = told.get("locked", "")
    reader = told.get("reader", "").partition(" ")[0]
    return StorageFacts(
        folder=folder,
        free=None if size is None or free is None else size * free // 1024,
        locks=None if locked in _NOTHING_TOLD else locked == "0",
        write_ms=_milliseconds(told),
        readable=None if reader in _NOTHING_TOLD else reader == "0",
        system_disk=mine == root if mine and root else None,
    )


def _plain(words: str) -> str:
    """What an engine says of a mount that failed, without what only it understands."""
    words = re.sub(r'time="[^"]*" level=\w+ msg="(\\.|[^"\\])*"\s*', "", words)  # Podman's log
    words = re.sub(r"^[0-9a-f]{64}\s+", "", words)
    words = words.rpartition("failed to mount local volume: ")[2]
    words = re.sub(r":?'?[^\s:']*/volumes/oz-install-check-[^\s:,']*'?", "", words)
    words = re.sub(r"\s*(See|Run) 'docker run --help'.*", "", words)
    return safe_line(words.removeprefix("docker: "), 300)


def _milliseconds(told: dict[str, str]) -> float | None:
    """The middle one of the writes; None where one did not end."""
    found = [_COPIED.search(told.get(f"write{turn}", "")) for turn in range(1, WRITES + 1)]
    times = [float(one[1]) * 1000 for one in found if one]
    if times and len(times) < WRITES:
        return None
    return median(times) if times else None
