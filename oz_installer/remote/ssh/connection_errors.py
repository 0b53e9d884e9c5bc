"""The errors of a connection that is lost or silent, in words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from oz_installer.errors import ConnectError
from oz_installer.remote.limits import TooMuchOutput, TooSlow, limit_error
from oz_installer.remote.ssh.exec_channel import IdleTimeout
from oz_installer.remote.ssh.keepalive import KeepaliveTransport
from oz_installer.remote.ssh.paramiko_import import paramiko

ENDING_SECONDS = 1.0


@contextmanager
def connection_errors(link: KeepaliveTransport, node: str, timeout: float) -> Iterator[None]:
    """Turn what paramiko raises into a ConnectError."""
    try:
        yield
    except IdleTimeout as silence:
        raise ConnectError(
            f"no data for {silence.seconds:g} s, so the command was aborted",
            "Check that the node is up and the network works, then run again to resume.",
            node=node,
        ) from None
    except (TooMuchOutput, TooSlow) as excess:
        raise limit_error(excess, node) from None
    except (paramiko.SSHException, EOFError, OSError) as error:
        raise lost(link, node, error, timeout) from None


def lost(link: KeepaliveTransport, node: str, error: Exception | None, timeout: float = 0.0) -> ConnectError:
    """Return the error for a lost connection.

    ``error`` is None for a command that ended without a status.
    """
    hint = "Run again to resume."
    if error is None:
        link.join(ENDING_SECONDS)  # the channels of a lost connection end a moment before it
    if link.idle_seconds is not None:
        message = f"connection lost: no data for {link.idle_seconds:.0f} s"
    elif not link.is_active():
        message = f"connection lost: {link.why_ended() or 'the server closed it'}"
    elif "Timeout opening channel" in str(error):
        message = f"no data for {timeout:g} s: the server does not open a session"
    elif error is not None:
        message = f"connection error: {error or type(error).__name__}"
    else:
        message = "the server ended the command without a status"
        hint = "Check that sshd_config sets no ForceCommand and that the login shell is not /bin/false."
    return ConnectError(message, hint, node=node)
