"""How one node reaches everything: the names that catalogue strings and templates use.

A service on the same node is reached by its container's name, one on another node by that node's
address and published port. All figures that must agree between files come from here, so they do.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from oz_installer.answers.model import Answers
from oz_installer.catalog.model import load_release
from oz_installer.topology.model import Topology, TopologyNode, Wiring

GO_SSLMODES = {"allow": "disable", "prefer": "disable"}  # lib/pq, of the exporter, knows neither


def wire(answers: Answers, topology: Topology, node: TopologyNode) -> Wiring:
    """Work out the wiring of one node."""
    public = urlsplit(topology.public_url)
    values: dict[str, object] = {
        "node": node.name,
        "install_dir": answers.install_dir.rstrip("/"),
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
        **_database(answers),
        **_redis(answers, topology, node),
        **_broker(answers, topology, node),
        **_bio(topology, node),
        **_neighbours(topology, node),
    }
    return Wiring(node=node.name, values=values)


def queues(topology: Topology) -> tuple[str, ...]:
    """The Celery queues that run anywhere, each once, in the catalogue's order."""
    found = [placed.kind.queue for node in topology.nodes for placed in node.services]
    return tuple(dict.fromkeys(queue for queue in found if queue))


def _reach(topology: Topology, node: TopologyNode, kind: str, here: int, there: int) -> tuple[str, int]:
    """Host and port of a single service as ``node`` sees it; empty when nothing of the kind runs."""
    homes = topology.where(kind)
    if not homes:
        return "", there
    return (kind, here) if homes[0].name == node.name else (homes[0].address, there)


def _database(answers: Answers) -> dict[str, object]:
    database = answers.database
    bundled = database.host is None
    sslmode = "disable" if bundled else database.sslmode
    return {
        "db_bundled": bundled,
        "db_host": database.host or "oz-api-pg",
        "db_port": 5432 if bundled else database.port,
        "db_name": database.name,
        "db_user": database.user,
        "db_sslmode": sslmode,
        "db_sslmode_go": GO_SSLMODES.get(sslmode, sslmode),
    }


def _redis(answers: Answers, topology: Topology, node: TopologyNode) -> dict[str, object]:
    if answers.broker.type == "redis" and answers.broker.host:
        host, port = answers.broker.host, answers.broker.port or 6379
    else:
        host, port = _reach(topology, node, "oz-redis", 6379, 6379)
    return {
        "redis_host": host,
        "redis_port": port,
        "redis_databases": load_release(topology.release).redis_databases,
    }


def _broker(answers: Answers, topology: Topology, node: TopologyNode) -> dict[str, object]:
    if answers.broker.type == "redis":
        return {"broker": "redis", "rabbitmq_host": "", "rabbitmq_port": 5672, "rabbitmq_user": ""}
    if answers.broker.host:
        host, port = answers.broker.host, answers.broker.port or 5672
    else:
        host, port = _reach(topology, node, "oz-rabbitmq", 5672, 5672)
    user = answers.broker.user or "oz"
    return {"broker": "rabbitmq", "rabbitmq_host": host, "rabbitmq_port": port, "rabbitmq_user": user}


def _bio(topology: Topology, node: TopologyNode) -> dict[str, object]:
    bios = [("oz-tfss" if bio.name == node.name else bio.address, 8501) for bio in topology.bio_nodes]
    if node.has("oz-bio-balancer"):
        tfss_url = "http://oz-bio-balancer:9501/v1/"
    else:
        host, port = bios[0]
        tfss_url = f"http://{bracketed(host)}:{port}/v1/"
    updater = topology.where("oz-bio-updater")
    same = bool(updater) and updater[0].name == node.name
    address = "oz-bio-updater" if same else updater[0].address if updater else ""
    return {
        "bios": [f"{bracketed(host)}:{port}" for host, port in bios],
        "tfss_url": tfss_url,
        "updater_address": address,
    }


def _neighbours(topology: Topology, node: TopologyNode) -> dict[str, object]:
    o2n_host, o2n_port = _reach(topology, node, "oz-api-o2n", 8010, 8010)
    statistic = topology.where("oz-statistic")
    if not statistic:
        statistic_url = ""
    elif statistic[0].name == node.name:
        statistic_url = "http://oz-statistic:80"
    else:
        statistic_url = f"http://{bracketed(statistic[0].address)}:8880"
    apis = [
        "oz-api-nginx:8880" if api.name == node.name else f"{bracketed(api.address)}:8880"
        for api in topology.api_nodes
    ]
    return {
        "o2n_url": f"http://{bracketed(o2n_host)}:{o2n_port}" if o2n_host else "",
        "statistic_url": statistic_url,
        "api_upstreams": apis,
    }


def bracketed(host: str) -> str:
    """An IPv6 address as URLs and nginx want it; anything else unchanged."""
    return f"[{host}]" if ":" in host else host
