"""What follows from the answers alone: topology, secrets, licence files, bundles."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from oz_installer.answers.file import LoadedAnswers
from oz_installer.answers.local_files import secrets_file_path
from oz_installer.answers.model import Answers
from oz_installer.answers.secrets.resolve import Ask, Secrets, resolve_secrets
from oz_installer.answers.secrets.store import SecretStore
from oz_installer.deploy.record import fingerprint
from oz_installer.errors import AnswersError, Problem
from oz_installer.frozen import dataclass
from oz_installer.installation.desired_state.local_files import known_hosts_problems, read_licences
from oz_installer.render.compose.bundle import Bundle, render
from oz_installer.render.config import secret_slots
from oz_installer.secret import MASK, Secret
from oz_installer.topology.model import Topology
from oz_installer.topology.planner import plan_topology


@dataclass(frozen=True, kw_only=True)
class DesiredState:
    """All that follows from the answers alone: what ``render`` writes and ``prepare`` compares."""

    loaded: LoadedAnswers
    path: Path
    topology: Topology
    bundles: Mapping[str, Bundle]
    secrets: Secrets
    licences: Mapping[str, bytes] = field(repr=False)

    @property
    def answers(self) -> Answers:
        """The answers that it was made from."""
        return self.loaded.answers

    @property
    def secrets_file(self) -> Path:
        """Where generated secrets are kept."""
        return secrets_file_path(self.path)

    def save_secrets(self) -> None:
        """Write the secrets that this run made beside the answers. Raises AnswersError, LockedError."""
        SecretStore(self.secrets_file).add(self.secrets.made)

    def fingerprints(self, node: str) -> dict[str, str]:
        """Of the generated secrets that stand in the node's files, by slot; they go into its record."""
        texts = [file.content for file in self.bundles[node].files if file.secret]
        found = {slot: self.secrets[slot] for slot in self.secrets.generated}
        return {
            slot: fingerprint(slot, secret)
            for slot, secret in found.items()
            if any(secret.reveal().encode() in text for text in texts)
        }

    def masked_files(self, node: str) -> dict[str, bytes]:
        """The node's secret files as they may be shown: every secret replaced by a mask."""
        masked = {slot: Secret(MASK) for slot in self.secrets}
        bundles = render(self.answers, self.topology, masked, self.licences)
        bundle = next(bundle for bundle in bundles if bundle.node == node)
        return {
            file.path: _shown(file.path, file.content, file.digest) for file in bundle.files if file.secret
        }


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """All that is read before anything is worked out: answers, secrets, licence files."""

    loaded: LoadedAnswers
    path: Path
    topology: Topology
    secrets: Secrets
    licences: Mapping[str, bytes] = field(repr=False)


def build_desired_state(
    loaded: LoadedAnswers, path: Path, *, ask: Ask | None, connecting: bool
) -> DesiredState:
    """Work out topology and bundles. Raises AnswersError; contacts nobody, writes nothing.

    ``connecting`` also fetches the secrets that only logins need.
    """
    return render_bundles(read_inputs(loaded, path, ask=ask, connecting=connecting))


def read_inputs(loaded: LoadedAnswers, path: Path, *, ask: Ask | None, connecting: bool) -> Inputs:
    """Topology, secrets and licence files. Raises AnswersError with every problem, each with its line."""
    path = path.absolute()  # so that every file is told with its whole path
    topology, problems = _topology(loaded)
    licences, unread = read_licences(loaded, path.parent, topology)
    problems += unread
    if connecting:
        problems += known_hosts_problems(loaded, path.parent)
    secrets = resolve_secrets(
        loaded.answers,
        base=path.parent,
        ask=ask,
        store_path=secrets_file_path(path),
        slots=secret_slots(topology) if topology else (),
        wanted=lambda slot: connecting or not _is_login(slot),
        place=loaded.with_location,
        also=problems,
    )
    assert topology is not None, "without one there was a problem"  # noqa: S101
    return Inputs(loaded=loaded, path=path, topology=topology, secrets=secrets, licences=licences)


def _topology(loaded: LoadedAnswers) -> tuple[Topology | None, list[Problem]]:
    """The topology, or why there is none."""
    try:
        return plan_topology(loaded.answers), []
    except AnswersError as error:
        return None, [loaded.with_location(problem) for problem in error.problems]


def render_bundles(inputs: Inputs) -> DesiredState:
    """Render every bundle."""
    rendered = render(inputs.loaded.answers, inputs.topology, inputs.secrets, inputs.licences)
    return DesiredState(
        loaded=inputs.loaded,
        path=inputs.path,
        topology=inputs.topology,
        bundles={bundle.node: bundle for bundle in rendered},
        secrets=inputs.secrets,
        licences=inputs.licences,
    )


def _is_login(slot: str) -> bool:
    return slot.startswith("nodes.") or slot in ("registry.password", "database.admin_password")


def _shown(path: str, content: bytes, digest: str) -> bytes:
    if path.startswith("licence/"):
        return json.dumps({"licence": path, "sha256": digest}).encode() + b"\n"
    return content
