"""A command over one channel: stdin, stdout and stderr at the same time.

The command's mark comes first: until then only sudo's password is sent, see ``StartWatch``.
paramiko's own thread fills the channel's buffers. One event for both buffers and for the channel's
end lets a single thread drain them without polling; a second thread is used only while more stdin is
sent than one packet holds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator

from oz_installer.remote.limits import TOTAL_TIMES, TooSlow, keep
from oz_installer.remote.ssh.keepalive import KeepaliveTransport
from oz_installer.remote.ssh.paramiko_import import paramiko
from oz_installer.remote.ssh.start_watch import StartWatch
from oz_installer.remote.transport import BLOCK

_READ = 1 << 20
_TICK = 0.5
# A question of sudo that is not its prompt has no mark; this long a silence behind it tells it from a text.
_QUESTION_SECONDS = 3.0


class IdleTimeout(Exception):
    """No byte in either direction for ``seconds``."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no data for {seconds:g} s")
        self.seconds = seconds


class _DataReady(threading.Event):
    """An event that two buffers set; an empty buffer must not clear it for the other one."""

    def clear(self) -> None:
        """Do nothing: the buffers call it when they run empty."""

    def wait_once(self, seconds: float) -> None:
        """Wait until the event is set, then clear it."""
        self.wait(seconds)
        super().clear()


def split_blocks(stdin: bytes | Iterable[bytes]) -> Iterator[bytes]:
    """Split and join data into blocks of BLOCK bytes, the last one shorter.

    Pieces whose size is a multiple of BLOCK are split without another copy."""
    rest = bytearray()
    for piece in (stdin,) if isinstance(stdin, bytes) else stdin:
        if rest:
            rest += piece
            if len(rest) < BLOCK:
                continue
            piece = bytes(rest)
        cut = len(piece) - len(piece) % BLOCK
        for start in range(0, cut, BLOCK):
            yield piece[start : start + BLOCK]
        rest = bytearray(piece[cut:])
    if rest:
        yield bytes(rest)


class ExecChannel:
    """The exchange with one command.

    ``on_output`` gets ``stdout`` and ``stderr`` as they arrive."""

    def __init__(
        self,
        channel: paramiko.Channel,
        transport: KeepaliveTransport,
        timeout: float,
        start: StartWatch,
        on_output: Callable[[bytes], None] | None = None,
        on_sent: Callable[[int], None] | None = None,
    ) -> None:
        self.stdout = bytearray()
        self.stderr = bytearray()
        self.channel = channel
        self._transport = transport
        self._timeout = timeout
        self._start = start
        self._on_output = on_output
        self._on_sent = on_sent
        self._data_ready = _DataReady()
        self._last = time.monotonic()
        self._followed = on_output is not None or on_sent is not None
        self._until = self._last + TOTAL_TIMES * timeout
        self._writing = False
        self._failure: BaseException | None = None
        channel.settimeout(_TICK)
        channel.in_buffer.set_event(self._data_ready)
        channel.in_stderr_buffer.set_event(self._data_ready)

    def start(self, password: str | None) -> bool:
        """Wait until the command runs; send the password when sudo asks for it, once.

        False when it will not run: ``StartWatch`` knows what was printed instead. Raises IdleTimeout."""
        start, sent = self._start, False
        while not start.started:
            ended = self.channel.closed
            taken = self._take()
            if not start.started and start.prompts > sent:
                if sent or password is None:
                    return False
                sent = True
                self._send(password.encode() + b"\n")
            elif start.is_hopeless or (ended and not taken):
                return start.started
            elif not taken and not start.started:
                self._data_ready.wait_once(min(_TICK, self._timeout))
                self._check_silence()
                if start.question and time.monotonic() - self._last > _QUESTION_SECONDS:
                    return False
        return True

    def run(self, stdin: bytes | Iterable[bytes] | None) -> int | None:
        """Send stdin to the running command, read its output to the end, return the exit status.

        None when the channel ended without one. Raises IdleTimeout, TooMuchOutput, TooSlow, and any error of
        on_output or stdin."""
        source = b"" if stdin is None else stdin
        self._followed = self._followed or not isinstance(source, bytes)
        if isinstance(source, bytes) and len(source) <= BLOCK:
            self._feed(source)
            self._drain()
        else:
            self._duplex(source)
        return self.status

    @property
    def status(self) -> int | None:
        """The exit status; None when the channel has none."""
        status = self.channel.exit_status
        return None if status < 0 else status

    def _duplex(self, stdin: bytes | Iterable[bytes]) -> None:
        drainer = threading.Thread(target=self._drain_apart, daemon=True, name="oz-drain")
        drainer.start()
        try:
            self._feed(stdin)
            while drainer.is_alive():
                drainer.join(_TICK)
                self._check_silence()
        except BaseException as error:  # noqa: BLE001 - raised again below
            if self._failure is None:
                self._failure = error
            self.channel.close()
        drainer.join(_TICK)
        if self._failure is not None:
            raise self._failure

    def _drain_apart(self) -> None:
        try:
            self._drain(watch_writer=True)
        except BaseException as error:  # noqa: BLE001 - raised again by the caller's thread
            self._failure = error
            self.channel.close()

    def _feed(self, stdin: bytes | Iterable[bytes]) -> None:
        sent = 0
        for block in split_blocks(stdin):
            self._last = time.monotonic()
            if not self._send(block):
                return
            sent += len(block)
            if self._on_sent is not None:
                self._on_sent(sent)
        if not self.channel.closed:
            self.channel.shutdown_write()

    def _send(self, block: bytes) -> bool:
        """Send one block; False when the command reads no more, which its exit status will explain."""
        while block:
            self._writing = True
            try:
                count = self.channel.send(block)
            except TimeoutError:
                self._check_silence()
                continue
            except (OSError, EOFError, paramiko.SSHException):
                return False
            finally:
                self._writing = False
            if count == 0:
                return False
            self._last = time.monotonic()
            block = block[count:]
        return True

    def _drain(self, watch_writer: bool = False) -> None:
        channel = self.channel
        while True:
            ended = channel.closed
            if self._take():
                continue
            if ended:
                return
            self._data_ready.wait_once(min(_TICK, self._timeout))
            if not watch_writer:
                self._check_silence()
            elif self._writing and time.monotonic() - self._last > self._timeout + _TICK * 2:
                # the writer is stuck in the socket, which the channel's own timeout does not cover
                self._transport.abort()
                raise IdleTimeout(self._timeout)

    def _take(self) -> bool:
        taken = False
        channel = self.channel
        for ready, receive, name, store in (
            (channel.recv_ready, channel.recv, "stdout", self.stdout),
            (channel.recv_stderr_ready, channel.recv_stderr, "stderr", self.stderr),
        ):
            if ready():
                data = self._start.take(name, receive(_READ))
                keep(store, data, followed=self._followed)
                self._check_total()
                taken = True
                self._last = time.monotonic()
                if data and self._on_output is not None:
                    self._on_output(data)
        return taken

    def _check_total(self) -> None:
        if not self._followed and time.monotonic() > self._until:
            raise TooSlow(TOTAL_TIMES * self._timeout)

    def _check_silence(self) -> None:
        if time.monotonic() - self._last > self._timeout:
            raise IdleTimeout(self._timeout)
