"""Save the passwords that this run generated, before any node gets one of them."""

from __future__ import annotations

from oz_installer.deploy.compose.run import NodesRun
from oz_installer.deploy.phase import Phase


class SaveSecrets(Phase[NodesRun]):
    """Saves new passwords after locking: of two runs only the one with the locks does."""

    title = "Save new passwords"

    def should_run(self, run: NodesRun) -> bool:
        """Return whether this run generated passwords."""
        return bool(run.changing) and run.keep_secrets is not None

    def run(self, run: NodesRun) -> None:
        """Save them; they stay even if the run fails later. Raises AnswersError."""
        if run.keep_secrets is not None:
            run.gate.run_locally("save new passwords next to the answers", run.keep_secrets)
