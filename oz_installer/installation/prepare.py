"""Says what would change: connects to the nodes, looks at them and compares. Changes nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING

from oz_installer.answers.file import LoadedAnswers
from oz_installer.answers.model import Node
from oz_installer.answers.secrets.resolve import Ask, Secrets
from oz_installer.deploy.compose.facts import NodeFacts
from oz_installer.deploy.compose.planner import plan_changes
from oz_installer.deploy.plan import Plan
from oz_installer.frozen import dataclass
from oz_installer.installation.desired_state.desired_state import (
    DesiredState,
    Inputs,
    read_inputs,
    render_bundles,
)
from oz_installer.installation.desired_state.secrets_guard import require_all_nodes, require_matching_secrets
from oz_installer.installation.nodes.connect_all import (
    OpenTransport,
    combine_errors,
    connect_all,
    select_nodes,
)
from oz_installer.installation.nodes.connection_pool import ConnectionPool
from oz_installer.installation.nodes.read_facts import read_facts, read_node_facts
from oz_installer.installation.run_report import RunReport

if TYPE_CHECKING:
    from oz_installer.remote.transport import Transport


@dataclass(frozen=True, kw_only=True)
class ConnectedNode:
    """A node that was connected to, and what was seen there."""

    transport: Transport
    facts: NodeFacts

    def close(self) -> None:
        self.transport.close()


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Connections, facts and the plan. ``reopen`` replaces a lost connection, ``close`` ends all; ``report``
    is written once the plan is carried out."""

    desired_state: DesiredState
    transports: Mapping[str, Transport]
    facts: Mapping[str, NodeFacts]
    plan: Plan
    report: RunReport
    reopen: Callable[[str], None]

    def require_engines(self) -> None:
        """Raises PreflightError naming the nodes whose engine cannot carry the plan out."""
        from oz_installer.deploy.compose.phases.requirements import require_met

        require_met(
            [self.facts[node] for node in self.plan.changing],
            self.desired_state.answers.engine,
            self.desired_state.answers.release,
        )

    def close(self) -> None:
        """End every connection."""
        for transport in self.transports.values():
            transport.close()


def prepare(
    loaded: LoadedAnswers,
    path: Path,
    open_transport: OpenTransport,
    *,
    ask: Ask | None = None,
    limit: Sequence[str] = (),
    new_secrets: bool = False,
    stop: threading.Event | None = None,
) -> Prepared:
    """Connect to the nodes, read their facts and say what would change. Changes nothing, writes nothing.

    Raises AnswersError, also when passwords of what is installed are lost, unless ``new_secrets`` says that
    others are wanted; ConnectError with every node that cannot be reached, PreflightError; Interrupted soon
    after ``stop`` is set.
    """
    inputs = read_inputs(loaded, path, ask=ask, connecting=True)
    chosen = select_nodes(loaded.answers, limit)
    nodes = {node.name: node for node in chosen}
    lines = ConnectionPool(lambda name: open_transport(nodes[name], inputs.secrets))
    try:
        looks = connectors(inputs, lambda node, _: lines(node.name))
        looked, failures, desired_state = connect_all(chosen, *looks, stop)
        if failures:
            raise combine_errors(list(failures.values()))
        transports = {name: one.transport for name, one in looked.items()}
        first = {name: one.facts for name, one in looked.items()}
        if not new_secrets:
            require_matching_secrets(desired_state, first)
            require_all_nodes(desired_state, first)
        facts, plan = _compare(desired_state, transports, first, stop)
    except BaseException:
        lines.close()
        raise
    reopen = _reopening(transports, nodes, open_transport, inputs.secrets)
    return Prepared(
        desired_state=desired_state,
        transports=transports,
        facts=facts,
        plan=plan,
        report=RunReport(desired_state, plan),
        reopen=reopen,
    )


def connectors(
    inputs: Inputs, open_transport: OpenTransport
) -> tuple[Callable[[Node], ConnectedNode], Callable[[], DesiredState]]:
    """What connects to a node, and looks at it as soon as the bundles are rendered; and what renders them."""
    drawn: Future[DesiredState] = Future()

    def draw() -> DesiredState:
        try:
            drawn.set_result(render_bundles(inputs))
        except BaseException as error:
            drawn.set_exception(error)
            raise
        return drawn.result()

    def open_and_look(node: Node) -> ConnectedNode:
        transport = open_transport(node, inputs.secrets)
        try:
            return ConnectedNode(transport=transport, facts=read_node_facts(drawn.result(), transport))
        except BaseException:
            transport.close()
            raise

    return open_and_look, draw


def _compare(
    desired_state: DesiredState,
    transports: Mapping[str, Transport],
    facts: dict[str, NodeFacts],
    stop: threading.Event | None,
) -> tuple[dict[str, NodeFacts], Plan]:
    """Facts and plan. Where the files are right but something must start, the details are looked at, too."""
    bundles = {name: desired_state.bundles[name] for name in transports}
    plan = plan_changes(bundles, facts)
    lacking = {name: transports[name] for name in plan.changing if not facts[name].details}
    if lacking:
        facts = {**facts, **read_facts(desired_state, lacking, detailed=True, stop=stop)}
        plan = plan_changes(bundles, facts)
    return facts, plan


def _reopening(
    transports: dict[str, Transport],
    nodes: Mapping[str, Node],
    open_transport: OpenTransport,
    secrets: Secrets,
) -> Callable[[str], None]:
    """What replaces a lost connection by a new one, in place."""

    def reopen(name: str) -> None:
        fresh = open_transport(nodes[name], secrets)
        transports[name].close()
        transports[name] = fresh

    return reopen
