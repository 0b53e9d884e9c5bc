"""Keys of servers that nobody knows yet: shown, to be compared and accepted."""

from __future__ import annotations

from collections.abc import Mapping

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from oz_installer.tui.dialogs.confirm import Confirm

WHY = (
    "New servers. Compare each with what its own console says:\n"
    "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub\n"
    "What you accept is written into the answers; no other key is taken then."
)


class HostKeys(Confirm):
    """True when all of them are accepted."""

    def __init__(self, keys: Mapping[str, str]) -> None:
        yes = "Accept" if len(keys) == 1 else "Accept all"
        super().__init__(WHY, yes=yes, no="Not now", classes="broad")
        self._host_keys = keys

    def heading(self) -> str:
        """How many."""
        return "A new host key" if len(self._host_keys) == 1 else f"{len(self._host_keys)} new host keys"

    def body(self) -> ComposeResult:
        """Node and fingerprint."""
        yield Static(Content(self._question), classes="help-part")
        rows = [
            Content.assemble((f"{name[:12]:<13}", "bold"), key)
            for name, key in sorted(self._host_keys.items())
        ]
        yield Static(Content("\n").join(rows))
