"""The wizard's app: session, steps, background validation, drafts and a safe exit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events, on
from textual.app import App
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.screen import Screen
from textual.scrollbar import ScrollBar
from textual.theme import Theme

from oz_installer.tui.controllers.draft_keeper import DraftKeeper
from oz_installer.tui.controllers.exit import STOPPED, ExitController, ExitOutcome
from oz_installer.tui.controllers.files import FileController
from oz_installer.tui.controllers.save_queue import SaveQueue
from oz_installer.tui.controllers.secret_prompt import SecretPrompt
from oz_installer.tui.controllers.validation import ValidationController
from oz_installer.tui.controllers.write_order import WriteOrder
from oz_installer.tui.core import Core
from oz_installer.tui.internals.chunked_screen import apply_theme, copy_size_classes
from oz_installer.tui.internals.crash import CrashSafeApp
from oz_installer.tui.internals.idle_gc import IdleGc
from oz_installer.tui.internals.key_queue import KeyQueueApp
from oz_installer.tui.internals.scrollbars import ThinScrollBars
from oz_installer.tui.internals.switch_interval import short_switch_interval
from oz_installer.tui.jobs import JobMessage, Jobs, use_own_threads
from oz_installer.tui.messages import JobFinished
from oz_installer.tui.screens.load import load_screen
from oz_installer.tui.screens.step_screen import StepScreen
from oz_installer.tui.session import Session
from oz_installer.tui.steps import FIRST, STEPS, step
from oz_installer.tui.themes import DARK, LIGHT
from oz_installer.tui.widgets.answer_widget import question_at

if TYPE_CHECKING:
    from textual.command import Provider

    from oz_installer.answers.drafts.working_copy import WorkingCopy

SMALLEST = (60, 20)
"""Columns and rows that the wizard needs."""

THINKING = 0.1
"""Seconds after the last key before the answers are validated."""


def _commands() -> type[Provider]:
    from oz_installer.tui.palette import PaletteProvider

    return PaletteProvider


class WizardApp(IdleGc, KeyQueueApp[ExitOutcome], CrashSafeApp[ExitOutcome]):
    """The wizard. ``path`` is an answers file to edit, ``start_step`` the step to open."""

    TITLE = "oz-install"
    CSS_PATH = "app.tcss"
    COMMANDS: ClassVar[set[Any]] = {_commands}
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 - Textual's own declaration
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "help", "Help"),
        Binding("f2", "steps", "Steps"),
        Binding("ctrl+s", "save", "Save"),
        Binding("ctrl+t", "theme", "Dark or light"),
        Binding("ctrl+q", "leave", "Quit"),
        Binding("ctrl+c", "interrupt", "Copy, or quit"),
    ]
    ENABLE_COMMAND_PALETTE = True

    def __init__(self, core: Core, path: Path | None = None, start_step: str | None = None) -> None:
        super().__init__()
        self._use_themes(DARK, LIGHT)
        ScrollBar.renderer = ThinScrollBars  # Textual's own way to have them drawn otherwise
        self.core = core
        self.asking = SecretPrompt(self)
        core.ask, core.ask_code = self.asking, self.asking.ask_code
        self.session = Session(path)
        self.jobs = Jobs(self)
        order = WriteOrder()
        self.saves = SaveQueue(self, order)
        self.drafts = DraftKeeper(self, order, self.saves)
        self.files = FileController(self, self.saves, self.drafts)
        self.leaving = ExitController(self)
        self._first, self._start_step = path, start_step
        self._steps: dict[str, StepScreen] = {}
        self.judging = ValidationController(self)

    def _use_themes(self, first: Theme, *others: Theme) -> None:
        """Register the themes and use the first, before the stylesheet is read: it is read once."""
        for theme in (first, *others):
            self.register_theme(theme)
        self.set_reactive(App.theme, first.name)
        self.stylesheet.set_variables(self.get_css_variables())

    async def run_async(self, **options: Any) -> ExitOutcome | None:
        """Run the app with a short thread switch interval, so that threads do not delay keys."""
        with short_switch_interval():
            return await super().run_async(**options)

    # --- what a screen may call -----------------------------------------------------------------------
    def change(self, key: str, value: Any) -> None:
        """Set an answer to a value of its type; None removes it."""
        self.edit(self.session.working.with_value(key, value))

    def edit(self, working: WorkingCopy, *, soon: bool = False) -> None:
        """Replace the answers. ``soon``: a field shows the edit already, the rest may follow later."""
        if working == self.session.working:
            return
        self.session.working = working
        if (step := self.step_screen) is not None:
            step.follow_soon() if soon else step.follow()
        self.judge(after=THINKING)
        self.drafts.draft_soon()

    def go(self, step_id: str, key: str | None = None) -> None:
        """Close dialogs, save a draft and open a step, with the focus on a question if given."""
        while not isinstance(self.screen, StepScreen):
            self.asking.cancel_pending()  # no job waits for the answer of a dialog that has gone
            self.pop_screen()
        here, there = self.screen, self._screen(step_id)
        if there is not here:
            self.session.visited.add(here.STEP)
            self.drafts.draft_now(step_id)
            self._switch(there)
            self._check_size(self.size)
        if key is not None:
            there.call_after_refresh(there.focus_key, key)
        self.judge()

    # --- screens --------------------------------------------------------------------------------------
    @property
    def step_screen(self) -> StepScreen | None:
        """The open step, perhaps below a dialog."""
        return next((one for one in reversed(self.screen_stack) if isinstance(one, StepScreen)), None)

    def catch_up(self) -> None:
        """Do deferred refreshes now, before a key that may go to what appears."""
        if (step := self.step_screen) is not None:
            step.catch_up()

    def get_default_screen(self) -> Screen[Any]:
        """Return the first step for the first frame."""
        return self._screen(FIRST)

    def _screen(self, step_id: str) -> StepScreen:
        if step_id not in self._steps:
            screen = self._steps[step_id] = load_screen(step_id)()
            if step_id != FIRST:
                self.install_screen(screen, f"{step_id}-{id(screen)}")
        return self._steps[step_id]

    def _switch(self, there: StepScreen) -> None:
        """Show a step. The first step stays at the bottom of the stack with at most one other on it."""
        copy_size_classes(there, self.screen)
        if there.STEP == FIRST:
            self.pop_screen()
        elif self.screen is self._steps[FIRST]:
            self.push_screen(there)
        else:
            self.switch_screen(there)

    def start_over(self, step_id: str, key: str | None = None) -> None:
        """Open a step for other answers and drop all screens of the previous ones."""
        old, self._steps = self._steps, {FIRST: self._steps[FIRST]}
        self.go(step_id, key)
        for screen in old.values():
            if screen.STEP != FIRST:
                screen.jobs.stop_all()
                self.uninstall_screen(screen)
                if screen.is_running:
                    screen.remove()

    def stop_jobs(self) -> None:
        """Stop all background jobs."""
        self.asking.end()
        self.jobs.stop_all()
        for screen in self._steps.values():
            screen.jobs.stop_all()

    def on_mount(self) -> None:
        """After the first frame load the rest and read the given answers."""
        use_own_threads()
        if not self.is_headless:
            self.leaving.handle_signals()
        self.call_after_refresh(self._begin)

    def on_unmount(self) -> None:
        """Stop all background work."""
        self.stop_jobs()
        self.stop_idle_gc()

    def _begin(self) -> None:
        self.files.begin_with(self._first, self._start_step)
        self.jobs.start("load", lambda _post, _stop: [load_screen(one.id) for one in STEPS])

    def on_app_focus(self) -> None:
        """Validate again: a missing file may have been created in another window."""
        self.judge()

    def judge(self, after: float = 0.0) -> None:
        """Validate the answers in the background; screens refresh afterwards."""
        self.judging.soon(after)

    @property
    def thinking(self) -> bool:
        """True while the current answers are not validated."""
        return self.judging.under_way

    @on(JobMessage)
    def _handle_job_message(self, message: JobMessage) -> None:
        report = self.jobs.report_of(message)
        match report:
            case JobFinished(job="judge" | "files"):
                self.judging.receive(report)
            case JobFinished(job="load"):
                self.start_idle_gc()
            case _:
                self.files.receive(report)

    # --- keys -----------------------------------------------------------------------------------------
    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 - Textual's
        """Return whether an action is available; in dialogs only help, quit and theme are."""
        return action not in ("steps", "save", "command_palette", "go") or isinstance(self.screen, StepScreen)

    def action_go(self, step_id: str) -> None:
        """Open a step."""
        self.go(step_id)

    def action_help(self) -> None:
        """Explain the step and the focused field, also in a dialog."""
        from oz_installer.tui.dialogs.help import HelpDialog

        here = self.step_screen
        if here is not None:
            inside = self.screen is not here
            self.push_screen(HelpDialog(step(here.STEP), question_at(self.screen.focused), inside=inside))

    def action_steps(self) -> None:
        """Choose a step from a list."""
        from oz_installer.tui.dialogs.steps import StepsDialog

        here = self.step_screen
        states = {one.id: self.session.state(one.id, here.STEP if here else "") for one in STEPS}
        self.push_screen(StepsDialog(states), lambda chosen: self.go(chosen) if chosen else None)

    def action_save(self) -> None:
        """Write the answers file."""
        self.saves.save()

    def action_theme(self) -> None:
        """Switch between the dark and the light theme."""
        self.theme = LIGHT.name if self.theme == DARK.name else DARK.name

    def refresh_css(self, animate: bool = True) -> None:
        """Apply the theme to all screens in pieces."""
        apply_theme(self, animate=animate)

    def action_interrupt(self) -> None:
        """Quit on Ctrl-C; a field with a selection copies that instead."""
        self.leaving.leave(STOPPED)

    async def action_quit(self) -> None:
        """Route Textual's own quit through the exit controller, after all input."""
        (self.screen.focused or self).call_later(self.leaving.leave, 0)

    def action_leave(self) -> None:
        """Quit; ask first while an installation is running."""
        self.leaving.leave(0)

    def on_resize(self, event: events.Resize) -> None:
        """Show a notice while the window is too small."""
        self._check_size(event.size)

    def _check_size(self, size: Size) -> None:
        small = size.width < SMALLEST[0] or size.height < SMALLEST[1]
        if small or self.screen.has_class("too-small"):
            from oz_installer.tui.dialogs.too_small import show_size_notice

            show_size_notice(self, small, SMALLEST)

    def export_screenshot(self, *, title: str | None = None, simplify: bool = False) -> str:
        """Export a picture of the screen with all passwords masked."""
        from oz_installer.tui.widgets.secret_field import SecretField

        for field in self.screen.query(SecretField).results(SecretField):
            field.reveal(False)
        return super().export_screenshot(title=title, simplify=simplify)

    def save_in_crash(self) -> None:
        """Keep the answers as a draft."""
        self.drafts.draft_in_a_fault()
