"""Carries a prepared plan out."""

from __future__ import annotations

import getpass
import os
import socket
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from oz_installer.deploy.events import Event
from oz_installer.deploy.gate import Gate, LiveGate
from oz_installer.deploy.settings import RegistryLogin, RunSettings
from oz_installer.installation.desired_state.desired_state import DesiredState
from oz_installer.installation.prepare import Prepared

if TYPE_CHECKING:
    from oz_installer.deploy.compose.run import NodesRun


def apply(
    prepared: Prepared,
    on_event: Callable[[Event], None],
    *,
    gate: Gate | None = None,
    health_timeout: float | None = None,
    stop: threading.Event | None = None,
) -> None:
    """Carry the plan out. Raises DeployError, PreflightError, LockedError or Interrupted; what this run
    had changed has been taken back then. Setting ``stop`` asks it to stop. Without a ``gate`` it is done in
    earnest, and its report is written."""
    from oz_installer.deploy.compose.recipes import install
    from oz_installer.deploy.runner import run_phases

    report = prepared.report
    heard = on_event if gate else report.recording(on_event)
    run = _run(prepared, heard, gate or LiveGate(), health_timeout)
    run.stop = stop or run.stop
    try:
        run_phases(install(), run)
    except Exception as error:
        report.failed(error)
        raise
    finally:
        report.write()


def _run(
    prepared: Prepared, on_event: Callable[[Event], None], gate: Gate, health_timeout: float | None
) -> NodesRun:
    from oz_installer.deploy.compose.run import NodesRun

    blueprint = prepared.blueprint
    return NodesRun(
        topology=blueprint.topology,
        bundles={name: blueprint.bundles[name] for name in prepared.transports},
        masked_files=blueprint.masked_files,
        fingerprints=blueprint.fingerprints,
        transports=prepared.transports,
        reopen=prepared.reopen,
        facts=dict(prepared.facts),
        plan=prepared.plan,
        gate=gate,
        settings=_settings(blueprint, health_timeout),
        emit=on_event,
        keep_secrets=blueprint.save_secrets if blueprint.secrets.made else None,
    )


def _settings(blueprint: DesiredState, health_timeout: float | None) -> RunSettings:
    return RunSettings(
        install_dir=blueprint.answers.install_dir,
        engine=blueprint.answers.engine,
        owner=f"{getpass.getuser()}@{socket.gethostname()} (process {os.getpid()})",
        masker=blueprint.secrets.masker(),
        health_timeout=health_timeout,
        registry=_registry_login(blueprint),
    )


def _registry_login(blueprint: DesiredState) -> RegistryLogin | None:
    registry = blueprint.answers.registry
    if not registry.username or "registry.password" not in blueprint.secrets:
        return None
    return RegistryLogin(
        server=registry.server or "",
        username=registry.username,
        password=blueprint.secrets["registry.password"],
    )
