"""Plan the topology from answers and catalogue: services per node, and their connections."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from oz_installer.answers.model import Answers
from oz_installer.catalog.engine import ENGINES
from oz_installer.catalog.release import Release, load_release
from oz_installer.catalog.service import Port, Service
from oz_installer.errors import AnswersError
from oz_installer.text import join_and
from oz_installer.topology.constraints import check_constraints
from oz_installer.topology.layout import layout_name, requirements_of, roles_of
from oz_installer.topology.model import Edge, PlacedService, Topology, TopologyNode


def plan_topology(answers: Answers) -> Topology:
    """Plan the whole installation. Raises AnswersError with every problem found."""
    if problems := check_constraints(answers):
        raise AnswersError("the answers do not fit together", problems=problems)
    release = load_release(answers.release)
    on = active_conditions(answers)
    nodes = _nodes(answers, release, on)
    return Topology(
        layout=layout_name(answers),
        scenario=answers.scenario,
        release=answers.release,
        engine=answers.engine,
        public_url=answers.public_url.rstrip("/"),
        nodes=nodes,
        edges=_edges(answers, nodes),
        notes=_notes(answers, release, on, nodes),
    )


def active_conditions(answers: Answers) -> Mapping[str, bool]:
    """Return the state of every condition that a catalogue entry's ``when`` may name."""
    roles = roles_of(answers).values()
    parts = answers.components
    rabbitmq = answers.broker.type == "rabbitmq"
    return {
        "always": True,
        "bundled_database": answers.database.host is None,
        "admin_password_given": answers.admin.password is not None,
        "admin_password_generated": answers.admin.password is None,
        "database_ca": answers.database.ca_file is not None,
        "bundled_redis": rabbitmq or answers.broker.host is None,
        "bundled_rabbitmq": rabbitmq and answers.broker.host is None,
        "several_bios": sum("bio" in some for some in roles) > 1,
        "several_apis": sum("api" in some for some in roles) > 1,
        "load_balancer": answers.load_balancer.type == "node",
        "statistic": parts.statistic,
        "web_ui": parts.web_ui,
        "one_to_n": parts.one_to_n,
        "regula": parts.regula is not None,
        "web_adapter": parts.web_adapter is not None,
        "monitoring": parts.monitoring,
        "redis_exporter": parts.monitoring,
        "bio_updater": parts.bio_updater,
        "models_by_hand": not parts.bio_updater,
        "updater_air_gapped": parts.bio_updater and answers.air_gapped,
    }


def image_of(answers: Answers, release: Release, key: str) -> str:
    """Return the image to run: the operator's, or the release's from the operator's registry."""
    image = answers.images.get(key)
    if image is not None:
        return image
    server = answers.registry.server
    return f"{server}/{release.images[key]}" if server else release.images[key]


def _nodes(answers: Answers, release: Release, on: Mapping[str, bool]) -> tuple[TopologyNode, ...]:
    roles = roles_of(answers)
    apis = [name for name, some in roles.items() if "api" in some]
    found = []
    for index, node in enumerate(answers.nodes):
        services = tuple(
            placed
            for service in release.services
            if on[service.when] and service.role in roles[node.name]
            for placed in _copies(answers, release, service, node.name, roles, on)
        )
        found.append(
            TopologyNode(
                name=node.name,
                host=node.host,
                address=node.address or node.host,
                roles=roles[node.name],
                requirements=requirements_of(answers, index, roles[node.name]),
                first_api=bool(apis) and node.name == apis[0],
                services=services,
            )
        )
    return tuple(found)


def _copies(
    answers: Answers,
    release: Release,
    service: Service,
    node: str,
    roles: Mapping[str, tuple[str, ...]],
    on: Mapping[str, bool],
) -> tuple[PlacedService, ...]:
    """Return a service's containers on one node: none, one, or its share of one per BIO."""
    here = [name for name, some in roles.items() if service.role in some]
    image = image_of(answers, release, service.image)
    ports = tuple(port for port in service.ports if on[port.when])
    if not all(on[mount.when] for mount in service.mounts):
        service = replace(service, mounts=tuple(mount for mount in service.mounts if on[mount.when]))
    if service.copies == "one":
        count = 1 if node == _single_node(answers, service, here) else 0
    elif service.copies == "bio":
        bios = max(sum("bio" in some for some in roles.values()), len(here))
        position = here.index(node)
        count = len(range(position, bios, len(here)))
    else:
        count = 1
    names = [service.name] if count == 1 else [f"{service.name}-{number + 1}" for number in range(count)]
    return tuple(
        PlacedService(name=name, service=service, node=node, image=image, ports=ports) for name in names
    )


def _single_node(answers: Answers, service: Service, candidates: list[str]) -> str:
    """Return the node of a single service: the first of its role, or the load balancer's answer."""
    if service.part == "load-balancer" and answers.load_balancer.node:
        return answers.load_balancer.node
    return candidates[0]


def _edges(answers: Answers, nodes: tuple[TopologyNode, ...]) -> tuple[Edge, ...]:
    edges: list[Edge] = []
    for node in nodes:
        for placed in node.services:
            for port in placed.ports:
                edges += [
                    Edge(
                        source=source,
                        target=node.name,
                        port=port.host,
                        purpose=port.purpose,
                        last_port=port.last,
                    )
                    for source in _sources(port, node, nodes)
                ]
    edges += _edges_outside(answers, nodes)
    edges += _edges_between(nodes)
    return tuple(dict.fromkeys(edges))


def _edges_between(nodes: tuple[TopologyNode, ...]) -> list[Edge]:
    """Return connections to the web server of another node.

    These are statistics, which run once, and balanced load.
    """
    edges = []
    for source in nodes:
        for target in nodes:
            web = target.part("web")
            if web is None or source is target:
                continue
            if source.part("web") and target.part("statistic"):
                edges.append(_through(web, source, "statistics"))
            if source.part("load-balancer"):
                edges.append(_through(web, source, "shared load"))
    return edges


def _through(web: PlacedService, source: TopologyNode, purpose: str) -> Edge:
    return Edge(source=source.name, target=web.node, port=web.service.published_port, purpose=purpose)


def _sources(port: Port, target: TopologyNode, nodes: tuple[TopologyNode, ...]) -> list[str]:
    sources = []
    for party in port.clients:
        if party not in ("api", "bio"):
            sources.append(party)
        else:
            sources += [node.name for node in nodes if party in node.roles and node is not target]
    return sources


def _edges_outside(answers: Answers, nodes: tuple[TopologyNode, ...]) -> list[Edge]:
    edges = []
    for node in nodes:
        if "api" in node.roles and answers.database.host:
            edges.append(
                Edge(source=node.name, target="database", port=answers.database.port, purpose="PostgreSQL")
            )
        if "api" in node.roles and answers.broker.host:
            port = answers.broker.effective_port
            purpose = {"redis": "Redis", "rabbitmq": "RabbitMQ"}[answers.broker.type]
            edges.append(Edge(source=node.name, target="broker", port=port, purpose=purpose))
        if "api" in node.roles and answers.storage.type == "nfs":
            edges.append(Edge(source=node.name, target="storage", port=2049, purpose="NFS"))
        if "api" in node.roles and (regula := answers.components.regula):
            parts = urlsplit(regula)
            port = parts.port or (443 if parts.scheme == "https" else 80)
            edges.append(Edge(source=node.name, target="regula", port=port, purpose="documents"))
        if not answers.air_gapped and any(placed.service.egress for placed in node.services):
            edges.append(Edge(source=node.name, target="vendor", port=443, purpose="licence and models"))
    return edges


def _notes(
    answers: Answers, release: Release, on: Mapping[str, bool], nodes: tuple[TopologyNode, ...]
) -> tuple[str, ...]:
    notes = [note.text.format(install_dir=answers.install_dir) for note in release.notes if on[note.when]]
    notes += ENGINES[answers.engine].notes
    apis = [name for name, roles in roles_of(answers).items() if "api" in roles]
    if len(apis) > 1 and answers.load_balancer.type == "external":
        web = next(placed for node in nodes if (placed := node.part("web")))
        notes.append(
            f"Put your load balancer in front of port {web.service.published_port} of {join_and(apis)}."
        )
    return (*notes, *_tls_note(answers, nodes))


def _tls_note(answers: Answers, nodes: tuple[TopologyNode, ...]) -> tuple[str, ...]:
    """Return the note on TLS for an https URL: no installed service terminates TLS."""
    if not answers.public_url.startswith("https:"):
        return ()
    url = answers.public_url.rstrip("/")
    fronts = [one for node in nodes if (one := node.part("load-balancer"))]
    fronts = fronts or [one for node in nodes if (one := node.part("web"))]
    if len(fronts) > 1:
        return (f"{url} must lead to your load balancer; it, or a proxy in front of it, must terminate TLS.",)
    return tuple(
        f"{url} must lead to {one.node}:{one.service.published_port} through your TLS proxy."
        for one in fronts
    )
