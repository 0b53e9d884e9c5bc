"""A preview of every target's files, with secrets masked. Reads no files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from oz_installer.answers.model import Answers
from oz_installer.answers.secrets.resolve import references
from oz_installer.answers.sections import License
from oz_installer.installation.desired_state.desired_state import Render
from oz_installer.installation.desired_state.local_files import DATABASE_CA
from oz_installer.secret import MASK, Secret
from oz_installer.topology.planner import plan_topology
from oz_installer.topology.secret_slots import secret_slots

LICENCE = b"(your licence file)\n"
AUTHORITIES = b"(your CA file)\n"


def preview(answers: Answers, render: Render) -> Mapping[str, Mapping[str, str]]:
    """Return path -> text of each target's files. Reads no files. Raises AnswersError."""
    topology = plan_topology(answers)
    slots = (*secret_slots(topology), *(one.slot for one in references(answers)))
    masked = {slot: Secret(MASK) for slot in slots}
    local_files = {
        **{f"licence:{field.name}": LICENCE for field in fields(License)},
        DATABASE_CA: AUTHORITIES,
    }
    return {
        target: {file.path: file.content.decode("utf-8", "replace") for file in rendering.files}
        for target, rendering in render(answers, topology, masked, local_files).items()
    }
