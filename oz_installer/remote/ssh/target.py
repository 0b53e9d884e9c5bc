"""The target of a connection: a node with its credentials, and questions about host keys."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from oz_installer.errors import ConnectError
from oz_installer.frozen import dataclass
from oz_installer.secret import Secret

Become = Literal["none", "sudo"]
AskSecret = Callable[[str], Secret]
"""Returns a secret that is asked for; it may answer from memory."""
AskCode = Callable[[str], Secret]
"""Asks the operator for the code of a second factor; it never answers from memory."""


@dataclass(frozen=True, kw_only=True)
class SshTarget:
    """A node as the operator describes it; None means the value of ~/.ssh/config or the default.

    ``jump`` is ``[user@]host[:port]`` or a Host of ~/.ssh/config, several separated by commas.
    ``host_key`` is a fingerprint (``SHA256:...``) or a public key (``ssh-ed25519 AAAA...``).
    The jump host gets the same key file and passphrase, but its password only by ``jump_password``:
    the node's own password is never sent to another machine.
    """

    name: str
    host: str
    port: int | None = None
    user: str | None = None
    key_file: Path | None = None
    key_passphrase: Secret | None = None
    password: Secret | None = None
    jump: str | None = None
    become: Become = "sudo"
    become_password: Secret | None = None
    host_key: str | None = None
    known_hosts: Path | None = None
    jump_password: Secret | None = None
    jump_host_key: str | None = None


class SecretCache:
    """Ask for each secret once and keep it in memory, for a second connection to the same node."""

    def __init__(self, ask: AskSecret | None) -> None:
        self._ask = ask
        self.answers: dict[str, Secret] = {}

    def __call__(self, question: str) -> Secret:
        if question not in self.answers:
            if self._ask is None:
                raise ConnectError(f"a secret is needed, but there is no prompt: {question}")
            self.answers[question] = self._ask(question)
        return self.answers[question]


@dataclass(frozen=True, kw_only=True)
class HostKeyQuestion:
    """The question whether an unknown host key is the right one."""

    node: str
    host: str
    port: int
    key_type: str
    fingerprint: str


class HostKeyRefused(ConnectError):
    """A server's host key is unknown or differs from the known one; no login was tried.

    ``fingerprint`` belongs to the shown key. ``jump``: the server is a jump host, not the node itself.
    """

    def __init__(
        self, message: str, hint: str, *, node: str, fingerprint: str, changed: bool, jump: bool
    ) -> None:
        super().__init__(message, hint, node=node)
        self.fingerprint = fingerprint
        self.changed = changed
        self.jump = jump


AcceptHostKey = Callable[[HostKeyQuestion], bool]
