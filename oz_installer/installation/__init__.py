"""The core that both front ends call: ``prepare`` says what would change, ``execute`` changes it."""

from oz_installer.installation.blueprint import Blueprint, draft_blueprint
from oz_installer.installation.connections import OpenTransport
from oz_installer.installation.executing import execute
from oz_installer.installation.logs import Logs, read_logs
from oz_installer.installation.preparing import Prepared, prepare
from oz_installer.installation.reporting import summarise, with_diffs
from oz_installer.installation.surveying import Survey, survey

__all__ = [
    "Blueprint",
    "Logs",
    "OpenTransport",
    "Prepared",
    "Survey",
    "draft_blueprint",
    "execute",
    "prepare",
    "read_logs",
    "summarise",
    "survey",
    "with_diffs",
]
