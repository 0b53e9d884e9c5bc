"""Wait for nodes whose connection was lost, such as those that reboot."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Protocol

from oz_installer.deploy.compose import node_commands as commands
from oz_installer.deploy.events import Event, MessageLevel, NodeProgress
from oz_installer.deploy.settings import RunSettings
from oz_installer.errors import ConnectError
from oz_installer.remote.docker_engine import DockerEngine
from oz_installer.remote.transport import Transport
from oz_installer.text import plural, seconds_text

PATIENCE_SECONDS = 600.0
"""A server with much memory takes minutes to boot."""

AGAIN_SECONDS = 3.0
PROBE_SECONDS = 15.0


class LosingRun(Protocol):
    """A run whose lost nodes can be waited for."""

    lost: set[str]
    cancelled: threading.Event

    @property
    def transports(self) -> Mapping[str, Transport]:
        """Return the connections by node."""
        ...

    @property
    def engines(self) -> dict[str, DockerEngine]:
        """Return the engines that use these connections."""
        ...

    @property
    def reopen(self) -> Callable[[str], None] | None:
        """Return what opens a new connection to a node; None where nothing can."""
        ...

    @property
    def settings(self) -> RunSettings:
        """Return the settings of the run."""
        ...

    @property
    def emit(self) -> Callable[[Event], None]:
        """Return the function that hands an event to the front end."""
        ...

    def log(self, text: str, target: str | None = None, level: MessageLevel = "info") -> None:
        """Report a line to the front end."""
        ...


def reconnect(run: LosingRun, node: str) -> None:
    """Make sure that a node is connected and ready to be rolled back, or wait until it is.

    Ready means that its engine answers and its last commands have ended. A node that does not come back in
    time is added to ``run.lost``.
    """
    if node in run.lost or run.reopen is None or _answers(run, node):
        return
    began, minutes = monotonic(), plural(round(PATIENCE_SECONDS / 60), "minute")
    run.log(f"the connection was lost; waiting up to {minutes} for the node to come back", node, "warning")
    connected = False
    while True:
        try:
            if not connected:
                run.reopen(node)
                run.engines.pop(node, None)
                connected = True
            problem = _unready(run, node)
        except ConnectError as error:
            connected, problem = False, error.message
        waited = monotonic() - began
        if not problem:
            run.log(f"connected again after {seconds_text(waited)}", node)
            return
        if waited > PATIENCE_SECONDS:
            run.lost.add(node)
            run.log(f"the node did not come back within {minutes}: {problem}", node, "error")
            return
        text = f"waiting for the node to come back, {seconds_text(PATIENCE_SECONDS - waited)} left: {problem}"
        run.emit(NodeProgress(node=node, text=text))
        run.cancelled.wait(AGAIN_SECONDS)


def _answers(run: LosingRun, node: str) -> bool:
    try:
        run.transports[node].run(("true",), become=False, timeout=PROBE_SECONDS)
    except ConnectError:
        return False
    return True


def _unready(run: LosingRun, node: str) -> str:
    """Return why the node cannot be rolled back yet; empty when it can."""
    settings = run.settings
    result = run.transports[node].run(commands.wait_idle(settings.install_dir, settings.engine))
    return "" if result.ok else settings.masker(result.stderr_text) or "its container engine does not answer"
