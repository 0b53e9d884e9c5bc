"""The answers as frozen dataclasses: one question, one field, declared once.

A field's type says what shape it takes; ``ask(...)`` says how it is asked: label, help,
default and rule. The reader of answers.yml, the JSON Schema, docs/answers.md
and the wizard's forms all come from these declarations (see ``questions.py``).

Dataclasses, not pydantic: the models alone cost 270 ms of start-up with pydantic 2.14
(measured; bare Python is 17), which is a third of what a whole «nothing to do» may take.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from oz_installer.answers import value_rules
from oz_installer.answers.fields import SecretRef as SecretRef
from oz_installer.answers.fields import ask, weak_password_advice
from oz_installer.answers.node import Node as Node
from oz_installer.answers.node import Role as Role
from oz_installer.frozen import dataclass

Scenario = Literal["poc", "medium", "high-load"]
Engine = Literal["docker", "podman"]
JsonValue = Any


@dataclass(frozen=True, kw_only=True)
class Database:
    """The PostgreSQL server that keeps Oz's data."""

    host: str | None = ask(
        "Host",
        "Host name or IP address as the api nodes see it. Left out: a bundled "
        "PostgreSQL, for PoC and tests only.",
        default=None,
        rule=value_rules.host,
    )
    port: int = ask("Port", "PostgreSQL's TCP port.", default=5432, rule=value_rules.port)
    name: str = ask("Database", "Name of the database.", default="gateway", rule=value_rules.sql_name)
    user: str = ask(
        "Role", "PostgreSQL role that owns the database.", default="gateway_user", rule=value_rules.sql_name
    )
    password: SecretRef | None = ask(
        "Password",
        "Password of the role. Left out: generated, which only a bundled database can use.",
        default=None,
    )
    sslmode: Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] = ask(
        "TLS mode", "libpq's sslmode for connections to the database.", default="prefer"
    )
    admin_user: str | None = ask(
        "Administrator",
        "PostgreSQL role that may create role and database, for `oz-install check` and `check --fix` only; "
        "it goes into no file on a node.",
        default=None,
        rule=value_rules.user,
    )
    admin_password: SecretRef | None = ask("Admin password", "Password of that role.", default=None)


@dataclass(frozen=True, kw_only=True)
class Storage:
    """Where media files are kept; shared when two or more nodes run the API."""

    type: Literal["nfs", "path", "local"] = ask(
        "Type",
        "nfs: an NFS export; path: a shared mount that the nodes already have; "
        "local: a folder below install_dir.",
        default="local",
    )
    server: str | None = ask("NFS server", "Host name or IP address.", default=None, rule=value_rules.host)
    export: str | None = ask(
        "NFS export", "Absolute path that the server exports.", default=None, rule=value_rules.export
    )
    options: str = ask(
        "NFS options", "Mount options.", default="vers=4.1,hard", rule=value_rules.mount_options
    )
    path: str | None = ask(
        "Path",
        "Absolute path of the shared mount on the nodes.",
        default=None,
        rule=value_rules.absolute_path,
    )

    @property
    def location(self) -> str:
        """What is shared, as operators call it; empty for a local folder."""
        if self.type == "local":
            return ""
        return str(self.path) if self.type == "path" else f"{self.server}:{self.export or '/'}"


@dataclass(frozen=True, kw_only=True)
class License:
    """Licence files from Oz Forensics."""

    bio: Path = ask(
        "BIO licence",
        "license.key for the BIO nodes; relative to the answers file.",
        default=Path("license.key"),
    )
    web_adapter: Path | None = ask(
        "Web adapter licence", "license.json, when web_adapter is on.", default=None
    )


@dataclass(frozen=True, kw_only=True)
class Components:
    """Optional parts of Oz."""

    statistic: bool = ask("Statistics", "Statistics for the web UI.", default=True)
    web_ui: bool = ask("Web UI", "Web interface.", default=True)
    one_to_n: bool = ask(
        "1:N search", "Blacklist analysis; brings its own PostgreSQL with pgvector.", default=False
    )
    regula: str | None = ask(
        "Regula",
        "Address of a Regula document service as http(s) URL; adds the queue that uses it.",
        default=None,
        rule=value_rules.url,
        off=True,
    )
    web_adapter: str | None = ask(
        "Web adapter",
        "Public URL of the web adapter (Web SDK); off when left out.",
        default=None,
        rule=value_rules.url,
        off=True,
    )
    monitoring: bool = ask("Monitoring", "Celery Flower and the exporters for Prometheus.", default=True)
    bio_updater: bool = ask(
        "BIO updater",
        "Downloads new models; needs egress to the vendor and a token. Off: models are unpacked by hand.",
        default=True,
    )


@dataclass(frozen=True, kw_only=True)
class Updater:
    """The BIO updater's account with Oz Forensics."""

    token: SecretRef | None = ask("Client token", "Given to you by Oz Forensics.", default=None)
    host: str = ask(
        "Update server",
        "Address of the vendor's model server (BIO_ADMIN_HOST). "
        "The default is inferred: compare it with what Oz Forensics told you.",
        default="https://bio-admin.infra.ozforensics.ai",
        rule=value_rules.url,
    )
    period: int = ask(
        "Check period, seconds",
        "How often new models are looked for.",
        default=6000,
        rule=value_rules.positive,
    )


@dataclass(frozen=True, kw_only=True)
class Proxy:
    """The HTTP proxy through which the components with egress call the vendor."""

    url: str | None = ask(
        "URL",
        "Of an HTTP proxy, with its port; what calls the vendor goes through it. Without user and password.",
        default=None,
        rule=value_rules.proxy,
    )
    no_proxy: tuple[str, ...] = ask(
        "Not through it",
        "Further hosts, domains and addresses that are reached directly; the nodes' own always are.",
        default=(),
        rule=value_rules.no_proxy,
    )


@dataclass(frozen=True, kw_only=True)
class Broker:
    """The message broker of the Celery queues."""

    type: Literal["redis", "rabbitmq"] = ask(
        "Type", "RabbitMQ replaces Redis as broker only.", default="redis"
    )
    host: str | None = ask(
        "Host",
        "An external broker's host name or IP address; bundled when left out.",
        default=None,
        rule=value_rules.host,
    )
    port: int | None = ask(
        "Port", "6379 for Redis, 5672 for RabbitMQ when left out.", default=None, rule=value_rules.port
    )
    user: str | None = ask("User", "RabbitMQ user; oz when left out.", default=None, rule=value_rules.account)
    password: SecretRef | None = ask(
        "Password", "Of an external broker; generated for a bundled one.", default=None
    )

    @property
    def effective_port(self) -> int:
        """The port, or the one that everybody knows for its type."""
        return self.port or {"redis": 6379, "rabbitmq": 5672}[self.type]


@dataclass(frozen=True, kw_only=True)
class Registry:
    """Where images are pulled from."""

    server: str | None = ask(
        "Server",
        "Registry that mirrors the images, as host[:port][/path]; Docker Hub when left out.",
        default=None,
        rule=value_rules.registry,
    )
    username: str | None = ask(
        "User name", "Login at the registry.", default=None, rule=value_rules.registry_user
    )
    password: SecretRef | None = ask("Password", "Password or token at the registry.", default=None)


@dataclass(frozen=True, kw_only=True)
class Admin:
    """The first administrator account of Oz."""

    email: str = ask(
        "E-mail", "Login of the administrator.", default="admin@oz.local", rule=value_rules.email
    )
    password: SecretRef | None = ask(
        "Password", "Generated when left out.", default=None, advice=weak_password_advice
    )


@dataclass(frozen=True, kw_only=True)
class LoadBalancer:
    """What stands in front of two api nodes."""

    type: Literal["external", "node"] = ask(
        "Type", "external: you have one; node: nginx on an api node shares the load.", default="external"
    )
    node: str | None = ask(
        "Node",
        "Name of the api node that runs it; the first one when left out.",
        default=None,
        rule=value_rules.name,
    )


@dataclass(frozen=True, kw_only=True)
class Workload:
    """What the installation must carry; used for sizing only."""

    apm: float | None = ask(
        "Analyses per minute", "At the busiest time.", default=None, rule=value_rules.positive
    )
    analyses_per_month: float | None = ask(
        "Analyses per month",
        "Of 30 days; where the analyses per minute are not known, they are estimated from it.",
        default=None,
        rule=value_rules.positive,
    )
    media_mb: float | None = ask(
        "Average media size, MB", "Of one media file.", default=None, rule=value_rules.positive
    )
    analyses_per_day: float | None = ask(
        "Analyses per day", "On an average day.", default=None, rule=value_rules.positive
    )
    archive_days: int | None = ask(
        "Archive depth, days", "How long media files are kept.", default=None, rule=value_rules.positive
    )
    needs_ha: bool = ask(
        "High availability", "Oz goes on when one server of each role fails: four nodes.", default=False
    )
    needs_autoscaling: bool = ask(
        "Autoscaling",
        "High availability of most components, and more of them by themselves under load: Kubernetes.",
        default=False,
    )


@dataclass(frozen=True, kw_only=True)
class Extra:
    """Vendor settings that have no question of their own, handed on verbatim."""

    config: Mapping[str, JsonValue] = ask(
        "config.py",
        "Further assignments of the API's config.py.",
        factory=dict,
        rule=value_rules.setting_names,
    )


@dataclass(frozen=True, kw_only=True)
class Answers:
    """Everything that the operator wants, as answers.yml holds it."""

    version: Literal[1] = ask("Version", "Version of this file's format.", default=1)
    scenario: Scenario = ask(
        "Scenario", "poc: up to about 8 analyses a minute; medium: up to 60; high-load: more, on Kubernetes."
    )
    release: str = ask("Release", "Release line of Oz API.", default="5.2", rule=value_rules.release)
    engine: Engine = ask("Container engine", "Podman 4.4+ for API 5 only.", default="docker")
    install_dir: str = ask(
        "Install folder", "Absolute path on every node.", default="/opt/oz", rule=value_rules.install_dir
    )
    public_url: str = ask(
        "Public URL", "How users reach Oz; links to media are built from it.", rule=value_rules.url
    )
    nodes: tuple[Node, ...] = ask("Nodes", "The servers, in the order of the layout.", rule=value_rules.nodes)
    database: Database = ask("Database", "PostgreSQL.", factory=Database)
    storage: Storage = ask("Storage", "Media files.", factory=Storage)
    license: License = ask("Licences", "Licence files.", factory=License)
    components: Components = ask("Components", "Optional parts.", factory=Components)
    updater: Updater = ask("BIO updater", "Model updates.", factory=Updater)
    air_gapped: bool = ask(
        "Air-gapped",
        "The nodes have no way out to the vendor: nothing tries one, and models are brought by hand.",
        default=False,
    )
    proxy: Proxy = ask("Proxy", "The way out to the vendor.", factory=Proxy)
    broker: Broker = ask("Broker", "Message broker of the queues.", factory=Broker)
    registry: Registry = ask("Registry", "Image registry.", factory=Registry)
    images: Mapping[str, str] = ask(
        "Images", "Another name or tag, image by image.", factory=dict, rule=value_rules.images
    )
    admin: Admin = ask("Administrator", "First account of Oz.", factory=Admin)
    load_balancer: LoadBalancer = ask("Load balancer", "In front of two api nodes.", factory=LoadBalancer)
    workload: Workload = ask("Workload", "For sizing.", factory=Workload)
    extra: Extra = ask("Extra settings", "Verbatim vendor settings.", factory=Extra)
    known_hosts: Path | None = ask("known_hosts file", "Read besides ~/.ssh/known_hosts.", default=None)
    accept: tuple[str, ...] = ask(
        "Accepted warnings",
        "Ids of warnings that you know and accept: many-nodes (five nodes and more on Docker), "
        "and those that oz-install check shows, such as host.memory/api1.",
        default=(),
        rule=value_rules.warning_ids,
    )
