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

    desired_state = prepared.desired_state
    return NodesRun(
        topology=desired_state.topology,
        bundles={name: desired_state.bundles[name] for name in prepared.transports},
        masked_files=desired_state.masked_files,
        fingerprints=desired_state.fingerprints,
        transports=prepared.transports,
        reopen=prepared.reopen,
        facts=dict(prepared.facts),
        plan=prepared.plan,
        gate=gate,
        settings=_settings(desired_state, health_timeout),
        emit=on_event,
        keep_secrets=desired_state.save_secrets if desired_state.secrets.made else None,
    )


def _settings(desired_state: DesiredState, health_timeout: float | None) -> RunSettings:
    return RunSettings(
        install_dir=desired_state.answers.install_dir,
        engine=desired_state.answers.engine,
        owner=f"{getpass.getuser()}@{socket.gethostname()} (process {os.getpid()})",
        masker=desired_state.secrets.masker(),
        health_timeout=health_timeout,
        registry=_registry_login(desired_state),
    )


def _registry_login(desired_state: DesiredState) -> RegistryLogin | None:
    registry = desired_state.answers.registry
    if not registry.username or "registry.password" not in desired_state.secrets:
        return None
    return RegistryLogin(
        server=registry.server or "",
        username=registry.username,
        password=desired_state.secrets["registry.password"],
    )
