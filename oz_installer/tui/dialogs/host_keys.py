"""Dialog to compare and accept unknown host keys."""

from __future__ import annotations

from collections.abc import Mapping

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from oz_installer.tui.dialogs.confirm import Confirm

WHY = (
    "New servers. Compare each key with the output on the server's console:\n"
    "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub\n"
    "Accepted keys are saved in the answers; any other key is then refused."
)


class HostKeys(Confirm):
    """Dialog that returns True when all keys are accepted."""

    def __init__(self, keys: Mapping[str, str]) -> None:
        yes = "Accept" if len(keys) == 1 else "Accept all"
        super().__init__(WHY, yes=yes, no="Not now", classes="broad")
        self._host_keys = keys

    def heading(self) -> str:
        """Return the title with the number of keys."""
        return "A new host key" if len(self._host_keys) == 1 else f"{len(self._host_keys)} new host keys"

    def body(self) -> ComposeResult:
        """Compose node and fingerprint of each key."""
        yield Static(Content(self._question), classes="help-part")
        rows = [
            Content.assemble((f"{name[:12]:<13}", "bold"), key)
            for name, key in sorted(self._host_keys.items())
        ]
        yield Static(Content("\n").join(rows))
