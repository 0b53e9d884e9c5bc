"""The wiring of a node: hosts, ports and URLs for catalogue strings and templates.

A service on the same node is reached by its container's name, one on another node by that node's address and
published port. All values that must agree between files come from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from oz_installer.answers.model import Answers
from oz_installer.catalog.release import load_release
from oz_installer.catalog.service import Part
from oz_installer.topology.model import Topology, TopologyNode, Wiring

GO_SSLMODES = {"allow": "disable", "prefer": "disable"}  # the exporter's lib/pq supports neither

NO_PROXY: Mapping[str, str] = {
    spelling: ""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "ALL_PROXY")
    for spelling in (name, name.lower())
}
"""The environment without a proxy, in both spellings.

Otherwise engines give containers the proxy of their own command line."""


def wiring_for(answers: Answers, topology: Topology, node: TopologyNode) -> Wiring:
    """Return the wiring of one node."""
    public = urlsplit(topology.public_url)
    values: dict[str, object] = {
        "node": node.name,
        "install_dir": answers.install_dir,
        "public_url": topology.public_url,
        "public_scheme": public.scheme,
        "public_host": public.hostname or "",
        "public_port": public.port or (443 if public.scheme == "https" else 80),
        "queues": queues(topology),
        "regula_url": answers.components.regula or "",
        "web_adapter_url": answers.components.web_adapter or "",
        "admin_email": answers.admin.email,
        "updater_host": answers.updater.host,
        "updater_period": answers.updater.period,
        "extra_config": dict(answers.extra.config),
        **_parts(topology, node),
        **_database(answers, topology),
        **_redis(answers, topology, node),
        **_broker(answers, topology, node),
        **_bio(topology, node),
        **_neighbours(topology, node),
    }
    return Wiring(node=node.name, values=values)


def queues(topology: Topology) -> tuple[str, ...]:
    """Return the Celery queues of all nodes, each once, in the catalogue's order."""
    found = [placed.service.queue for node in topology.nodes for placed in node.services]
    return tuple(dict.fromkeys(queue for queue in found if queue))


def _reach(topology: Topology, node: TopologyNode, part: Part) -> tuple[str, int]:
    """Return host and port of the service with a part, as ``node`` sees it; else empty and 0."""
    if own := node.part(part):
        return own.name, own.service.container_port
    for other in topology.services_for(part):
        return topology.node(other.node).address, other.service.published_port
    return "", 0


def _each(topology: Topology, node: TopologyNode, part: Part) -> list[str]:
    """Return ``host:port`` of every service with a part, as ``node`` sees it."""
    return [
        f"{placed.name}:{placed.service.container_port}"
        if placed.node == node.name
        else f"{url_host(topology.node(placed.node).address)}:{placed.service.published_port}"
        for placed in topology.services_for(part)
    ]


def _url(host: str, port: int) -> str:
    return f"http://{url_host(host)}:{port}" if host else ""


def _parts(topology: Topology, node: TopologyNode) -> dict[str, object]:
    """Return ``listens``, the container port by part, and ``inside``, this node's ``name:port``."""
    services = load_release(topology.release).services
    return {
        "listens": {service.part: service.container_port for service in services if service.part},
        "inside": {
            placed.service.part: f"{placed.name}:{placed.service.container_port}"
            for placed in node.services
            if placed.service.part
        },
    }


def proxy_environment(answers: Answers, topology: Topology) -> dict[str, str]:
    """Return the proxy's environment variables for a container that calls the vendor.

    Nodes reach each other without the proxy.
    """
    if answers.proxy.url is None:
        return dict(NO_PROXY)
    url = answers.proxy.url.rstrip("/")
    nodes = [name for node in topology.nodes for name in (node.address, node.host)]
    direct = dict.fromkeys(("localhost", "127.0.0.1", "::1", *nodes, *answers.proxy.no_proxy))
    values = {"HTTP_PROXY": url, "HTTPS_PROXY": url, "NO_PROXY": ",".join(direct)}
    return {**NO_PROXY, **values, **{name.lower(): value for name, value in values.items()}}


def _database(answers: Answers, topology: Topology) -> dict[str, object]:
    database = answers.database
    host, port, sslmode = database.host or "", database.port, database.sslmode
    if not database.host:
        sslmode = "disable"
        host, port = next(
            ((one.name, one.service.container_port) for one in topology.services_for("database")), ("", 0)
        )
    return {
        "db_bundled": not database.host,
        "db_host": host,
        "db_port": port,
        "db_name": database.name,
        "db_user": database.user,
        "db_sslmode": sslmode,
        "db_sslmode_go": GO_SSLMODES.get(sslmode, sslmode),
    }


def _redis(answers: Answers, topology: Topology, node: TopologyNode) -> dict[str, object]:
    if answers.broker.type == "redis" and answers.broker.host:
        host, port = answers.broker.host, answers.broker.effective_port
    else:
        host, port = _reach(topology, node, "redis")
    databases = load_release(topology.release).redis_databases
    return {"redis_host": host, "redis_port": port, "redis_databases": databases}


def _broker(answers: Answers, topology: Topology, node: TopologyNode) -> dict[str, object]:
    broker = answers.broker
    if broker.type == "redis":
        return {"broker": "redis", "rabbitmq_host": "", "rabbitmq_port": 0, "rabbitmq_user": ""}
    host, port = (broker.host, broker.effective_port) if broker.host else _reach(topology, node, "rabbitmq")
    user = broker.user or "oz"
    return {"broker": "rabbitmq", "rabbitmq_host": host, "rabbitmq_port": port, "rabbitmq_user": user}


def _bio(topology: Topology, node: TopologyNode) -> dict[str, object]:
    balanced = node.part("bio-balancer") is not None
    return {
        "bios": _each(topology, node, "bio"),
        "bio_url": _url(*_reach(topology, node, "bio-balancer" if balanced else "bio")),
        "updater_address": _reach(topology, node, "updater")[0],
    }


def _neighbours(topology: Topology, node: TopologyNode) -> dict[str, object]:
    return {
        "o2n_url": _url(*_reach(topology, node, "o2n")),
        "statistic_url": _statistic_url(topology, node),
        "api_upstreams": _each(topology, node, "web"),
    }


def _statistic_url(topology: Topology, node: TopologyNode) -> str:
    """Return the URL of statistics; other nodes reach it through its node's web server.

    Statistics publish no port.
    """
    if node.part("statistic"):
        return _url(*_reach(topology, node, "statistic"))
    for home in (topology.node(placed.node) for placed in topology.services_for("statistic")):
        if web := home.part("web"):
            return _url(home.address, web.service.published_port)
    return ""


def url_host(host: str) -> str:
    """Return a host as in URLs and nginx: an IPv6 address in brackets, others unchanged."""
    return f"[{host}]" if ":" in host else host
