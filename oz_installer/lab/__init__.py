"""Rehearsal: disposable nodes on this machine that run stand-ins instead of Oz software.

The command line calls ``up``, ``down`` and ``status``; tests use ``fresh_database``.
"""

from oz_installer.lab.database import fresh_database, reset_gateway
from oz_installer.lab.engine import stop_engine
from oz_installer.lab.lifecycle import LabContainer, LabStatus, down, find, remove_cache, status, up
from oz_installer.lab.options import Lab, LabNode, LabOptions

__all__ = [
    "Lab",
    "LabContainer",
    "LabNode",
    "LabOptions",
    "LabStatus",
    "down",
    "find",
    "fresh_database",
    "remove_cache",
    "reset_gateway",
    "status",
    "stop_engine",
    "up",
]
