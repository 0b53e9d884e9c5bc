"""Import of nodes from ~/.ssh/config."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from oz_installer.text import plural
from oz_installer.tui.widgets.menu import Item

if TYPE_CHECKING:
    from oz_installer.answers.drafts.working_copy import WorkingCopy
    from oz_installer.installation.wizard.probe import SshHost
    from oz_installer.tui.wizard_protocol import NodesView

HINT = "Space marks. Host, user, port, key and jump host are copied into the answers."


class SshImport:
    """Lists the hosts, lets the operator mark some, and adds them as nodes."""

    def __init__(self, screen: NodesView) -> None:
        self._screen = screen

    def start(self) -> None:
        """Read ~/.ssh/config."""
        core = self._screen.core
        self._screen.start("import", lambda _post, _stop: core.ssh_config_hosts())

    def offer(self, hosts: Sequence[SshHost]) -> None:
        """Show the hosts to choose from."""
        from oz_installer.tui.dialogs.pick import PickSome

        if not hosts:
            self._screen.show_status("~/.ssh/config has no hosts to import; add nodes by hand.", "-warning")
        elif self._screen.is_active:
            dialog = PickSome(
                "Import from ~/.ssh/config", items(hosts, self._screen.working), take="Add", hint=HINT
            )
            self._screen.open_dialog(dialog, lambda names: self._add(hosts, names or ()))

    def _add(self, hosts: Sequence[SshHost], names: Sequence[str]) -> None:
        working = self._screen.working
        for host in hosts:
            if host.name in names:
                working = working.add_node(node_from_host(host, _names(working)))
        if names:
            self._screen.wizard.edit(working)
            self._screen.show_status(f"Added {plural(len(names), 'node')}.", "-good")


def items(hosts: Sequence[SshHost], working: WorkingCopy) -> list[Item]:
    """List the hosts; those that are nodes already are barred."""
    known = {
        (str(working.get(f"nodes[{index}].host")).lower(), working.get(f"nodes[{index}].port") or 22): index
        for index in range(working.nodes())
    }
    found = []
    for host in hosts:
        index = known.get((host.host.lower(), host.port or 22))
        is_node = (
            "" if index is None else f"is already node {working.get(f'nodes[{index}].name') or index + 1}"
        )
        found.append(Item(id=host.name, label=host.name, about=_about(host), barred=is_node))
    return found


def _about(host: SshHost) -> str:
    login = f"{host.user}@{host.host}" if host.user else host.host
    port = f":{host.port}" if host.port else ""
    return login + port + (f" through {host.jump}" if host.jump else "")


def node_from_host(host: SshHost, taken: Collection[str]) -> dict[str, Any]:
    """Make a node's answers from a host, with a name that no other node has."""
    name = re.sub(r"[^a-z0-9]+", "-", host.name.lower()).strip("-")[:28].strip("-") or "node"
    number, free = 2, name
    while free in taken:
        free, number = f"{name}-{number}", number + 1
    rest = {"user": host.user, "port": host.port, "key_file": host.key_file, "jump": host.jump}
    return {
        "name": free,
        "host": host.host,
        **{key: value for key, value in rest.items() if value is not None},
    }


def _names(working: WorkingCopy) -> set[str]:
    return {str(working.get(f"nodes[{index}].name")) for index in range(working.nodes())}
