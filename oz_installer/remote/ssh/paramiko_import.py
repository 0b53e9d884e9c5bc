"""Import of paramiko without two modules that a connection does not need.

``invoke`` (100 ms) serves only paramiko's reader of ~/.ssh/config, which is not used.
``importlib.metadata`` serves only paramiko's own version; with ``email``, ``csv`` and ``zipfile`` it takes a
twelfth of a run with nothing to do.
Import paramiko from here: ``from oz_installer.remote.ssh.paramiko_import import paramiko``.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import sys
from pathlib import Path
from types import ModuleType


def installed_version() -> str | None:
    """Return paramiko's version from the name of its metadata's folder; None when unclear."""
    spec = importlib.util.find_spec("paramiko")
    if spec is None or spec.origin is None:
        return None
    found = [path.name for path in Path(spec.origin).parent.parent.glob("paramiko-*.dist-info")]
    return found[0].removeprefix("paramiko-").removesuffix(".dist-info") if len(found) == 1 else None


def _replacements() -> dict[str, ModuleType | None]:
    """Return the modules that stand in while paramiko is imported; None makes an import fail."""
    replaced: dict[str, ModuleType | None] = {"invoke": None}
    if version := installed_version():
        metadata = ModuleType("importlib.metadata")
        metadata.version = lambda _name: version  # type: ignore[attr-defined]
        replaced["importlib.metadata"] = metadata
    return {name: module for name, module in replaced.items() if name not in sys.modules}


def _import_lean() -> None:
    if "paramiko" in sys.modules:
        return
    replaced = _replacements()
    modules: dict[str, ModuleType | None] = sys.modules  # type: ignore[assignment]
    modules.update(replaced)
    try:
        importlib.import_module("paramiko")
    finally:
        for name in replaced:
            modules.pop(name, None)


_import_lean()
import paramiko  # noqa: E402
from paramiko.packet import Packetizer  # noqa: E402
from paramiko.ssh_exception import IncompatiblePeer  # noqa: E402

# paramiko logs tracebacks of its thread; every failure reaches the operator as a ConnectError instead.
_log = logging.getLogger("paramiko")
_log.addHandler(logging.NullHandler())
_log.setLevel(logging.CRITICAL + 1)
_log.propagate = False

__all__ = ["IncompatiblePeer", "Packetizer", "paramiko"]
