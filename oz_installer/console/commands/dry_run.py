"""A dry run: run the phases with a closed gate and print what each would do."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from oz_installer.console.output.json_lines import JsonLines
from oz_installer.console.output.streams import write
from oz_installer.deploy.events import Message, RunEnded
from oz_installer.deploy.gate import DryGate, DryRunChange
from oz_installer.formatting.events import mask_event, message_lines, outcome_text
from oz_installer.installation.apply import apply
from oz_installer.installation.prepare import Prepared
from oz_installer.text import one_line

if TYPE_CHECKING:
    from oz_installer.console.commands.install_flags import InstallFlags

NOT_CHECKED = "The preflight was not run; oz-install check runs it."


def dry_run(prepared: Prepared, flags: InstallFlags) -> None:
    """Print what would be done, node by node. The events of the phases are dropped."""
    changes: list[DryRunChange] = []
    apply(prepared, lambda _event: None, gate=DryGate(changes.append))
    masker = prepared.desired_state.secrets.masker()
    end = RunEnded(outcome="rehearsed", seconds=0)
    if flags.json:
        lines = JsonLines(sys.stdout, masker)
        for message in dry_run_messages(changes, prepared.targets):
            lines.on_event(message)
        lines.on_event(end)
        lines.close()
        return
    for message in dry_run_messages(changes, prepared.targets):
        for line in message_lines(mask_event(message, masker)):  # type: ignore[arg-type]
            write(sys.stderr, f"{one_line(line)}\n")
    note = "" if flags.skip_checks else f" {NOT_CHECKED}"
    write(sys.stderr, f"{outcome_text(end)}{note}\n")


def dry_run_messages(changes: Sequence[DryRunChange], nodes: Sequence[str]) -> list[Message]:
    """Return the changes worth showing as messages, in the operator's order of nodes."""
    names = dict.fromkeys(["", *nodes])  # an empty name is this machine
    return [
        Message(level="info", text=f"would {change.what}", node=name or None)
        for name in names
        for change in changes
        if change.node == name and not change.housekeeping
    ]
