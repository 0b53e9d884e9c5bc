"""The access step: public address, first account, licences, updater, registry and images."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Static

from oz_installer.answers.questions import sections
from oz_installer.tui.messages import JobFinished
from oz_installer.tui.screens.step_screen import StepScreen
from oz_installer.tui.steps import keys_of, step
from oz_installer.tui.widgets.button import FlatButton
from oz_installer.tui.widgets.form import Form
from oz_installer.tui.widgets.menu import Item

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from oz_installer.answers.drafts.working_copy import WorkingCopy
    from oz_installer.catalog.release import Release
    from oz_installer.tui.messages import Validation


@cache
def _groups() -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    """Return section, heading and keys in the order of the step; unknown sections come last."""
    keys = keys_of("access")
    labels = {section.key: section.label for section in sections()}
    order = step("access").owns
    parts = dict.fromkeys(order)
    parts |= dict.fromkeys(key.partition(".")[0] for key in keys)
    return tuple(
        (part, labels.get(part, ""), tuple(key for key in keys if key.partition(".")[0] == part))
        for part in parts
    )


class AccessScreen(StepScreen):
    """Groups of questions; those that do not apply to this installation are hidden."""

    STEP: ClassVar[str] = "access"

    def __init__(self) -> None:
        super().__init__()
        self._wrong: set[str] = set()
        """Hidden questions that had problems in the last validation."""
        self._releases: Sequence[Release] = ()
        self._apis: int | None = None
        self._looked_at: object = None

    def body(self) -> ComposeResult:
        """Compose the groups."""
        for part, heading, keys in _groups():
            if heading:
                yield Static(heading, classes="heading", id=f"heading-{part}", markup=False)
            yield Form(*keys, id=f"form-{part}")
            if part == "images":
                with Horizontal(classes="actions", id="image-actions"):
                    yield FlatButton("Choose an image", id="image", action="choose_image")

    # --- what is shown --------------------------------------------------------------------------------
    def changed(self, working: WorkingCopy, judged: Validation | None) -> None:
        """Show and hide groups; read the catalogue once."""
        if not self._releases and not self.jobs.running("releases"):
            self.start("releases", lambda _post, _stop: self.core.releases())
        asked = (working.values.get("nodes"), working.get("scenario"))
        if asked != self._looked_at:
            self._looked_at, core = asked, self.core
            self.start("roles", lambda _post, _stop: len(core.role_assignment(working).api_nodes))
        hidden = self._unasked(working)
        if judged is not None:
            self._wrong = {key for key in hidden if judged.problem(key)}
        for part, heading, keys in _groups():
            shown = [key for key in keys if key not in hidden or working.is_given(key) or key in self._wrong]
            if heading:
                self.query_one(f"#heading-{part}").display = bool(shown)
            for field in self.query_one(f"#form-{part}", Form).fields:
                field.display = field.key in shown

    def _unasked(self, working: WorkingCopy) -> frozenset[str]:
        """Return the questions about parts that this installation does not have."""
        hidden: set[str] = set()
        if self._apis is not None and self._apis < 2:
            hidden |= {key for key in keys_of("access") if key.startswith("load_balancer.")}
        if working.get("load_balancer.type") != "node":
            hidden.add("load_balancer.node")
        if not working.get("components.bio_updater"):
            hidden |= {key for key in keys_of("access") if key.startswith("updater.")}
        if not working.get("components.web_adapter"):
            hidden.add("license.web_adapter")
        return frozenset(hidden)

    def receive(self, report: object) -> None:
        """Handle the releases and the number of api nodes."""
        match report:
            case JobFinished(job="releases", result=found):
                self._releases = found
            case JobFinished(job="roles", result=count):
                self._apis = count
        self.follow()

    # --- images ---------------------------------------------------------------------------------------
    @property
    def _images(self) -> Mapping[str, str]:
        """The release's images by name."""
        wanted = self.working.get("release")
        return next((one.images for one in self._releases if one.name == wanted), {})

    @on(FlatButton.Pressed, "#image")
    def _choose_pressed(self, event: FlatButton.Pressed) -> None:
        event.stop()
        self.action_choose_image()

    def action_choose_image(self) -> None:
        """Choose an image and add its line, with the release's own reference, for editing."""
        from oz_installer.tui.dialogs.pick import PickOne

        if "images" in self.working.texts:
            self.show_status("Fix the lines of images first.", "-warning")
            return
        given: Mapping[str, str] = self.working.get("images") or {}
        items = [
            Item(id=key, label=key, about=image, barred="already in the list" if key in given else "")
            for key, image in self._images.items()
        ]
        self.app.push_screen(PickOne("Choose an image of the release", items), self._add_image)

    def _add_image(self, name: str | None) -> None:
        if name is not None:
            given = self.working.get("images") or {}
            self.wizard.change("images", {**given, name: self._images[name]})
            self.focus_key("images")
            self.call_after_refresh(self._to_the_end)

    def _to_the_end(self) -> None:
        """Move the cursor to the new last line."""
        from textual.widgets import TextArea

        for area in self.query_one("#form-images").query(TextArea):
            area.move_cursor(area.document.end)
