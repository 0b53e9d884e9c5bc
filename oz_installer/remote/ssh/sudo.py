"""Becoming root: pure builders of commands, and what the answers mean.

The first command that needs root learns the way in the same round trip: a small script reads the
password, tries sudo without it, then with it, tells on the first line of stderr what worked, and
becomes the command. Later commands call sudo directly. The password travels on stdin only; the
script reads exactly its line (``read`` takes byte by byte), so the command's own stdin is untouched.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from enum import Enum

from oz_installer.errors import ConnectError


class Escalation(Enum):
    """How a login becomes root."""

    UNKNOWN = "unknown"
    NONE = "root"
    PASSWORDLESS = "free"
    PASSWORD = "password"  # noqa: S105


_TOLD = "@oz-become "
_TOLD_END = b" @\n"
_SCRIPT = (
    "IFS= read -r p; "
    f'if [ "$(id -u)" = 0 ]; then IFS= read -r q; echo "{_TOLD}root @" >&2; exec "$@"; fi; '
    f'if sudo -n true 2>/dev/null; then IFS= read -r q; echo "{_TOLD}free @" >&2; exec sudo -n -- "$@"; fi; '
    'if [ -z "$p" ]; then e=$(LC_ALL=C sudo -n true 2>&1); '
    "elif e=$(printf '%s\\n' \"$p\" | LC_ALL=C sudo -k -S -p '' true 2>&1); "
    f'then unset p; echo "{_TOLD}password @" >&2; exec sudo -k -S -p \'\' -- "$@"; fi; '
    f'printf "%s%s @\\n" "{_TOLD}refused " "$e" >&2; exit 1'
)


def quote(argv: Sequence[str]) -> str:
    """One shell command of an argv; the one place where commands are quoted."""
    return shlex.join(argv)


def wrap(argv: Sequence[str], way: Escalation, password: str) -> tuple[str, bytes]:
    """The command to run as root, and the bytes to send before its stdin.

    ``password`` without its newline; empty when there is none.
    """
    if way is Escalation.NONE:
        return quote(argv), b""
    line = password.encode() + b"\n"
    if way is Escalation.PASSWORDLESS:
        return quote(("sudo", "-n", "--", *argv)), b""
    if way is Escalation.PASSWORD:
        return quote(("sudo", "-k", "-S", "-p", "", "--", *argv)), line
    return quote(("sh", "-c", _SCRIPT, "sh", *argv)), line + line


def split_marker(stderr: bytes) -> tuple[str, bytes]:
    """Split what the script told (``root``, ``free``, ``password``, ``refused WHY``) from the command's
    own stderr; empty when it told nothing, as when the login shell cannot run it."""
    head = _TOLD.encode()
    start = stderr.find(head)
    end = stderr.find(_TOLD_END, start)
    if start < 0 or end < 0:
        return "", stderr
    word = stderr[start + len(head) : end].decode("utf-8", "replace").strip()
    return word, stderr[:start] + stderr[end + len(_TOLD_END) :]


def parse_escalation(word: str, stderr: bytes, *, node: str, user: str, gave_password: bool) -> Escalation:
    """The way that worked. Raises ConnectError with what to do when none did."""
    if word in {Escalation.NONE.value, Escalation.PASSWORDLESS.value, Escalation.PASSWORD.value}:
        return Escalation(word)
    reason = word.removeprefix("refused").strip() or stderr.decode("utf-8", "replace").strip()
    short = " ".join(reason.split())[-300:]
    if "not found" in reason:
        raise ConnectError(
            f"sudo is not installed, and {user} is not root",
            "Install sudo, or log in as root with `become: none`.",
            node=node,
        )
    # sudo has one exit status for every refusal, so its (LC_ALL=C) words choose the hint, not the verdict
    if "not in the sudoers" in reason or "not allowed" in reason or "may not run" in reason:
        raise ConnectError(
            f"sudo refused {user}: {short}", f"Allow it in /etc/sudoers.d: {user} ALL=(ALL) ALL", node=node
        )
    if gave_password and ("incorrect password" in reason or "try again" in reason):
        raise ConnectError(
            f"sudo does not take the password given for {user}",
            "Correct `become_password` of the node.",
            node=node,
        )
    if not gave_password:
        raise ConnectError(
            f"sudo wants a password for {user}: {short}",
            "Give the node a `become_password`, or allow NOPASSWD in /etc/sudoers.d.",
            node=node,
        )
    raise ConnectError(f"sudo refused {user}: {short}", "Try there: sudo -k true", node=node)
