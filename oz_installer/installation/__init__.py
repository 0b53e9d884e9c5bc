"""The core that both front ends call: ``prepare`` says what would change, ``execute`` changes it."""

from oz_installer.installation.blueprint import DesiredState, build_desired_state
from oz_installer.installation.connections import OpenTransport
from oz_installer.installation.executing import apply
from oz_installer.installation.logs import ServiceLogs, read_logs
from oz_installer.installation.preparing import Prepared, prepare
from oz_installer.installation.reporting import summarise, with_diffs
from oz_installer.installation.surveying import StatusReport, read_status

__all__ = [
    "DesiredState",
    "OpenTransport",
    "Prepared",
    "ServiceLogs",
    "StatusReport",
    "apply",
    "build_desired_state",
    "prepare",
    "read_logs",
    "read_status",
    "summarise",
    "with_diffs",
]
