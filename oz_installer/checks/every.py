"""Every check, in the order of a report. A new one is a file in this folder and a line here."""

from __future__ import annotations

from typing import Any

from oz_installer.checks.admin import Administrator
from oz_installer.checks.broker import Broker
from oz_installer.checks.check import Check
from oz_installer.checks.clock import Clock
from oz_installer.checks.container import Container
from oz_installer.checks.database import DatabaseCheck
from oz_installer.checks.egress import EgressCheck
from oz_installer.checks.engine import Engine
from oz_installer.checks.host import Host
from oz_installer.checks.identity import Identity
from oz_installer.checks.licence import Licence
from oz_installer.checks.network import Network
from oz_installer.checks.passwords import Passwords
from oz_installer.checks.ports import Ports
from oz_installer.checks.public_url import PublicUrl, PublicUrlHere
from oz_installer.checks.registry import Registry
from oz_installer.checks.runtime import Runtime
from oz_installer.checks.storage import StorageCheck
from oz_installer.checks.updater import Updater

CHECKS: tuple[Check[Any], ...] = (
    Host(),
    Identity(),
    Engine(),
    Runtime(),
    Container(),
    Ports(),
    Network(),
    EgressCheck(),
    DatabaseCheck(),
    Broker(),
    StorageCheck(),
    Registry(),
    Licence(),
    Passwords(),
    Updater(),
    Administrator(),
    PublicUrl(),
    PublicUrlHere(),
    Clock(),
)
