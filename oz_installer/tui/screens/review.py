"""The review step: topology, files, changes, and the answers as they will be written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal

from oz_installer.tui.controllers.install_jobs import JobStage, PlanReady, compare
from oz_installer.tui.messages import JobFailed, JobFinished, Validation
from oz_installer.tui.screens.step_screen import StepScreen
from oz_installer.tui.views.rows import failure_rows, file_rows, plain_rows, problem_rows, yaml_rows
from oz_installer.tui.views.styled_rows import MeasuredRows
from oz_installer.tui.widgets.button import FlatButton
from oz_installer.tui.widgets.choice import Option
from oz_installer.tui.widgets.row_list import RowList
from oz_installer.tui.widgets.tabs import Tabs

if TYPE_CHECKING:
    from oz_installer.answers.drafts.working_copy import WorkingCopy
    from oz_installer.topology.model import Topology
    from oz_installer.tui.core import AdviceApi

TABS = (
    Option(value="picture", label="Topology"),
    Option(value="files", label="Files"),
    Option(value="changes", label="Changes"),
    Option(value="yaml", label="Answers"),
)
NOT_COMPARED = (
    "«Compare» connects to the nodes and shows what would",
    "change: files with their differences, services that",
    "restart, images to pull. It changes nothing.",
)
STALE = "The answers have changed since; compare again."


@dataclass(frozen=True, kw_only=True)
class ReviewContent:
    """Everything that is drawn from one state of the answers."""

    topology: Topology | None
    picture: MeasuredRows
    files: Mapping[str, Mapping[str, str]]
    yaml: MeasuredRows


class ReviewScreen(StepScreen):
    """Tabs with their panes, and actions."""

    STEP: ClassVar[str] = "review"

    def __init__(self) -> None:
        super().__init__()
        self._drawn: ReviewContent | None = None
        self._drawn_for: tuple[WorkingCopy, int] | None = None
        self._compared_for: WorkingCopy | None = None
        self._file_paths: tuple[tuple[str, str], ...] = ()

    def body(self) -> ComposeResult:
        """Compose the tabs and their panes; only the pane of the open tab is displayed."""
        yield Tabs(TABS, on_change=self._open, id="tabs")
        yield RowList(id="picture")
        with Horizontal(id="files"):
            yield RowList(pick=True, id="file-list")
            yield RowList(id="file-text")
        yield RowList(id="changes")
        yield RowList(id="yaml")
        with Horizontal(classes="actions"):
            yield FlatButton("Compare", id="compare")
            yield FlatButton("Save as", id="save-as")
            yield FlatButton("Export SVG", id="export")

    def on_mount(self) -> None:
        """Open the topology first."""
        self.query_one("#changes", RowList).show([(line, "muted") for line in NOT_COMPARED])
        self._open("picture")

    def _open(self, tab: str) -> None:
        self.query_one(Tabs).open(tab)
        for one in TABS:
            self.query_one(f"#{one.value}").display = one.value == tab

    # --- what follows from the answers ----------------------------------------------------------------
    def changed(self, working: WorkingCopy, judged: Validation | None) -> None:
        """Draw again in the background when the answers or the width have changed."""
        width = self._width()
        if self._drawn_for != (working, width):
            self._drawn_for = (working, width)
            core = self.core
            self.start("draw", lambda _post, _stop: draw(core, working, width))
        if judged is not None and self._drawn is not None and self._drawn.topology is None:
            for name in ("picture", "file-text"):
                self.query_one(f"#{name}", RowList).show(problem_rows(judged.problems, width))
        if self._is_stale and not self.jobs.running("compare"):
            self.query_one("#changes", RowList).show([(STALE, "warning")])

    @property
    def _is_stale(self) -> bool:
        return self._compared_for is not None and self._compared_for != self.working

    def on_resize(self) -> None:
        """Draw at the new width."""
        self.call_after_refresh(self.follow)

    def _width(self) -> int:
        return min(max(self.query_one("#body").size.width - 1, 72), 100)

    def receive(self, report: object) -> None:
        """Handle the results of drawing, comparing and exporting."""
        changes = self.query_one("#changes", RowList)
        match report:
            case JobFinished(job="draw", result=ReviewContent() as drawn):
                self._show(drawn)
            case JobStage(text=text):
                self.show_status(text)
                changes.show([(text, "muted")], top=True)
            case JobFinished(job="compare") if self._is_stale:
                changes.show([(STALE, "warning")], top=True)
                self.show_status(STALE, "-warning")
            case JobFinished(job="compare", result=PlanReady() as compared):
                changes.show(compared.sheet, top=True)
                self.show_status(compared.total, "-good")
            case JobFailed(job="compare", message=message, hint=hint, details=details):
                self.wizard.asking.forget()
                changes.show(failure_rows(message, hint, details, self._width()), top=True)
                self.show_status(f"error: {message}", "-bad")
            case JobFinished(job="export", result=path):
                self.show_status(f"Topology exported to {path}.", "-good")
            case JobFailed(message=message, hint=hint):
                self.show_status(f"error: {message}. {hint}", "-bad")

    def _show(self, drawn: ReviewContent) -> None:
        self._drawn = drawn
        self.query_one("#picture", RowList).show(drawn.picture)
        self.query_one("#yaml", RowList).show(drawn.yaml)
        rows = file_rows(drawn.files)
        self._file_paths = tuple(node_and_path for _, node_and_path in rows)
        files = self.query_one("#file-list", RowList)
        files.show([row for row, _ in rows])
        if files.cursor == 0 and len(rows) > 1:
            files.put_cursor(1)
        self._show_file(files.cursor)
        self.query_one("#export", FlatButton).disabled = drawn.topology is None
        self.query_one("#compare", FlatButton).disabled = drawn.topology is None
        self.follow()

    @on(RowList.Moved, "#file-list")
    def _file_chosen(self, event: RowList.Moved) -> None:
        event.stop()
        self._show_file(event.index)

    def _show_file(self, index: int) -> None:
        if self._drawn is None or index >= len(self._file_paths):
            return
        node, path = self._file_paths[index]
        files = self._drawn.files[node]
        count = (f"{len(files)} files of {node}; secrets are masked.", "muted")
        rows = yaml_rows(files[path]) if path else (count,)
        self.query_one("#file-text", RowList).show(rows, top=True)

    # --- actions --------------------------------------------------------------------------------------
    @on(FlatButton.Pressed, "#compare")
    def _compare_pressed(self, event: FlatButton.Pressed) -> None:
        event.stop()
        if self.refused():
            return
        self._open("changes")
        self.from_memory(self._compare)

    def _compare(self) -> None:
        core, path, unsaved = self.core, self.wizard.session.path, self.unsaved()
        self._compared_for = self.working
        self.start("compare", lambda post, stop: compare(core, path, unsaved, post, stop))

    @on(FlatButton.Pressed, "#save-as")
    def _save_pressed(self, event: FlatButton.Pressed) -> None:
        event.stop()
        self.wizard.saves.save_elsewhere()

    @on(FlatButton.Pressed, "#export")
    def _export_pressed(self, event: FlatButton.Pressed) -> None:
        event.stop()
        from oz_installer.tui.dialogs.export import ExportDialog

        dialog = ExportDialog(self.wizard.session.path.with_suffix(".svg"))
        self.app.push_screen(dialog, lambda path: self._export(path) if path else None)

    def _export(self, path: Path) -> None:
        core, topology = self.core, self._drawn.topology if self._drawn else None
        if topology is None:
            return

        def job(_post: object, _stop: object) -> Path:
            core.write_svg(topology, path)
            return path

        self.start("export", job)


def draw(core: AdviceApi, working: WorkingCopy, width: int) -> ReviewContent:
    """Draw everything that the review shows of these answers."""
    from oz_installer.topology.drawing.diagram import draw as picture

    topology = core.topology(working)
    return ReviewContent(
        topology=topology,
        picture=MeasuredRows.of(plain_rows(picture(topology, width)) if topology else ()),
        files=core.bundles(working) if topology else {},
        yaml=MeasuredRows.of(yaml_rows(working.yaml(masked=True))),
    )
