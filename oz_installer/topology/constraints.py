"""Rules across the whole answers: one small function per rule, listed in ``CONSTRAINTS``.

A rule yields problems, each with the key to change.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator

from oz_installer.answers.model import Answers
from oz_installer.catalog.release import Release, load_release, releases
from oz_installer.catalog.scenario import INSTALLABLE, Scenario, load_scenarios
from oz_installer.errors import Problem
from oz_installer.text import join_and, join_or
from oz_installer.topology.addresses import free_subnet, no_loopback, reachable_addresses
from oz_installer.topology.layout import roles_of

Constraint = Callable[[Answers, Scenario, Release], Iterator[Problem]]

MANY_NODES = "many-nodes"
WARNINGS = (MANY_NODES,)
OF_CHECK = "host.memory/api1"
"""Ids for ``accept`` and an example of a check's id; the help of the question has them too."""


def check_constraints(answers: Answers) -> tuple[Problem, ...]:
    """Return every problem of the answers as a whole; empty when they can be planned."""
    if answers.release not in releases():
        known = ", ".join(f'"{name}"' for name in releases())
        message = f"release {answers.release!r} is not in the catalogue"
        return (Problem(key="release", message=message, hint=f"choose one of {known}"),)
    scenario, release = load_scenarios()[answers.scenario], load_release(answers.release)
    invalid = any(problem for rule in LAYOUT_CONSTRAINTS for problem in rule(answers, scenario, release))
    # An invalid layout gives no node a role; that is a consequence, not a problem of its own
    rules = [rule for rule in CONSTRAINTS if not (invalid and rule is both_roles)]
    return tuple(problem for rule in rules for problem in rule(answers, scenario, release))


def supported_platform(_answers: Answers, scenario: Scenario, _release: Release) -> Iterator[Problem]:
    """Reject scenarios whose platform this version does not install on."""
    if scenario.platform not in INSTALLABLE:
        yield Problem(
            key="scenario",
            message="high-load runs on Kubernetes, which this version does not install yet",
            hint="choose poc or medium",
        )


def number_of_nodes(answers: Answers, scenario: Scenario, _release: Release) -> Iterator[Problem]:
    """Limit the number of nodes per scenario; five or more are high load [source document]."""
    count = len(answers.nodes)
    if answers.scenario == "poc" and count > scenario.max_nodes:
        yield Problem(
            key="nodes",
            message=f"the poc scenario has 1 or 2 nodes, not {count}",
            hint="set scenario: medium for 2 to 4 nodes",
        )
    if answers.scenario == "medium" and count == 1:
        yield Problem(
            key="nodes",
            message="the medium scenario has 2 to 4 nodes, not 1",
            hint="set scenario: poc, or add nodes",
        )
    if answers.scenario == "medium" and count > scenario.max_nodes and MANY_NODES not in answers.accept:
        yield Problem(
            key="nodes",
            message=f"{count} nodes: for five or more the vendor recommends high load on Kubernetes",
            hint=f"add {MANY_NODES} to accept to continue with Docker",
        )


def both_roles(answers: Answers, _scenario: Scenario, _release: Release) -> Iterator[Problem]:
    """Require a node for the API, a node for the models, and a role for each node."""
    roles = roles_of(answers)
    for index, node in enumerate(answers.nodes):
        if not roles[node.name]:
            yield Problem(
                key=f"nodes[{index}].roles",
                message="this layout has no role for this node",
                hint="give it roles: [api], [bio] or [api, bio]",
            )
    given = {role for some in roles.values() for role in some}
    for role in ("api", "bio"):
        if role not in given and all(roles.values()):
            yield Problem(
                key="nodes", message=f"no node has the role {role}", hint=f"give one node roles: [{role}]"
            )


def engine_of_release(answers: Answers, _scenario: Scenario, release: Release) -> Iterator[Problem]:
    """Allow only the release's engines: Podman is for API 5 only [source document]."""
    if answers.engine not in release.engines:
        can = join_or(release.engines)
        yield Problem(
            key="engine",
            message=f"{release.title} runs on {can} only",
            hint=f"set engine: {next(iter(release.engines))}",
        )


def broker_of_release(answers: Answers, _scenario: Scenario, release: Release) -> Iterator[Problem]:
    """Allow only the brokers that the release supports; release lines without Celery need none."""
    if answers.broker.type not in release.brokers:
        can = join_or(release.brokers) or "none"
        yield Problem(
            key="broker.type", message=f"{release.title} supports {can} as broker", hint=f"set it to {can}"
        )
    if answers.broker.type == "rabbitmq" and answers.broker.host and not answers.broker.password:
        yield Problem(
            key="broker.password",
            message="an external RabbitMQ needs a password",
            hint="write {env: NAME} or {file: PATH}",
        )


def database(answers: Answers, scenario: Scenario, _release: Release) -> Iterator[Problem]:
    """Allow the bundled database for PoC and tests only [source document]."""
    if answers.database.host is None and not scenario.bundled_database:
        yield Problem(
            key="database.host",
            message=f"the {answers.scenario} scenario needs an external PostgreSQL server",
            hint="set its host; the bundled database is for poc only",
        )
    apis = [name for name, roles in roles_of(answers).items() if "api" in roles]
    if answers.database.host is None and scenario.bundled_database and len(apis) > 1:
        yield Problem(
            key="database.host",
            message=f"the bundled PostgreSQL serves one api node only, not {join_and(apis)}",
            hint="set the host of an external server, or give only one node the role api",
        )
    for key in ("name", "user"):
        if answers.database.host is None and getattr(answers.database, key) == "postgres":
            yield Problem(
                key=f"database.{key}",
                message="the bundled PostgreSQL reserves the name postgres",
                hint="choose another name, such as gateway",
            )
    if answers.database.host is not None and answers.database.password is None:
        yield Problem(
            key="database.password",
            message="an external database needs the role's password",
            hint="write {env: NAME} or {file: PATH}",
        )


def database_authority(answers: Answers, _scenario: Scenario, release: Release) -> Iterator[Problem]:
    """Allow only the TLS modes that the release's images support, as the catalogue lists them."""
    sslmode, with_ca = answers.database.sslmode, release.sslmodes_with_ca
    if sslmode in release.sslmodes or (sslmode in with_ca and answers.database.ca_file):
        return
    without = " without a CA file" if sslmode in with_ca else ""
    others = f"set it to one of {', '.join(release.sslmodes)}; {release.sslmodes[-1]} is the strictest"
    name = "name the file of the server's authorities in database.ca_file, or "
    yield Problem(
        key="database.sslmode",
        message=f"{release.title} cannot use {sslmode}{without}: {release.sslmodes_reason}",
        hint=f"{name if sslmode in with_ca else ''}{others}",
    )


def shared_storage(answers: Answers, _scenario: Scenario, _release: Release) -> Iterator[Problem]:
    """Require shared storage for two or more api nodes [source document]."""
    apis = [name for name, roles in roles_of(answers).items() if "api" in roles]
    if len(apis) > 1 and answers.storage.type == "local":
        every = "both" if len(apis) == 2 else "all"
        yield Problem(
            key="storage.type",
            message=f"{join_and(apis)} {every} run the API and need one shared volume for media",
            hint="set it to nfs, or to path for a shared mount that exists on them",
        )


def updater_token(answers: Answers, _scenario: Scenario, _release: Release) -> Iterator[Problem]:
    """Require the client token that the BIO updater logs in with."""
    if answers.components.bio_updater and answers.updater.token is None:
        yield Problem(
            key="updater.token",
            message="the BIO updater needs the client token that Oz Forensics gave you",
            hint="write {env: NAME} or {file: PATH}, or set components.bio_updater: false",
        )


def web_adapter_licence(answers: Answers, _scenario: Scenario, _release: Release) -> Iterator[Problem]:
    """Require the web adapter's own licence."""
    if answers.components.web_adapter and answers.license.web_adapter is None:
        yield Problem(
            key="license.web_adapter",
            message="the web adapter needs its license.json",
            hint="set the path of the file",
        )


def load_balancer(answers: Answers, _scenario: Scenario, _release: Release) -> Iterator[Problem]:
    """Allow a load balancer only for two or more api nodes, on one of them."""
    if answers.load_balancer.type != "node":
        return
    apis = [name for name, roles in roles_of(answers).items() if "api" in roles]
    if len(apis) < 2:
        yield Problem(
            key="load_balancer.type", message="one api node needs no load balancer", hint="set it to external"
        )
    elif answers.load_balancer.node not in (None, *apis):
        yield Problem(
            key="load_balancer.node",
            message=f"{answers.load_balancer.node!r} is not an api node",
            hint=f"choose {join_or(apis)}",
        )


def known_images(answers: Answers, _scenario: Scenario, release: Release) -> Iterator[Problem]:
    """Reject names for images that the release does not have."""
    for key in answers.images:
        if key not in release.images:
            near = difflib.get_close_matches(key, release.images, n=1)
            hint = f"the closest is {near[0]}" if near else f"use one of {', '.join(release.images)}"
            yield Problem(key=f"images.{key}", message="the release has no such image", hint=hint)


def known_services(answers: Answers, _scenario: Scenario, release: Release) -> Iterator[Problem]:
    """Reject names for services that the release does not have."""
    names = [service.name for service in release.services]
    for name in answers.unhardened:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            hint = f"the closest is {near[0]}" if near else f"use one of {', '.join(names)}"
            yield Problem(key="unhardened", message=f"the release has no service {name}", hint=hint)


def derived_settings(answers: Answers, _scenario: Scenario, release: Release) -> Iterator[Problem]:
    """Reject extra settings that follow from other answers."""
    for key in answers.extra.config:
        if key in release.derived_settings:
            yield Problem(
                key=f"extra.config.{key}",
                message="follows from the other answers",
                hint="remove it here and change the answer that it follows from",
            )


def known_warnings(answers: Answers, _scenario: Scenario, _release: Release) -> Iterator[Problem]:
    """Reject ids that can match no warning, as they would seem to accept one.

    Ids of checks have a dot or name a node; an id of a check that no longer exists is allowed.
    """
    known = f"use {', '.join(WARNINGS)} or an id that oz-install check shows, such as {OF_CHECK}"
    for one in answers.accept:
        if one not in WARNINGS and not (all(one.partition("/")) or all(one.partition("."))):
            yield Problem(key="accept", message=f"{one!r} is no id of a warning", hint=known)


LAYOUT_CONSTRAINTS: Iterable[Constraint] = (supported_platform, number_of_nodes)
CONSTRAINTS: Iterable[Constraint] = (
    supported_platform,
    number_of_nodes,
    both_roles,
    engine_of_release,
    broker_of_release,
    database,
    database_authority,
    shared_storage,
    updater_token,
    web_adapter_licence,
    load_balancer,
    known_images,
    known_services,
    derived_settings,
    reachable_addresses,
    no_loopback,
    free_subnet,
    known_warnings,
)
