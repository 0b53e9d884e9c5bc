"""Writes the passwords that were made in this run, before any node has one of them."""

from __future__ import annotations

from oz_installer.deploy.compose.run import NodesRun
from oz_installer.deploy.phase import Phase


class SaveSecrets(Phase[NodesRun]):
    """After the locks: of two runs that both made passwords only the one that goes on keeps its own."""

    title = "Keep new passwords"

    def should_run(self, run: NodesRun) -> bool:
        """Only where some were made."""
        return bool(run.changing) and run.keep_secrets is not None

    def run(self, run: NodesRun) -> None:
        """Raises AnswersError when the file cannot be written. They stay, whatever fails later."""
        if run.keep_secrets is not None:
            run.gate.run_locally("keep new passwords beside the answers", run.keep_secrets)
