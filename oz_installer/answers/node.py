"""The questions about one node."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from oz_installer.answers import value_rules
from oz_installer.answers.fields import SecretRef, ask
from oz_installer.frozen import dataclass

Role = Literal["api", "bio"]


@dataclass(frozen=True, kw_only=True)
class Node:
    """One server that runs a part of Oz."""

    name: str = ask(
        "Name", "A short name, unique here; it is used on screen and in folders.", rule=value_rules.name
    )
    host: str = ask(
        "Host",
        "Host name or IP address that SSH connects to, or a Host of ~/.ssh/config.",
        rule=value_rules.host,
    )
    roles: tuple[Role, ...] = ask(
        "Roles",
        "What runs here: api, bio or both. Left out, the layout decides by the node's position.",
        default=(),
        rule=value_rules.no_duplicates,
    )
    address: str | None = ask(
        "Address for the other nodes",
        "Host name or IP address by which the other nodes reach this one; the same as host when left out.",
        default=None,
        rule=value_rules.host,
    )
    user: str | None = ask(
        "SSH user",
        "Login name; from ~/.ssh/config or your own when left out.",
        default=None,
        rule=value_rules.user,
    )
    port: int | None = ask(
        "SSH port", "From ~/.ssh/config or 22 when left out.", default=None, rule=value_rules.port
    )
    key_file: Path | None = ask(
        "Private key file", "Left out: the SSH agent and the usual keys are tried.", default=None
    )
    key_passphrase: SecretRef | None = ask("Key passphrase", "Opens the private key file.", default=None)
    password: SecretRef | None = ask("SSH password", "For servers that allow no key.", default=None)
    jump: str | None = ask(
        "Jump host",
        "Bastion to go through, as [user@]host[:port] or a Host of ~/.ssh/config.",
        default=None,
        rule=value_rules.jump,
    )
    become: Literal["none", "sudo"] = ask(
        "Become root with",
        "sudo when the login is not root and may not use the engine itself.",
        default="none",
    )
    become_password: SecretRef | None = ask(
        "sudo password", "Left out: sudo must not ask for one.", default=None
    )
    host_key: str | None = ask(
        "Host key",
        "SHA256 fingerprint of the server's key, as ssh-keygen -lf prints it; "
        "known_hosts is asked when left out.",
        default=None,
        rule=value_rules.fingerprint,
    )
