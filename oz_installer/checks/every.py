"""Every check, in the order of a report. A new one is a file in this folder and a line here."""

from __future__ import annotations

from typing import Any

from oz_installer.checks.admin import AdminPasswordCheck
from oz_installer.checks.broker import BrokerCheck
from oz_installer.checks.check import Check
from oz_installer.checks.clock import ClockCheck
from oz_installer.checks.container import ContainerCheck
from oz_installer.checks.database import DatabaseCheck
from oz_installer.checks.egress import EgressCheck
from oz_installer.checks.engine import EngineCheck
from oz_installer.checks.host import HostCheck
from oz_installer.checks.identity import IdentityCheck
from oz_installer.checks.licence import LicenceCheck
from oz_installer.checks.network import PortMatrixCheck
from oz_installer.checks.passwords import SecretsCheck
from oz_installer.checks.ports import PortsCheck
from oz_installer.checks.public_url import PublicUrlCheck, WorkstationUrlCheck
from oz_installer.checks.registry import RegistryCheck
from oz_installer.checks.runtime import RuntimeCheck
from oz_installer.checks.storage import StorageCheck
from oz_installer.checks.updater import UpdaterTokenCheck

CHECKS: tuple[Check[Any], ...] = (
    HostCheck(),
    IdentityCheck(),
    EngineCheck(),
    RuntimeCheck(),
    ContainerCheck(),
    PortsCheck(),
    PortMatrixCheck(),
    EgressCheck(),
    DatabaseCheck(),
    BrokerCheck(),
    StorageCheck(),
    RegistryCheck(),
    LicenceCheck(),
    SecretsCheck(),
    UpdaterTokenCheck(),
    AdminPasswordCheck(),
    PublicUrlCheck(),
    WorkstationUrlCheck(),
    ClockCheck(),
)
