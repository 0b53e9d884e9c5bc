"""TCP from a node's own shell, by bash's /dev/tcp: for nodes whose sshd forbids tunnels.

Pure.
"""

from __future__ import annotations

from oz_installer.remote.transport import TIMED_OUT
from oz_installer.text import safe_line

_CONNECT = 'exec 3<>"/dev/tcp/$0/$1"'

LATE_PATTERN = " | ".join(f"{status}:*" for status in TIMED_OUT)
"""Pattern of ``case "$?:$said"`` in sh for a connection that was too late."""


def connect_argv(host: str, port: int, *words: str, seconds: float, then: str = "") -> tuple[str, ...]:
    """Build the argv that connects descriptor 3, then runs ``then`` with the words as ``$2`` on."""
    return ("timeout", f"{seconds:.0f}", "bash", "-c", f"{_CONNECT}{then}", host, str(port), *words)


def connect_command(words: str, *, seconds: int, then: str = "") -> str:
    """Build the same as a command of a script in sh, with stderr on stdout and no stdin.

    ``words`` are the quoted host, port and more, such as ``"$host" "$port"``; ``then`` has no single quote.
    """
    return f"timeout {seconds} bash -c '{_CONNECT}{then}' {words} 2>&1 < /dev/null"


def connect_error(status: int, output: str, *, seconds: float) -> str:
    """Return why it did not connect, or empty. bash's first line of output ends with the reason."""
    if status == 0:
        return ""
    if status in TIMED_OUT:
        return f"no answer within {seconds:g} s"
    return safe_line(output.strip().partition("\n")[0].rpartition(": ")[2]) or f"exit status {status}"
