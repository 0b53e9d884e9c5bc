"""Tries the media folder of api nodes: one holds a file there, the others look for it."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from dataclasses import dataclass, replace
from statistics import median

from oz_installer.checks.nfs import NfsAnswer
from oz_installer.checks.reach import TCP_SECONDS
from oz_installer.checks.storage_scripts import HOLD, MOUNT_SECONDS, READ, WRITES, program
from oz_installer.checks.text import TIMED_OUT, fields, number, said
from oz_installer.errors import ConnectError, OzError
from oz_installer.remote.transport import Transport

WAIT_SECONDS = 5.0
"""How long a node waits for another to hold a file: its own findings must not be late for the runner."""
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

    ``server`` is how the server of NFS answered, ``mount`` why the volume cannot be mounted (empty: it
    can). ``folder`` is ``ok``, ``missing``, ``file`` (no folder), ``hangs``, ``unseen`` (mounted, but only
    root may look) or why it cannot be written; ``held`` whether the first api node could write at all;
    ``away`` why it could not be asked to (empty: it could); ``shared`` whether its file is seen here;
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


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where the media are: a folder of the nodes, or with ``options`` and ``device`` an NFS volume of their
    engine. ``reader`` is the user id that reads them."""

    folder: str = ""
    options: str = ""
    device: str = ""
    engine: str = "docker"
    reader: int | None = None

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
    def patience(self) -> float:
        """Seconds of silence that are normal."""
        return _SECONDS + (2 * MOUNT_SECONDS if self.device else 0)


class Held:
    """A file in the media folder of one node, as long as the block lasts."""

    def __init__(
        self, transport: Transport, place: Place, name: str, word: str, *, measure: bool = False
    ) -> None:
        self.facts = StorageFacts()
        self._argv = place.argv(HOLD, name, word, measure=measure)
        self._patience = place.patience
        self._transport = transport
        self._sock: socket.socket | None = None
        self._heard = b""

    def __enter__(self) -> Held:
        self._sock = self._transport.stream(self._argv, timeout=_SECONDS)
        self._sock.settimeout(self._patience)
        self._hear(b"held\n")
        self.facts = facts_of(self._heard)
        return self

    def __exit__(self, *_: object) -> None:
        if self._sock is None:
            return
        self._sock.settimeout(END_SECONDS)
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)
            self._hear(None)
        self._sock.close()

    def _hear(self, word: bytes | None) -> None:
        """Until that word, or the end."""
        assert self._sock is not None  # noqa: S101 - entered
        with contextlib.suppress(OSError):
            while (word is None or word not in self._heard) and (data := self._sock.recv(4096)):
                self._heard += data


@contextlib.contextmanager
def held_elsewhere(
    reach: Callable[[], Transport], place: Place, name: str, word: str
) -> Iterator[StorageFacts]:
    """``Held`` on another node, which is waited for five seconds: it must keep no findings of this node.

    Facts with ``away`` where it cannot be reached, or holds nothing in that time.
    """
    told: Future[StorageFacts] = Future()
    over = threading.Event()

    def hold() -> None:
        try:
            with Held(reach(), place, name, word) as held:
                told.set_result(held.facts)
                over.wait()
        except Exception as error:  # noqa: BLE001 - raised again below
            if not told.done():
                told.set_exception(error)

    holder = threading.Thread(target=hold, name=f"hold-{name}", daemon=True)
    holder.start()
    try:
        wait([told], timeout=WAIT_SECONDS)
        yield _facts_or_away(told)
    finally:
        over.set()
        holder.join(END_SECONDS if told.done() else 0)


def _facts_or_away(told: Future[StorageFacts]) -> StorageFacts:
    try:
        return told.result(0)
    except ConnectError:
        return StorageFacts(away="cannot be reached")
    except OzError as error:
        return StorageFacts(away=f"cannot be asked: {said(error.message)}")
    except TimeoutError:
        return StorageFacts(away=f"does not answer within {WAIT_SECONDS:g} s")


def read_back(transport: Transport, place: Place, name: str, word: str, *, held: bool) -> StorageFacts:
    """What a node sees of the file that another holds; ``held``: it does."""
    argv = place.argv(READ, name, word if held else "-", measure=True)
    result = transport.run(argv, timeout=place.patience)
    facts = facts_of(result.stdout or result.stderr)
    if facts.mount or facts.folder != "ok" or not held:
        return replace(facts, held=held)
    told = fields(result.text)
    seen = told.get("read", "")
    status = told.get("locks", "")
    return replace(
        facts,
        shared=seen == word,
        said="" if seen == word else said(seen),
        lock_seen=None if seen != word or status in _NOTHING_TOLD else status == _CONFLICT,
    )


def facts_of(heard: bytes) -> StorageFacts:
    """Facts from what a script printed."""
    told = fields(heard.decode("utf-8", "replace"))
    status, _, words = told.get("mount", "0").partition(" ")
    if status != "0":
        late = f"it is not mounted within {MOUNT_SECONDS} s" if status in _LATE else f"status {status}"
        return StorageFacts(mount=_plain(words) or late)
    folder = told.get("folder") or said(told.get("denied", ""))
    if not folder:
        folder = said(heard.decode("utf-8", "replace")) or "the node gives no answer"
    disk = [number(word) for word in told.get("disk", "").split()]
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
    return said(words.removeprefix("docker: "), 300)


def _milliseconds(told: dict[str, str]) -> float | None:
    """The middle one of the writes; None where one did not end."""
    found = [_COPIED.search(told.get(f"write{turn}", "")) for turn in range(1, WRITES + 1)]
    times = [float(one[1]) * 1000 for one in found if one]
    if times and len(times) < WRITES:
        return None
    return median(times) if times else None
