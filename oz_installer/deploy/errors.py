"""Errors of several nodes as one, and hints for the commonest reasons that commands give."""

from __future__ import annotations

from collections.abc import Sequence

from oz_installer.errors import DeployError, Interrupted, OzError


def combine_errors(failures: Sequence[BaseException]) -> BaseException:
    """One error for several nodes: the first of the operator's own, naming the others."""
    known = [error for error in failures if isinstance(error, OzError)]
    if len(known) < len(failures):
        return next(error for error in failures if not isinstance(error, OzError))
    first = next((error for error in known if not isinstance(error, Interrupted)), known[0])
    others = [str(error) for error in known if error is not first and not isinstance(error, Interrupted)]
    if others:
        first.message = "\n".join((first.message, *others))
    if isinstance(first, DeployError):
        first.details = "\n".join(dict.fromkeys(e.details for e in known if isinstance(e, DeployError)))
    return first


def hint_for(said: str) -> str:
    """What to do about the commonest reasons that a command on a node gives."""
    for words, hint in _HINTS:
        if words in said:
            return hint
    return "Mend what it says on the node and run oz-install again; it goes on from here."


_HINTS = (
    ("No space left on device", "Free some space on the node, or choose another install_dir, and run again."),
    (
        "Read-only file system",
        "The folder is mounted read-only; choose another install_dir or mount it writable.",
    ),
    ("Permission denied", "Give this login the right to do it, or set become: sudo for the node."),
    ("permission denied", "Give this login the right to do it, or set become: sudo for the node."),
    (
        "port is already allocated",
        "Another container on the node publishes this port; stop it and run again.",
    ),
    ("address already in use", "Another program on the node listens on this port; stop it and run again."),
)
