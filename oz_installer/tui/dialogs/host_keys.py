"""Keys of servers that nobody knows yet: shown, to be compared and accepted."""

from __future__ import annotations

from collections.abc import Mapping

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from oz_installer.tui.dialogs.dialog import Dialog
from oz_installer.tui.widgets.push import Push

WHY = (
    "New servers. Compare each with what its own console says:\n"
    "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub\n"
    "What you accept is written into the answers; no other key is taken then."
)


class HostKeys(Dialog[bool]):
    """True when all of them are accepted."""

    AUTO_FOCUS = "#no"

    def __init__(self, keys: Mapping[str, str]) -> None:
        super().__init__(classes="broad")
        self._host_keys = keys

    def heading(self) -> str:
        """How many."""
        return "A new host key" if len(self._host_keys) == 1 else f"{len(self._host_keys)} new host keys"

    def body(self) -> ComposeResult:
        """Node and fingerprint."""
        yield Static(Content(WHY), classes="help-part")
        rows = [
            Content.assemble((f"{name[:12]:<13}", "bold"), key)
            for name, key in sorted(self._host_keys.items())
        ]
        yield Static(Content("\n").join(rows))

    def foot(self) -> ComposeResult:
        """Both answers; the cursor stands on the one that changes nothing."""
        with Horizontal(classes="dialog-buttons"):
            yield Push("Accept" if len(self._host_keys) == 1 else "Accept all", id="yes")
            yield Push("Not now", id="no", key="Esc", primary=True)

    @on(Push.Pressed)
    def _answered(self, event: Push.Pressed) -> None:
        event.stop()
        self.dismiss(event.push.id == "yes")
