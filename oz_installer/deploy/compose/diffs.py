"""Unified diffs of a plan's files: the node's files against the new ones, secrets masked."""

from __future__ import annotations

import difflib
import io
import tarfile
from collections.abc import Collection, Mapping
from dataclasses import replace

from oz_installer.deploy.change import Change
from oz_installer.deploy.plan import TargetPlan
from oz_installer.errors import OzError
from oz_installer.remote.transport import Transport
from oz_installer.render.project import DIGEST_LABEL
from oz_installer.secret import Masker

CONTEXT_LINES = 3
LARGEST = 1024 * 1024
"""Maximum size of a node's file to compare, in bytes; ours have a few kilobytes."""


def add_diffs(
    plan: TargetPlan,
    wanted: Mapping[str, bytes],
    secret: Collection[str],
    transport: Transport,
    install_dir: str,
    masker: Masker,
) -> TargetPlan:
    """Return the plan with diffs.

    ``wanted`` holds the new files with secrets masked, ``secret`` the paths of files that hold secrets. Of
    these, and of files that are not in the bundle, only the masked copy below ``shown/`` leaves the node.
    """
    paths = [
        change.name if _is_open(change, secret) else f"shown/{change.name}"
        for change in plan.files
        if change.action != "new"
    ]
    there = _fetch(transport, install_dir, paths)
    files = (_with_diff(change, there, wanted, secret, masker) for change in plan.files)
    others = (change for change in plan.changes if change.kind != "file")
    return replace(plan, changes=(*files, *others))


def _with_diff(
    change: Change,
    there: Mapping[str, bytes],
    wanted: Mapping[str, bytes],
    secret: Collection[str],
    masker: Masker,
) -> Change:
    shown = f"shown/{change.name}"
    old = there.get(shown, there.get(change.name, b"") if _is_open(change, secret) else b"")
    diff = unified(old, wanted.get(change.name, b""), change.name)
    if not diff and change.action != "new":
        diff = _remark(change, secret, old, wanted.get(change.name, b""))
    return replace(change, diff=masker(diff))


def _is_open(change: Change, secret: Collection[str]) -> bool:
    """Return whether the file on the node holds no secret and may be shown unmasked."""
    hidden = change.name in secret or change.name.startswith("licence/")
    return change.action != "removed" and not hidden


def _remark(change: Change, secret: Collection[str], old: bytes, new: bytes) -> str:
    if change.action == "removed":
        return "(not shown, because it may hold secrets)\n"
    if change.name in secret:
        if change.action == "changed":
            return "(only secrets differ, or files that its services read)\n"
        return "(differs from what was installed; not shown, because it holds secrets)\n"
    if old == new:
        return "(only its mode differs)\n"
    return "(cannot be shown as text)\n"


def unified(old: bytes, new: bytes, path: str) -> str:
    """Return a unified diff; empty when nothing differs or the content is not text.

    Lines with the digest label of a service are left out: the files that it covers are in the plan.
    """
    try:
        before, after = _lines(old.decode()), _lines(new.decode())
    except UnicodeDecodeError:
        return ""
    lines = difflib.unified_diff(
        before, after, f"installed/{path}", f"new/{path}", n=CONTEXT_LINES, lineterm=""
    )
    return "".join(f"{line}\n" for line in lines)


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if DIGEST_LABEL not in line]


# For each file its masked copy where there is one, else the file: secrets never leave the node for a diff.
_FETCH = 'cd "$0/current" 2>/dev/null || exit 0; for f; do [ -f "shown/$f" ] && f="shown/$f"; ' \
    '[ -f "$f" ] && printf "%s\\0" "$f"; done | tar -c -f - --null -T -'  # fmt: skip


def _fetch(transport: Transport, install_dir: str, paths: list[str]) -> dict[str, bytes]:
    if not paths:
        return {}
    result = transport.run(("sh", "-c", _FETCH, install_dir, *paths), check=True)
    found: dict[str, bytes] = {}
    if not result.stdout:
        return found
    try:
        # no compression, and no holes: a few bytes of a node must not become gigabytes here
        with tarfile.open(fileobj=io.BytesIO(result.stdout), mode="r:") as tar:
            for member in tar:
                plain = member.isreg() and not member.issparse() and member.size <= LARGEST
                if plain and (stream := tar.extractfile(member)):
                    found[member.name] = stream.read()
    except (tarfile.TarError, ValueError, OverflowError) as error:
        raise OzError(
            f"its files cannot be read for the comparison: {error}",
            "Check what tar and the login shell of the node print.",
            node=transport.name,
        ) from None
    return found
