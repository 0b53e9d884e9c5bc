"""The core that both front ends call: ``prepare`` says what would change, ``execute`` changes it."""

from oz_installer.installation.blueprint import Blueprint, draft_blueprint
from oz_installer.installation.connections import OpenTransport
from oz_installer.installation.executing import execute
from oz_installer.installation.preparing import Prepared, prepare
from oz_installer.installation.reporting import read_logs, summarise, with_diffs

__all__ = [
    "Blueprint",
    "OpenTransport",
    "Prepared",
    "draft_blueprint",
    "execute",
    "prepare",
    "read_logs",
    "summarise",
    "with_diffs",
]
