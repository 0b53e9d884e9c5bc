"""Rehearsal: throw-away nodes on this machine, with stand-ins in place of Oz software.

``up``, ``down`` and ``status`` are what the command line calls; ``fresh_database`` serves tests.
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
