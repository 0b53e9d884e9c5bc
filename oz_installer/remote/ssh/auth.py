"""SSH login. What it does in order: login/attempt.py; the keys: login/key_offers.py."""

from __future__ import annotations

from oz_installer.remote.ssh.config import SshEndpoint
from oz_installer.remote.ssh.keepalive import KeepaliveTransport
from oz_installer.remote.ssh.login.attempt import Credentials, LoginAttempt
from oz_installer.remote.ssh.login.messages import LoginMessages
from oz_installer.remote.ssh.login.questions import PromptRefused
from oz_installer.remote.ssh.paramiko_import import paramiko

__all__ = ["Credentials", "authenticate"]


def authenticate(transport: KeepaliveTransport, endpoint: SshEndpoint, credentials: Credentials) -> None:
    """Log in. Raises ConnectError with what was tried and what the server offers."""
    limit = transport.auth_timeout
    attempt = LoginAttempt(LoginMessages(transport, endpoint.user, limit), endpoint, credentials)
    try:
        attempt.messages.begin()
        if attempt.run():
            transport.asked_code = attempt.asked > 0
            attempt.messages.end()
            return
    except (PromptRefused, paramiko.SSHException, EOFError, OSError) as error:
        failure: Exception | None = error
    else:
        failure = None
    from oz_installer.remote.ssh.login.refused import login_error

    raise login_error(attempt, failure, limit)
