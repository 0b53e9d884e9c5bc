"""Combine the errors of several nodes; choose a hint for common error messages."""

from __future__ import annotations

from collections.abc import Sequence

from oz_installer.errors import DeployError, Interrupted, OzError


def combine_errors(failures: Sequence[BaseException]) -> BaseException:
    """Return one error for several nodes: the first with the other messages of the others added.

    An error that is not an OzError is a fault of the program and goes first."""
    known = [error for error in failures if isinstance(error, OzError)]
    if len(known) < len(failures):
        return next(error for error in failures if not isinstance(error, OzError))
    first = next((error for error in known if not isinstance(error, Interrupted)), known[0])
    others = dict.fromkeys(str(error) for error in known if not isinstance(error, Interrupted))
    others.pop(str(first), None)  # several commands on a node fail alike when its connection is lost
    if others:
        first.message = "\n".join((first.message, *others))
    if isinstance(first, DeployError):
        first.details = "\n".join(dict.fromkeys(e.details for e in known if isinstance(e, DeployError)))
    return first


def hint_for(output: str) -> str:
    """Return a hint for the error output of a command on a node."""
    for words, hint in _HINTS:
        if words in output:
            return hint
    return "Fix the reported problem on the node, then run oz-install again to resume."


_HINTS = (
    (
        "No space left on device",
        "Free some space or inodes (df -h; df -i), or choose another install_dir.",
    ),
    (
        "Read-only file system",
        "Mount the folder writable, or choose another install_dir.",
    ),
    (
        "privileged port",
        "The engine runs without root: set net.ipv4.ip_unprivileged_port_start to that port (as root, by "
        "sysctl), or use an engine of root.",
    ),
    ("Permission denied", "Give this login the required permission, or set become: sudo for the node."),
    ("permission denied", "Give this login the required permission, or set become: sudo for the node."),
    (
        "port is already allocated",
        "Stop the other container on the node that publishes this port, and run again.",
    ),
    (
        "address already in use",
        "Stop the other program on the node that listens on this port, and run again.",
    ),
)
