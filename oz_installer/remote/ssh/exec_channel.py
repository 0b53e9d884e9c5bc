"""A command over one channel: stdin, stdout and stderr at the same time.

paramiko's own thread fills the channel's buffers. One event for both buffers and for the channel's
end lets a single thread drain them without polling; a second thread is used only while more stdin is
sent than one packet holds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator

from oz_installer.remote.ssh.keepalive import KeepaliveTransport
from oz_installer.remote.ssh.paramiko_import import paramiko
from oz_installer.remote.transport import BLOCK

_READ = 1 << 20
_TICK = 0.5


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


def split_blocks(stdin: bytes | Iterable[bytes], first: bytes = b"") -> Iterator[bytes]:
    """Split and join data into blocks of BLOCK bytes, the last one shorter.

    Pieces whose size is a multiple of BLOCK are split without another copy."""
    rest = bytearray(first)
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
        on_output: Callable[[bytes], None] | None,
        on_sent: Callable[[int], None] | None,
    ) -> None:
        self.stdout = bytearray()
        self.stderr = bytearray()
        self._channel = channel
        self._transport = transport
        self._timeout = timeout
        self._on_output = on_output
        self._on_sent = on_sent
        self._data_ready = _DataReady()
        self._last = time.monotonic()
        self._writing = False
        self._failure: BaseException | None = None
        channel.settimeout(_TICK)
        channel.in_buffer.set_event(self._data_ready)
        channel.in_stderr_buffer.set_event(self._data_ready)

    def run(self, stdin: bytes | Iterable[bytes] | None, lead: bytes = b"") -> int | None:
        """Send ``lead`` and stdin, read all output, wait for the end, return the exit status.

        None when the channel ended without one. Raises IdleTimeout, and any error of on_output or stdin."""
        source = b"" if stdin is None else stdin
        if isinstance(source, bytes) and len(source) + len(lead) <= BLOCK:
            self._feed(source, lead)
            self._drain()
        else:
            self._duplex(source, lead)
        status = self._channel.exit_status
        return None if status < 0 else status

    def _duplex(self, stdin: bytes | Iterable[bytes], lead: bytes) -> None:
        drainer = threading.Thread(target=self._drain_apart, daemon=True, name="oz-drain")
        drainer.start()
        try:
            self._feed(stdin, lead)
            while drainer.is_alive():
                drainer.join(_TICK)
                self._check_silence()
        except BaseException as error:  # noqa: BLE001 - raised again below
            if self._failure is None:
                self._failure = error
            self._channel.close()
        drainer.join(_TICK)
        if self._failure is not None:
            raise self._failure

    def _drain_apart(self) -> None:
        try:
            self._drain(watch_writer=True)
        except BaseException as error:  # noqa: BLE001 - raised again by the caller's thread
            self._failure = error
            self._channel.close()

    def _feed(self, stdin: bytes | Iterable[bytes], lead: bytes) -> None:
        sent = -len(lead)
        for block in split_blocks(stdin, lead):
            self._last = time.monotonic()
            if not self._send(block):
                return
            sent += len(block)
            if self._on_sent is not None:
                self._on_sent(sent)
        if not self._channel.closed:
            self._channel.shutdown_write()

    def _send(self, block: bytes) -> bool:
        """Send one block; False when the command reads no more, which its exit status will explain."""
        while block:
            self._writing = True
            try:
                count = self._channel.send(block)
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
        channel = self._channel
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
        channel = self._channel
        for ready, receive, store in (
            (channel.recv_ready, channel.recv, self.stdout),
            (channel.recv_stderr_ready, channel.recv_stderr, self.stderr),
        ):
            if ready():
                data = receive(_READ)
                store += data
                taken = True
                self._last = time.monotonic()
                if self._on_output is not None:
                    self._on_output(data)
        return taken

    def _check_silence(self) -> None:
        if time.monotonic() - self._last > self._timeout:
            raise IdleTimeout(self._timeout)
