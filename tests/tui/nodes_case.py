"""Nodes, test results and hosts for tests of steps that test nodes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from oz_installer.checks.context import Finding, FindingLevel
from oz_installer.installation.wizard.probe import NodeProbe, SshHost

ANSWERS = Path("/home/admin/answers.yml")
KEY = "SHA256:" + "Jc7D" * 10 + "abc"

MEDIUM = """\
version: 1
scenario: medium
public_url: https://oz.example.com
nodes:
  - {name: api1, host: 10.0.0.11, user: ozadmin}
  - {name: api2, host: 10.0.0.12, user: ozadmin}
  - {name: bio1, host: 10.0.0.21, user: ozadmin, jump: bastion.example.com}
  - {name: bio2, host: 10.0.0.22, user: ozadmin, port: 2222}
database: {host: db.example.com, password: {env: OZ_DB_PASSWORD}}
storage: {type: nfs, server: nfs.example.com, export: /srv/oz}
updater: {token: {env: OZ_TOKEN}}
"""

POC = """\
version: 1
scenario: poc
public_url: http://10.0.0.11
nodes:
  - {name: one, host: 10.0.0.11, user: ozadmin}
components: {bio_updater: false}
"""


def finding(subject: str, node: str, level: FindingLevel, seen: str, **more: Any) -> Finding:
    """Return a finding about that subject."""
    return Finding(id=f"{subject.lower()}/{node}", subject=subject, node=node, level=level, seen=seen, **more)


def fit(node: str, *findings: Finding) -> NodeProbe:
    """Return the result of a node that accepted the login."""
    facts = (
        ("OS", "Debian GNU/Linux 13 (trixie)"),
        ("CPU", "8 cores, AMD EPYC 7B13"),
        ("Memory", "15.6 GB"),
        ("Disk", "88.2 GB free of 98.0 GB at /opt"),
        ("Engine", "Docker 28.1.1, Compose 2.35.1"),
    )
    return NodeProbe(
        node=node, connected=True, fingerprint=KEY, key_known="known", facts=facts, findings=findings
    )


def short_of_memory(node: str) -> Finding:
    """A finding that falls short."""
    return finding(
        "Memory",
        node,
        "warning",
        "15.6 GB",
        needed="24 GB (medium-4)",
        why="When memory runs out, the kernel kills processes, BIO first.",
        hint="Give the machine more memory, or accept this for a test installation.",
    )


def stranger(node: str, key: str = KEY) -> NodeProbe:
    """Return the result of a node with an unknown host key."""
    return NodeProbe(
        node=node,
        fingerprint=key,
        key_known="unknown",
        error="the server's key is not known",
        hint="Compare the fingerprint with the server's own, and accept it.",
    )


def hosts() -> Sequence[SshHost]:
    """What ~/.ssh/config may hold."""
    return (
        SshHost(name="api1", host="10.0.0.11", user="ozadmin"),
        SshHost(name="Bastion_DMZ", host="bastion.example.com", user="admin", port=2222),
        SshHost(name="bio7", host="10.0.0.27", user="ozadmin", key_file=Path("~/.ssh/oz"), jump="bastion"),
    )
