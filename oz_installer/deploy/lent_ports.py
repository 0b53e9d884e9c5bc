"""Starts what publishes ports again where one was only lent to an outgoing connection of the node.

Linux gives outgoing connections ports from 32768 to 60999 (``net.ipv4.ip_local_port_range``); those
that the updater publishes, 60000 to 60100, lie among them. While a connection of the node itself has one of
them, and for a minute after (TIME_WAIT), nothing can listen there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from time import monotonic

from oz_installer.deploy.run import Run
from oz_installer.errors import DeployError

PATIENCE_SECONDS = 90.0
"""TIME_WAIT is 60 s in Linux; the rest is for the connection to end."""

POLL_SECONDS = 1.0

TRIES = 3
"""Another port of the range may be lent the next time."""

LISTENING = "0A"

# What Docker up to 27, Docker from 28 on, and Podman say.
_IN_USE = re.compile(
    r"""bind\ host\ port\ (?:for\ )?(?:\[[^]]*\]|[\d.]+):(?P<newer>\d+)\S*:\ address\ already\ in\ use
    |:(?P<older>\d+):\ bind:\ address\ already\ in\ use""",
    re.VERBOSE,
)
# States, in hexadecimal as the kernel tells them, of the sockets that have a port (in hexadecimal, too).
_STATES = """
awk -v at=":$1" 'substr($2, length($2) - 4) == at { print $4 }' /proc/net/tcp /proc/net/tcp6 2> /dev/null
"""
_HINT = (
    "A connection of the node itself has this port: «ss -tanp sport = :{port}» there shows it. End it, or"
    " keep connections away from the port (sysctl -w net.ipv4.ip_local_reserved_ports={port}), and run again."
)


def patiently(run: Run, node: str, start: Callable[[], object]) -> None:
    """Start; where a port was lent, wait until it is free and start again. Raises what ``start`` raises at
    last, and Interrupted."""
    for _ in range(TRIES - 1):
        try:
            start()
        except DeployError as error:
            port = port_in_use(f"{error.message}\n{error.details}")
            if port is None or not _comes_free(run, node, port, error):
                raise
        else:
            return
    start()


def port_in_use(said: str) -> int | None:
    """The TCP port that an engine could not listen on because somebody has it."""
    found = _IN_USE.search(said)
    return int(found["newer"] or found["older"]) if found else None


def _comes_free(run: Run, node: str, port: int, error: DeployError) -> bool:
    """Wait until no connection has the port. False when somebody listens on it, or when it takes too long:
    then the error's hint says what to do."""
    until, told = monotonic() + PATIENCE_SECONDS, False
    while states := _states(run, node, port):
        if LISTENING in states:
            return False
        if monotonic() >= until:
            error.hint = _HINT.format(port=port)
            return False
        if not told:
            told = True
            text = f"TCP port {port} is lent to an outgoing connection of the node; waiting until it is free"
            run.say(f"{text}, for a minute or so", node)
        run.check_cancelled()
        run.cancelled.wait(POLL_SECONDS)
    return True


def _states(run: Run, node: str, port: int) -> list[str]:
    argv = ("sh", "-c", _STATES, "oz-install", f"{port:04X}")
    return run.transports[node].run(argv).text.split()
