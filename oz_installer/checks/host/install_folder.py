"""The install folder: who owns it, how it is mounted, what SELinux lets containers read of it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from oz_installer.checks.base import ShellCheck
from oz_installer.checks.context import CheckContext, CheckedNode, Finding, Remedy
from oz_installer.checks.host.capabilities import LOGIN
from oz_installer.checks.host.facts import HostFacts

_OTHERS_WRITE, _STICKY = 0o002, 0o1000
_SUBJECT = "Install folder"
# What is gone already is well; the folders above may hold something of others' by then.
_REMOVE = '[ ! -d "$1" ] || rmdir "$1"'
_REMOVE_EMPTY = '[ ! -d "$1" ] || rmdir --ignore-fail-on-non-empty "$1"'


def make_folder(context: CheckContext, node: CheckedNode, facts: HostFacts) -> Remedy | None:
    """An install folder that is not there and that the login itself cannot make; one that is there stays."""
    folder, place = context.install_dir, facts.place.rstrip("/")
    if not facts.access.startswith("denied ") or not facts.sudo or not LOGIN.fullmatch(facts.login):
        return None
    if folder == place or not folder.startswith(f"{place}/"):
        return None
    below = folder[len(place) + 1 :].split("/")
    made = ["/".join((place, *below[:depth])) for depth in range(len(below), 0, -1)]
    return Remedy(
        title=f"make {folder} for {facts.login}",
        node=node.name,
        commands=(("sudo", "-n", "install", "-d", "-m", "755", "-o", facts.login, folder),),
        undo=tuple(
            ("sudo", "-n", "sh", "-c", _REMOVE if path == folder else _REMOVE_EMPTY, "sh", path)
            for path in made
        ),
    )


def folder_findings(
    check: ShellCheck[Any], context: CheckContext, node: CheckedNode, facts: HostFacts
) -> Iterator[Finding]:
    """Only what is not well."""
    if facts.mode & _OTHERS_WRITE and not facts.mode & _STICKY:
        yield _open_to_all(check, context.install_dir, node, facts)
    elif facts.owner_uid not in (None, 0, facts.uid):
        yield _of_another(check, context.install_dir, node, facts)
    if "noexec" in facts.options:
        yield check.finding(
            node,
            "warning",
            f"the file system of {facts.place} is mounted noexec",
            about="noexec",
            subject=_SUBJECT,
            needed="mounted without noexec",
            why="Containers cannot run what is mounted into them from there.",
            hint="Choose another install_dir, mount it without noexec, or accept this.",
        )
    if facts.selinux == "Enforcing":
        yield _labelled(check, context.install_dir, node)


def _open_to_all(check: ShellCheck[Any], folder: str, node: CheckedNode, facts: HostFacts) -> Finding:
    remedy = Remedy(
        title=f"let only its owner write {folder}",
        node=node.name,
        commands=(("chmod", "o-w", folder),),
        undo=(("chmod", "o+w", folder),),
    )
    return check.finding(
        node,
        "warning",
        f"everybody may write {folder} (mode {facts.mode:o})",
        about="owner",
        subject=_SUBJECT,
        needed="written by its owner only",
        why="Whoever has a login there could change what runs.",
        hint=f"chmod o-w {folder}, or accept this on a machine that nobody else uses.",
        remedy=remedy if facts.uid in (0, facts.owner_uid) else None,
    )


def _of_another(check: ShellCheck[Any], folder: str, node: CheckedNode, facts: HostFacts) -> Finding:
    remedy = Remedy(
        title=f"give {folder} to root",
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
        hint=f"chown root {folder}, choose another install_dir, or accept this.",
        remedy=remedy if facts.uid == 0 else None,
    )


def _labelled(check: ShellCheck[Any], folder: str, node: CheckedNode) -> Finding:
    return check.finding(
        node,
        "warning",
        "SELinux is enforcing",
        about="selinux",
        subject="SELinux",
        needed=f"a label on {folder} that containers may read",
        why="Otherwise containers are denied their own files, where the engine has SELinux switched on.",
        hint=f"semanage fcontext -a -t container_file_t '{folder}(/.*)?' && restorecon -R {folder}; "
        "then accept this.",
    )
