"""Upload of files to a node in one stream: many small ones as a tar, a large one as it is."""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import Any

from oz_installer.errors import DeployError
from oz_installer.remote.transport import BLOCK, RemoteFile, Transport

_READ = 32 * BLOCK
# Names are arguments, never text of a script. A broken stream looks like its end here, so digest and rename
# are separate commands, sent after all data was sent. The digest reads the file again, which costs the node
# less than a `tee` into a digest (1.3 against 1.7 s for 512 MiB).
# openssl's SHA-256 is several times as fast as that of older coreutils, whose 130 MB/s would be the limit.
_RECEIVE = (
    'umask 077; mkdir -p -- "$(dirname -- "$1")" || exit; '
    'cat > "$1.partial" || { status=$?; rm -f -- "$1.partial"; exit "$status"; }'
)
_DIGEST = 'if command -v openssl >/dev/null; then openssl dgst -sha256 -r; else sha256sum; fi < "$1.partial"'
_ACCEPT = 'chmod -- "$2" "$1.partial" && mv -f -- "$1.partial" "$1"'
_DISCARD = 'rm -f -- "$1.partial"'
_SLOWEST_DIGEST = 20e6  # bytes a second
_EXTRACT = 'umask 077; mkdir -p -- "$1" && exec tar -xpf - -C "$1" --no-same-owner'


def tar_blocks(files: Iterable[RemoteFile], *, mtime: int = 0) -> Iterator[bytes]:
    """Yield a tar of files in blocks; same files, same bytes.

    The owner is root, ``mtime`` is in seconds since 1970. Parent folders are listed with mode 755, so that
    extraction does not create them by the umask. Raises ValueError for an absolute path, one with ``..``,
    or a path that appears twice.
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
    """Return ``tar_blocks`` joined."""
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
    """Write files below a folder in one stream. ``timeout`` is the longest silence.

    Raises CommandFailed."""
    transport.run(
        ("sh", "-c", _EXTRACT, "sh", folder),
        stdin=tar_bytes(files),
        become=become,
        timeout=timeout,
        check=True,
        on_sent=on_sent,
    )


def file_digest(path: Path) -> str:
    """Compute the SHA-256 of a file (hex). Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _Reader:
    """The data to send in blocks, counted; a stream is hashed while it is read."""

    def __init__(self, source: Path | Iterable[bytes]) -> None:
        self._source = source
        self._digest = hashlib.sha256()
        self.size = 0

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces():
            self.size += len(piece)
            yield piece

    def _pieces(self) -> Iterator[bytes]:
        if isinstance(self._source, Path):
            with self._source.open("rb") as stream:
                yield from iter(lambda: stream.read(_READ), b"")
            return
        for piece in self._source:
            self._digest.update(piece)
            yield piece

    def hexdigest(self) -> str:
        """Return the SHA-256 of the source after all was read."""
        return file_digest(self._source) if isinstance(self._source, Path) else self._digest.hexdigest()


def upload_file(
    transport: Transport,
    source: Path | Iterable[bytes],
    dest: str,
    *,
    mode: int = 0o644,
    become: bool = True,
    timeout: float = 120.0,
    on_sent: Callable[[int], None] | None = None,
    digest_of_source: Callable[[], str] | None = None,
) -> str:
    """Write one large file to ``dest.partial``, rename it, and return its SHA-256 (hex).

    The digest is checked on the node. ``timeout`` is the longest silence in seconds. ``digest_of_source``
    saves reading the source again when it goes to several nodes; it is called after all was sent, while the
    node reads the file. Raises CommandFailed, and DeployError when the file arrived damaged. An interrupted
    upload leaves at most ``dest.partial``.
    """
    reader = _Reader(source)

    def run(script: str, *arguments: str, silence: float = timeout, **options: Any) -> str:
        argv = ("sh", "-c", script, "sh", dest, *arguments)
        return transport.run(argv, become=become, timeout=silence, check=True, **options).text

    run(_RECEIVE, stdin=reader, on_sent=on_sent)
    with ThreadPoolExecutor(1, "oz-digest") as pool:
        sent = pool.submit(digest_of_source or reader.hexdigest)
        arrived = run(_DIGEST, silence=timeout + reader.size / _SLOWEST_DIGEST).split(" ")[0].strip()
    if arrived != sent.result():
        run(_DISCARD)
        raise DeployError(
            f"{dest} arrived damaged: SHA-256 {arrived}, sent {sent.result()}",
            "Run again; if it happens again, check the network and the disk of the node.",
            node=transport.name,
        )
    run(_ACCEPT, f"{mode:o}")
    return arrived
