"""The desired state of an installation, without contacting any target."""

from __future__ import annotations

from pathlib import Path

from oz_installer.answers.file import LoadedAnswers
from oz_installer.answers.secrets.resolve import Ask
from oz_installer.installation.desired_state.desired_state import DesiredState, render_state
from oz_installer.installation.desired_state.inputs import read_inputs
from oz_installer.installation.platforms import platform_of


def build_desired_state(
    loaded: LoadedAnswers, path: Path, *, ask: Ask | None, connecting: bool
) -> DesiredState:
    """Plan and render without contacting a target; writes nothing. Raises AnswersError.

    ``connecting`` also reads the secrets that only logins need.
    """
    inputs = read_inputs(loaded, path, ask=ask, connecting=connecting)
    return render_state(inputs, platform_of(loaded.answers).render)
