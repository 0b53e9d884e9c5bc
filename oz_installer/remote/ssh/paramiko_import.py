"""Import of paramiko without the 100 ms of ``invoke``, used only for ``Match exec``.

Import paramiko from here: ``from oz_installer.remote.ssh.paramiko_import import paramiko``.
"""

from __future__ import annotations

import importlib
import logging
import sys
from types import ModuleType


def _import_without_invoke() -> None:
    if "paramiko" in sys.modules or "invoke" in sys.modules:
        return
    blocked: dict[str, ModuleType | None] = sys.modules  # type: ignore[assignment]
    blocked["invoke"] = None
    try:
        importlib.import_module("paramiko")
    finally:
        del blocked["invoke"]


def enable_match_exec() -> None:
    """Give paramiko's ~/.ssh/config reader what ``Match exec`` needs."""
    config = importlib.import_module("paramiko.config")
    if getattr(config, "invoke", None) is None:
        config.invoke = importlib.import_module("invoke")  # type: ignore[attr-defined]


_import_without_invoke()
import paramiko  # noqa: E402
from paramiko.packet import Packetizer  # noqa: E402
from paramiko.ssh_exception import IncompatiblePeer  # noqa: E402

# paramiko logs tracebacks of its thread; every failure reaches the operator as a ConnectError instead.
_log = logging.getLogger("paramiko")
_log.addHandler(logging.NullHandler())
_log.setLevel(logging.CRITICAL + 1)
_log.propagate = False

__all__ = ["IncompatiblePeer", "Packetizer", "enable_match_exec", "paramiko"]
