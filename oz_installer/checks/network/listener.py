"""A small program on a node that listens on ports, connects to others, and ends with its stdin.

One channel a node does for both: were they two, a node with ``MaxSessions 1`` could not connect while it
listens. It asks no tunnels of sshd, and needs no root for ports from 1024 on.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Mapping, Sequence

from oz_installer.remote.ssh.dev_tcp import LATE_PATTERN, connect_command
from oz_installer.remote.transport import Transport
from oz_installer.text import safe_line

CONNECT_SECONDS = 3
LIFE_SECONDS = 30
MARK = 119
"""Length of the queue of TCP fast open of our listeners: the last column of /proc/net/tcp, by which the check
of ports tells them from others. Below 128, which kernels before 5.4 cap it at."""

_PRIVILEGED = 1024

# Python 3.4. Connections wait in the queue of listen(), which completes them: nothing accepts or reads.
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
def tell(number, host, port):
    say("tried %s %s" % (number, connect(host, int(port))))
for port in sys.argv[1:]:
    say("listen %s %s" % (port, listen(int(port))))
say("listening")
threads = []
for line in iter(sys.stdin.readline, "go\\n"):
    if not line: sys.exit()
    threads.append(threading.Thread(target=tell, args=line.split(), daemon=True))
for thread in threads: thread.start()
until = time.time() + {CONNECT_SECONDS + 1}
for thread in threads: thread.join(max(0, until - time.time()))
say("done")
sys.stdin.read()
for sock in kept: sock.close()
say("closed")
"""
# Without Python nothing listens, but bash can connect.
_SCRIPT = f"""
exec 2>&1
LC_ALL=C; export LC_ALL
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
    """The program on one node. ``ports`` says of each port how it is there: ``ready``: ours now; ``taken`` by
    what listens at all addresses; ``held`` by something else; ``denied WHY``; ``none``: nothing can listen.

    Opening it waits for a session of the connection: where several are wanted, open them in the order of the
    nodes, as everybody does, and none waits for the other for ever. Raises ConnectError.
    """

    def __init__(self, transport: Transport, ports: Sequence[int], *, timeout: float) -> None:
        argv = ("timeout", str(LIFE_SECONDS), "sh", "-c", _SCRIPT, "oz-install-check", _PROGRAM)
        become = any(port < _PRIVILEGED for port in ports)
        self._sock = transport.stream((*argv, *(str(port) for port in ports)), become=become, timeout=timeout)
        self._heard = b""
        self._asked = 0

    def ready(self, until: float) -> bool:
        """Whether it says in time (of the monotonic clock) that it listens."""
        return self._hear("listening", until)

    def connect(self, places: Sequence[tuple[str, int]]) -> None:
        """Let it try these at once; ``outcomes`` has them in this order."""
        self._asked = len(places)
        lines = "".join(f"{number} {host} {port}\n" for number, (host, port) in enumerate(places))
        with contextlib.suppress(OSError):
            self._sock.sendall(f"{lines}go\n".encode())

    def outcomes(self, until: float) -> dict[int, str]:
        """``open``, ``refused``, ``late``, ``none`` (nothing to connect with) or ``other WHY``, by number;
        missing where the node itself was lost."""
        done = self._hear("done", until)
        rows = (row.split(" ", 2) for row in self._lines() if row.startswith("tried "))
        heard = {int(row[1]): safe_line(row[2]) for row in rows if len(row) == 3}
        return {number: heard.get(number, "late") for number in range(self._asked)} if done else heard

    @property
    def ports(self) -> Mapping[int, str]:
        """How each port is there."""
        rows = (row.split(" ", 2) for row in self._lines() if row.startswith("listen "))
        return {int(row[1]): safe_line(row[2]) for row in rows if len(row) == 3}

    @property
    def last_message(self) -> str:
        """The last that it said."""
        return safe_line((self._lines() or [""])[-1])

    def close(self, until: float) -> None:
        """Wait until nothing listens any more; what does not answer in time ends by itself."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)
            self._hear("closed", until)
        self._sock.close()

    def _lines(self) -> list[str]:
        """Whole ones."""
        return self._heard.decode("utf-8", "replace").splitlines()

    def _hear(self, word: str, until: float) -> bool:
        """Until that line, or the end, or the time is over."""
        mark = f"\n{word}\n".encode()
        while mark not in b"\n" + self._heard:
            self._sock.settimeout(max(0.01, until - time.monotonic()))
            try:
                data = self._sock.recv(1 << 16)
            except OSError:
                return False
            if not data:
                return False
            self._heard += data
        return True
