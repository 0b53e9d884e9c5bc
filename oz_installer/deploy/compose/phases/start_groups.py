"""The order in which the services of a stage start.

Each is down only for its own stop and start. One ``compose up`` of several services removes all of them first
and starts them when the slowest has stopped. So a service that runs and serves others is recreated by a
command of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Literal

from oz_installer.deploy.compose.facts import NodeFacts
from oz_installer.deploy.compose.run import NodesRun
from oz_installer.deploy.errors import combine_errors
from oz_installer.errors import ConnectError, LockedError
from oz_installer.frozen import dataclass
from oz_installer.remote.parallel import start_all
from oz_installer.render.compose.bundle import BundleService


@dataclass(frozen=True, kw_only=True)
class StartGroup:
    """Services that one command starts; ``after`` are services that must be healthy before.

    ``how``: by ``compose up``, by a restart, or not at all (``wait``: they are starting already).
    """

    services: tuple[BundleService, ...]
    how: Literal["up", "restart", "wait"] = "up"
    after: frozenset[str] = frozenset()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its services."""
        return tuple(service.name for service in self.services)


def start_groups(
    services: Sequence[BundleService], actions: Mapping[str, str], facts: NodeFacts
) -> tuple[StartGroup, ...]:
    """Return the groups in the order of their start. Pure.

    First, together, what does not run: nobody misses it. Then each service that serves others, alone and
    after those that it needs. Last, together, those that serve nobody, such as queues: they stop slowly, and
    their start takes the processors from what users wait for.
    """
    begun, alone, last = list[BundleService](), list[StartGroup](), list[BundleService]()
    changing = frozenset(service.name for service in services)
    for service in services:
        action, there = actions[service.name], facts.containers.get(service.name)
        after = changing & frozenset(service.needs)
        if action == "restart":
            alone.append(StartGroup(services=(service,), how="restart", after=after))
        elif action == "wait":
            alone.append(StartGroup(services=(service,), how="wait"))
        elif there is None or not there.running:
            begun.append(service)
        elif service.serves:
            alone.append(StartGroup(services=(service,), after=after))
        else:
            last.append(service)
    first = (StartGroup(services=tuple(begun)),) if begun else ()
    before = frozenset(name for group in alone for name in group.names)
    rest = (StartGroup(services=tuple(last), after=before),) if last else ()
    return (*first, *alone, *rest)


def run_groups(run: NodesRun, groups: Sequence[StartGroup], start: Callable[[StartGroup], None]) -> None:
    """Start the groups, several at a time, each after those that it needs.

    When one fails, the others are cancelled. Raises the errors of all that failed, as one; a lost connection
    or lock, which concerns the node, once.
    """
    if len(groups) == 1:
        start(groups[0])
        return
    by_name = {group.names[0]: group for group in groups}
    waiting, started = list(by_name), dict[Future[None], str]()
    healthy, failures = set[str](), list[BaseException]()
    while started or (waiting and not failures):
        ready = [name for name in waiting if by_name[name].after <= healthy and not failures]
        chosen = ready[: run.gate.at_once - len(started)]
        waiting = [name for name in waiting if name not in chosen]
        futures = start_all(chosen, lambda name: start(by_name[name]), name="start")
        started |= {future: name for name, future in futures.items()}
        for future in wait(started, return_when=FIRST_COMPLETED).done:
            healthy |= {*by_name[started.pop(future)].names}
            if error := future.exception():
                failures.append(error)
                run.cancelled.set()
    if failures:
        of_node = (error for error in failures if isinstance(error, ConnectError | LockedError))
        raise next(of_node, None) or combine_errors(failures)
