"""Complete answers and the nodes' reports, for the wizard's last four steps."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

from oz_installer.answers.drafts.working_copy import WorkingCopy
from oz_installer.checks.context import Finding, Remedy
from oz_installer.deploy.events import (
    Event,
    Message,
    NodeProgress,
    PhaseEnded,
    PhaseStarted,
    RunEnded,
    RunStarted,
    ServiceState,
)
from oz_installer.deploy.plan import Plan
from oz_installer.topology.summary import Summary, SummaryRow
from tests.plans import file_change, service_change, target_plan
from tests.tui.fake_core import FakeCore
from tests.tui.support import PATIENCE

if TYPE_CHECKING:
    from oz_installer.answers.drafts.store import SavedDraft
    from oz_installer.installation.prepare import Prepared

PATH = Path("/home/admin/answers.yml")
CANARY = "c4n4ry-9f2b7e"
ANSWERS = """\
version: 1
scenario: medium
public_url: https://oz.example.com
nodes:
- {name: api1, host: 10.0.0.1}
- {name: bio1, host: 10.0.0.2}
- {name: bio2, host: 10.0.0.3}
database: {host: db.example.com, password: {env: DB_PASSWORD}}
updater: {token: {env: UPDATER_TOKEN}}
license: {bio: license.key}
"""
NODES = ("api1", "bio1", "bio2")
PLAN = Plan(
    targets=(
        target_plan(
            "api1",
            file_change(
                "api.env",
                "changed",
                diff="--- api.env\n+++ api.env\n@@ -1,2 +1,2 @@\n LOG=info\n-WORKERS=2\n+WORKERS=4\n",
            ),
            service_change("oz-api", "restart", "api.env changed"),
            images=("oz-api:5.2",),
        ),
        target_plan("bio1"),
        target_plan("bio2"),
    )
)
SUMMARY = Summary(
    rows=(
        SummaryRow(node="api1", service="oz-api", state="healthy", image="oz-api:5.2"),
        SummaryRow(node="api1", service="oz-web", state="healthy", image="nginx:1.27", ports="8880"),
        SummaryRow(node="bio1", service="oz-bio", state="running", image="oz-bio:5.2", ports="8521"),
        SummaryRow(node="bio2", service="oz-bio", state="running", image="oz-bio:5.2", ports="8521"),
    ),
    urls=(("Public", "https://oz.example.com"), ("Web UI", "http://10.0.0.1:8880/")),
    secrets_file=Path("/home/admin/answers.secrets.yml"),
    admin_email="admin@example.com",
    admin_kept=True,
    report=Path("/home/admin/answers.report.txt"),
    notes=("Open the web UI and log in as admin@example.com; the password is in the secrets file.",),
)
GOOD = tuple(
    Finding(id=f"host.{name}/{node}", subject=name.capitalize(), node=node, level="ok", seen=seen)
    for node in NODES
    for name, seen in (("cores", "8 cores"), ("disk", "180 GB free below /opt/oz"))
)
WARNING = Finding(
    id="host.memory/bio1",
    subject="Memory",
    node="bio1",
    level="warning",
    seen="15 GB",
    needed="24 GB (layout medium-3)",
    why="Models that do not fit are read from disk, and every analysis waits for that.",
    hint="Give the machine more memory, or accept this for a test installation.",
)
FAILURE = Finding(
    id="ports.free/api1",
    subject="Port 8880",
    node="api1",
    level="failure",
    seen="taken by nginx (process 812)",
    needed="a free port",
    why="The web server of Oz listens there.",
    hint="Stop nginx, or move it to another port.",
)
STOPPED = Finding(
    id="engine/api1",
    subject="Docker",
    node="api1",
    level="failure",
    seen="Docker does not answer: Cannot connect to the Docker daemon",
    needed="Docker 19.03 or newer (the vendor's requirement)",
    hint="Start it (systemctl enable --now docker) and run again.",
    remedy=Remedy(
        title="start Docker, now and at boot",
        node="api1",
        commands=(("systemctl", "enable", "--now", "docker.service"),),
    ),
)


@dataclass
class FakePrepared:
    """What the jobs do with it themselves."""

    plan: Plan = PLAN
    closed: int = 0
    steps: list[str] = field(default_factory=list)

    def require_engines(self) -> None:
        """They are fine."""
        self.steps.append("engines")

    def remove_leftovers(self) -> tuple[str, ...]:
        """Nothing was left."""
        self.steps.append("leftovers")
        return ()

    def close(self) -> None:
        """Count it."""
        self.closed += 1


class RunCore(FakeCore):
    """The fake core with everything prepared."""

    def __init__(self) -> None:
        super().__init__({PATH: ANSWERS})
        self.prepared = FakePrepared()
        self.outside.prepared = self.prepared
        self.outside.plan = PLAN
        self.outside.summary = SUMMARY
        self.outside.findings = list(GOOD)
        self.outside.events = run_events()

    def save_draft(self, working: WorkingCopy, target: Path, step: str) -> SavedDraft:
        """Record the draft; nobody uses what is returned."""
        self.drafted[target] = (working, step)
        return cast("SavedDraft", None)

    def drafts(self) -> tuple[SavedDraft, ...]:
        """None."""
        return ()


class Held(RunCore):
    """A run that continues until the test ends it."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = threading.Event()

    def apply(self, prepared: Prepared, on_event: Callable[[Event], None], stop: threading.Event) -> None:
        """Tell the first half, wait, tell the rest."""
        events = run_events()
        for event in events[:-6]:
            on_event(event)
        assert self.go_on.wait(PATIENCE)
        for event in events[-6:]:
            on_event(event)


def run_events(*, images: int = 4, end: bool = True) -> list[Event]:
    """A run of three phases on three nodes, 72 seconds long."""
    events: list[Event] = [
        RunStarted(at=1000, phases=("Check", "Pull images", "Start"), nodes=NODES),
        PhaseStarted(at=1000, phase="Check", number=1, of=3),
        PhaseEnded(at=1002, phase="Check", seconds=2, outcome="done"),
        PhaseStarted(at=1002, phase="Pull images", number=2, of=3),
    ]
    for step in range(1, images + 1):
        at = 1002 + step
        events += [
            NodeProgress(
                at=at,
                node="api1",
                text="pulling oz-api",
                done=step * 30_000_000,
                total=480_000_000,
                unit="bytes",
            ),
            NodeProgress(at=at, node="bio1", text="pulling", done=min(step, 2), total=2, unit="images"),
        ]
    events.append(Message(at=1010, level="warning", text="the registry is slow", node="api1"))
    if not end:
        return events
    return [
        *events,
        PhaseEnded(at=1060, phase="Pull images", seconds=58, outcome="done"),
        PhaseStarted(at=1060, phase="Start", number=3, of=3),
        ServiceState(at=1070, node="api1", service="oz-api", state="healthy"),
        *(
            NodeProgress(at=1071, node=name, text="healthy", done=2, total=2, unit="services")
            for name in NODES
        ),
        PhaseEnded(at=1072, phase="Start", seconds=12, outcome="done"),
        RunEnded(at=1072, outcome="done", seconds=72),
    ]
