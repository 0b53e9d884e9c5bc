"""The answers as frozen dataclasses: one question, one field, declared once.

A field's type is the shape of the value; ``ask(...)`` adds label, help, default and rule. The reader of
answers.yml, the JSON Schema, docs/answers.md and the wizard's forms all come from these declarations (see
``questions.py``).

Dataclasses, not pydantic: with pydantic 2.14 the models alone cost 270 ms of start-up (measured; bare Python
takes 17 ms), a third of the time that a run with nothing to do may take.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from oz_installer.answers import value_rules
from oz_installer.answers.fields import SecretRef as SecretRef
from oz_installer.answers.fields import ask
from oz_installer.answers.network import Network
from oz_installer.answers.node import Node as Node
from oz_installer.answers.node import Role as Role
from oz_installer.answers.sections import (
    Admin,
    Broker,
    Components,
    Database,
    Extra,
    License,
    LoadBalancer,
    Proxy,
    Registry,
    Storage,
    Updater,
    Workload,
)
from oz_installer.frozen import dataclass

Engine = Literal["docker", "podman"]


@dataclass(frozen=True, kw_only=True)
class Answers:
    """All answers, as answers.yml holds them."""

    version: Literal[1] = ask("Version", "Format version of this file.", default=1)
    scenario: Literal["poc", "medium", "high-load"] = ask(
        "Scenario",
        "poc: up to about 8 analyses per minute; medium: up to 60; high-load: more, on Kubernetes.",
    )
    release: str = ask("Release", "Release line of Oz API.", default="5.2", rule=value_rules.release)
    engine: Engine = ask(
        "Container engine", "docker, or podman 4.4 and later for API 5 only.", default="docker"
    )
    install_dir: str = ask(
        "Install folder",
        "Absolute path of the folder on every node.",
        default="/opt/oz",
        rule=value_rules.install_dir,
    )
    public_url: str = ask(
        "Public URL", "URL at which users reach Oz; links to media are built from it.", rule=value_rules.url
    )
    nodes: tuple[Node, ...] = ask("Nodes", "The servers, in the order of the layout.", rule=value_rules.nodes)
    database: Database = ask("Database", "The PostgreSQL server.", factory=Database)
    storage: Storage = ask("Storage", "Media files.", factory=Storage)
    license: License = ask("Licences", "Licence files.", factory=License)
    components: Components = ask("Components", "Optional parts of Oz.", factory=Components)
    updater: Updater = ask("BIO updater", "Model updates.", factory=Updater)
    air_gapped: bool = ask(
        "Air-gapped",
        "The nodes have no internet access: nothing calls the vendor, and models are copied by hand.",
        default=False,
    )
    proxy: Proxy = ask("Proxy", "HTTP proxy for calls to the vendor.", factory=Proxy)
    network: Network = ask("Network", "Network of the containers.", factory=Network)
    broker: Broker = ask("Broker", "Message broker of the queues.", factory=Broker)
    registry: Registry = ask("Registry", "Image registry.", factory=Registry)
    images: Mapping[str, str] = ask(
        "Images", "Other names, tags or digests for single images.", factory=dict, rule=value_rules.images
    )
    unhardened: tuple[str, ...] = ask(
        "Not hardened",
        "Services, such as oz-webui, that run without the release's limits (no-new-privileges, dropped "
        "capabilities, number of processes), for an image that cannot work with them.",
        default=(),
        rule=value_rules.service_names,
        advanced=True,
    )
    admin: Admin = ask("Administrator", "First administrator account of Oz.", factory=Admin)
    load_balancer: LoadBalancer = ask(
        "Load balancer", "Load balancer in front of two api nodes.", factory=LoadBalancer
    )
    workload: Workload = ask("Workload", "Expected load, for sizing only.", factory=Workload)
    extra: Extra = ask("Extra settings", "Vendor settings, passed on verbatim.", factory=Extra)
    known_hosts: Path | None = ask(
        "known_hosts file", "Read in addition to ~/.ssh/known_hosts.", default=None
    )
    accept: tuple[str, ...] = ask(
        "Accepted warnings",
        "Ids of warnings to accept: many-nodes (five or more nodes on Docker), "
        "and the ids that oz-install check shows, such as host.memory/api1.",
        default=(),
        rule=value_rules.warning_ids,
    )
