"""A small program on a node that listens, connects to other nodes, and exits with its stdin.

One channel per node does both, so that a node with ``MaxSessions 1`` can connect while it listens. It needs
no tunnels of sshd, and no root for ports from 1024 on.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Mapping, Sequence

from oz_installer.remote.ssh.dev_tcp import LATE_PATTERN, connect_command
from oz_installer.remote.transport import Transport
from oz_installer.text import parse_int, safe_line

CONNECT_SECONDS = 3
LIFE_SECONDS = 30
MARK = 119
"""Queue length of TCP fast open: in /proc/net/tcp it marks the listeners of this check.

Below 128, the cap of kernels before 5.4."""

_PRIVILEGED = 1024
_LONGEST = 1 << 20  # bytes of output

# For Python 3.4. listen() completes connections in its queue, so nothing accepts or reads them.
_PROGRAM = f"""
import errno, socket, sys, threading, time
kept, lock = [], threading.Lock()
def say(text):
    with lock:
        sys.stdout.write(" ".join(text.split()) + "\\n")
        sys.stdout.flush()
def at_all_addresses(port):
    for name in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            rows = [row.split() for row in open(name)]
        except OSError:
            continue
        for row in rows:
            address, _, number = row[1].partition(":")
            if row[3] == "0A" and not address.strip("0") and int(number, 16) == port: return True
    return False
def hold(family, address, port):
    sock = socket.socket(family)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, 23, {MARK})
    except OSError:
        pass
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    sock.bind((address, port))
    sock.listen(128)
    kept.append(sock)
def listen(port):
    try:
        hold(socket.AF_INET, "0.0.0.0", port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return "taken" if at_all_addresses(port) else "held"
        return "denied %s" % error.strerror
    try:
        hold(socket.AF_INET6, "::", port)
    except OSError:
        pass
    return "ready"
def connect(host, port):
    try:
        socket.create_connection((host, port), {CONNECT_SECONDS}).close()
        return "open"
    except ConnectionRefusedError:
        return "refused"
    except (socket.timeout, TimeoutError):
        return "late"
    except (OSError, UnicodeError) as error:
        return "other %s" % (getattr(error, "strerror", None) or error)
def attempt(number, host, port):
    say("tried %s %s" % (number, connect(host, int(port))))
for port in sys.argv[1:]:
    say("listen %s %s" % (port, listen(int(port))))
say("listening")
threads = []
for line in iter(sys.stdin.readline, "go\\n"):
    if not line: sys.exit()
    threads.append(threading.Thread(target=attempt, args=line.split(), daemon=True))
for thread in threads: thread.start()
until = time.time() + {CONNECT_SECONDS + 1}
for thread in threads: thread.join(max(0, until - time.time()))
say("done")
sys.stdin.read()
for sock in kept: sock.close()
say("closed")
"""
# Without Python nothing can listen, but bash can connect.
_SCRIPT = f"""
exec 2>&1
program=$1; shift
command -v python3 > /dev/null && exec python3 -IS -c "$program" "$@"
for port in "$@"; do echo "listen $port none"; done
echo listening
while read -r number host port && [ "$number" != go ]; do
  (
    word=none
    if command -v bash > /dev/null; then
      said=$({connect_command('"$host" "$port"', seconds=CONNECT_SECONDS)})
      case "$?:$said" in
        0:*) word=open ;;
        {LATE_PATTERN}) word=late ;;
        *refused*) word=refused ;;
        *) word="other $(printf '%s' "$said" | tr '\\n' ' ')" ;;
      esac
    fi
    echo "tried $number $word"
  ) &
done
wait
echo done
cat > /dev/null
echo closed
"""


class Listener:
    """The program on one node. ``ports`` holds the state of each port there.

    The states are ``ready``: our listener; ``taken`` by a listener on all addresses; ``held`` by another;
    ``denied WHY``; ``none``: nothing can listen. Opening waits for a session of the connection: open several
    in the order of the nodes, as every caller does, so that none waits forever. Raises ConnectError.
    """

    def __init__(self, transport: Transport, ports: Sequence[int], *, timeout: float) -> None:
        argv = ("timeout", str(LIFE_SECONDS), "sh", "-c", _SCRIPT, "oz-install-check", _PROGRAM)
        become = any(port < _PRIVILEGED for port in ports)
        self._sock = transport.stream((*argv, *(str(port) for port in ports)), become=become, timeout=timeout)
        self._output = b""
        self._requested = 0

    def ready(self, until: float) -> bool:
        """Wait until it listens; False when it is late (``until`` is a time of the monotonic clock)."""
        return self._read_until("listening", until)

    def connect(self, addresses: Sequence[tuple[str, int]]) -> None:
        """Connect to these addresses in parallel; ``outcomes`` has them in this order."""
        self._requested = len(addresses)
        lines = "".join(f"{number} {host} {port}\n" for number, (host, port) in enumerate(addresses))
        with contextlib.suppress(OSError):
            self._sock.sendall(f"{lines}go\n".encode())

    def outcomes(self, until: float) -> dict[int, str]:
        """Return the outcome of each connection by number; empty or partial when the node was lost.

        Outcomes are ``open``, ``refused``, ``late``, ``none`` (nothing to connect with), ``other WHY``."""
        done = self._read_until("done", until)
        outcomes = self._numbered("tried ")
        return (
            {number: outcomes.get(number, "late") for number in range(self._requested)} if done else outcomes
        )

    @property
    def ports(self) -> Mapping[int, str]:
        """The state of each port on the node."""
        return self._numbered("listen ")

    @property
    def last_message(self) -> str:
        """The last line of its output."""
        return safe_line((self._lines() or [""])[-1])

    def close(self, until: float) -> None:
        """Stop listening and wait for the end; a program that does not answer ends by itself."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)
            self._read_until("closed", until)
        self._sock.close()

    def _numbered(self, word: str) -> dict[int, str]:
        rows = (row.split(" ", 2) for row in self._lines() if row.startswith(word))
        parsed = ((parse_int(row[1][:9]), safe_line(row[2])) for row in rows if len(row) == 3)
        return {number: text for number, text in parsed if number is not None}

    def _lines(self) -> list[str]:
        """Split the output into lines."""
        return self._output.decode("utf-8", "replace").splitlines()

    def _read_until(self, line: str, until: float) -> bool:
        """Read until that line; False at the end of the output or of the time."""
        mark = f"\n{line}\n".encode()
        while mark not in b"\n" + self._output:
            self._sock.settimeout(max(0.01, until - time.monotonic()))
            try:
                data = self._sock.recv(1 << 16)
            except OSError:
                return False
            if not data or len(self._output) > _LONGEST:
                return False
            self._output += data
        return True
