"""The configuration of a host as ``ssh -G`` reports it.

One process per host takes 6 ms, most of it on another core. ``start_lookup`` starts it before its settings
are needed, such as while paramiko is imported; ``ConfigLookup.result`` waits for it.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import threading
import time
from contextlib import suppress
from functools import cache

from oz_installer.errors import ConnectError
from oz_installer.remote.ssh.openssh.home import user_config
from oz_installer.remote.ssh.openssh.query import HostQuery, Settings
from oz_installer.text import safe_line

LIMIT_SECONDS = 10.0
"""``Match exec`` and name lookups may take this long."""
MOST_BYTES = 256 << 10
FRESH_SECONDS = 3.0
"""Nodes share a jump host; later connections see a configuration that was corrected."""
LONGEST_COMPLAINT = 400

_lock = threading.Lock()
_lookups: dict[tuple[HostQuery, int], ConfigLookup] = {}


class TooOld(Exception):
    """This ``ssh`` has no option -G: it is older than OpenSSH 6.8."""


def ssh_path() -> str | None:
    """Return the path of OpenSSH's ``ssh``; None when there is none."""
    return _which(os.environ.get("PATH", ""))


@cache
def _which(path: str) -> str | None:
    return shutil.which("ssh", path=path or None)


class ConfigLookup:
    """A running ``ssh -G``; its result is read once and kept."""

    def __init__(self, program: str, query: HostQuery) -> None:
        self.started = time.monotonic()
        self._query = query
        self._lock = threading.Lock()
        self._result: Settings | Exception | None = None
        options = [
            *(("-l", query.user) if query.user else ()),
            *(("-p", str(query.port)) if query.port else ()),
        ]
        self._process = subprocess.Popen(
            (program, "-G", *options, "--", query.host),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def result(self) -> Settings:
        """Wait for the settings. Raises ConnectError and TooOld."""
        with self._lock:
            if self._result is None:
                try:
                    self._result = self._read()
                except (ConnectError, TooOld) as error:
                    self._result = error
        if isinstance(self._result, Exception):
            raise self._result
        return self._result

    def discard(self) -> None:
        """End the process if nobody has read its result."""
        if self._lock.acquire(blocking=False):
            try:
                if self._result is None:
                    self._kill()
                    with self._process:
                        self._result = {}
            finally:
                self._lock.release()

    def _kill(self) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def _read(self) -> Settings:
        host = self._query.host
        output, complaint, in_time = self._outputs()
        if not in_time:
            raise ConnectError(
                f"`ssh -G {host}` did not finish within {LIMIT_SECONDS:.0f} s",
                f"Run `ssh -G {host}`: a Match exec or a name lookup in the SSH configuration may hang.",
            )
        if self._process.returncode != 0:
            raise _failed(host, self._process.returncode, complaint.decode("utf-8", "replace"))
        return parse_settings(output.decode("utf-8", "surrogateescape"))

    def _outputs(self) -> tuple[bytes, bytes, bool]:
        """Return stdout, stderr, and whether the process ended in time with as much as it may print."""
        until = self.started + LIMIT_SECONDS
        texts: dict[int, bytearray] = {}
        poll = select.poll()
        with self._process as process:
            for stream in filter(None, (process.stdout, process.stderr)):
                texts[stream.fileno()] = bytearray()
                poll.register(stream, select.POLLIN)
            output, complaint = texts.values()
            left = set(texts)
            while left and (ready := poll.poll(max(0.0, until - time.monotonic()) * 1000)):
                for number, _event in ready:
                    data = os.read(number, 65536)
                    texts[number] += data
                    if not data:
                        poll.unregister(number)
                        left.discard(number)
                    elif len(texts[number]) > MOST_BYTES:
                        ready = []
                        break
                if not ready:
                    break
            in_time = not left
            if in_time:
                try:
                    process.wait(max(0.1, until - time.monotonic()))
                except subprocess.TimeoutExpired:
                    in_time = False
            if not in_time:
                self._kill()
        return bytes(output), bytes(complaint), in_time


def _failed(host: str, status: int, complaint: str) -> Exception:
    if "usage:" in complaint or "-- G" in complaint:
        return TooOld()
    lines = [line for line in complaint.splitlines() if line.strip()]
    text = safe_line("; ".join(lines[:3]) or f"status {status}", LONGEST_COMPLAINT)
    return ConnectError(
        f"the SSH configuration for {host} cannot be used: {text}",
        f"Correct the file that it names; `ssh -G {host}` shows how OpenSSH reads it.",
    )


def parse_settings(text: str) -> Settings:
    """Parse the output of ``ssh -G``: one keyword and its value per line."""
    found: dict[str, tuple[str, ...]] = {}
    for line in text.splitlines():
        keyword, _, value = line.partition(" ")
        found[keyword.lower()] = (*found.get(keyword.lower(), ()), value)
    return found


def start_lookup(query: HostQuery) -> ConfigLookup | None:
    """Start ``ssh -G`` unless the same question was asked just now; None without OpenSSH."""
    program = ssh_path()
    if program is None:
        return None
    try:
        version = user_config().stat().st_mtime_ns
    except OSError:
        version = 0
    key = (query, version)
    with _lock:
        for old in [old for old, one in _lookups.items() if time.monotonic() - one.started > FRESH_SECONDS]:
            _lookups.pop(old).discard()
        known = _lookups.get(key)
        if known is None:
            try:
                known = _lookups[key] = ConfigLookup(program, query)
            except OSError:
                return None
        return known
