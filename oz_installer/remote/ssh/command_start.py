"""Start commands as the login or as root; the error when one does not run."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence

from oz_installer.errors import ConnectError
from oz_installer.remote.ssh.command_line import Marks, command_line
from oz_installer.remote.ssh.connection_errors import connection_errors, lost
from oz_installer.remote.ssh.exec_channel import ExecChannel
from oz_installer.remote.ssh.keepalive import KeepaliveTransport, send_exec
from oz_installer.remote.ssh.session_limit import SessionLimiter
from oz_installer.remote.ssh.start_watch import StartWatch
from oz_installer.remote.ssh.target import AskSecret, SshTarget
from oz_installer.remote.transport import ByteProgress
from oz_installer.secret import Secret


class _PasswordWanted(Exception):
    """The password of sudo is missing, and the operator can be asked for it."""


class CommandStarter:
    """Starts commands on one connection, as the login or as root.

    Until a command has become root, one is tried at a time, and a password that sudo has refused is not sent
    again: trying it in parallel could lock the account.
    """

    def __init__(
        self,
        target: SshTarget,
        user: str,
        link: KeepaliveTransport,
        limiter: SessionLimiter,
        ask_secret: AskSecret | None,
    ) -> None:
        self.password: Secret | None = target.become_password
        self._target = target
        self._user = user
        self._link = link
        self._limiter = limiter
        self._ask_secret = ask_secret
        self._needs_sudo = target.become == "sudo" and user != "root"
        self._known = False
        self._refused: ConnectError | None = None
        self._learning = threading.Lock()

    def start(
        self,
        argv: Sequence[str],
        *,
        become: bool,
        stdin: bool,
        timeout: float,
        on_output: Callable[[bytes], None] | None = None,
        on_sent: ByteProgress | None = None,
    ) -> ExecChannel:
        """Start a command in a session that the caller releases.

        Raises ConnectError when it does not run."""

        def try_once() -> ExecChannel:
            as_root = become and self._needs_sudo
            marks = Marks()
            line = command_line(argv, marks, become=as_root, stdin=stdin, ask_uid=not self._known)
            watch = StartWatch(marks, become=as_root)
            return self._open(line, watch, timeout, on_output, on_sent)

        with contextlib.suppress(_PasswordWanted):
            if self._known or not (become and self._needs_sudo):
                return try_once()
        with self._learning:
            return self._learn(try_once)

    def _learn(self, try_once: Callable[[], ExecChannel]) -> ExecChannel:
        if self._refused is not None:
            raise self._refused
        try:
            return try_once()
        except _PasswordWanted:
            assert self._ask_secret is not None  # noqa: S101 - else it is a ConnectError
            self.password = self._ask_secret(f"Password of {self._user} for sudo on {self._target.name}")
            return try_once()

    def _open(
        self,
        line: str,
        watch: StartWatch,
        timeout: float,
        on_output: Callable[[bytes], None] | None,
        on_sent: ByteProgress | None,
    ) -> ExecChannel:
        with connection_errors(self._link, self._target.name, timeout):
            channel = self._limiter.acquire(timeout)
            try:
                exchange = ExecChannel(channel, self._link, timeout, watch, on_output, on_sent)
                send_exec(channel, line)
                if not exchange.start(self.password.reveal() if self.password else None):
                    raise self._refusal(watch, exchange)
            except BaseException:
                self._limiter.release(channel)
                raise
        if watch.become:
            self._known = True
            self._needs_sudo = not watch.is_root
        return exchange

    def _refusal(self, watch: StartWatch, exchange: ExecChannel) -> Exception:
        if watch.prompts and self.password is None and self._ask_secret is not None:
            return _PasswordWanted()
        text, status = watch.text(), exchange.status
        if status is None and exchange.channel.closed:
            ended = lost(self._link, self._target.name, None)
            if not (text and self._link.is_active()):
                return ended
        from oz_installer.remote.ssh.refusals import Refusal, refusal_error

        error = refusal_error(
            Refusal(
                node=self._target.name,
                user=self._user,
                text=text,
                status=status,
                login_ran=watch.login_ran,
                has_sudo=watch.has_sudo,
                prompts=watch.prompts,
                gave_password=self.password is not None,
                question=watch.question,
                command=self._command_to_try(become=watch.login_ran),
            )
        )
        if watch.prompts and self.password is not None:
            self._refused = error
        return error

    def _command_to_try(self, *, become: bool) -> str:
        port = self._link.getpeername()[1] if self._target.jump is None else self._target.port or 22
        option = "" if port == 22 else f"-p {port} "
        jump = f"-J {self._target.jump} " if self._target.jump else ""
        return f"ssh -T {jump}{option}{self._user}@{self._target.host} {'sudo -S id' if become else 'id'}"
