"""Findings about the install folder: owner, mount options, SELinux label. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from oz_installer.checks.base import ShellCheck
from oz_installer.checks.context import CheckContext, CheckedNode, Finding, Remedy
from oz_installer.checks.host.capabilities import LOGIN
from oz_installer.checks.host.facts import FolderOwner, HostFacts

_OTHERS_WRITE, _STICKY = 0o002, 0o1000
_SUBJECT = "Install folder"
_CLEANED = ("/tmp", "/var/tmp", "/dev/shm", "/run")  # noqa: S108 - where not to install
# A folder that is already gone is fine; by now a parent folder may hold other people's files.
_REMOVE = '[ ! -d "$1" ] || rmdir "$1"'
_REMOVE_EMPTY = '[ ! -d "$1" ] || rmdir --ignore-fail-on-non-empty "$1"'


def make_folder(context: CheckContext, node: CheckedNode, facts: HostFacts) -> Remedy | None:
    """Return the remedy for a missing install folder that only root can create."""
    folder, place = context.install_dir, facts.place.rstrip("/")
    if not facts.access.startswith("denied ") or not facts.sudo or not LOGIN.fullmatch(facts.login):
        return None
    if folder == place or not folder.startswith(f"{place}/"):
        return None
    below = folder[len(place) + 1 :].split("/")
    created = ["/".join((place, *below[:depth])) for depth in range(len(below), 0, -1)]
    return Remedy(
        title=f"create {folder} for {facts.login}",
        node=node.name,
        commands=(("sudo", "-n", "install", "-d", "-m", "700", "-o", facts.login, folder),),
        undo=tuple(
            ("sudo", "-n", "sh", "-c", _REMOVE if path == folder else _REMOVE_EMPTY, "sh", path)
            for path in created
        ),
    )


def folder_findings(
    check: ShellCheck[Any], context: CheckContext, node: CheckedNode, facts: HostFacts
) -> Iterator[Finding]:
    """Yield the faults of an existing install folder."""
    mine = FolderOwner(owner=facts.owner, uid=facts.owner_uid, mode=facts.mode, group=facts.group)
    if facts.mode & _OTHERS_WRITE:
        yield _writable(check, context.install_dir, node, facts, "everyone", "o")
    elif mine.written_by_group:
        yield _writable(check, context.install_dir, node, facts, f"the group {facts.group}", "g")
    elif facts.owner_uid not in (None, 0, facts.uid):
        yield _foreign_owner(check, context.install_dir, node, facts)
    exists = facts.place == context.install_dir
    if problem := next((text for one in facts.above if (text := _above(one, facts, exists))), ""):
        yield _unsafe_parent(check, node, problem)
    if "noexec" in facts.options:
        yield check.finding(
            node,
            "warning",
            f"the file system of {facts.place} is mounted noexec",
            about="noexec",
            subject=_SUBJECT,
            needed="mounted without noexec",
            why="Containers cannot execute files that are mounted from there.",
            hint="Choose another install_dir, remount it (mount -o remount,exec), or accept this.",
        )
    if facts.selinux == "Enforcing":
        yield _selinux(check, context.install_dir, node)


def _above(one: FolderOwner, facts: HostFacts, exists: bool) -> str:
    """Return who else may replace the install folder, by a folder above it; empty for nobody."""
    if one.path in _CLEANED:
        return f"{one.path} is emptied by the system"
    # in a sticky folder only the owner may rename what is there, but anybody may make what is not there yet
    held = bool(one.mode & _STICKY) and (exists or one.path != facts.place)
    if one.mode & _OTHERS_WRITE and not held:
        return f"everyone can write to {one.path} (mode {one.mode:o})"
    if one.written_by_group and not held:
        return f"the group {one.group} can write to {one.path} (mode {one.mode:o})"
    if one.uid not in (None, 0, facts.uid):
        return f"{one.path} belongs to {one.owner}"
    return ""


def _unsafe_parent(check: ShellCheck[Any], node: CheckedNode, problem: str) -> Finding:
    return check.finding(
        node,
        "warning",
        problem,
        about="parent",
        subject=_SUBJECT,
        needed="folders above the install folder that only root or the login can change",
        why="Who can change a folder above can replace the install folder, and what runs there as root.",
        hint="Choose an install_dir such as /opt/oz, or accept this on a machine that nobody else uses.",
    )


def _writable(
    check: ShellCheck[Any], folder: str, node: CheckedNode, facts: HostFacts, who: str, letter: str
) -> Finding:
    remedy = Remedy(
        title=f"make {folder} writable by its owner only",
        node=node.name,
        commands=(("chmod", f"{letter}-w", folder),),
        undo=(("chmod", f"{letter}+w", folder),),
    )
    return check.finding(
        node,
        "warning",
        f"{who} can write to {folder} (mode {facts.mode:o})",
        about="owner",
        subject=_SUBJECT,
        needed="writable by its owner only",
        why="Anyone with a login on the node could change what runs there.",
        hint=f"Run chmod {letter}-w {folder}, or accept this on a machine that nobody else uses.",
        remedy=remedy if facts.uid in (0, facts.owner_uid) else None,
    )


def _foreign_owner(check: ShellCheck[Any], folder: str, node: CheckedNode, facts: HostFacts) -> Finding:
    remedy = Remedy(
        title=f"make root the owner of {folder}",
        node=node.name,
        commands=(("chown", "root", folder),),
        undo=(("chown", str(facts.owner_uid), folder),),
    )
    return check.finding(
        node,
        "warning",
        f"{folder} belongs to {facts.owner}",
        about="owner",
        subject=_SUBJECT,
        needed=f"owned by root or by {facts.login or 'the login'}",
        why="Its owner could change what runs as root.",
        hint=f"Run chown root {folder}, choose another install_dir, or accept this.",
        remedy=remedy if facts.uid == 0 else None,
    )


def _selinux(check: ShellCheck[Any], folder: str, node: CheckedNode) -> Finding:
    return check.finding(
        node,
        "warning",
        "SELinux is enforcing",
        about="selinux",
        subject="SELinux",
        needed=f"a label on {folder} that containers may read",
        why="Without the label, containers cannot read their own files if the engine has SELinux enabled.",
        hint=f"Run semanage fcontext -a -t container_file_t '{folder}(/.*)?' && restorecon -R {folder}; "
        "then accept this.",
    )
