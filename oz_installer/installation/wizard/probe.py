"""Probe nodes, database and storage of incomplete answers, for the wizard's Test buttons.

All functions block; call them in a worker. ``on_...`` is called in the caller's thread, as results arrive.
They change nothing, leave nothing behind, and return soon after ``stop`` is set.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from oz_installer.answers.drafts.working_copy import WorkingCopy
from oz_installer.answers.model import Answers, Node
from oz_installer.answers.questions import question
from oz_installer.answers.secrets.resolve import Ask, Secrets, resolve_secrets
from oz_installer.checks.base import ProbeCheck
from oz_installer.checks.context import Finding
from oz_installer.checks.database.database import DatabaseCheck
from oz_installer.checks.engine.engine import EngineCheck
from oz_installer.checks.host.host import HostCheck
from oz_installer.checks.runner import OnFinding, as_completed, run_checks, run_shell_checks
from oz_installer.checks.storage.storage import StorageCheck
from oz_installer.errors import AnswersError, OzError, unexpected
from oz_installer.frozen import dataclass
from oz_installer.installation.check import check_context, mask_findings
from oz_installer.installation.nodes.connection_pool import ConnectionPool
from oz_installer.installation.platform import OpenTransport
from oz_installer.installation.wizard.partial_answers import (
    AGAIN,
    api_names,
    field_problems,
    node_keys,
    partial_answers,
    require_valid,
)
from oz_installer.remote.ssh.config import SshHost, list_hosts
from oz_installer.remote.ssh.target import HostKeyRefused
from oz_installer.secret import Masker

__all__ = ["NodeProbe", "ProbedSection", "SshHost", "probe_nodes", "probe_section", "ssh_config_hosts"]

ProbedSection = Literal["database", "storage"]
"""Sections of the answers that can be probed before an installation."""

PATIENCE_SECONDS = 45.0
"""Limit for a probe: a busy sshd or a jump host may take this long."""

_NODE_CHECKS = (HostCheck(), EngineCheck())
_CHECKS: dict[ProbedSection, ProbeCheck[Any]] = {
    "database": DatabaseCheck(),
    "storage": StorageCheck(),
}


@dataclass(frozen=True, kw_only=True)
class NodeProbe:
    """The result of probing one node. ``connected``: the login succeeded.

    ``fingerprint`` is that of the node's host key; None if it is not known. An ``unknown`` key may be offered
    for acceptance (``host_key``), a ``changed`` one never: ``error`` names both keys. ``facts`` are pairs of
    label and value, ``findings`` those of the preflight.
    """

    node: str
    connected: bool = False
    fingerprint: str | None = None
    key_known: Literal["known", "unknown", "changed"] = "unknown"
    facts: tuple[tuple[str, str], ...] = ()
    findings: tuple[Finding, ...] = ()
    error: str = ""
    hint: str = ""


def probe_nodes(
    working: WorkingCopy,
    path: Path,
    names: Sequence[str],
    open_transport: OpenTransport,
    on_result: Callable[[NodeProbe], None],
    stop: threading.Event,
    *,
    ask: Ask | None = None,
) -> None:
    """Connect to nodes in parallel, read their facts, compare them with the layout's figures.

    Only the answers of these nodes must be valid. ``ask`` is called first, for secrets that must be typed.
    """
    answers = partial_answers(working)
    ready: dict[str, tuple[Node, Secrets]] = {}
    for name in dict.fromkeys(names):
        try:
            ready[name] = _ready(working, answers, name, path, ask)
        except AnswersError as error:
            on_result(NodeProbe(node=name, error=_text(error), hint=error.hint))
    pool = ConnectionPool(lambda name: open_transport(*ready[name]))
    work = {name: partial(_probe_node, answers, name, pool, secrets) for name, (_, secrets) in ready.items()}
    try:
        for name, future in as_completed(work, stop, PATIENCE_SECONDS):
            on_result(_timed_out(name) if future is None else future.result())
    finally:
        pool.close()


def probe_section(
    section: ProbedSection,
    working: WorkingCopy,
    path: Path,
    open_transport: OpenTransport,
    on_finding: OnFinding,
    stop: threading.Event,
    *,
    ask: Ask | None = None,
) -> None:
    """Check the database or the storage from every api node.

    Raises AnswersError while the answers about it, or about the api nodes, are missing or invalid.
    """
    answers = partial_answers(working)
    names = api_names(answers)
    if not names:
        raise AnswersError("no node has the role api yet", "Add the nodes first: this test runs on them.")
    slots = (f"{section}.", *(f"nodes.{name}." for name in names))
    require_valid(working, slots[0], *(node_keys(working, name) or "nodes" for name in names))
    secrets = resolve_secrets(answers, base=path.parent, ask=ask, wanted=lambda slot: slot.startswith(slots))
    nodes = {node.name: node for node in answers.nodes if node.name in names}
    pool = ConnectionPool(lambda name: open_transport(nodes[name], secrets))
    on_masked = mask_findings(on_finding, secrets.masker())
    try:
        context = check_context(answers, pool, secrets, names=names, base=path.parent)
        run_checks((_CHECKS[section],), context, on_masked, stop, limit=PATIENCE_SECONDS)
    finally:
        pool.close()


def ssh_config_hosts() -> tuple[SshHost, ...]:
    """Return the hosts of ~/.ssh/config, in its order. Raises ConnectError if it is invalid."""
    return list_hosts()


def _ready(
    working: WorkingCopy, answers: Answers, name: str, path: Path, ask: Ask | None
) -> tuple[Node, Secrets]:
    """Return a node and its secrets. Raises AnswersError if its answers are missing or invalid."""
    prefix = node_keys(working, name)
    if prefix is None:
        raise AnswersError(f"there is no node {name}", "Give it a name and a host first.")
    if problems := field_problems(working, prefix):
        text = "; ".join(f"{question(one.key).label} {one.message}" for one in problems[:3])
        raise AnswersError(f"correct this first: {text}", problems[0].hint or AGAIN)
    node = next(node for node in answers.nodes if node.name == name)
    alone = replace(answers, nodes=(node,))
    wanted = f"nodes.{name}."
    return node, resolve_secrets(
        alone, base=path.parent, ask=ask, wanted=lambda slot: slot.startswith(wanted)
    )


def _probe_node(answers: Answers, name: str, pool: ConnectionPool, secrets: Secrets) -> NodeProbe:
    """Probe one node. Every error becomes part of its result."""
    masker = secrets.masker()
    try:
        transport = pool(name)
    except HostKeyRefused as refused:
        known: Literal["unknown", "changed"] = "changed" if refused.changed else "unknown"
        shown = None if refused.jump else refused.fingerprint
        result = NodeProbe(node=name, fingerprint=shown, key_known=known)
        return _failed(result, refused, masker)
    except Exception as error:  # noqa: BLE001 - the error is reported, the other nodes continue
        return _failed(NodeProbe(node=name), error, masker)
    result = NodeProbe(
        node=name, connected=True, fingerprint=transport.host_key_fingerprint or None, key_known="known"
    )
    try:
        context = check_context(answers, pool, secrets, names=(name,))
        output = run_shell_checks(_NODE_CHECKS, context, context.nodes[0])
    except Exception as error:  # noqa: BLE001 - the same
        return _failed(result, error, masker)
    facts = tuple((label, masker(value)) for label, value in output.shown)
    return replace(result, facts=facts, findings=tuple(one.map_text(masker) for one in output.findings))


def _timed_out(name: str) -> NodeProbe:
    hint = "Check that the node is not overloaded and no command hangs (a dead mount, the container engine)."
    return NodeProbe(node=name, error=f"no answer within {PATIENCE_SECONDS:.0f} s", hint=hint)


def _failed(result: NodeProbe, error: Exception, masker: Masker) -> NodeProbe:
    known = error if isinstance(error, OzError) else unexpected(error)
    return replace(result, error=masker(known.message), hint=masker(known.hint))


def _text(error: AnswersError) -> str:
    return "; ".join(f"{one.key} {one.message}" for one in error.problems) or error.message
