"""A transport for this machine: subprocesses instead of SSH channels."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import IO

from oz_installer.errors import ConnectError
from oz_installer.remote.limits import TOTAL_TIMES, TooMuchOutput, TooSlow, keep, limit_error
from oz_installer.remote.ssh.target import Become
from oz_installer.remote.transport import LOCALE, ByteProgress, CommandFailed, CommandResult

_READ = 1 << 16
_TICK = 0.5


class LocalTransport:
    """A node that is this machine; see ``Transport``. Uses sudo only without a password."""

    def __init__(self, name: str = "localhost", *, become: Become = "sudo") -> None:
        self.name = name
        self._become = become

    @property
    def host_key_fingerprint(self) -> str:
        """Empty: this machine has no host key."""
        return ""

    def _argv(self, argv: Sequence[str], become: bool) -> tuple[str, ...]:
        if become and self._become == "sudo" and os.geteuid() != 0:
            return ("sudo", "-n", "--", "env", f"LC_ALL={LOCALE}", *argv)
        return tuple(argv)

    def _open(self, argv: tuple[str, ...], stdin: int | IO[bytes], stdout: int) -> subprocess.Popen[bytes]:
        errors = subprocess.DEVNULL if stdout != subprocess.PIPE else subprocess.PIPE
        try:
            # A session of its own: Ctrl-C must reach oz-install, not half of an installation.
            return subprocess.Popen(
                argv,
                stdin=stdin,
                stdout=stdout,
                stderr=errors,
                env={**os.environ, "LC_ALL": LOCALE},
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise _NotStarted(error) from None

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes | Iterable[bytes] | None = None,
        become: bool = True,
        timeout: float = 120.0,
        check: bool = False,
        on_output: Callable[[bytes], None] | None = None,
        on_sent: ByteProgress | None = None,
    ) -> CommandResult:
        """Run a command and wait; ``timeout`` is the longest silence in seconds.

        A missing program returns status 127, as in a shell. Raises ConnectError; CommandFailed with
        ``check``."""
        try:
            process = self._open(self._argv(argv, become), subprocess.PIPE, subprocess.PIPE)
        except _NotStarted as error:
            result = CommandResult(argv=tuple(argv), status=127, stderr=str(error).encode())
        else:
            exchange = _LocalExchange(process, timeout, on_output, on_sent)
            try:
                status = exchange.run(b"" if stdin is None else stdin)
            except (TooMuchOutput, TooSlow) as excess:
                raise limit_error(excess, self.name) from None
            except TimeoutError:
                raise ConnectError(
                    f"no data for {timeout:g} s, so the command was aborted", node=self.name
                ) from None
            result = CommandResult(
                argv=tuple(argv), status=status, stdout=bytes(exchange.stdout), stderr=bytes(exchange.stderr)
            )
        if check and not result.ok:
            raise CommandFailed(self.name, result)
        return result

    def stream(self, argv: Sequence[str], *, become: bool = True, timeout: float = 30.0) -> socket.socket:
        """Run a command whose stdin and stdout are a socket; closing the socket ends the command."""
        del timeout
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                process = self._open(self._argv(argv, become), theirs.fileno(), theirs.fileno())
            except _NotStarted as error:
                ours.close()
                raise ConnectError(str(error), node=self.name) from None
        threading.Thread(target=process.wait, daemon=True, name="oz-reap").start()
        return ours

    def tunnel(self, host: str, port: int, *, timeout: float = 10.0) -> socket.socket:
        """Open a TCP connection to host:port; ``timeout`` in seconds. Raises OSError."""
        sock = socket.create_connection((host, port), timeout=timeout)
        sock.settimeout(None)
        return sock

    def forwarding_allowed(self) -> bool:
        """Return True: nothing forbids connections here."""
        return True

    def close(self) -> None:
        """Do nothing: there is no connection."""


class _NotStarted(Exception):
    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))


class _LocalExchange:
    """The exchange with a process: stdin, stdout, stderr at the same time; silence is limited."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        timeout: float,
        on_output: Callable[[bytes], None] | None,
        on_sent: ByteProgress | None,
    ) -> None:
        self.stdout = bytearray()
        self.stderr = bytearray()
        self._process = process
        self._timeout = timeout
        self._on_output = on_output
        self._on_sent = on_sent
        self._last = time.monotonic()
        self._followed = on_output is not None or on_sent is not None
        self._until = self._last + TOTAL_TIMES * timeout

    def run(self, stdin: bytes | Iterable[bytes]) -> int:
        """Return the exit status, 128 + n for signal n.

        Raises TimeoutError for a silent command, TooMuchOutput, TooSlow."""
        self._followed = self._followed or not isinstance(stdin, bytes)
        feeder = threading.Thread(target=self._feed, args=(stdin,), daemon=True, name="oz-feed")
        feeder.start()
        try:
            self._drain()
            status = self._wait()
        except BaseException:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            raise
        finally:
            for pipe in (self._process.stdout, self._process.stderr):
                if pipe is not None:
                    pipe.close()
        feeder.join(_TICK)
        return status if status >= 0 else 128 - status

    def _feed(self, stdin: bytes | Iterable[bytes]) -> None:
        pipe, sent = self._process.stdin, 0
        assert pipe is not None
        with contextlib.suppress(OSError, ValueError):
            for piece in (stdin,) if isinstance(stdin, bytes) else stdin:
                view = memoryview(piece)
                while view:
                    count = os.write(pipe.fileno(), view[:_READ])
                    view = view[count:]
                    sent += count
                    self._last = time.monotonic()
                    if self._on_sent is not None:
                        self._on_sent(sent)
        with contextlib.suppress(OSError):
            pipe.close()

    def _drain(self) -> None:
        with selectors.DefaultSelector() as selector:
            for pipe, store in ((self._process.stdout, self.stdout), (self._process.stderr, self.stderr)):
                assert pipe is not None
                selector.register(pipe, selectors.EVENT_READ, store)
            while selector.get_map():
                for key, _ in selector.select(_TICK):
                    data = os.read(key.fd, _READ)
                    if not data:
                        selector.unregister(key.fileobj)
                        continue
                    keep(key.data, data, followed=self._followed)
                    if not self._followed and time.monotonic() > self._until:
                        raise TooSlow(TOTAL_TIMES * self._timeout)
                    self._last = time.monotonic()
                    if self._on_output is not None:
                        self._on_output(data)
                self._check_silence()

    def _wait(self) -> int:
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                return self._process.wait(_TICK)
            self._check_silence()

    def _check_silence(self) -> None:
        if time.monotonic() - self._last > self._timeout:
            raise TimeoutError
