"""Files to a node in one stream: many small ones as a tar, a large one as itself."""

from __future__ import annotations

import contextlib
import hashlib
import io
import queue
import tarfile
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from oz_installer.errors import DeployError
from oz_installer.remote.transport import BLOCK, RemoteFile, Transport

_READ = 32 * BLOCK
# Names are arguments, never text of a script. tee's failure (disk full) removes the file, which fails
# the whole. What was cut off in flight looks like an end here: so renaming is left to a second command,
# sent when the digests agree.
# openssl's SHA-256 is several times as fast as that of older coreutils, whose 130 MB/s would be the limit.
_RECEIVE = (
    'umask 077; mkdir -p -- "$(dirname -- "$1")" || exit; '
    "if command -v openssl >/dev/null; then sum() { openssl dgst -sha256 -r; }; "
    "else sum() { sha256sum; }; fi; "
    '{ tee -- "$1.partial" || rm -f -- "$1.partial"; } | sum; [ -f "$1.partial" ]'
)
_ACCEPT = 'chmod -- "$2" "$1.partial" && mv -f -- "$1.partial" "$1"'
_DISCARD = 'rm -f -- "$1.partial"'
_EXTRACT = 'umask 077; mkdir -p -- "$1" && exec tar -xpf - -C "$1" --no-same-owner'


def tar_blocks(files: Iterable[RemoteFile], *, mtime: int = 0) -> Iterator[bytes]:
    """A tar of files as blocks; same files, same bytes. Owner root, ``mtime`` in seconds since 1970.

    Folders on the way are listed with mode 755, so that extraction does not make them by the umask.
    Raises ValueError for an absolute path, one with ``..``, or the same path twice.
    """
    seen: set[str] = set()
    for file in sorted(files, key=lambda item: item.path):
        path = PurePosixPath(file.path)
        if path.is_absolute() or ".." in path.parts or not path.parts:
            raise ValueError(f"not a path inside the upload's folder: {file.path!r}")
        name = str(path)
        if name in seen:
            raise ValueError(f"given twice: {name}")
        for parent in reversed(path.parents[:-1]):
            if str(parent) not in seen:
                seen.add(str(parent))
                yield _header(str(parent), tarfile.DIRTYPE, 0o755, 0, mtime)
        seen.add(name)
        yield _header(name, tarfile.REGTYPE, file.mode, len(file.content), mtime)
        if file.content:
            yield file.content
            yield bytes(-len(file.content) % tarfile.BLOCKSIZE)
    yield bytes(2 * tarfile.BLOCKSIZE)


def _header(name: str, kind: bytes, mode: int, size: int, mtime: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.size, info.mtime = kind, mode, size, mtime
    info.uname = info.gname = "root"
    return info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")


def tar_bytes(files: Iterable[RemoteFile], *, mtime: int = 0) -> bytes:
    """``tar_blocks`` as one piece."""
    return b"".join(tar_blocks(files, mtime=mtime))


def upload_tree(
    transport: Transport,
    folder: str,
    files: Sequence[RemoteFile],
    *,
    become: bool = True,
    timeout: float = 120.0,
    on_sent: Callable[[int], None] | None = None,
) -> None:
    """Write files below a folder, one stream. ``timeout`` in seconds of silence. Raises CommandFailed."""
    transport.run(
        ("sh", "-c", _EXTRACT, "sh", folder),
        stdin=tar_bytes(files),
        become=become,
        timeout=timeout,
        check=True,
        on_sent=on_sent,
    )


class _Reader:
    """A file or other source as blocks; its digest grows beside, in a thread (hashlib lets others run)."""

    def __init__(self, source: Path | Iterable[bytes]) -> None:
        self._source = source
        self._digest = hashlib.sha256()
        self._pieces: queue.Queue[bytes | None] = queue.Queue(maxsize=4)
        self._hasher = threading.Thread(target=self._hash, daemon=True, name="oz-hash")

    def __iter__(self) -> Iterator[bytes]:
        self._hasher.start()
        try:
            with contextlib.ExitStack() as stack:
                if isinstance(self._source, Path):
                    stream: io.BufferedReader = stack.enter_context(self._source.open("rb"))
                    pieces: Iterable[bytes] = iter(lambda: stream.read(_READ), b"")
                else:
                    pieces = self._source
                for piece in pieces:
                    self._pieces.put(piece)
                    yield piece
        finally:
            self._pieces.put(None)

    def _hash(self) -> None:
        while (piece := self._pieces.get()) is not None:
            self._digest.update(piece)

    def hexdigest(self) -> str:
        """SHA-256 of what was read so far."""
        if self._hasher.is_alive():
            self._hasher.join()
        return self._digest.hexdigest()


def upload_file(
    transport: Transport,
    source: Path | Iterable[bytes],
    dest: str,
    *,
    mode: int = 0o644,
    become: bool = True,
    timeout: float = 120.0,
    on_sent: Callable[[int], None] | None = None,
) -> str:
    """Write one large file: to ``dest.partial``, then renamed; its SHA-256 (hex), checked on the node.

    ``timeout`` in seconds of silence. Raises CommandFailed, and DeployError when what arrived is not what
    was sent. An upload that is cut off leaves at most ``dest.partial``.
    """
    reader = _Reader(source)

    def run(script: str, *arguments: str, **options: Any) -> str:
        argv = ("sh", "-c", script, "sh", dest, *arguments)
        return transport.run(argv, become=become, timeout=timeout, check=True, **options).text

    arrived = run(_RECEIVE, stdin=reader, on_sent=on_sent).split(" ")[0].strip()
    if arrived != reader.hexdigest():
        run(_DISCARD)
        raise DeployError(
            f"{dest} arrived damaged: SHA-256 {arrived}, sent {reader.hexdigest()}",
            "Run again; if it happens again, look at the network and the disk of the node.",
            node=transport.name,
        )
    run(_ACCEPT, f"{mode:o}")
    return arrived
