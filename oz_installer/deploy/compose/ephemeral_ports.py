"""Retry the start of services while an outgoing connection holds a port they publish.

Linux gives outgoing connections ephemeral ports from 32768 to 60999 (``net.ipv4.ip_local_port_range``, the
kernel's ip-sysctl); the passive ports of the BIO updater (60000 to 60100, FACTS) are among them. While a
connection uses one, and in TIME_WAIT, no service can listen there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from time import monotonic

from oz_installer.deploy.compose.run import NodesRun
from oz_installer.deploy.events import NodeProgress
from oz_installer.errors import DeployError

PATIENCE_SECONDS = 180.0
"""FIN_WAIT2 and TIME_WAIT last 60 s each in Linux; the rest is for connections to end."""

POLL_SECONDS = 1.0
LISTENING = "0A"
"""TCP_LISTEN as /proc/net/tcp prints it (the kernel's include/net/tcp_states.h)."""

# Docker up to 27, and Podman: "listen tcp4 0.0.0.0:80: bind: address already in use"; Docker from 28 on:
# "failed to bind host port for 0.0.0.0:80:172.17.0.2:80/tcp: address already in use", later without "for".
_IN_USE = re.compile(
    r"""bind\ host\ port\ (?:for\ )?(?:\[[^]]*\]|[\d.]+):(?P<newer>\d+)\S*:\ address\ already\ in\ use
    |:(?P<older>\d+):\ bind:\ address\ already\ in\ use""",
    re.VERBOSE,
)
# Print the states of all sockets on a port, then "all": without it the list is not known to be complete.
_STATES = r"""
cat /proc/net/tcp /proc/net/tcp6 2> /dev/null |
  awk -v at=":$1" 'substr($2, length($2) - 4) == at { print $4 } END { if (NR > 0) print "all" }'
"""
_HINT = (
    "Wait until the node's own connection on TCP port {port} ends, or end it («ss -tan sport = :{port}» on"
    " the node shows it), and run again. To prevent it, list the port in net.ipv4.ip_local_reserved_ports."
)


def start_when_port_free(run: NodesRun, node: str, start: Callable[[], object]) -> None:
    """Call ``start``; while a connection holds a required port, wait and call it again.

    Gives up after ``PATIENCE_SECONDS``. Raises what ``start`` raised last, and Interrupted.
    """
    until, reported = monotonic() + PATIENCE_SECONDS, 0
    while True:
        try:
            start()
        except DeployError as error:
            port = port_in_use(f"{error.message}\n{error.details}")
            if port is None or not _only_connections(run, node, port):
                raise
            error.hint = _HINT.format(port=port)
            if monotonic() >= until:
                raise
            if port != reported:
                reported = port
                _report(run, node, port)
        else:
            return
        _wait(run, node, port, until)


def port_in_use(output: str) -> int | None:
    """Return the TCP port that an engine could not listen on because it is in use."""
    found = _IN_USE.search(output)
    return int(found["newer"] or found["older"]) if found else None


def _only_connections(run: NodesRun, node: str, port: int) -> bool:
    """Return whether only connections use the port; False when the node cannot list its sockets."""
    states = _states(run, node, port)
    return "all" in states and LISTENING not in states


def _wait(run: NodesRun, node: str, port: int, until: float) -> None:
    """Wait until no connection uses the port or a program listens on it, for at least one poll."""
    while True:
        run.check_cancelled()
        run.cancelled.wait(POLL_SECONDS)
        states = _states(run, node, port)
        if states == ["all"] or LISTENING in states or monotonic() >= until:
            return


def _states(run: NodesRun, node: str, port: int) -> list[str]:
    argv = ("sh", "-c", _STATES, "oz-install", f"{port:04X}")
    return run.transports[node].run(argv).text.split()


def _report(run: NodesRun, node: str, port: int) -> None:
    text = f"TCP port {port} is in use by an outgoing connection of the node; waiting until it is free"
    run.log(text, node)
    run.emit(NodeProgress(node=node, text=f"waiting for TCP port {port} to become free"))
