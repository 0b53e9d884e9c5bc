"""Configuration files that a node's services mount, rendered from ``templates/config``.

A mount's source ``config/api/config.py`` is rendered from ``templates/config/api/config.py.j2``: a new
release that mounts a new file needs the template and no code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from urllib.parse import quote

from oz_installer.catalog.release import load_release
from oz_installer.errors import AnswersError, OzError
from oz_installer.frozen import dataclass
from oz_installer.render.environment import render_template
from oz_installer.render.filters import unprintable
from oz_installer.secret import Secret
from oz_installer.topology.model import Topology, TopologyNode, Wiring
from oz_installer.topology.wiring import url_host


@dataclass(frozen=True, kw_only=True)
class ConfigFile:
    """One rendered file; ``secret`` if it contains a secret."""

    text: str = field(repr=False)
    secret: bool


def config_files(
    node: TopologyNode, wiring: Wiring, secrets: Mapping[str, Secret], topology: Topology
) -> dict[str, ConfigFile]:
    """Render every ``config/...`` file that a service of the node mounts, by path.

    Raises AnswersError when a value cannot be written in the language of a file, OzError when a secret is
    missing.
    """
    mounted = {m.source: m.target for p in node.services for m in p.service.mounts if _is_file(m.source)}
    return {source: _render(source, mounted, node, wiring, secrets, topology) for source in sorted(mounted)}


def _is_file(source: str) -> bool:
    return source.startswith("config/")


def _render(
    source: str,
    mounted: Mapping[str, str],
    node: TopologyNode,
    wiring: Wiring,
    secrets: Mapping[str, Secret],
    topology: Topology,
) -> ConfigFile:
    reader = _Reader(secrets, wiring, topology)
    context = {
        **wiring.values,
        "here": node,
        "mounted": mounted,
        "settings": {**load_release(topology.release).config, **_mapping(wiring, "extra_config")},
        "allowed_hosts": _allowed_hosts(wiring, topology),
        "redis_address": f"{url_host(str(wiring.values['redis_host']))}:{wiring.values['redis_port']}",
        "secret": reader.secret,
        "redis_password": reader.redis_password,
        "redis_url": reader.redis_url,
        "broker_url": reader.broker_url,
    }
    try:
        text = render_template(f"{source}.j2", context)
    except AnswersError as error:
        raise AnswersError(f"{source}: {error.message}", error.hint, problems=error.problems) from error
    return ConfigFile(text=text, secret=reader.used)


def _mapping(wiring: Wiring, key: str) -> Mapping[str, object]:
    value = wiring.values[key]
    if not isinstance(value, Mapping):
        raise TypeError(f"{key} of the wiring is no mapping")
    return value


def _allowed_hosts(wiring: Wiring, topology: Topology) -> list[str]:
    """Return the host names of calls to the API, the public one first.

    They come from users, nginx, health checks and other nodes.
    """
    inside = _mapping(wiring, "inside")
    own = [str(inside[part]).rpartition(":")[0] for part in ("api", "web") if part in inside]
    names = [str(wiring.values["public_host"]), *own, "localhost", "127.0.0.1"]
    for node in topology.api_nodes:
        names += [url_host(node.address), url_host(node.host)]
    return list(dict.fromkeys(names))


class _Reader:
    """Gives secrets to one template and records whether it used any."""

    def __init__(self, secrets: Mapping[str, Secret], wiring: Wiring, topology: Topology) -> None:
        self._secrets = secrets
        self._values = wiring.values
        self._topology = topology
        self.used = False

    def secret(self, name: str) -> Secret:
        """Return a secret by name. Raises OzError when there is none."""
        self.used = True
        if name not in self._secrets:
            raise OzError(f"the secret {name} is missing", "set it in answers.yml")
        found = self._secrets[name]
        if unprintable(found.reveal()):
            raise AnswersError(
                f"the secret {name} has a line break or control character",
                "remove it from where the secret is read from; a single line break at the end counts too",
            )
        return found

    def redis_password(self) -> Secret:
        """Return the password of the bundled Redis, or of the operator's, which may have none."""
        if self._topology.services_for("redis"):
            return self.secret("redis.password")
        self.used = True
        return self.secret("broker.password") if "broker.password" in self._secrets else Secret("")

    def redis_url(self, purpose: str) -> Secret:
        """Return the URL of a Redis database, by its purpose in the wiring."""
        password = quote(self.redis_password().reveal(), safe="")
        login = f":{password}@" if password else ""
        databases = self._values["redis_databases"]
        if not isinstance(databases, Mapping):
            raise TypeError("redis_databases of the wiring is no mapping")
        return Secret(f"redis://{login}{self._address('redis')}/{databases[purpose]}")

    def broker_url(self) -> Secret:
        """Return the URL of the broker: Redis, or the virtual host ``/`` of RabbitMQ."""
        if self._values["broker"] == "redis":
            return self.redis_url("broker")
        bundled = bool(self._topology.services_for("rabbitmq"))
        password = self.secret("rabbitmq.password" if bundled else "broker.password")
        user = quote(str(self._values["rabbitmq_user"]), safe="")
        return Secret(f"amqp://{user}:{quote(password.reveal(), safe='')}@{self._address('rabbitmq')}//")

    def _address(self, what: str) -> str:
        return f"{url_host(str(self._values[f'{what}_host']))}:{self._values[f'{what}_port']}"
