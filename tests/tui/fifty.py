"""Fifty nodes: their answers, and a core with invented nodes, checks and installation.

All else is the wizard's own core; ``FiftyCore`` writes real drafts, so give it an XDG_STATE_HOME.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from oz_installer.checks.context import Finding
from oz_installer.deploy.events import Event, Message, NodeProgress, PhaseStarted, RunEnded, RunStarted
from oz_installer.installation.wizard.core import InstallerCore
from oz_installer.topology.summary import Summary, SummaryRow
from tests.tui.nodes_case import fit, short_of_memory
from tests.tui.running import FakePrepared

if TYPE_CHECKING:
    from oz_installer.answers.drafts.working_copy import WorkingCopy
    from oz_installer.deploy.events import EmitEvent
    from oz_installer.installation.prepare import Prepared
    from oz_installer.installation.wizard.probe import NodeProbe

NODES = tuple(f"{'api' if number < 5 else 'bio'}{number}" for number in range(1, 51))
ANSWERS = (
    "version: 1\nscenario: medium\npublic_url: https://oz.example.com\naccept: [many-nodes]\nnodes:\n"
    + "".join(
        f"  - {{name: {name}, host: 10.0.0.{number}, user: ozadmin, roles: [{name[:3]}]}}\n"
        for number, name in enumerate(NODES, 1)
    )
    + """\
database: {host: db.example.com, password: {env: OZ_DB_PASSWORD}}
storage: {type: nfs, server: nfs.example.com, export: /srv/oz}
updater: {token: {env: OZ_TOKEN}}
license: {bio: license.key}
"""
)
CHECKS = ("cores", "memory", "disk", "clock", "engine", "ports")
SERVICES = ("oz-api", "oz-web", "oz-bio", "oz-updater")
EVENTS = 2000


def events() -> list[Event]:
    """A busy installation."""
    busy: list[Event] = [
        RunStarted(at=1000, phases=("Pull images",), nodes=NODES),
        PhaseStarted(at=1000, phase="Pull images", number=1, of=1),
    ]
    for number in range(EVENTS):
        at, node, total = 1000 + number / 50, NODES[number % len(NODES)], EVENTS * 1000
        if number % 3:
            busy.append(
                NodeProgress(at=at, node=node, text="pulling", done=number * 1000, total=total, unit="bytes")
            )
        else:
            busy.append(Message(at=at, level="info", text=f"line {number} of a log " + "x" * 60, node=node))
    return [*busy, RunEnded(at=1072, outcome="done", seconds=72)]


class FiftyCore(InstallerCore):
    """An installation takes ``seconds``; all other reports come from four threads at full speed."""

    def __init__(self, seconds: float = 0.0) -> None:
        super().__init__(lambda: None)  # type: ignore[arg-type,return-value]
        self.seconds = seconds

    def probe_nodes(
        self,
        working: WorkingCopy,
        path: Path,
        names: Sequence[str],
        on_tried: Callable[[NodeProbe], None],
        stop: threading.Event,
    ) -> None:
        """Report too little memory for each node."""
        put_from_threads([fit(name, short_of_memory(name)) for name in names], on_tried)

    def prepare(
        self,
        path: Path,
        stop: threading.Event,
        emit: EmitEvent | None = None,
        working: WorkingCopy | None = None,
    ) -> Prepared:
        """Something to carry out."""
        return cast("Prepared", FakePrepared())

    def check(
        self,
        path: Path,
        on_finding: Callable[[Finding], None],
        stop: threading.Event,
        working: WorkingCopy | None = None,
    ) -> None:
        """The same."""
        self.run_checks(self.prepare(path, stop, None, working), on_finding, stop)

    def run_checks(
        self, prepared: Prepared, on_finding: Callable[[Finding], None], stop: threading.Event
    ) -> None:
        """Every check on every node is fine."""
        put_from_threads(
            [
                Finding(
                    id=f"host.{check}/{node}", subject=check, node=node, level="ok", seen="as it should be"
                )
                for check in CHECKS
                for node in NODES
            ],
            on_finding,
        )

    def apply(self, prepared: Prepared, on_event: Callable[[Event], None], stop: threading.Event) -> None:
        """All events."""
        first, *rest, last = events()
        on_event(first)

        def put(event: Event) -> None:
            stop.wait(4 * self.seconds / EVENTS)
            on_event(event)

        put_from_threads(rest, put)
        on_event(last)

    def summarise(self, prepared: Prepared, stop: threading.Event) -> Summary:
        """Everything runs."""
        return Summary(
            rows=tuple(
                SummaryRow(node=node, service=service, state="healthy", image=f"{service}:5.2")
                for node in NODES
                for service in SERVICES
            ),
            urls=(("Public", "https://oz.example.com"),),
        )


def put_from_threads(reports: Sequence[Any], put: Callable[[Any], object]) -> None:
    """Call ``put`` with each report, from four threads."""

    def some(part: Sequence[Any]) -> None:
        for one in part:
            put(one)

    threads = [threading.Thread(target=some, args=(reports[place::4],)) for place in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
