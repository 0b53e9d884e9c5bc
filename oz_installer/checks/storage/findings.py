"""Findings about the media folder. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from oz_installer.answers.sections import Workload
from oz_installer.catalog.sizing import format_number, size
from oz_installer.checks.base import AnyNodeCheck
from oz_installer.checks.context import CheckContext, CheckedNode, Finding, FindingLevel
from oz_installer.checks.host.disk_query import hung_disk_finding
from oz_installer.checks.storage.probe import StorageFacts
from oz_installer.checks.storage.scripts import HANGS, NO_ENGINE, SILENT
from oz_installer.text import format_kib

SLOWEST_MS = 50.0
"""Longest acceptable synchronous write; every media file of an analysis waits for several."""

_NO_FOLDER = {
    "missing": ("there is no folder {path}", "Mount the shared file system there, on every api node."),
    "file": (
        "{path} is a file, not a folder",
        "Move the file away, and mount the shared file system there.",
    ),
}
"""Message and hint by what is in the place of the folder."""

_NO_CLIENT = ("no such device", "unknown filesystem type", "helper program", "not supported")


def mount_findings(
    check: AnyNodeCheck, context: CheckContext, node: CheckedNode, facts: StorageFacts, path: str
) -> Iterator[Finding]:
    """Judge whether the NFS volume can be mounted, or whether the folder is a mount."""
    about, subject = "mount", "Media mount"
    if facts.mount:
        yield _mount_failure(check, node, facts.mount, path)
    elif context.answers.storage.type == "nfs":
        seen = f"{path} can be mounted with {context.answers.storage.options}"
        yield check.finding(node, "ok", seen, about=about, subject=subject)
    elif facts.folder not in ("missing", "file") and facts.system_disk:
        yield check.finding(
            node,
            "warning",
            f"nothing is mounted at {path}: it is on the system disk",
            about=about,
            subject=subject,
            needed="a mounted file system",
            why="Media would fill the system disk, and no other node would see them.",
            hint=f"Mount the shared file system there (and in /etc/fstab); check with findmnt -T {path}.",
        )


def _mount_failure(check: AnyNodeCheck, node: CheckedNode, reason: str, path: str) -> Finding:
    """Judge why the engine could not mount the volume."""
    about, subject = "mount", "Media mount"
    if reason == NO_ENGINE:
        return check.finding(
            node,
            "warning",
            f"mounting {path} was not checked: there is no container engine",
            about=about,
            subject=subject,
            why="The engine mounts the volume; until then a faulty mount shows only during the installation.",
            hint="Install the engine first (see its own finding), then check again.",
        )
    if any(words in reason.lower() for words in _NO_CLIENT):
        return check.finding(
            node,
            "failure",
            f"this kernel cannot mount NFS: {reason}",
            about="client",
            subject="NFS client",
            needed="the kernel's NFS client",
            why="No container that uses media would start.",
            hint="Install nfs-common (Debian, Ubuntu) or nfs-utils (RHEL, SUSE), then run modprobe nfs; "
            "a cloud kernel may need linux-modules-extra.",
        )
    return check.finding(
        node,
        "failure",
        f"{path} cannot be mounted: {reason}",
        about=about,
        subject=subject,
        needed="the mount that the containers use",
        why="No container that uses media would start.",
        hint="Check storage.options, and that the path is exported to this node (showmount -e).",
    )


def folder_findings(
    check: AnyNodeCheck, node: CheckedNode, facts: StorageFacts, path: str, *, nfs: bool
) -> Finding:
    """Judge whether root, as whom the API runs, can write to the folder."""
    about, subject = "folder", "Media folder"
    if facts.folder == "ok":
        seen = f"{path} is writable" + (f", {format_kib(facts.free)} free" if facts.free else "")
        return check.finding(node, "ok", seen, about=about, subject=subject)
    if facts.folder == HANGS:
        return hung_disk_finding(check, node, path, about=about, subject=subject)
    if facts.folder == SILENT:
        return _silent_node(check, node, path)
    why = "The API cannot store media."
    if facts.folder in _NO_FOLDER:
        seen, hint = _NO_FOLDER[facts.folder]
        seen = seen.format(path=path)
        return check.finding(node, "failure", seen, about=about, subject=subject, why=why, hint=hint)
    if facts.folder == "unseen":
        return check.finding(
            node,
            "warning",
            f"{path} is mounted; writing to it was not checked",
            about=about,
            subject=subject,
            why="Only root may access a container's mounts.",
            hint="Set become: sudo for this node, or accept this.",
        )
    return check.finding(
        node,
        "failure",
        f"{path} is not writable: {facts.folder}",
        about=about,
        subject=subject,
        why=why,
        hint="Export it with rw,no_root_squash, or make the export's anonuid the owner of the folder."
        if nfs
        else "Mount it writable, and give this login (or root) write permission.",
    )


def _silent_node(check: AnyNodeCheck, node: CheckedNode, path: str) -> Finding:
    """Return the finding for a node that stopped answering before it had written."""
    return check.finding(
        node,
        "failure",
        f"writing to {path} was not checked: the node did not answer in time",
        about="folder",
        subject="Media folder",
        why="It is unknown whether the API can store media.",
        hint="Check the node for high load (uptime) and for a stuck command (a dead mount, a hung engine), "
        "then check again.",
    )


def sharing_findings(
    check: AnyNodeCheck,
    node: CheckedNode,
    facts: StorageFacts,
    path: str,
    first: str,
    *,
    is_reported: bool = False,
) -> Finding:
    """Judge whether this node sees the first api node's file.

    ``is_reported``: the first node's own failure is already a finding."""
    about, subject = "shared", "Media shared"
    if facts.unavailable:
        seen = f"not checked: {first} {facts.unavailable}"
        if is_reported:
            hint = f"Fix the findings of {first}, then check again."
            return check.finding(node, "ok", seen, about=about, subject=subject, hint_when_ok=hint)
        why = "It is unknown whether both nodes see the same media."
        hint = f"Check the load of {first} and the connection to it, then check again; or accept this."
        return check.finding(node, "warning", seen, about=about, subject=subject, why=why, hint=hint)
    if facts.shared:
        return check.finding(node, "ok", f"sees what {first} writes", about=about, subject=subject)
    if not facts.held:
        seen = f"not checked: {first} cannot write to {path}"
        why = "It is unknown whether both nodes see the same media."
        hint = f"Fix the findings of {first} first, then check again."
        return check.finding(node, "warning", seen, about=about, subject=subject, why=why, hint=hint)
    return check.finding(
        node,
        "failure",
        f"does not see in {path} what {first} writes: {facts.message or 'the file is not there'}",
        about=about,
        subject=subject,
        needed="the same file system on every api node (the vendor's requirement)",
        why="One node cannot analyse media that was sent to the other.",
        hint=f"Mount the same shared file system at {path} on both; compare findmnt -T {path}.",
    )


def measurement_findings(
    check: AnyNodeCheck, context: CheckContext, node: CheckedNode, facts: StorageFacts, first: str
) -> Iterator[Finding]:
    """Judge locks, read permission and latency, as far as they are known."""
    if facts.locks is not None or facts.lock_seen is not None:
        yield _locks(check, node, facts, first)
    if facts.readable is not None:
        yield _reader(check, node, context.release.media_reader, readable=facts.readable)
    if facts.write_ms is not None:
        yield _latency(check, node, facts.write_ms)


def _locks(check: AnyNodeCheck, node: CheckedNode, facts: StorageFacts, first: str) -> Finding:
    alone = facts.lock_seen is None
    is_ok = facts.locks if alone else facts.lock_seen
    good = "files can be locked" if alone else f"sees the lock of {first}"
    bad = "files cannot be locked" if alone else f"does not see that {first} has locked a file"
    return check.finding(
        node,
        "ok" if is_ok else "warning",
        good if is_ok else bad,
        about="locks",
        subject="Media locks",
        needed="locks that hold on every api node",
        why="Two nodes could write to the same file at the same time.",
        hint="Mount it without nolock and local_lock; NFS 3 needs rpc.statd on both ends. Or accept this.",
    )


def _reader(check: AnyNodeCheck, node: CheckedNode, reader: int | None, *, readable: bool) -> Finding:
    return check.finding(
        node,
        "ok" if readable else "warning",
        f"the user {reader} {'can' if readable else 'cannot'} read files that root writes",
        about="reader",
        subject="Media readers",
        needed=f"readable by the user {reader}, as whom the web server's container runs",
        why="Links to media would answer 403.",
        hint="Run chmod o+rx on the folder (or allow it in its ACL), or accept this.",
    )


def _latency(check: AnyNodeCheck, node: CheckedNode, milliseconds: float) -> Finding:
    level: FindingLevel = "ok" if milliseconds <= SLOWEST_MS else "warning"
    return check.finding(
        node,
        level,
        f"a write of 4 KiB takes {milliseconds:.{0 if milliseconds >= 10 else 1}f} ms",
        about="latency",
        subject="Media latency",
        needed=f"at most {SLOWEST_MS:.0f} ms",
        why="Every analysis waits for several such writes.",
        hint="Check the server's load, use storage that is closer to the nodes, or accept this for a test.",
    )


def space_findings(
    check: AnyNodeCheck, node: CheckedNode, facts: StorageFacts, workload: Workload
) -> Iterator[Finding]:
    """Compare free space with the vendor's formula, if the workload is known."""
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
        why="When the storage is full, no analysis can be stored.",
        hint="Enlarge the storage, keep media for fewer days, or accept this if existing media fill it.",
    )
