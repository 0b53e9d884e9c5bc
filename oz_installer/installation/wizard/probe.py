"""What the wizard's Test buttons call: nodes, database and storage of answers that are still in the making.

All of them block; call them in a worker. ``on_...`` is called in the caller's thread, as answers come. They
change nothing, leave nothing behind, and return soon after ``stop`` is set.
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
from oz_installer.checks.runner import as_completed, run_checks, run_shell_checks
from oz_installer.checks.storage.storage import StorageCheck
from oz_installer.errors import AnswersError, OzError, unexpected
from oz_installer.frozen import dataclass
from oz_installer.installation.check import OnFinding, check_context, mask_findings
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
"""Sections of the answers that can be tried before an installation."""

PATIENCE_SECONDS = 45.0
"""Connecting may take this long: a busy sshd, a jump host."""

_LOOKS = (HostCheck(), EngineCheck())
_CHECKS: dict[ProbedSection, ProbeCheck[Any]] = {
    "database": DatabaseCheck(),
    "storage": StorageCheck(),
}


@dataclass(frozen=True, kw_only=True)
class NodeProbe:
    """How trying one node ended. ``reached``: we were let in and it answered.

    ``fingerprint`` is of the key that the node showed; None where we do not know. One that is ``unknown`` may
    be offered for acceptance (``host_key``), one that has ``changed`` never: ``error`` names both keys.
    ``facts`` are labels and values, ``findings`` those of the preflight.
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
    on_tried: Callable[[NodeProbe], None],
    stop: threading.Event,
    *,
    ask: Ask | None = None,
) -> None:
    """Connect to each, look at it, compare with the layout's figures; all at once. Only the nodes' own
    answers need be right. ``ask`` is asked here for secrets that are to be typed, before anything else."""
    answers = partial_answers(working)
    ready: dict[str, tuple[Node, Secrets]] = {}
    for name in dict.fromkeys(names):
        try:
            ready[name] = _ready(working, answers, name, path, ask)
        except AnswersError as error:
            on_tried(NodeProbe(node=name, error=_text(error), hint=error.hint))
    lines = ConnectionPool(lambda name: open_transport(*ready[name]))
    work = {name: partial(_try_node, answers, name, lines, secrets) for name, (_, secrets) in ready.items()}
    try:
        for name, future in as_completed(work, stop, PATIENCE_SECONDS):
            on_tried(_late(name) if future is None else future.result())
    finally:
        lines.close()


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
    """Try the database or the storage from every api node. Raises AnswersError when the answers about it, or
    those of the api nodes, cannot be used yet."""
    answers = partial_answers(working)
    names = api_names(answers)
    if not names:
        raise AnswersError("no node has the role api yet", "Add the nodes first; this is tried from them.")
    slots = (f"{section}.", *(f"nodes.{name}." for name in names))
    require_valid(working, slots[0], *(node_keys(working, name) or "nodes" for name in names))
    secrets = resolve_secrets(answers, base=path.parent, ask=ask, wanted=lambda slot: slot.startswith(slots))
    nodes = {node.name: node for node in answers.nodes if node.name in names}
    lines = ConnectionPool(lambda name: open_transport(nodes[name], secrets))
    told = mask_findings(on_finding, secrets.masker())
    try:
        site = check_context(answers, lines, secrets, names=names)
        run_checks((_CHECKS[section],), site, told, stop, limit=PATIENCE_SECONDS)
    finally:
        lines.close()


def ssh_config_hosts() -> tuple[SshHost, ...]:
    """The machines of ~/.ssh/config, in its order. Raises ConnectError when the file is broken."""
    return list_hosts()


def _ready(
    working: WorkingCopy, answers: Answers, name: str, path: Path, ask: Ask | None
) -> tuple[Node, Secrets]:
    """The node and its secrets. Raises AnswersError when something of it is missing or wrong."""
    place = node_keys(working, name)
    if place is None:
        raise AnswersError(f"there is no node {name}", "Give it a name and a host first.")
    if problems := field_problems(working, place):
        told = "; ".join(f"{question(one.key).label} {one.message}" for one in problems[:3])
        raise AnswersError(f"correct this first: {told}", problems[0].hint or AGAIN)
    node = next(node for node in answers.nodes if node.name == name)
    alone = replace(answers, nodes=(node,))
    wanted = f"nodes.{name}."
    return node, resolve_secrets(
        alone, base=path.parent, ask=ask, wanted=lambda slot: slot.startswith(wanted)
    )


def _try_node(answers: Answers, name: str, lines: ConnectionPool, secrets: Secrets) -> NodeProbe:
    """Whatever goes wrong is told of this node."""
    masker = secrets.masker()
    try:
        transport = lines(name)
    except HostKeyRefused as refused:
        known: Literal["unknown", "changed"] = "changed" if refused.changed else "unknown"
        shown = None if refused.jump else refused.fingerprint
        tried = NodeProbe(node=name, fingerprint=shown, key_known=known)
        return _failed(tried, refused, masker)
    except Exception as error:  # noqa: BLE001 - the operator is told, the other nodes go on
        return _failed(NodeProbe(node=name), error, masker)
    tried = NodeProbe(
        node=name, connected=True, fingerprint=transport.host_key_fingerprint or None, key_known="known"
    )
    try:
        site = check_context(answers, lines, secrets, names=(name,))
        seen = run_shell_checks(_LOOKS, site, site.nodes[0])
    except Exception as error:  # noqa: BLE001 - the same
        return _failed(tried, error, masker)
    facts = tuple((label, masker(value)) for label, value in seen.shown)
    return replace(tried, facts=facts, findings=tuple(one.map_text(masker) for one in seen.findings))


def _late(name: str) -> NodeProbe:
    hint = "Is it overloaded, or a command on it stuck (a dead mount, a hanging engine)?"
    return NodeProbe(node=name, error=f"no answer within {PATIENCE_SECONDS:.0f} s", hint=hint)


def _failed(tried: NodeProbe, error: Exception, masker: Masker) -> NodeProbe:
    said = error if isinstance(error, OzError) else unexpected(error)
    return replace(tried, error=masker(said.message), hint=masker(said.hint))


def _text(error: AnswersError) -> str:
    return "; ".join(f"{one.key} {one.message}" for one in error.problems) or error.message
