"""Prompt the operator for a secret while a job waits for it."""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING

from oz_installer.errors import AnswersError

if TYPE_CHECKING:
    from oz_installer.secret import Secret
    from oz_installer.tui.dialogs.secret import SecretDialog
    from oz_installer.tui.wizard_protocol import WizardHost


class SecretPrompt:
    """Prompts for secrets on behalf of jobs; each once per session, kept in memory only."""

    def __init__(self, app: WizardHost) -> None:
        self._app = app
        self._given: dict[str, Secret] = {}
        self._waiting: dict[SecretDialog, Future[Secret | None]] = {}
        self._over = False

    def __call__(self, label: str) -> Secret:
        """Return the secret. Raises AnswersError when the operator gives none."""
        if label not in self._given:
            self._given[label] = self._prompt(
                label, "Try again, or set an environment variable or a file for it in the answers."
            )
        return self._given[label]

    def ask_code(self, label: str) -> Secret:
        """Return a code that is valid once, prompting every time. Raises AnswersError for none."""
        return self._prompt(label, "Try again; the server requires it at every login.")

    def _prompt(self, label: str, hint: str) -> Secret:
        from oz_installer.tui.dialogs.secret import SecretDialog

        answered: Future[Secret | None] = Future()
        dialog = SecretDialog(label)
        self._app.call_from_thread(self._ask, dialog, answered)
        given = answered.result()
        if given is None:
            raise AnswersError(f"{label} was not given", hint)
        return given

    def forget(self, node: str | None = None) -> None:
        """Forget wrong secrets, all or those of one node, to prompt for them again."""
        self._given = {
            label: given
            for label, given in self._given.items()
            if node is not None and not _is_of(label, node)
        }

    def cancel_pending(self) -> None:
        """Cancel the open prompts: the jobs that wait for them must stop."""
        for dialog, answered in tuple(self._waiting.items()):
            _answer(answered, None)
            self._app.call_later(self._close, dialog)

    def end(self) -> None:
        """Cancel open prompts and refuse later ones."""
        self._over = True
        self.cancel_pending()

    def _ask(self, dialog: SecretDialog, answered: Future[Secret | None]) -> None:
        if self._over:
            _answer(answered, None)
            return
        self._waiting[dialog] = answered
        self._app.push_screen(dialog, lambda given: self._answered(dialog, given))

    def _answered(self, dialog: SecretDialog, given: Secret | None) -> None:
        _answer(self._waiting.pop(dialog), given)

    def _close(self, dialog: SecretDialog) -> None:
        """Close the dialog unless another one covers it; Escape closes it then."""
        if self._app.screen is dialog:
            dialog.dismiss(None)


def _answer(answered: Future[Secret | None], given: Secret | None) -> None:
    if not answered.done():
        answered.set_result(given)


def _is_of(label: str, node: str) -> bool:
    """Return whether a node may need the secret; labels name nodes, but not for key passphrases."""
    _, named, nodes = label.rpartition(" on ")
    return not named or node in nodes.split(", ")
