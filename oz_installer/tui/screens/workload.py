"""The workload step: figures, the sizing that follows, and the scenarios to choose from."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content

from oz_installer.answers.sections import Workload
from oz_installer.catalog.sizing import format_number
from oz_installer.tui.messages import JobFinished, Validation
from oz_installer.tui.screens.step_screen import StepScreen
from oz_installer.tui.steps import keys_of
from oz_installer.tui.widgets.cards import Card, Cards
from oz_installer.tui.widgets.form import Form
from oz_installer.tui.widgets.static_text import LiveText

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oz_installer.answers.drafts.working_copy import WorkingCopy
    from oz_installer.catalog.scenario import Layout, Scenario
    from oz_installer.catalog.sizing import Sizing

KEYS = tuple(key for key in keys_of("workload") if key != "scenario")


class WorkloadScreen(StepScreen):
    """Figures, the sizing next to or below them, and the scenarios below both."""

    STEP: ClassVar[str] = "workload"

    def __init__(self) -> None:
        super().__init__()
        self._scenarios: Mapping[str, Scenario] = {}
        self._sized_for: object = None
        self._sizing: Sizing | None = None

    def body(self) -> ComposeResult:
        """Compose questions, sizing and cards."""
        with Horizontal(id="sizing"):
            yield Form(*KEYS, id="figures")
            yield LiveText(id="needs")
        title = LiveText("Scenario", id="scenario-title")
        yield title
        yield Cards("scenario", head=title, id="scenarios")

    def changed(self, working: WorkingCopy, judged: Validation | None) -> None:
        """Compute the sizing again in the background."""
        if not self._scenarios:
            self.start("scenarios", lambda _post, _stop: self.core.scenarios())
        figures = tuple(working.get(key) for key in KEYS)
        if figures != self._sized_for:
            self._sized_for = figures
            asked = Workload(**{key.removeprefix("workload."): working.get(key) for key in KEYS})
            self.start("size", lambda _post, _stop: self.core.size(asked))
        self._show_cards(working, judged)

    def on_resize(self) -> None:
        """Fit the cards after the layout: a higher window has more space between their parts."""
        self.call_after_refresh(self.query_one(Cards).fit)

    def receive(self, report: object) -> None:
        """Handle the scenarios and the sizing."""
        match report:
            case JobFinished(job="scenarios", result=found):
                self._scenarios = found
            case JobFinished(job="size", result=sizing):
                self._sizing = sizing
                self.query_one("#needs", LiveText).set_text(needs_text(sizing))
        self.follow()

    def _show_cards(self, working: WorkingCopy, judged: Validation | None) -> None:
        possible = judged.allowed("scenario") if judged else None
        cards = self.query_one(Cards)
        barred = possible.disabled if possible else {} if judged else cards.barred
        chosen = working.get("scenario")
        advised = self._sizing.scenario if self._sizing else None
        cards.show(
            tuple(scenario_card(one, advised=one.name == advised) for one in self._scenarios.values()),
            chosen=chosen,
            barred=barred,
        )
        seen = "workload" in self.wizard.session.visited
        if judged is None:
            return  # keep the text until the answers are validated
        problem = judged.problem("scenario") if seen or chosen else None
        text = "; ".join(filter(None, (problem.message, problem.hint))) if problem else ""
        note = (f"! {text}", "$text-error") if problem else ("← → choose", "$text-muted")
        self.query_one("#scenario-title", LiveText).set_text(
            Content.assemble(("Scenario", "bold"), "   ", note)
        )


def needs_text(sizing: Sizing) -> Content:
    """Summarise what a workload needs."""
    rows = (
        ("BIO instances", "" if sizing.bio_instances is None else str(sizing.bio_instances)),
        ("Media", "" if sizing.storage_gb is None else f"{format_number(sizing.storage_gb)} GB"),
        ("Scenario", sizing.scenario),
        ("Nodes", "" if sizing.nodes is None else str(sizing.nodes)),
    )
    lines = [
        Content.assemble((f"{name:<15}", "$text-muted"), (value or "-", "bold" if value else "$text-muted"))
        for name, value in rows
    ]
    lines += [Content(""), Content(sizing.reason)]
    lines += [Content.styled(text, "$text-muted") for text in sizing.derived]
    return Content("\n").join(lines)


def scenario_card(scenario: Scenario, *, advised: bool) -> Card:
    """Make a scenario's card; all cards have the same parts."""
    parts = (
        ("Analyses per minute", (scenario.apm,)),
        ("Analyses per month", (scenario.analyses_per_month,)),
        ("Availability", (scenario.ha,)),
        ("Scaling", (scenario.autoscaling,)),
        ("Nodes: cores/GB each", tuple(_sizes(layout) for layout in scenario.layouts) or ("a cluster",)),
        ("Runs on", (scenario.environment,)),
        ("For", scenario.use_cases),
        ("Pros", scenario.pros),
        ("Cons", scenario.cons),
        ("Also needed", scenario.external),
        ("Staff", (scenario.staff,)),
    )
    return Card(name=scenario.name, title=scenario.title, tag="recommended" if advised else "", parts=parts)


def _sizes(layout: Layout) -> str:
    """Return nodes with cores and GB, such as ``4: 8/16, 16/24``."""
    each = dict.fromkeys(f"{node.needs.cpu}/{node.needs.memory}" for node in layout.nodes)
    return f"{len(layout.nodes)}: {', '.join(each)}"
