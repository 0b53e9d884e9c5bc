"""Becoming root by sudo: builders of commands and the parser of the outcome. Pure.

The first command that needs root finds the method in the same round trip: a small script reads the
password, tries sudo without it, then with it, prints what worked on the first line of stderr, and
becomes the command. Later commands call sudo directly. The password is sent on stdin only; the
script reads exactly its line (``read`` takes byte by byte), so the command's own stdin is untouched.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from enum import Enum

from oz_installer.errors import ConnectError


class Escalation(Enum):
    """The method by which a login becomes root."""

    UNKNOWN = "unknown"
    NONE = "root"
    PASSWORDLESS = "free"
    PASSWORD = "password"  # noqa: S105


_MARKER = "@oz-become "
_MARKER_END = b" @\n"
_SCRIPT = (
    "IFS= read -r p; "
    f'if [ "$(id -u)" = 0 ]; then IFS= read -r q; echo "{_MARKER}root @" >&2; exec "$@"; fi; '
    "if sudo -n true 2>/dev/null; then "
    f'IFS= read -r q; echo "{_MARKER}free @" >&2; exec sudo -n -- "$@"; fi; '
    'if [ -z "$p" ]; then e=$(LC_ALL=C sudo -n true 2>&1); '
    "elif e=$(printf '%s\\n' \"$p\" | LC_ALL=C sudo -k -S -p '' true 2>&1); "
    f'then unset p; echo "{_MARKER}password @" >&2; exec sudo -k -S -p \'\' -- "$@"; fi; '
    f'printf "%s%s @\\n" "{_MARKER}refused " "$e" >&2; exit 1'
)


def quote(argv: Sequence[str]) -> str:
    """Quote an argv as one shell command; the only place where commands are quoted."""
    return shlex.join(argv)


def wrap(argv: Sequence[str], escalation: Escalation, password: str) -> tuple[str, bytes]:
    """Return the command to run as root, and the bytes to send before its stdin.

    ``password`` has no newline; it is empty when there is none.
    """
    if escalation is Escalation.NONE:
        return quote(argv), b""
    line = password.encode() + b"\n"
    if escalation is Escalation.PASSWORDLESS:
        return quote(("sudo", "-n", "--", *argv)), b""
    if escalation is Escalation.PASSWORD:
        return quote(("sudo", "-k", "-S", "-p", "", "--", *argv)), line
    return quote(("sh", "-c", _SCRIPT, "sh", *argv)), line + line


def split_marker(stderr: bytes) -> tuple[str, bytes]:
    """Split the script's marker from the command's own stderr.

    The marker is ``root``, ``free``, ``password`` or ``refused WHY``; empty when the script did not print
    one, for example because the login shell cannot run it."""
    head = _MARKER.encode()
    start = stderr.find(head)
    end = stderr.find(_MARKER_END, start)
    if start < 0 or end < 0:
        return "", stderr
    marker = stderr[start + len(head) : end].decode("utf-8", "replace").strip()
    return marker, stderr[:start] + stderr[end + len(_MARKER_END) :]


def parse_escalation(marker: str, stderr: bytes, *, node: str, user: str, gave_password: bool) -> Escalation:
    """Return the method that worked. Raises ConnectError with a hint when none did."""
    if marker in {Escalation.NONE.value, Escalation.PASSWORDLESS.value, Escalation.PASSWORD.value}:
        return Escalation(marker)
    reason = marker.removeprefix("refused").strip() or stderr.decode("utf-8", "replace").strip()
    short = " ".join(reason.split())[-300:]
    if "not found" in reason:
        raise ConnectError(
            f"sudo is not installed, and {user} is not root",
            "Install sudo, or log in as root with `become: none`.",
            node=node,
        )
    # sudo has one exit status for every refusal, so its message (LC_ALL=C) chooses the hint, not the outcome
    if "not in the sudoers" in reason or "not allowed" in reason or "may not run" in reason:
        raise ConnectError(
            f"sudo refused {user}: {short}", f"Add to /etc/sudoers.d: {user} ALL=(ALL) ALL", node=node
        )
    if gave_password and ("incorrect password" in reason or "try again" in reason):
        raise ConnectError(
            f"sudo does not accept the password given for {user}",
            "Correct `become_password` of the node.",
            node=node,
        )
    if not gave_password:
        raise ConnectError(
            f"sudo requires a password for {user}: {short}",
            "Set `become_password` of the node, or allow NOPASSWD in /etc/sudoers.d.",
            node=node,
        )
    raise ConnectError(
        f"sudo refused {user}: {short}", "Run sudo -k true on the node to find the cause.", node=node
    )
