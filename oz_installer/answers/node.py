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
        "Name", "A short, unique name, used on screen and in folder names.", rule=value_rules.name
    )
    host: str = ask(
        "Host",
        "Host name or IP address for SSH, or a Host of ~/.ssh/config.",
        rule=value_rules.host,
    )
    roles: tuple[Role, ...] = ask(
        "Roles",
        "What runs here: api, bio or both. When left out, the layout decides by the node's position.",
        default=(),
        rule=value_rules.no_duplicates,
    )
    address: str | None = ask(
        "Address for the other nodes",
        "Host name or IP address at which the other nodes reach this one. When left out: host.",
        default=None,
        rule=value_rules.host,
    )
    user: str | None = ask(
        "SSH user",
        "Login name. When left out: from ~/.ssh/config, else your own.",
        default=None,
        rule=value_rules.user,
    )
    port: int | None = ask(
        "SSH port", "When left out: from ~/.ssh/config, else 22.", default=None, rule=value_rules.port
    )
    key_file: Path | None = ask(
        "Private key file", "When left out, the SSH agent and the default keys are tried.", default=None
    )
    key_passphrase: SecretRef | None = ask("Key passphrase", "Decrypts the private key file.", default=None)
    password: SecretRef | None = ask("SSH password", "For servers that do not accept keys.", default=None)
    jump: str | None = ask(
        "Jump host",
        "Bastion to connect through, as [user@]host[:port] or a Host of ~/.ssh/config.",
        default=None,
        rule=value_rules.jump,
    )
    become: Literal["none", "sudo"] = ask(
        "Become root with",
        "Use sudo when the login is not root and may not use the engine itself.",
        default="none",
    )
    become_password: SecretRef | None = ask(
        "sudo password", "When left out, sudo must not ask for a password.", default=None
    )
    host_key: str | None = ask(
        "Host key",
        "SHA256 fingerprint of the server's host key, as ssh-keygen -lf prints it. "
        "When left out, known_hosts decides.",
        default=None,
        rule=value_rules.fingerprint,
    )
