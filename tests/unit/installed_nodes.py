"""Nodes on which everything is installed, for whole runs in a process of its own that find nothing to do.

``write_facts`` records what such nodes would answer. ``python -m tests.unit.installed_nodes FACTS ...`` is
oz-install with connections that answer from there; the SSH transport is imported as for real nodes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from oz_installer.render.compose.bundle import Bundle

ANSWERS = """\
version: 1
scenario: medium
public_url: http://oz.example.com
nodes:
  - {name: api1, host: 10.0.0.1, roles: [api]}
  - {name: bio1, host: 10.0.0.2}
  - {name: bio2, host: 10.0.0.3}
  - {name: api2, host: 10.0.0.4, roles: [api]}
database: {host: 10.0.0.9, password: {env: OZ_TEST_TOKEN}}
storage: {type: nfs, server: 10.0.0.8, export: /srv/oz}
admin: {password: {env: OZ_TEST_TOKEN}}
license: {bio: ./license.key}
updater: {token: {env: OZ_TEST_TOKEN}}
"""


def write_facts(answers: Path) -> Path:
    """Write the answers of nodes that have what these answers ask for, and keep the secrets of the files."""
    from oz_installer.answers.file import read
    from oz_installer.deploy.record import record_of
    from oz_installer.installation.render import build_desired_state
    from tests.unit.deploy.test_deploy_facts import output

    desired = build_desired_state(read(answers), answers, ask=None, connecting=True)
    desired.save_secrets()
    found = {}
    for name, bundle in cast("Mapping[str, Bundle]", desired.renderings).items():
        containers = "".join(
            f"{one.name}\tUp 3 days (healthy)\t{one.digest}\t{one.image}\n" for one in bundle.long_running
        )
        found[name] = output(
            containers=containers,
            link="generations/000001",
            record=record_of(bundle, "000001", desired.fingerprints(name)).dumps(),
            verified=bundle.digest,
            jobs="".join(f"{one.name} {one.digest}\n" for one in bundle.jobs),
            files="".join(f"{one.digest}  ./{one.path}\n" for one in bundle.files),
        )
    facts = answers.with_name("facts.json")
    facts.write_text(json.dumps(found))
    return facts


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
    """Run oz-install with these nodes; with OZ_TEST_MODULES also write the names of all loaded modules."""
    import os

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
