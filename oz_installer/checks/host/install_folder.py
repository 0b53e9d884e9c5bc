"""Findings about the install folder: owner, mount options, SELinux label. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from oz_installer.checks.base import ShellCheck
from oz_installer.checks.context import CheckContext, CheckedNode, Finding, Remedy
from oz_installer.checks.host.capabilities import LOGIN
from oz_installer.checks.host.facts import HostFacts

_OTHERS_WRITE, _STICKY = 0o002, 0o1000
_SUBJECT = "Install folder"
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
        commands=(("sudo", "-n", "install", "-d", "-m", "755", "-o", facts.login, folder),),
        undo=tuple(
            ("sudo", "-n", "sh", "-c", _REMOVE if path == folder else _REMOVE_EMPTY, "sh", path)
            for path in created
        ),
    )


def folder_findings(
    check: ShellCheck[Any], context: CheckContext, node: CheckedNode, facts: HostFacts
) -> Iterator[Finding]:
    """Yield the faults of an existing install folder."""
    if facts.mode & _OTHERS_WRITE and not facts.mode & _STICKY:
        yield _world_writable(check, context.install_dir, node, facts)
    elif facts.owner_uid not in (None, 0, facts.uid):
        yield _foreign_owner(check, context.install_dir, node, facts)
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


def _world_writable(check: ShellCheck[Any], folder: str, node: CheckedNode, facts: HostFacts) -> Finding:
    remedy = Remedy(
        title=f"make {folder} writable by its owner only",
        node=node.name,
        commands=(("chmod", "o-w", folder),),
        undo=(("chmod", "o+w", folder),),
    )
    return check.finding(
        node,
        "warning",
        f"everyone can write to {folder} (mode {facts.mode:o})",
        about="owner",
        subject=_SUBJECT,
        needed="writable by its owner only",
        why="Anyone with a login on the node could change what runs there.",
        hint=f"Run chmod o-w {folder}, or accept this on a machine that nobody else uses.",
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
