"""Connections to the nodes of an installation, with their facts."""

from __future__ import annotations

import getpass
import os
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from oz_installer.deploy.compose.facts import NodeFacts
from oz_installer.deploy.compose.planner import plan_changes
from oz_installer.deploy.compose.preparation import Preparation
from oz_installer.deploy.compose.states import is_not_installed, service_states
from oz_installer.deploy.events import EmitEvent
from oz_installer.deploy.plan import Plan, TargetPlan
from oz_installer.deploy.settings import RegistryLogin, RunSettings
from oz_installer.errors import OzError, PreflightError
from oz_installer.installation.desired_state.desired_state import DesiredState
from oz_installer.installation.platform import ServiceLogs, Status
from oz_installer.remote.parallel import start_all, wait_all
from oz_installer.remote.transport import Transport
from oz_installer.render.compose.bundle import Bundle

if TYPE_CHECKING:
    from oz_installer.deploy.compose.run import NodesRun
    from oz_installer.deploy.gate import Gate
    from oz_installer.deploy.phase import Phase


class NodesConnection:
    """The connected nodes. ``open_node`` reconnects to a node whose connection was lost."""

    def __init__(
        self,
        desired_state: DesiredState,
        bundles: Mapping[str, Bundle],
        preparation: Preparation,
        open_node: Callable[[str], Transport],
    ) -> None:
        self.desired_state = desired_state
        self.facts: dict[str, NodeFacts] = dict(preparation.facts)
        self.failures: Mapping[str, OzError] = dict(preparation.failures)
        self.transports: dict[str, Transport] = {
            name: one for name, one in preparation.transports.items() if name in self.facts
        }
        self._bundles = {name: bundles[name] for name in self.transports}
        self._preparation, self._open_node = preparation, open_node
        for name in preparation.transports.keys() - self.facts.keys():
            preparation.transports[name].close()

    @property
    def targets(self) -> tuple[str, ...]:
        """The connected nodes, in the operator's order."""
        return tuple(self.transports)

    def transport(self, target: str) -> Transport:
        """Return the connection to a node."""
        return self.transports[target]

    def plan(self, stop: threading.Event | None = None) -> Plan:
        """Compare. Also read the details where the files are right but a service must start.

        Where a run died, wait first until what it began has ended, and read the facts again.
        """
        if dead := [name for name, one in self.facts.items() if one.lock_run and _has_died(one)]:
            self._settle(dead, stop)
        plan = plan_changes(self._bundles, self.facts)
        lacking = [name for name in plan.changing if not self.facts[name].details]
        if not lacking:
            return plan
        self.facts |= self._read_facts(lacking, stop, detailed=True)
        return plan_changes(self._bundles, self.facts)

    def with_diffs(self, plan: Plan, stop: threading.Event | None = None) -> Plan:
        """Return the plan with a unified diff of every changed file, in one round trip per node."""
        plans = {one.target: one for one in plan.targets}
        differing = [name for name, one in plans.items() if one.files and self.facts[name].record]
        reading = start_all(differing, lambda name: self._with_diffs(plans[name]), name="diff")
        found = {name: future.result() for name, future in wait_all(reading, stop).items()}
        return replace(plan, targets=tuple((plans | found).values()))

    def require_ready(self, plan: Plan) -> None:
        """Raise PreflightError naming the nodes that do not meet the requirements of the plan."""
        from oz_installer.deploy.compose.phases.requirements import require_met

        state = self.desired_state
        require_met([self.facts[node] for node in plan.changing], state.answers.engine, state.topology)

    def install_recipe(self) -> Sequence[Phase[NodesRun]]:
        """Return the phases that install, upgrade or repair."""
        from oz_installer.deploy.compose.recipes import install

        return install()

    def run(
        self,
        plan: Plan,
        emit: EmitEvent,
        *,
        gate: Gate,
        health_timeout: float | None,
        stop: threading.Event | None,
    ) -> NodesRun:
        """Return the run over these nodes."""
        from oz_installer.deploy.compose.run import NodesRun

        state = self.desired_state
        return NodesRun(
            topology=state.topology,
            bundles=self._bundles,
            masked_files=state.masked_files,
            fingerprints=state.fingerprints,
            transports=self.transports,
            reopen=self._reopen,
            facts=dict(self.facts),
            plan=plan,
            gate=gate,
            settings=_settings(state, health_timeout),
            emit=emit,
            stop=stop or threading.Event(),
            keep_secrets=state.save_secrets if state.secrets.made else None,
        )

    def status(self, stop: threading.Event | None = None, *, refresh: bool = False) -> Status:
        """Return the state of every node whose engine answers, and the problem of each other node."""
        if refresh:
            self.facts |= self._read_facts(self.targets, stop)
        answering = {name: one for name, one in self.facts.items() if one.engine_ok}
        bare = tuple(name for name, one in answering.items() if is_not_installed(one))
        states: dict[str, str] = {}
        for name, one in answering.items():
            states |= service_states(self._bundles[name], one)
        return Status(
            states=states, targets=tuple(answering), not_installed=bare, troubles=self._engine_troubles()
        )

    def logs(self, services: Mapping[str, tuple[str, str]], lines: int) -> ServiceLogs:
        """Read the last log lines of services on these nodes, in parallel."""
        from oz_installer.remote.docker_commands import logs, with_stderr

        engine, masker = self.desired_state.answers.engine, self.desired_state.secrets.masker()
        there = [key for key, (node, _) in services.items() if node in self.transports]

        def read(key: str) -> str:
            node, name = services[key]
            result = self.transports[node].run(with_stderr(logs(engine, name, lines)))
            text = masker(result.stdout.decode("utf-8", "replace"))
            if not result.ok:
                raise OzError(_log_error(text))
            return text

        texts: dict[str, str] = {}
        failures: dict[str, str] = {}
        for key, future in start_all(there, read).items():
            try:
                texts[key] = future.result()
            except OzError as error:
                failures[key] = error.message
        return ServiceLogs(texts=texts, failures=failures)

    def close(self) -> None:
        """Close every connection."""
        for transport in self.transports.values():
            transport.close()

    def leftovers(self) -> Mapping[str, str]:
        """Return what runs that died left on the nodes, by node."""
        suspects = [one for one in self.facts.values() if one.lock or one.lock_run or one.partial]
        if not suspects:
            return {}
        from oz_installer.deploy.compose.leftovers import leftovers_text

        return {one.node: text for one in suspects if (text := leftovers_text(one))}

    def remove_leftovers(self) -> None:
        """Remove what runs that died left. Raises DeployError."""
        from oz_installer.deploy.compose.leftovers import remove_leftovers

        settings = _settings(self.desired_state, None)
        for node in self.leftovers():
            remove_leftovers(self.transports[node], self.facts[node], settings)

    def _settle(self, nodes: Sequence[str], stop: threading.Event | None) -> None:
        from oz_installer.deploy.compose.node_commands import wait_idle

        answers = self.desired_state.answers

        def wait(name: str) -> None:
            result = self.transports[name].run(wait_idle(answers.install_dir, answers.engine))
            if not result.ok:
                raise PreflightError(
                    f"what a run that died began has not ended: {result.stderr_text}",
                    "Wait until it ends, then run again.",
                    node=name,
                )

        text = "a run died here; waiting until what it began has ended"
        for name in nodes:
            self._preparation.log(text, name, "warning")
        for future in wait_all(start_all(nodes, wait, name="settle"), stop).values():
            future.result()
        self.facts |= self._read_facts(nodes, stop)

    def _read_facts(
        self, nodes: Sequence[str], stop: threading.Event | None, *, detailed: bool = False
    ) -> dict[str, NodeFacts]:
        """Read the facts of nodes again, in one round trip each. Raises Interrupted."""

        def read(name: str) -> NodeFacts:
            return self._preparation.read_facts(name, self.transports[name], detailed=detailed)

        reading = start_all(nodes, read, name="facts")
        return {name: future.result() for name, future in wait_all(reading, stop).items()}

    def _with_diffs(self, plan: TargetPlan) -> TargetPlan:
        from oz_installer.deploy.compose.diffs import add_diffs

        state, node = self.desired_state, plan.target
        shown = state.masked_files(node)
        wanted = {file.path: shown.get(file.path, file.content) for file in self._bundles[node].files}
        install_dir, masker = state.answers.install_dir, state.secrets.masker()
        return add_diffs(plan, wanted, set(shown), self.transports[node], install_dir, masker)

    def _engine_troubles(self) -> dict[str, tuple[str, str]]:
        """Return problem and hint for each node whose engine does not answer."""
        from oz_installer.catalog.engine import ENGINES
        from oz_installer.remote.engine_requirements import EngineFacts, engine_not_responding

        engine = ENGINES[self.desired_state.answers.engine]
        troubles = {}
        for name, one in self.facts.items():
            if not one.engine_ok:
                unmet = engine_not_responding(EngineFacts(answers=False, message=one.engine_message), engine)
                troubles[name] = (unmet.message, unmet.hint)
        return troubles

    def _reopen(self, name: str) -> None:
        """Replace a lost connection with a new one."""
        fresh = self._open_node(name)
        self.transports[name].close()
        self.transports[name] = fresh


def _has_died(facts: NodeFacts) -> bool:
    from oz_installer.deploy.compose.leftovers import has_died

    return has_died(facts)


def _log_error(output: str) -> str:
    lowered = output.lower()
    if "no such container" in lowered or "no container with name" in lowered:
        return "there is no such container on the node"
    return " ".join(output.split())[-300:] or "the engine gives no reason"


def _settings(state: DesiredState, health_timeout: float | None) -> RunSettings:
    return RunSettings(
        install_dir=state.answers.install_dir,
        engine=state.answers.engine,
        owner=f"{getpass.getuser()}@{socket.gethostname()} (process {os.getpid()})",
        masker=state.secrets.masker(),
        health_timeout=health_timeout,
        registry=_registry_login(state),
    )


def _registry_login(state: DesiredState) -> RegistryLogin | None:
    registry = state.answers.registry
    if not registry.username or "registry.password" not in state.secrets:
        return None
    return RegistryLogin(
        server=registry.server or "",
        username=registry.username,
        password=state.secrets["registry.password"],
    )
