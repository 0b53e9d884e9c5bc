"""All checks in report order.

A new check is a file in the folder of its family and a line here.
"""

from __future__ import annotations

from typing import Any

from oz_installer.checks.base import Check
from oz_installer.checks.broker.broker import BrokerCheck
from oz_installer.checks.credentials.admin_password import AdminPasswordCheck
from oz_installer.checks.credentials.licence import LicenceCheck
from oz_installer.checks.credentials.passwords import SecretsCheck
from oz_installer.checks.credentials.updater_token import UpdaterTokenCheck
from oz_installer.checks.database.database import DatabaseCheck
from oz_installer.checks.engine.container import ContainerCheck
from oz_installer.checks.engine.engine import EngineCheck
from oz_installer.checks.engine.ports import PortsCheck
from oz_installer.checks.engine.runtime import RuntimeCheck
from oz_installer.checks.host.clock import ClockCheck
from oz_installer.checks.host.host import HostCheck
from oz_installer.checks.host.identity import IdentityCheck
from oz_installer.checks.installed.removal import RemovalCheck
from oz_installer.checks.network.egress import EgressCheck
from oz_installer.checks.network.port_matrix import PortMatrixCheck
from oz_installer.checks.network.public_url import PublicUrlCheck, WorkstationUrlCheck
from oz_installer.checks.registry.registry import RegistryCheck
from oz_installer.checks.storage.storage import StorageCheck

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
    RemovalCheck(),
)
