"""Media storage from every api node: there, writable, and the same for all of them."""

from __future__ import annotations

import contextlib
import socket
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace

from oz_installer.answers.model import Workload
from oz_installer.catalog.sizing import figure, size
from oz_installer.checks.check import Visit
from oz_installer.checks.model import Finding, Site, Spot
from oz_installer.checks.reach import TCP_SECONDS, Knock, knock
from oz_installer.checks.text import fields, gigabytes, number, said
from oz_installer.remote.transport import Transport

NFS_PORT = 2049
PREFIX = ".oz-install-check."
_HELD_SECONDS = 20

# Common to both ends: what a folder is like. $1 folder, $2 name of the file, $3 what it holds. Files that a
# killed check has left are gone after an hour, with the next check.
_BEGIN = f"""
folder=$1 file=$1/$2 word=$3
[ -d "$folder" ] || {{ echo "folder missing"; exit; }}
find "$folder" -maxdepth 1 -name '{PREFIX}*' -mmin +60 -exec rm -f {{}} + 2>/dev/null
timeout 5 df -Pk "$folder" 2>/dev/null | awk 'END {{ print "disk", $2, $4 }}'
try() {{ said=$( (umask 077; printf '%s\\n' "$word" > "$1") 2>&1 ) || {{ echo "denied $said"; exit; }}; }}
"""
# The file is there as long as stdin is open: a workstation that dies takes it along.
_HOLD = (
    _BEGIN
    + f"""
trap 'rm -f "$file"' EXIT
trap 'exit 1' HUP INT TERM
try "$file"
echo "folder ok"
echo "held"
timeout {_HELD_SECONDS} cat > /dev/null
rm -f "$file"
echo "removed"
"""
)
_READ = (
    _BEGIN
    + """
trap 'rm -f "$file.own"' EXIT
try "$file.own"
rm -f "$file.own"
echo "folder ok"
[ -n "$4" ] || exit
for turn in 1 2 3 4 5 6; do
  [ -e "$file" ] && break
  sleep 0.3
done
echo "read $(cat "$file" 2>&1)"
"""
)


@dataclass(frozen=True, kw_only=True)
class StorageFacts:
    """What one api node sees. ``folder`` is ``ok``, ``missing`` or why it cannot be written; ``held`` whether
    the first api node could write at all; ``shared`` whether its file was seen here (None: not asked)."""

    folder: str = "ok"
    held: bool = True
    shared: bool | None = None
    said: str = ""
    free: int | None = None
    knock: Knock | None = None


class StorageCheck(Visit[StorageFacts]):
    """The first api node holds a file, the others look for it."""

    name = "storage"
    title = "Media storage"

    def spots(self, site: Site) -> tuple[Spot, ...]:
        """What reads and writes media."""
        return site.api_spots

    def probe(self, site: Site, spot: Spot) -> StorageFacts:
        """By the type of storage."""
        storage = site.answers.storage
        transport = site.reach(spot.name)
        if storage.type == "nfs":
            return StorageFacts(knock=knock(transport, storage.server or "", NFS_PORT))
        if storage.type == "local":
            return _local(transport, site.install_dir)
        first = site.api_spots[0]
        folder, name, word = (
            str(storage.path).rstrip("/"),
            f"{PREFIX}{uuid.uuid4().hex[:12]}",
            uuid.uuid4().hex,
        )
        if spot == first:
            with _Held(transport, folder, name, word) as held:
                return held.facts
        with _Held(site.reach(first.name), folder, name, word) as held:
            return _read(transport, folder, name, word, held=held.facts.folder == "ok")

    def judge(self, site: Site, spot: Spot, facts: StorageFacts) -> Iterator[Finding]:
        """The folder first; sharing only where there is something to share."""
        storage = site.answers.storage
        if facts.knock is not None:
            yield self._nfs(spot, facts.knock, f"{storage.server}:{storage.export or '/'}")
        elif storage.type == "local":
            seen = f"{site.install_dir}/data/media on the node itself"
            yield self.finding(spot, "ok", seen + (f", {gigabytes(facts.free)} free" if facts.free else ""))
            yield from self._room(spot, facts, site.answers.workload)
        else:
            yield self._folder(spot, facts, str(storage.path))
            if facts.folder == "ok" and spot != site.api_spots[0]:
                yield self._shared(spot, facts, str(storage.path), site.api_spots[0].name)
            if spot == site.api_spots[0]:
                yield from self._room(spot, facts, site.answers.workload)

    def _nfs(self, spot: Spot, knocked: Knock, export: str) -> Finding:
        if knocked.open:
            seen = f"the NFS server of {export} answers at port {NFS_PORT}"
            return self.finding(spot, "ok", seen)
        return self.finding(
            spot,
            "failure",
            f"the NFS server of {export} does not answer at port {NFS_PORT}: {knocked.said}",
            needed="a TCP connection from every api node",
            hint="Is its name right as this node sees it, does it run, and does no firewall stand between?",
        )

    def _folder(self, spot: Spot, facts: StorageFacts, path: str) -> Finding:
        about, subject = "folder", "Media folder"
        if facts.folder == "ok":
            seen = f"{path} can be written" + (f", {gigabytes(facts.free)} free" if facts.free else "")
            return self.finding(spot, "ok", seen, about=about, subject=subject)
        if facts.folder == "missing":
            seen, hint = (
                f"there is no folder {path}",
                "Mount the shared file system there, on every api node.",
            )
        else:
            seen = f"{path} cannot be written: {facts.folder}"
            hint = "Mount it writable, and give this login (or root) the right to write there."
        return self.finding(spot, "failure", seen, about=about, subject=subject, hint=hint)

    def _shared(self, spot: Spot, facts: StorageFacts, path: str, first: str) -> Finding:
        about, subject = "shared", "Media shared"
        if facts.shared:
            return self.finding(spot, "ok", f"sees what {first} writes", about=about, subject=subject)
        if not facts.held:
            seen = f"could not be tried: {first} cannot write {path}"
            return self.finding(
                spot, "warning", seen, about=about, subject=subject, hint=f"Mend {first} first."
            )
        return self.finding(
            spot,
            "failure",
            f"does not see in {path} what {first} writes: {facts.said or 'the file is not there'}",
            about=about,
            subject=subject,
            needed="the same file system on every api node (the vendor's requirement)",
            why="A face sent to one node could not be analysed by the other.",
            hint=f"Mount the same shared file system at {path} on both; compare `findmnt -T {path}`.",
        )

    def _room(self, spot: Spot, facts: StorageFacts, workload: Workload) -> Iterator[Finding]:
        """Free space against the vendor's formula, where the workload is told."""
        wanted = size(
            apm=workload.apm,
            analyses_per_month=workload.analyses_per_month,
            media_mb=workload.media_mb,
            analyses_per_day=workload.analyses_per_day,
            archive_days=workload.archive_days,
            needs_ha=workload.needs_ha,
            needs_autoscaling=workload.needs_autoscaling,
        ).storage_gb
        if wanted is None or facts.free is None:
            return
        about, subject, seen = "room", "Media space", f"{gigabytes(facts.free)} free"
        needed = f"{figure(wanted)} GB (the vendor's formula, for your workload)"
        if facts.free * 1024 >= wanted * 10**9:
            yield self.finding(spot, "ok", seen, about=about, subject=subject, needed=needed)
            return
        yield self.finding(
            spot,
            "warning",
            seen,
            about=about,
            subject=subject,
            needed=needed,
            why="When it is full, no analysis can be stored.",
            hint="Enlarge it, keep media for fewer days, or accept this where they fill it already.",
        )


class _Held:
    """A file in the folder of one node, as long as the block lasts."""

    def __init__(self, transport: Transport, folder: str, name: str, word: str) -> None:
        self.facts = StorageFacts()
        self._argv = ("sh", "-c", _HOLD, "oz-install-check", folder, name, word)
        self._transport = transport
        self._sock: socket.socket | None = None
        self._heard = b""

    def __enter__(self) -> _Held:
        self._sock = self._transport.stream(self._argv, timeout=2 * TCP_SECONDS)
        self._sock.settimeout(2 * TCP_SECONDS)
        self._hear(b"held\n")
        told = fields(self._heard.decode("utf-8", "replace"))
        self.facts = _facts(told, self._heard)
        return self

    def __exit__(self, *_: object) -> None:
        if self._sock is None:
            return
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)
            self._hear(b"removed\n")
        self._sock.close()

    def _hear(self, word: bytes) -> None:
        """Until that word, or the end."""
        assert self._sock is not None  # noqa: S101 - entered
        with contextlib.suppress(OSError):
            while word not in self._heard and (data := self._sock.recv(4096)):
                self._heard += data


def _read(transport: Transport, folder: str, name: str, word: str, *, held: bool) -> StorageFacts:
    argv = ("sh", "-c", _READ, "oz-install-check", folder, name, word, "look" if held else "")
    result = transport.run(argv, timeout=2 * TCP_SECONDS)
    told = fields(result.text)
    facts = _facts(told, result.stdout or result.stderr)
    if facts.folder != "ok" or not held:
        return replace(facts, held=held)
    seen = told.get("read", "")
    return replace(facts, shared=seen == word, said="" if seen == word else said(seen))


def _facts(told: dict[str, str], heard: bytes) -> StorageFacts:
    folder = told.get("folder") or said(told.get("denied", ""))
    if not folder:
        folder = said(heard.decode("utf-8", "replace")) or "the node gives no answer"
    return StorageFacts(folder=folder, free=number(told.get("disk", "").rpartition(" ")[2]))


def _local(transport: Transport, install_dir: str) -> StorageFacts:
    script = (
        'place=$1; while [ ! -d "$place" ]; do place=$(dirname "$place"); done; timeout 5 df -Pk "$place"'
    )
    result = transport.run(("sh", "-c", script, "oz-install-check", f"{install_dir}/data/media"))
    words = result.text.splitlines()[-1].split() if result.text.strip() else []
    return StorageFacts(free=number(words[3]) if len(words) > 3 else None)
