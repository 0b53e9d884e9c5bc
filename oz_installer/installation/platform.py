"""The protocols of a platform, on which an installation runs.

Compose on nodes reached by SSH is one platform, a namespace of a Kubernetes cluster another. Only
``platforms.py`` chooses one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any, Protocol

from oz_installer.frozen import dataclass

if TYPE_CHECKING:
    from oz_installer.answers.model import Answers, Node
    from oz_installer.answers.secrets.resolve import Secrets
    from oz_installer.checks.base import Check
    from oz_installer.deploy.events import EmitEvent
    from oz_installer.deploy.gate import Gate
    from oz_installer.deploy.phase import Phase
    from oz_installer.deploy.plan import Plan
    from oz_installer.deploy.record import Facts
    from oz_installer.deploy.run_context import RunContext
    from oz_installer.errors import OzError
    from oz_installer.installation.desired_state.desired_state import DesiredState
    from oz_installer.installation.desired_state.inputs import Inputs
    from oz_installer.remote.transport import Transport
    from oz_installer.render.rendering import Rendering
    from oz_installer.secret import Secret
    from oz_installer.topology.model import Topology

Opener = Callable[..., Any]
"""``open(node, secrets, base=..., known_hosts=...)`` opens a connection to a node.

With ``ask_code`` it asks the operator for the code of a second factor."""

OpenTransport = Callable[["Node", "Secrets"], "Transport"]
"""Opens a connection to a node. Raises ConnectError."""


@dataclass(frozen=True, kw_only=True)
class Status:
    """The state of every target that could be read.

    ``states`` by ``target/service``; ``not_installed`` are targets without an installation; ``troubles`` are
    message and hint by target.
    """

    states: Mapping[str, str]
    targets: tuple[str, ...]
    not_installed: tuple[str, ...] = ()
    troubles: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ServiceLogs:
    """Log texts by ``target/service``, secrets masked, and the errors of those not readable."""

    texts: Mapping[str, str]
    failures: Mapping[str, str]


class Connection(Protocol):
    """Open connections to the targets, with their facts read: one round trip per target."""

    @property
    def targets(self) -> tuple[str, ...]:
        """Targets that are connected, in the operator's order."""
        ...

    @property
    def desired_state(self) -> DesiredState:
        """The desired state that the targets are compared with."""
        ...

    @property
    def facts(self) -> Mapping[str, Facts]:
        """Facts by target."""
        ...

    @property
    def failures(self) -> Mapping[str, OzError]:
        """Errors of the targets that could not be connected to or read."""
        ...

    def plan(self, stop: threading.Event | None = None) -> Plan:
        """Compare the facts with the desired state. Raises Interrupted soon after ``stop`` is set."""
        ...

    def with_diffs(self, plan: Plan, stop: threading.Event | None = None) -> Plan:
        """Return the plan with a unified diff of every changed file, secrets masked.

        A target without an installation gets no diffs: ``render`` shows its files. Raises Interrupted.
        """
        ...

    def require_ready(self, plan: Plan) -> None:
        """Raise PreflightError naming the targets that do not meet the requirements of the plan."""
        ...

    def install_recipe(self) -> Sequence[Phase[Any]]:
        """Return the phases that install, upgrade or repair."""
        ...

    def run(
        self,
        plan: Plan,
        emit: EmitEvent,
        *,
        gate: Gate,
        health_timeout: float | None,
        stop: threading.Event | None,
    ) -> RunContext:
        """Return the run that the recipe's phases work on. ``health_timeout`` in seconds."""
        ...

    def status(self, stop: threading.Event | None = None, *, refresh: bool = False) -> Status:
        """Return the state of every connected target. ``refresh`` reads the facts again first.

        Raises Interrupted soon after ``stop`` is set.
        """
        ...

    def leftovers(self) -> Mapping[str, str]:
        """Return what dead runs left, by target, such as a lock or staged secrets."""
        ...

    def remove_leftovers(self) -> None:
        """Remove what runs that died left. Raises DeployError."""
        ...

    def logs(self, services: Mapping[str, tuple[str, str]], lines: int) -> ServiceLogs:
        """Read the last log lines of services: ``target/service`` -> target and container name."""
        ...

    def transport(self, target: str) -> Transport:
        """Return the connection that checks of this target use."""
        ...

    def close(self) -> None:
        """Close every connection, waiting a second at most."""
        ...


class Platform(Protocol):
    """One way to run Oz: its rendering, connections and checks."""

    @property
    def name(self) -> str:
        """The platform name in ``catalog/scenarios.yml``."""
        ...

    @property
    def checks(self) -> Sequence[Check[Any]]:
        """All checks of the preflight, in the order of a report."""
        ...

    def render(
        self,
        answers: Answers,
        topology: Topology,
        secrets: Mapping[str, Secret],
        local_files: Mapping[str, bytes],
    ) -> Mapping[str, Rendering]:
        """Render the files of every target; ``local_files`` by the mounts that name them. Pure.

        Raises AnswersError when an answer or a secret cannot be written in a file's language.
        """
        ...

    def connect(
        self,
        inputs: Inputs,
        open_transport: OpenTransport,
        *,
        only: Sequence[str],
        stop: threading.Event | None = None,
        emit: EmitEvent | None = None,
    ) -> Connection:
        """Connect to the targets in ``only`` and read their facts.

        A target that fails does not hold up the others.

        Raises AnswersError when rendering does, and Interrupted soon after ``stop`` is set.
        """
        ...
