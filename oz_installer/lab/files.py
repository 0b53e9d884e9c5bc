"""Files that ``lab up`` writes into the lab's folder: key, passwords, inventory and answers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from oz_installer.answers.local_files import write_private
from oz_installer.lab.docker import run
from oz_installer.lab.options import Lab, LabNode
from oz_installer.secret import Secret

_LICENSE = "STAND-IN licence of the lab of oz-install; it licenses nothing.\n"
# Roles per node, in the order of the layouts; FACTS, section 1.
LAYOUTS: dict[int, tuple[str, tuple[str, ...]]] = {
    1: ("poc", ("api, bio",)),
    2: ("poc", ("bio", "api")),
    3: ("medium", ("api", "bio", "bio")),
    4: ("medium", ("api", "api", "bio", "bio")),
}


def ensure_keys_and_secrets(lab: Lab) -> str:
    """Create key, passwords and licence where missing; return the public key."""
    lab.directory.mkdir(parents=True, exist_ok=True)
    lab.directory.chmod(0o700)
    if not lab.key.is_file():
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", lab.prefix, "-f", lab.key])
    for path in (lab.database_password, lab.sudo_password, lab.updater_token):
        if not path.is_file():
            write_private(path, Secret.generate(24).reveal().encode())
    if not lab.license.is_file():
        write_private(lab.license, _LICENSE.encode())
    return lab.key.with_suffix(".pub").read_text().strip()


def inventory_text(lab: Lab, nodes: Sequence[LabNode]) -> str:
    """Return lines of ``name address user key known_hosts``, as the benchmarks read them."""
    head = "# name address user key known_hosts\n"
    return head + "".join(f"{node.name} {node.address} root {lab.key} {lab.known_hosts}\n" for node in nodes)


SMALL = ("host.cpu", "host.memory", "host.disk", "host.flags", "runtime.disk", "storage.latency")
"""Warnings that every lab gives and that do not matter for stand-ins."""


def answers_text(lab: Lab, nodes: Sequence[LabNode]) -> str:
    """Return an answers file for these nodes, with the lab's database and share.

    The number of nodes chooses the layout; five and more get the layout of four with more BIO nodes.
    """
    count = len(nodes)
    scenario, roles = LAYOUTS[min(count, max(LAYOUTS))]
    roles += ("bio",) * (count - len(roles))
    api = [node for node, role in zip(nodes, roles, strict=True) if "api" in role]
    storage = "{type: path, path: /mnt/oz}" if len(api) > 1 else "{type: local}"
    lines = [
        f"# Answers for the lab {lab.name!r}, written by «oz-install lab up», which overwrites it.",
        "version: 1",
        f"scenario: {scenario}",
        'release: "5.2"',
        "engine: docker",
        "install_dir: /opt/oz",
        f"public_url: http://{api[0].address}:8880",
        "nodes:",
        *(
            f"  - {{name: {node.name}, host: {node.address}, user: root, "
            f"key_file: {_quoted(lab.key)}, roles: [{role}]}}"
            for node, role in zip(nodes, roles, strict=True)
        ),
        f"known_hosts: {_quoted(lab.known_hosts)}",
        "database:",
        f"  host: {lab.database_address}",
        "  port: 5432",
        "  name: gateway",
        "  user: gateway_user",
        f"  password: {{file: {_quoted(lab.database_password)}}}",
        "  sslmode: require",
        f"storage: {storage}",
        f"license: {{bio: {_quoted(lab.license)}}}",
        f"updater: {{token: {{file: {_quoted(lab.updater_token)}}}}}",
        "air_gapped: true",
        "# One machine runs all nodes, so each has less than its layout requires.",
        f"accept: [{', '.join(SMALL)}]",
    ]
    return "\n".join(lines) + "\n"


def _quoted(path: Path) -> str:
    """Return a path as a YAML string in double quotes."""
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'


def remove(lab: Lab) -> None:
    """Remove the lab's files, and its folder when nothing else is in it."""
    own = (
        lab.key, lab.key.with_suffix(".pub"), lab.known_hosts, lab.inventory, lab.answers,
        lab.database_password, lab.sudo_password, lab.updater_token, lab.license,
    )  # fmt: skip
    for path in own:
        path.unlink(missing_ok=True)
    if lab.directory.is_dir() and not any(lab.directory.iterdir()):
        lab.directory.rmdir()
