"""What is to be said of a media folder that was tried. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from oz_installer.answers.model import Workload
from oz_installer.catalog.sizing import format_number, size
from oz_installer.checks.base import NodeCheck
from oz_installer.checks.context import CheckContext, CheckedNode, Finding, Level
from oz_installer.checks.host.disk_query import hung_disk_finding
from oz_installer.checks.storage.probe import StorageFacts
from oz_installer.checks.storage.scripts import HANGS, NO_ENGINE
from oz_installer.text import format_kib

SLOWEST_MS = 50.0
"""A write that is on the disk: every media file of an analysis waits for several of them."""

Owner = NodeCheck[Any]
_NO_CLIENT = ("no such device", "unknown filesystem type", "helper program", "not supported")


def mount_findings(
    check: Owner, context: CheckContext, node: CheckedNode, facts: StorageFacts, place: str
) -> Iterator[Finding]:
    """An NFS volume that cannot be mounted, or a folder that nothing is mounted at."""
    about, subject = "mount", "Media mount"
    if facts.mount == NO_ENGINE:
        yield check.finding(
            node,
            "warning",
            f"whether {place} can be mounted could not be tried: there is no container engine",
            about=about,
            subject=subject,
            why="The engine mounts it.",
            hint="Install the engine first (see its own finding), then check again.",
        )
    elif any(words in facts.mount.lower() for words in _NO_CLIENT):
        yield check.finding(
            node,
            "failure",
            f"this kernel cannot mount NFS: {facts.mount}",
            about="client",
            subject="NFS client",
            needed="the kernel's NFS client",
            why="No container that uses media would start.",
            hint="Install nfs-common (Debian, Ubuntu) or nfs-utils (RHEL, SUSE), and modprobe nfs; "
            "a kernel for clouds may want linux-modules-extra.",
        )
    elif facts.mount:
        yield check.finding(
            node,
            "failure",
            f"{place} cannot be mounted: {facts.mount}",
            about=about,
            subject=subject,
            needed="a mount as the containers will have it",
            why="No container that uses media would start.",
            hint="Is the path exported (showmount -e), to this node's address, and do storage.options fit?",
        )
    elif context.answers.storage.type == "nfs":
        seen = f"{place} can be mounted with {context.answers.storage.options}"
        yield check.finding(node, "ok", seen, about=about, subject=subject)
    elif facts.folder not in ("missing", "file") and facts.system_disk:
        yield check.finding(
            node,
            "warning",
            f"nothing is mounted at {place}: it lies on the system's disk",
            about=about,
            subject=subject,
            needed="a mount of its own",
            why="Media would fill the system's disk, and no other node would see them.",
            hint=f"Mount the shared file system there (and in /etc/fstab); compare findmnt -T {place}.",
        )


def folder_findings(
    check: Owner, node: CheckedNode, facts: StorageFacts, place: str, *, nfs: bool
) -> Finding:
    """Whether root can write there, as the API does."""
    about, subject = "folder", "Media folder"
    if facts.folder == "ok":
        seen = f"{place} can be written" + (f", {format_kib(facts.free)} free" if facts.free else "")
        return check.finding(node, "ok", seen, about=about, subject=subject)
    if facts.folder == HANGS:
        return hung_disk_finding(check, node, place, about=about, subject=subject)
    if facts.folder == "missing":
        seen = f"there is no folder {place}"
        hint = "Mount the shared file system there, on every api node."
        return check.finding(node, "failure", seen, about=about, subject=subject, hint=hint)
    if facts.folder == "file":
        seen, hint = (
            f"{place} is a file, not a folder",
            "Move it away, and mount the shared file system there.",
        )
        return check.finding(node, "failure", seen, about=about, subject=subject, hint=hint)
    if facts.folder == "unseen":
        return check.finding(
            node,
            "warning",
            f"{place} is mounted; whether it can be written could not be tried",
            about=about,
            subject=subject,
            why="Only root may look into a container's mounts.",
            hint="Set become: sudo for this node, or accept this.",
        )
    return check.finding(
        node,
        "failure",
        f"{place} cannot be written: {facts.folder}",
        about=about,
        subject=subject,
        hint="Export it read-write (rw), and let root be root (no_root_squash), or give the folder to whom "
        "root becomes there."
        if nfs
        else "Mount it writable, and give this login (or root) the right to write there.",
    )


def sharing_findings(
    check: Owner, node: CheckedNode, facts: StorageFacts, place: str, first: str, *, told: bool = False
) -> Finding:
    """Whether what the first api node writes is seen here. ``told``: that it is away is a failure already."""
    about, subject = "shared", "Media shared"
    if facts.away:
        seen = f"could not be tried: {first} {facts.away}"
        if told:
            hint = f"Mend what is told of {first}, then check again."
            return check.finding(node, "ok", seen, about=about, subject=subject, hint_when_ok=hint)
        why = "Whether both see the same media is not known."
        hint = f"{first} itself is well: is it busy, or the way to it slow? Check again, or accept this."
        return check.finding(node, "warning", seen, about=about, subject=subject, why=why, hint=hint)
    if facts.shared:
        return check.finding(node, "ok", f"sees what {first} writes", about=about, subject=subject)
    if not facts.held:
        seen, hint = f"could not be tried: {first} cannot write {place}", f"Mend {first} first."
        return check.finding(node, "warning", seen, about=about, subject=subject, hint=hint)
    return check.finding(
        node,
        "failure",
        f"does not see in {place} what {first} writes: {facts.said or 'the file is not there'}",
        about=about,
        subject=subject,
        needed="the same file system on every api node (the vendor's requirement)",
        why="A face sent to one node could not be analysed by the other.",
        hint=f"Mount the same shared file system at {place} on both; compare `findmnt -T {place}`.",
    )


def measurement_findings(
    check: Owner, context: CheckContext, node: CheckedNode, facts: StorageFacts, first: str
) -> Iterator[Finding]:
    """Locks, readers, and how long a write takes; nothing of what the node does not tell."""
    if facts.locks is not None or facts.lock_seen is not None:
        yield _locks(check, node, facts, first)
    if facts.readable is not None:
        yield _reader(check, node, context.release.media_reader, readable=facts.readable)
    if facts.write_ms is not None:
        yield _latency(check, node, facts.write_ms)


def _locks(check: Owner, node: CheckedNode, facts: StorageFacts, first: str) -> Finding:
    alone = facts.lock_seen is None
    well = facts.locks if alone else facts.lock_seen
    good = "can be locked" if alone else f"sees the lock of {first}"
    bad = "files cannot be locked" if alone else f"does not see that {first} has locked a file"
    return check.finding(
        node,
        "ok" if well else "warning",
        good if well else bad,
        about="locks",
        subject="Media locks",
        needed="locks that hold on every api node",
        why="Two nodes could write the same file at once.",
        hint="Mount it without nolock and local_lock; NFS 3 needs rpc.statd at both ends. Or accept this.",
    )


def _reader(check: Owner, node: CheckedNode, reader: int | None, *, readable: bool) -> Finding:
    return check.finding(
        node,
        "ok" if readable else "warning",
        f"the user {reader} {'reads' if readable else 'cannot read'} what root writes",
        about="reader",
        subject="Media readers",
        needed=f"read by the user {reader}, as whom the web server's container runs",
        why="Links to media would answer 403.",
        hint="chmod o+rx the folder (or let its ACL allow it), or accept this.",
    )


def _latency(check: Owner, node: CheckedNode, milliseconds: float) -> Finding:
    level: Level = "ok" if milliseconds <= SLOWEST_MS else "warning"
    return check.finding(
        node,
        level,
        f"a write of 4 KiB takes {milliseconds:.{0 if milliseconds >= 10 else 1}f} ms",
        about="latency",
        subject="Media latency",
        needed=f"at most {SLOWEST_MS:.0f} ms",
        why="Every analysis waits for it several times.",
        hint="Is the server busy or far away? Try a storage that is nearer, or accept this for a test.",
    )


def space_findings(
    check: Owner, node: CheckedNode, facts: StorageFacts, workload: Workload
) -> Iterator[Finding]:
    """Free space against the vendor's formula, where the workload is told."""
    wanted = size(workload).storage_gb
    if wanted is None or facts.free is None:
        return
    yield check.finding(
        node,
        "ok" if facts.free * 1024 >= wanted * 10**9 else "warning",
        f"{format_kib(facts.free)} free",
        about="room",
        subject="Media space",
        needed=f"{format_number(wanted)} GB (the vendor's formula, for your workload)",
        why="When it is full, no analysis can be stored.",
        hint="Enlarge it, keep media for fewer days, or accept this where they fill it already.",
    )
