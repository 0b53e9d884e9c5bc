"""Open SSH connections to nodes of the answers. ``cli`` passes the opener to the front ends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from oz_installer.secret import Secret


def transport_opener() -> Any:
    """Return a function that opens an SSH connection to a node."""
    from oz_installer.answers.model import Node
    from oz_installer.answers.secrets.resolve import Secrets

    def open_transport(
        node: Node,
        secrets: Secrets,
        base: Path,
        known_hosts: Path | None,
        *,
        step: float | None = None,
        ask_code: Callable[[str], Secret] | None = None,
    ) -> Any:
        from oz_installer.answers.local_files import resolve_path
        from oz_installer.remote.ssh.transport import STEP_SECONDS, SshTarget, connect

        return connect(
            SshTarget(
                name=node.name,
                host=node.host,
                port=node.port,
                user=node.user,
                key_file=resolve_path(node.key_file, base) if node.key_file else None,
                key_passphrase=secrets.of_node(node.name, "key_passphrase"),
                password=secrets.of_node(node.name, "password"),
                jump=node.jump,
                become=node.become,
                become_password=secrets.of_node(node.name, "become_password"),
                host_key=node.host_key,
                known_hosts=resolve_path(known_hosts, base) if known_hosts else None,
            ),
            ask_code=ask_code,
            timeout=STEP_SECONDS if step is None else step,
        )

    return open_transport
