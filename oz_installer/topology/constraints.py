"""What cannot go together in the answers: one small function a rule, all of them in RULES.

A rule looks at the whole answers and yields problems, each with the key to change.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator

from oz_installer.answers.model import Answers
from oz_installer.catalog.release import Release, Scenario, load_release, load_scenarios, releases
from oz_installer.errors import Problem
from oz_installer.text import join_and, join_or
from oz_installer.topology.layout import roles_of

Rule = Callable[[Answers, Scenario, Release], Iterator[Problem]]

MANY_NODES = "many-nodes"
WARNINGS = (MANY_NODES,)
OF_CHECK = "host.memory/api1"
"""Ids that ``accept`` may hold, and how those of checks look; the question's help names them, too."""


def check_constraints(answers: Answers) -> tuple[Problem, ...]:
    """Everything that is wrong with the answers as a whole; empty when they can be planned."""
    if answers.release not in releases():
        known = ", ".join(f'"{name}"' for name in releases())
        message = f"release {answers.release!r} is not in the catalogue"
        return (Problem(key="release", message=message, hint=f"choose one of {known}"),)
    scenario, release = load_scenarios()[answers.scenario], load_release(answers.release)
    refused = any(problem for rule in LAYOUT_CONSTRAINTS for problem in rule(answers, scenario, release))
    # a layout that cannot be has no place for any node: that follows, and is no problem of its own
    rules = [rule for rule in CONSTRAINTS if not (refused and rule is both_roles)]
    return tuple(problem for rule in rules for problem in rule(answers, scenario, release))


def supported_platform(answers: Answers, _scenario: Scenario, _release: Release) -> Iterator[Problem]:
    """Kubernetes is not this installer's yet."""
    if answers.scenario == "high-load":
        yield Problem(
            key="scenario",
            message="high-load runs on Kubernetes, which this version does not install yet",
            hint="choose poc or medium",
        )


def number_of_nodes(answers: Answers, scenario: Scenario, _release: Release) -> Iterator[Problem]:
    """Each scenario has its number of nodes; five and more belong to high load [source document]."""
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
            message=f"{count} nodes: from five on the vendor recommends high load on Kubernetes",
            hint=f"add {MANY_NODES} to accept to go on with Docker all the same",
        )


def both_roles(answers: Answers, _scenario: Scenario, _release: Release) -> Iterator[Problem]:
    """Something must run the API and something must serve the models."""
    roles = roles_of(answers)
    for index, node in enumerate(answers.nodes):
        if not roles[node.name]:
            yield Problem(
                key=f"nodes[{index}].roles",
                message="this layout has no place for this node",
                hint="give it roles: [api], [bio] or [api, bio]",
            )
    given = {role for some in roles.values() for role in some}
    for role in ("api", "bio"):
        if role not in given and all(roles.values()):
            yield Problem(
                key="nodes", message=f"no node has the role {role}", hint=f"give one node roles: [{role}]"
            )


def engine_of_release(answers: Answers, _scenario: Scenario, release: Release) -> Iterator[Problem]:
    """Podman is for API 5 only [source document]."""
    if answers.engine not in release.engines:
        can = join_or(release.engines)
        yield Problem(
            key="engine",
            message=f"{release.title} runs on {can} only",
            hint=f"set engine: {next(iter(release.engines))}",
        )


def broker_of_release(answers: Answers, _scenario: Scenario, release: Release) -> Iterator[Problem]:
    """Release lines without Celery need no broker, others only what they support."""
    if answers.broker.type not in release.brokers:
        can = join_or(release.brokers) or "none"
        yield Problem(
            key="broker.type", message=f"{release.title} takes {can} as broker", hint=f"set it to {can}"
        )
    if answers.broker.type == "rabbitmq" and answers.broker.host and not answers.broker.password:
        yield Problem(
            key="broker.password",
            message="an external RabbitMQ needs a password",
            hint="give it as {env: NAME}",
        )


def database(answers: Answers, scenario: Scenario, _release: Release) -> Iterator[Problem]:
    """A bundled database is for PoC and tests only [source document]."""
    if answers.database.host is None and not scenario.bundled_database:
        yield Problem(
            key="database.host",
            message=f"the {answers.scenario} scenario needs an external PostgreSQL server",
            hint="name its host; a bundled database is for poc only",
        )
    apis = [name for name, roles in roles_of(answers).items() if "api" in roles]
    if answers.database.host is None and scenario.bundled_database and len(apis) > 1:
        yield Problem(
            key="database.host",
            message=f"the bundled PostgreSQL is for one api node, not for {join_and(apis)}",
            hint="name the host of an external server, or give one node the role api",
        )
    for key in ("name", "user"):
        if answers.database.host is None and getattr(answers.database, key) == "postgres":
            yield Problem(
                key=f"database.{key}",
                message="the bundled PostgreSQL keeps postgres for itself",
                hint="choose another name, such as gateway",
            )
    if answers.database.host is not None and answers.database.password is None:
        yield Problem(
            key="database.password",
            message="an external database needs the role's password",
            hint="give it as {env: NAME} or {file: PATH}",
        )


def database_authority(answers: Answers, _scenario: Scenario, release: Release) -> Iterator[Problem]:
    """A release's images may not be able to use every mode: the catalogue says which, and why."""
    if answers.database.sslmode not in release.sslmodes:
        yield Problem(
            key="database.sslmode",
            message=f"{release.title} cannot use {answers.database.sslmode}: {release.sslmodes_reason}",
            hint=f"set it to one of {', '.join(release.sslmodes)}; {release.sslmodes[-1]} is the strictest",
        )


def shared_storage(answers: Answers, _scenario: Scenario, _release: Release) -> Iterator[Problem]:
    """Two api nodes must see the same media files [source document]."""
    apis = [name for name, roles in roles_of(answers).items() if "api" in roles]
    if len(apis) > 1 and answers.storage.type == "local":
        every = "both" if len(apis) == 2 else "all"
        yield Problem(
            key="storage.type",
            message=f"{join_and(apis)} {every} run the API and need one shared volume for media",
            hint="set it to nfs, or to path for a shared mount that they already have",
        )


def updater_token(answers: Answers, _scenario: Scenario, _release: Release) -> Iterator[Problem]:
    """The updater logs in with the client token."""
    if answers.components.bio_updater and answers.updater.token is None:
        yield Problem(
            key="updater.token",
            message="the BIO updater needs the client token that Oz Forensics gave you",
            hint="give it as {env: NAME} or {file: PATH}, or set components.bio_updater: false",
        )


def web_adapter_licence(answers: Answers, _scenario: Scenario, _release: Release) -> Iterator[Problem]:
    """The web adapter has a licence of its own."""
    if answers.components.web_adapter and answers.license.web_adapter is None:
        yield Problem(
            key="license.web_adapter", message="the web adapter needs its license.json", hint="name the file"
        )


def load_balancer(answers: Answers, _scenario: Scenario, _release: Release) -> Iterator[Problem]:
    """Only two and more api nodes need one, and it runs on one of them."""
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
            message=f"{answers.load_balancer.node!r} is no api node",
            hint=f"choose {join_or(apis)}",
        )


def known_images(answers: Answers, _scenario: Scenario, release: Release) -> Iterator[Problem]:
    """Only images that the release has can get another name."""
    for key in answers.images:
        if key not in release.images:
            near = difflib.get_close_matches(key, release.images, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(release.images)}"
            yield Problem(key=f"images.{key}", message="the release has no such image", hint=hint)


def derived_settings(answers: Answers, _scenario: Scenario, release: Release) -> Iterator[Problem]:
    """What other answers decide cannot be overridden behind their back."""
    for key in answers.extra.config:
        if key in release.derived_settings:
            yield Problem(
                key=f"extra.config.{key}",
                message="is worked out from the other answers",
                hint="remove it here and change the answer that it follows from",
            )


def reachable_addresses(answers: Answers, _scenario: Scenario, _release: Release) -> Iterator[Problem]:
    """Several nodes must have addresses that mean the same node everywhere."""
    for index, node in enumerate(answers.nodes):
        address = node.address or node.host
        if len(answers.nodes) > 1 and (
            address == "localhost" or address.startswith("127.") or address == "::1"
        ):
            yield Problem(
                key=f"nodes[{index}].address",
                message=f"the other nodes cannot reach this one as {address}",
                hint="give the address by which they see it",
            )


def known_warnings(answers: Answers, _scenario: Scenario, _release: Release) -> Iterator[Problem]:
    """An id that means nothing would look as if it had accepted something. Those of checks have a dot, or
    name a node; one that went may stay there."""
    known = f"known: {', '.join(WARNINGS)}, and what oz-install check shows, such as {OF_CHECK}"
    for one in answers.accept:
        if one not in WARNINGS and not (all(one.partition("/")) or all(one.partition("."))):
            yield Problem(key="accept", message=f"{one!r} is no warning's id", hint=known)


LAYOUT_CONSTRAINTS: Iterable[Rule] = (supported_platform, number_of_nodes)
CONSTRAINTS: Iterable[Rule] = (
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
    derived_settings,
    reachable_addresses,
    known_warnings,
)
