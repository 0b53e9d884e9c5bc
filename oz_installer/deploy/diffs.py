"""Unified diffs of a plan's files: what stands on the node, as it may be shown, against what will."""

from __future__ import annotations

import difflib
import io
import tarfile
from collections.abc import Collection, Mapping
from dataclasses import replace

from oz_installer.deploy.plan import FileChange, NodePlan
from oz_installer.remote.transport import Transport
from oz_installer.secret import Masker

CONTEXT_LINES = 3


def add_diffs(
    plan: NodePlan,
    wanted: Mapping[str, bytes],
    secret: Collection[str],
    transport: Transport,
    install_dir: str,
    masker: Masker,
) -> NodePlan:
    """The plan with diffs. ``wanted`` are the new files as they may be shown."""
    paths = [change.path for change in plan.files if change.kind != "new"]
    there = _fetch(transport, install_dir, paths)
    files = tuple(_with_diff(change, there, wanted, secret, masker) for change in plan.files)
    return replace(plan, files=files)


def _with_diff(
    change: FileChange,
    there: Mapping[str, bytes],
    wanted: Mapping[str, bytes],
    secret: Collection[str],
    masker: Masker,
) -> FileChange:
    shown = f"shown/{change.path}"
    if shown in there:
        old = there[shown]
    elif change.path in secret or change.path.startswith("licence/"):
        old = b""  # a secret file without its masked twin is never shown
    else:
        old = there.get(change.path, b"")
    diff = unified(old, wanted.get(change.path, b""), change.path)
    if not diff and change.kind == "changed":
        diff = "(only secrets differ)\n"
    if not diff and change.kind == "drifted" and change.path in secret:
        diff = "(differs from what was installed; not shown, because it holds secrets)\n"
    return replace(change, diff=masker(diff))


def unified(old: bytes, new: bytes, path: str) -> str:
    """A unified diff; empty when nothing differs or it is no text."""
    try:
        before, after = old.decode().splitlines(), new.decode().splitlines()
    except UnicodeDecodeError:
        return ""
    lines = difflib.unified_diff(
        before, after, f"installed/{path}", f"new/{path}", n=CONTEXT_LINES, lineterm=""
    )
    return "".join(f"{line}\n" for line in lines)


# Of each file its masked twin where it has one, else itself: secrets never leave the node for a diff.
_FETCH = 'cd "$0/current" 2>/dev/null || exit 0; for f; do [ -f "shown/$f" ] && f="shown/$f"; ' \
    '[ -f "$f" ] && printf "%s\\0" "$f"; done | tar -c -f - --null -T -'  # fmt: skip


def _fetch(transport: Transport, install_dir: str, paths: list[str]) -> dict[str, bytes]:
    if not paths:
        return {}
    result = transport.run(("sh", "-c", _FETCH, install_dir, *paths), check=True)
    found: dict[str, bytes] = {}
    if not result.stdout:
        return found
    with tarfile.open(fileobj=io.BytesIO(result.stdout)) as tar:
        for member in tar:
            if member.isfile() and (stream := tar.extractfile(member)):
                found[member.name] = stream.read()
    return found
