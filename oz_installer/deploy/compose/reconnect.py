"""Gets a node back whose connection was lost, so that what was begun there can be taken back."""

from __future__ import annotations

from oz_installer.deploy.compose import node_commands as commands
from oz_installer.deploy.compose.run import Run
from oz_installer.errors import ConnectError
from oz_installer.remote.parallel import start_all, wait_all

PATIENCE_SECONDS = 15.0


def reconnect(run: Run) -> None:
    """Try every changing node, and connect anew where the connection is gone; a node that cannot be
    reached stays lost, and each command to it says so."""
    for future in wait_all(start_all(run.changing, lambda node: _revive(run, node))).values():
        future.exception()


def _revive(run: Run, node: str) -> None:
    try:
        run.transports[node].run(("true",), become=False, timeout=PATIENCE_SECONDS)
    except ConnectError:
        if run.reopen is None:
            return
        run.log("the connection was lost; connecting again to take back what was begun", node, "warning")
        run.reopen(node)
        run.engines.pop(node, None)
        run.change(node, "wait for what is under way", commands.wait_idle(run.settings.install_dir))
