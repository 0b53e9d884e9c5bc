"""Stand-ins for the vendor's images: name, ports and start command of each. Pure.

Names, ports and start commands: FACTS, section 3. All images share one root file system;
they differ in their configuration only, so a node loads the layers once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

_ANNOUNCE = ("/opt/standin/bin/announce",)
_POSTGRES = ("/opt/standin/bin/postgres-entrypoint",)
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, kw_only=True)
class StandIn:
    """One image: the vendor's name and the start command of its containers."""

    name: str
    command: tuple[str, ...]
    entrypoint: tuple[str, ...] = _ANNOUNCE
    user: str = ""
    folder: str = "/"
    ports: tuple[int, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    volumes: tuple[str, ...] = ()
    stop_signal: str = "SIGTERM"


def _python(name: str, script: str, *ports: int, folder: str = "/", user: str = "") -> StandIn:
    command = ("python3", "-u", f"/opt/standin/python/{script}.py")
    return StandIn(name=name, command=command, entrypoint=(), ports=ports, folder=folder, user=user)


def _nginx(name: str, *ports: int, user: str = "") -> StandIn:
    return StandIn(
        name=name, command=("nginx", "-g", "daemon off;"), ports=ports, user=user, stop_signal="SIGQUIT"
    )


def _postgres(name: str) -> StandIn:
    return StandIn(
        name=name,
        entrypoint=_POSTGRES,
        command=("postgres",),
        ports=(5432,),
        volumes=("/var/lib/postgresql/data",),
        environment={"LANG": "en_US.utf8", "PGDATA": "/var/lib/postgresql/data", "PG_MAJOR": "17"},
        stop_signal="SIGINT",
    )


def _exporter(tag: str, program: str, port: int) -> StandIn:
    name = f"ozforensics/prometheus-exporters:{tag}"
    return StandIn(name=name, entrypoint=(*_ANNOUNCE, program), command=(), ports=(port,), user="100")


def _gateway(tag: str, *, user: str = "") -> StandIn:
    command = ("/bin/bash", "-c", ". env/bin/activate && exec gunicorn oz_gateway.wsgi --bind 0.0.0.0:8000")
    return StandIn(
        name=f"ozforensics/oz-api:{tag}", command=command, folder="/opt/gateway", ports=(8000,), user=user
    )


STAND_INS: tuple[StandIn, ...] = (
    _gateway("5.2.0-systemd"),
    _gateway("5.1.1-k8s-unprivileged", user="1000"),
    StandIn(
        name="ozforensics/oz-api:o2n-0.3.2-7",
        command=("python", "-u", "o2n_app.py"),
        folder="/opt/oz/o2n",
        ports=(8010,),
    ),
    StandIn(
        name="ozforensics/oz-api-redis:6.2.14-debian-12-r23",
        command=("redis-server",),
        folder="/data",
        ports=(6379,),
        volumes=("/data",),
    ),
    _nginx("nginxinc/nginx-unprivileged:1.24", 8080, user="101"),
    _nginx("nginx:1.27.3", 80),
    _python("ozforensics/oz-web-ui:1.3.3", "web_ui", 80),
    _python("ozforensics/oz-api-stat:0.1.43", "statistic", 80),
    _postgres("ankane/pgvector:v0.5.1"),
    _postgres("postgres:15.5-bullseye"),
    _python("ozforensics/tensorflow-serving:2.5_lic_1.1.4-4_opt", "tfss", 8501),
    _python("ozforensics/oz-bio-init:1.0.10", "bio_init", folder="/app"),
    _python("ozforensics/oz-bio-deploy:2.0.8", "bio_updater", 8521, folder="/app"),
    _exporter("redis-1.58.0", "prometheus-redis-exporter", 9121),
    _exporter("postgres-exporter-0.15.0", "prometheus-postgres-exporter", 9187),
    _exporter("nginx-1.1.0", "prometheus-nginx-exporter", 9113),
    _python("ozforensics/oz-webliveness:1.6.16", "web_adapter", 80, 443),
)

RABBITMQ = StandIn(
    name="rabbitmq:3-management",
    entrypoint=("/opt/standin/bin/rabbitmq-entrypoint",),
    command=("rabbitmq-server",),
    ports=(5672, 15672),
    volumes=("/var/lib/rabbitmq",),
)


def image_config(image: StandIn, layers: tuple[str, ...]) -> dict[str, Any]:
    """Return the image configuration for ``docker load``; ``layers`` are ``sha256:`` digests."""
    environment = {"PATH": _PATH, "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    environment |= {"OZ_STANDIN_FOR": image.name, **image.environment}
    config: dict[str, Any] = {
        "Env": [f"{key}={value}" for key, value in environment.items()],
        "Entrypoint": list(image.entrypoint) or None,
        "Cmd": list(image.command) or None,
        "User": image.user,
        "WorkingDir": image.folder,
        "StopSignal": image.stop_signal,
        "ExposedPorts": {f"{port}/tcp": {} for port in image.ports},
        "Labels": {
            "com.ozforensics.stand-in": "true",
            "com.ozforensics.stand-in.for": image.name,
            "com.ozforensics.stand-in.notice": "From the lab of oz-install; not Oz software.",
        },
    }
    if image.volumes:
        config["Volumes"] = {path: {} for path in image.volumes}
    return {
        "architecture": "amd64",
        "os": "linux",
        "created": "2000-01-01T00:00:00Z",
        "config": config,
        "rootfs": {"type": "layers", "diff_ids": list(layers)},
        "history": [{"created": "2000-01-01T00:00:00Z", "created_by": "oz-install lab"} for _ in layers],
    }
