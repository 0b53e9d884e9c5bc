"""The desired state: topology, secrets, local files and the rendered files of every target."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import field
from pathlib import Path

from oz_installer.answers.file import LoadedAnswers
from oz_installer.answers.local_files import secrets_file_path
from oz_installer.answers.model import Answers
from oz_installer.answers.secrets.resolve import Secrets
from oz_installer.answers.secrets.store import SecretStore
from oz_installer.deploy.record import fingerprint
from oz_installer.frozen import dataclass
from oz_installer.installation.desired_state.inputs import Inputs
from oz_installer.render.rendering import Rendering
from oz_installer.secret import MASK, Secret
from oz_installer.topology.model import Topology

Render = Callable[[Answers, Topology, Mapping[str, Secret], Mapping[str, bytes]], Mapping[str, Rendering]]
"""``Platform.render``."""


@dataclass(frozen=True, kw_only=True)
class DesiredState:
    """Everything that follows from the answers: ``render`` writes it, ``prepare`` compares."""

    loaded: LoadedAnswers
    path: Path
    topology: Topology
    renderings: Mapping[str, Rendering]
    secrets: Secrets
    local_files: Mapping[str, bytes] = field(repr=False)
    render: Render = field(repr=False)

    @property
    def answers(self) -> Answers:
        """The answers that it was built from."""
        return self.loaded.answers

    @property
    def secrets_file(self) -> Path:
        """File with the generated secrets."""
        return secrets_file_path(self.path)

    def save_secrets(self) -> None:
        """Write newly generated secrets next to the answers. Raises AnswersError, LockedError."""
        SecretStore(self.secrets_file).add(self.secrets.made)

    def fingerprints(self, target: str) -> dict[str, str]:
        """Return fingerprints of the generated secrets in the target's files, by slot."""
        texts = [file.content for file in self.renderings[target].files if file.secret]
        found = {slot: self.secrets[slot] for slot in self.secrets.generated}
        return {
            slot: fingerprint(slot, secret)
            for slot, secret in found.items()
            if any(secret.reveal().encode() in text for text in texts)
        }

    def masked_files(self, target: str) -> dict[str, bytes]:
        """Return the target's secret files with every secret replaced by a mask."""
        masked = {slot: Secret(MASK) for slot in self.secrets}
        rendering = self.render(self.answers, self.topology, masked, self.local_files)[target]
        return {
            file.path: _shown(file.path, file.content, file.digest) for file in rendering.files if file.secret
        }


def render_state(
    inputs: Inputs, render: Render, renderings: Mapping[str, Rendering] | None = None
) -> DesiredState:
    """Render the files of every target, unless ``renderings`` has them. Raises AnswersError."""
    if renderings is None:
        renderings = render(inputs.loaded.answers, inputs.topology, inputs.secrets, inputs.local_files)
    return DesiredState(
        loaded=inputs.loaded,
        path=inputs.path,
        topology=inputs.topology,
        renderings=renderings,
        secrets=inputs.secrets,
        local_files=inputs.local_files,
        render=render,
    )


def _shown(path: str, content: bytes, digest: str) -> bytes:
    if path.startswith("licence/"):
        return json.dumps({"licence": path, "sha256": digest}).encode() + b"\n"
    return content
