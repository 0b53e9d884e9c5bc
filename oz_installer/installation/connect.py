"""Connect to the targets of an installation."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from oz_installer.answers.model import Answers
from oz_installer.deploy.events import EmitEvent
from oz_installer.errors import AnswersError, ConnectError, OzError
from oz_installer.installation.desired_state.inputs import Inputs
from oz_installer.installation.desired_state.secrets_guard import require_matching_secrets
from oz_installer.installation.platform import Connection, OpenTransport
from oz_installer.installation.platforms import platform_of


def open_connection(
    inputs: Inputs,
    open_transport: OpenTransport,
    *,
    only: Sequence[str],
    stop: threading.Event | None = None,
    emit: EmitEvent | None = None,
) -> Connection:
    """Connect to the targets in ``only`` and read their facts. The caller closes the connection.

    A target that fails does not hold up the others: see ``Connection.failures``.
    Raises AnswersError, Interrupted.
    """
    platform = platform_of(inputs.loaded.answers)
    return platform.connect(inputs, open_transport, only=only, stop=stop, emit=emit)


@contextmanager
def connected(
    inputs: Inputs,
    open_transport: OpenTransport,
    *,
    only: Sequence[str],
    emit: EmitEvent | None = None,
) -> Iterator[Connection]:
    """Connect, and close the connection at the end of the ``with`` block.

    Raises AnswersError when the generated secrets are not those installed on the targets: the output of the
    targets could not be masked then.
    """
    connection = open_connection(inputs, open_transport, only=only, emit=emit)
    try:
        require_matching_secrets(connection.desired_state, connection.facts)
        yield connection
    finally:
        connection.close()


def select_targets(answers: Answers, limit: Sequence[str]) -> tuple[str, ...]:
    """Return the nodes that ``--limit`` selects. Raises AnswersError for an unknown node."""
    names = [node.name for node in answers.nodes]
    unknown = [name for name in limit if name not in names]
    if unknown:
        raise AnswersError(
            f"--limit names unknown nodes: {', '.join(unknown)}", f"The nodes are: {', '.join(names)}."
        )
    return tuple(name for name in names if not limit or name in limit)


def one_error(failures: Sequence[OzError]) -> OzError:
    """Return one error with the messages and hints of all."""
    if len(failures) == 1:
        return failures[0]
    hints = list(dict.fromkeys(error.hint for error in failures if error.hint))
    return ConnectError("\n".join(str(error) for error in failures), "\n      ".join(hints))
