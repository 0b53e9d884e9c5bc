"""Every check, in the order of a report. A new one is a file in this folder and a line here."""

from __future__ import annotations

from typing import Any

from oz_installer.checks.check import Check
from oz_installer.checks.database import DatabaseCheck
from oz_installer.checks.engine import Engine
from oz_installer.checks.host import Host
from oz_installer.checks.ports import Ports
from oz_installer.checks.storage import StorageCheck

CHECKS: tuple[Check[Any], ...] = (Host(), Engine(), Ports(), DatabaseCheck(), StorageCheck())
