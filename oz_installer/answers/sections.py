"""The sections of the answers as frozen dataclasses: one question, one field."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from oz_installer.answers import value_rules
from oz_installer.answers.fields import SecretRef, ask, weak_password_advice
from oz_installer.frozen import dataclass

JsonValue = Any


@dataclass(frozen=True, kw_only=True)
class Database:
    """The PostgreSQL server that stores Oz's data."""

    host: str | None = ask(
        "Host",
        "Host name or IP address as the api nodes see it. Leave it out to use the bundled "
        "PostgreSQL (PoC and tests only).",
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
        "Password of the role. Generated when left out, for the bundled database only.",
        default=None,
    )
    sslmode: Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] = ask(
        "TLS mode", "libpq's sslmode for connections to the database.", default="prefer"
    )
    ca_file: Path | None = ask(
        "CA file",
        "PEM file with the authorities of the server's certificate, which verify-ca and verify-full need. "
        "The checks use it, and the containers that connect to the database get it.",
        default=None,
    )
    admin_user: str | None = ask(
        "Administrator",
        "PostgreSQL role that may create the role and the database. Only `oz-install check` and "
        "`check --fix` use it; it is never written to a node.",
        default=None,
        rule=value_rules.user,
    )
    admin_password: SecretRef | None = ask(
        "Admin password", "Password of the administrator role.", default=None
    )


@dataclass(frozen=True, kw_only=True)
class Storage:
    """The storage of media files; shared when two or more nodes run the API."""

    type: Literal["nfs", "path", "local"] = ask(
        "Type",
        "nfs: an NFS export; path: a shared mount that exists on the nodes; "
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
        """The shared path or the export as ``server:path``; empty for a local folder."""
        if self.type == "local":
            return ""
        return str(self.path) if self.type == "path" else f"{self.server}:{self.export or '/'}"


@dataclass(frozen=True, kw_only=True)
class License:
    """Licence files from Oz Forensics."""

    bio: Path = ask(
        "BIO licence",
        "license.key for the BIO nodes; a relative path starts at the folder of the answers file.",
        default=Path("license.key"),
    )
    web_adapter: Path | None = ask(
        "Web adapter licence", "license.json; required when web_adapter is on.", default=None
    )


@dataclass(frozen=True, kw_only=True)
class Components:
    """Optional parts of Oz."""

    statistic: bool = ask("Statistics", "Statistics for the web UI.", default=True)
    web_ui: bool = ask("Web UI", "Web interface.", default=True)
    one_to_n: bool = ask(
        "1:N search", "Blacklist analysis; adds its own PostgreSQL with pgvector.", default=False
    )
    regula: str | None = ask(
        "Regula",
        "http(s) URL of a Regula document service; adds the queue that uses it. Off when left out.",
        default=None,
        rule=value_rules.url,
        off=True,
    )
    web_adapter: str | None = ask(
        "Web adapter",
        "Public URL of the web adapter (Web SDK). Off when left out.",
        default=None,
        rule=value_rules.url,
        off=True,
    )
    monitoring: bool = ask("Monitoring", "Celery Flower and the Prometheus exporters.", default=True)
    bio_updater: bool = ask(
        "BIO updater",
        "Downloads new models; needs egress to the vendor and a token. When off, unpack models by hand.",
        default=True,
    )


@dataclass(frozen=True, kw_only=True)
class Updater:
    """The BIO updater's account with Oz Forensics."""

    token: SecretRef | None = ask("Client token", "Token issued to you by Oz Forensics.", default=None)
    host: str = ask(
        "Update server",
        "URL of the vendor's model server (BIO_ADMIN_HOST). "
        "The default is inferred: compare it with the address that Oz Forensics gave you.",
        default="https://bio-admin.infra.ozforensics.ai",
        rule=value_rules.url,
    )
    period: int = ask(
        "Check period, seconds",
        "Time between two checks for new models.",
        default=6000,
        rule=value_rules.positive,
    )


@dataclass(frozen=True, kw_only=True)
class Proxy:
    """The HTTP proxy through which the components with egress call the vendor."""

    url: str | None = ask(
        "URL",
        "URL of an HTTP proxy with its port, used for calls to the vendor; no user name or password.",
        default=None,
        rule=value_rules.proxy,
    )
    no_proxy: tuple[str, ...] = ask(
        "No proxy for",
        "More hosts, domains and addresses to reach directly; the nodes' own addresses always are.",
        default=(),
        rule=value_rules.no_proxy,
    )


@dataclass(frozen=True, kw_only=True)
class Broker:
    """The message broker of the Celery queues."""

    type: Literal["redis", "rabbitmq"] = ask(
        "Type", "RabbitMQ replaces Redis as the broker only.", default="redis"
    )
    host: str | None = ask(
        "Host",
        "Host name or IP address of an external broker. Leave it out to use the bundled one.",
        default=None,
        rule=value_rules.host,
    )
    port: int | None = ask(
        "Port", "When left out: 6379 for Redis, 5672 for RabbitMQ.", default=None, rule=value_rules.port
    )
    user: str | None = ask(
        "User", "RabbitMQ user. When left out: oz.", default=None, rule=value_rules.account
    )
    password: SecretRef | None = ask(
        "Password", "Password of an external broker; generated for the bundled one.", default=None
    )

    @property
    def effective_port(self) -> int:
        """The port, or the well-known one of the type."""
        return self.port or {"redis": 6379, "rabbitmq": 5672}[self.type]


@dataclass(frozen=True, kw_only=True)
class Registry:
    """The registry that images are pulled from."""

    server: str | None = ask(
        "Server",
        "Registry that mirrors the images, as host[:port][/path]. When left out: Docker Hub.",
        default=None,
        rule=value_rules.registry,
    )
    username: str | None = ask(
        "User name", "Login name for the registry.", default=None, rule=value_rules.registry_user
    )
    password: SecretRef | None = ask("Password", "Password or token for the registry.", default=None)


@dataclass(frozen=True, kw_only=True)
class Admin:
    """The first administrator account of Oz."""

    email: str = ask(
        "E-mail", "Login name of the administrator.", default="admin@oz.local", rule=value_rules.email
    )
    password: SecretRef | None = ask(
        "Password",
        "Password of the administrator. Generated when left out.",
        default=None,
        advice=weak_password_advice,
    )


@dataclass(frozen=True, kw_only=True)
class LoadBalancer:
    """The load balancer in front of two api nodes."""

    type: Literal["external", "node"] = ask(
        "Type", "external: you provide one; node: nginx on an api node balances the load.", default="external"
    )
    node: str | None = ask(
        "Node",
        "Name of the api node that runs nginx. When left out: the first one.",
        default=None,
        rule=value_rules.name,
    )


@dataclass(frozen=True, kw_only=True)
class Workload:
    """The expected load; used for sizing only."""

    apm: float | None = ask("Analyses per minute", "At peak load.", default=None, rule=value_rules.positive)
    analyses_per_month: float | None = ask(
        "Analyses per month",
        "Per 30 days. Used to estimate the analyses per minute where those are unknown.",
        default=None,
        rule=value_rules.positive,
    )
    media_mb: float | None = ask(
        "Average media size, MB", "Average size of one media file.", default=None, rule=value_rules.positive
    )
    analyses_per_day: float | None = ask(
        "Analyses per day", "On an average day.", default=None, rule=value_rules.positive
    )
    archive_days: int | None = ask(
        "Archive depth, days",
        "Number of days that media files are kept.",
        default=None,
        rule=value_rules.positive,
    )
    needs_ha: bool = ask(
        "High availability", "Oz keeps running when one server of each role fails: four nodes.", default=False
    )
    needs_autoscaling: bool = ask(
        "Autoscaling",
        "Kubernetes: most components highly available, and scaled automatically under load.",
        default=False,
    )


@dataclass(frozen=True, kw_only=True)
class Extra:
    """Vendor settings without a question of their own, passed on verbatim."""

    config: Mapping[str, JsonValue] = ask(
        "config.py",
        "More assignments for the API's config.py.",
        factory=dict,
        rule=value_rules.setting_names,
    )
