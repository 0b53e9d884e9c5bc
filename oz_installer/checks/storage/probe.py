"""The probe of the media folder: one api node holds a file in it, the others look for it."""

from __future__ import annotations

import contextlib
import re
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from statistics import median
from typing import Self

from oz_installer.checks.network.tcp import TCP_SECONDS
from oz_installer.checks.storage import nfs
from oz_installer.checks.storage.nfs import NfsAnswer
from oz_installer.checks.storage.scripts import HOLD, MOUNT_SECONDS, READ, SILENT, WRITES, program
from oz_installer.checks.viewpoint import Viewpoint
from oz_installer.errors import ConnectError
from oz_installer.remote.transport import TIMED_OUT, Transport
from oz_installer.text import parse_fields, parse_int, safe_line

END_SECONDS = 3.0
"""Time limit for waiting for a script's end; it also ends by itself."""
_SECONDS = 2 * TCP_SECONDS
_LONGEST = 1 << 20  # bytes of output
_CONFLICT = "1"
_LATE = tuple(map(str, TIMED_OUT))
_FIRST_KEYS = ("mount", "disk", "device")
"""Keys that the scripts print before they write.

Output without any is the error of a script that did not start."""
_UNKNOWN = ("", "126", "127", *_LATE)
_COPIED = re.compile(r"copied, ([0-9.e-]+) s")


@dataclass(frozen=True, kw_only=True)
class StorageFacts:
    """Facts of an api node about media; None when unknown.

    ``server`` is the NFS server's answer, ``mount`` why the volume cannot be mounted (empty: it can).
    ``folder`` is ``ok``, ``missing``, ``file`` (not a folder), ``hangs``, ``silent`` (the node stopped
    answering before it had written), ``unseen`` (mounted, but only root may look) or why it is not writable.
    ``held`` is False when the first api node cannot hold a file;
    ``unavailable`` is why that node was not checked (empty: it was). ``shared``: this node sees its file;
    ``message`` is what it saw instead. ``locks``: a file can be locked, ``lock_seen``: this node sees the
    other's lock. ``write_ms`` is the time of a synchronous write of 4 KiB; ``readable``: the user that reads
    media can; ``system_disk``: the folder is on the root file system; ``free`` is in KiB.
    """

    server: NfsAnswer | None = None
    mount: str = ""
    folder: str = "ok"
    held: bool = True
    unavailable: str = ""
    shared: bool | None = None
    message: str = ""
    free: int | None = None
    locks: bool | None = None
    lock_seen: bool | None = None
    write_ms: float | None = None
    readable: bool | None = None
    system_disk: bool | None = None

    @property
    def is_writable(self) -> bool:
        """Whether this node can write media."""
        return (self.server is None or self.server.speaks_nfs) and not self.mount and self.folder == "ok"


@dataclass(frozen=True, kw_only=True)
class MediaLocation:
    """The location of media: a ``folder`` of the nodes, or an NFS volume of their engine.

    ``server``, ``options`` and ``device`` describe the volume. ``reader`` is the user ID that reads media."""

    folder: str = ""
    server: str = ""
    options: str = ""
    device: str = ""
    engine: str = "docker"
    reader: int | None = None

    def call_server(self, viewpoint: Viewpoint) -> NfsAnswer | None:
        """Call the NFS server; None without a server. Raises ConnectError."""
        if not self.server:
            return None
        port, version = nfs.port_of(self.options), nfs.version_of(self.options)
        return nfs.nfs_null_call(viewpoint, self.server, port, version)

    def argv(self, script: str, name: str, word: str, *, measure: bool) -> tuple[str, ...]:
        """Return the command that runs a script on a node."""
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
        """Seconds without output that are normal."""
        return _SECONDS + (2 * MOUNT_SECONDS if self.device else 0)


class _Script:
    """A script that runs on a node inside a ``with`` block."""

    def __init__(self, transport: Transport, argv: tuple[str, ...], timeout: float) -> None:
        self.output = b""
        self._transport = transport
        self._argv = argv
        self._timeout = timeout
        self._sock: socket.socket | None = None

    def __enter__(self) -> Self:
        self._sock = self._transport.stream(self._argv, timeout=_SECONDS)
        self._sock.settimeout(self._timeout)
        return self

    def __exit__(self, *_: object) -> None:
        if self._sock is None:
            return
        self._sock.settimeout(END_SECONDS)
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)
            self.read_until(None)
        self._sock.close()

    def read_until(self, word: str | None) -> bool:
        """Read until that line or the end of the output; return whether the line came."""
        assert self._sock is not None  # noqa: S101 - entered
        mark = None if word is None else f"\n{word}\n".encode()
        until = time.monotonic() + 4 * self._timeout
        with contextlib.suppress(OSError):
            while mark is None or mark not in b"\n" + self.output:
                data = self._sock.recv(4096)
                if not data or len(self.output) > _LONGEST or time.monotonic() > until:
                    break
                self.output += data
        return mark is not None and mark in b"\n" + self.output

    def send_line(self, word: str) -> None:
        """Send a line to the script."""
        assert self._sock is not None  # noqa: S101 - entered
        with contextlib.suppress(OSError):
            self._sock.sendall(f"{word}\n".encode())


class HeldFile(_Script):
    """A file in the media folder of a node, held inside a ``with`` block.

    ``on_open`` is called when the script's session is open."""

    def __init__(
        self,
        transport: Transport,
        location: MediaLocation,
        name: str,
        word: str,
        *,
        measure: bool = False,
        on_open: Callable[[], object] | None = None,
    ) -> None:
        super().__init__(transport, location.argv(HOLD, name, word, measure=measure), location.timeout)
        self.facts = StorageFacts()
        self._on_open = on_open

    def __enter__(self) -> Self:
        super().__enter__()
        if self._on_open is not None:
            self._on_open()
        self.read_until("held")
        self.facts = facts_of(self.output)
        return self


def read_back(
    transport: Transport,
    location: MediaLocation,
    name: str,
    word: str,
    peer_facts: Callable[[], StorageFacts] = StorageFacts,
) -> StorageFacts:
    """Look on a node for the file that a peer holds.

    ``peer_facts`` waits for the peer's facts and is called once this node itself has written. Raises
    ConnectError when the node is lost."""
    argv = location.argv(READ, name, word, measure=True)
    with _Script(transport, argv, location.timeout) as script:
        if not script.read_until("waiting"):
            return facts_of(script.output)
        first = peer_facts()
        held = first.is_writable and not first.unavailable
        if not held:
            return replace(facts_of(script.output), held=held, unavailable=first.unavailable)
        script.send_line("held")
        script.read_until("over")
    values = parse_fields(script.output.decode("utf-8", "replace"))
    if "read" not in values:
        raise ConnectError(
            "the connection was lost while the node looked for a file in the media folder",
            node=transport.name,
        )
    seen, status = values["read"], values.get("locks", "")
    return replace(
        facts_of(script.output),
        shared=seen == word,
        message="" if seen == word else safe_line(seen),
        lock_seen=None if seen != word or status in _UNKNOWN else status == _CONFLICT,
    )


def facts_of(output: bytes) -> StorageFacts:
    """Parse the output of a script."""
    values = parse_fields(output.decode("utf-8", "replace"))
    status, _, words = values.get("mount", "0").partition(" ")
    if status != "0":
        late = f"it is not mounted within {MOUNT_SECONDS} s" if status in _LATE else f"status {status}"
        return StorageFacts(mount=_plain(words) or late)
    folder = values.get("folder") or safe_line(values.get("denied", ""))
    if not folder:
        is_cut = not output.strip() or any(key in values for key in _FIRST_KEYS)
        folder = SILENT if is_cut else safe_line(output.decode("utf-8", "replace"))
    disk = [parse_int(word) for word in values.get("disk", "").split()]
    size, free = (disk[0], disk[2]) if len(disk) == 3 else (None, None)
    mine, _, root = values.get("device", "").partition(" ")
    locked = values.get("locked", "")
    reader = values.get("reader", "").partition(" ")[0]
    return StorageFacts(
        folder=folder,
        free=None if size is None or free is None else size * free // 1024,
        locks=None if locked in _UNKNOWN else locked == "0",
        write_ms=_milliseconds(values),
        readable=None if reader in _UNKNOWN else reader == "0",
        system_disk=mine == root if mine and root else None,
    )


def _plain(words: str) -> str:
    """Reduce an engine's error about a failed mount to the part that an operator understands."""
    words = re.sub(r'time="[^"]*" level=\w+ msg="(\\.|[^"\\])*"\s*', "", words)  # Podman's log
    words = re.sub(r"^([0-9a-f]{64}|oz-install-check-\S+)(\s+|$)", "", words)  # the container or volume
    words = words.rpartition("failed to mount local volume: ")[2]
    words = re.sub(r":?'?[^\s:']*/volumes/oz-install-check-[^\s:,']*'?", "", words)
    words = re.sub(r"\s*(See|Run) 'docker run --help'.*", "", words)
    return safe_line(words.removeprefix("docker: "), 300)


def _milliseconds(values: dict[str, str]) -> float | None:
    """Return the median of the writes; None when one did not finish."""
    found = [_COPIED.search(values.get(f"write{turn}", "")) for turn in range(1, WRITES + 1)]
    times = [float(one[1]) * 1000 for one in found if one]
    if times and len(times) < WRITES:
        return None
    return median(times) if times else None
