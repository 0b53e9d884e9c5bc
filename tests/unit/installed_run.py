"""oz-install on nodes that answer from a file: ``python -m tests.unit.installed_run FACTS ARGUMENT ...``.

The SSH transport is imported as for real nodes. Modules and instructions of this program are counted, so it
imports nothing that oz-install does not. OZ_TEST_MODULES names a file for the names of all loaded modules.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any


class InstalledNode:
    """A connection to a node that answers every command with its recorded facts."""

    def __init__(self, name: str, output: str) -> None:
        self.name = name
        self._output = output.encode()

    def run(self, argv: Sequence[str], **_: object) -> Any:
        """Return the recorded output."""
        from oz_installer.remote.transport import CommandResult

        return CommandResult(argv=tuple(argv), status=0, stdout=self._output)

    def close(self) -> None:
        """Do nothing."""


def opener_of(facts: Path) -> Callable[..., InstalledNode]:
    """Return what opens a connection to such a node."""
    outputs = json.loads(facts.read_text())

    def open_node(node: Any, *_: object, **__: object) -> InstalledNode:
        import oz_installer.remote.ssh.transport  # noqa: F401 - what a real connection imports

        return InstalledNode(node.name, outputs[node.name])

    return open_node


def main() -> None:
    """Run oz-install with these nodes."""
    from oz_installer import __main__
    from oz_installer.installation.nodes import connect

    facts, *arguments = sys.argv[1:]
    sys.argv = ["oz-install", *arguments]
    connect.transport_opener = lambda: opener_of(Path(facts))
    try:
        __main__.main()
    finally:
        if listing := os.environ.get("OZ_TEST_MODULES"):
            Path(listing).write_text("\n".join(sorted(sys.modules)))


if __name__ == "__main__":
    main()
