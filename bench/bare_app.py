"""The least that Textual can show: what the wizard's first paint is compared with."""

from textual.app import App, ComposeResult
from textual.widgets import Static


class BareApp(App[None]):
    """One text."""

    def compose(self) -> ComposeResult:
        """The text."""
        yield Static("Nothing but Textual")


if __name__ == "__main__":
    BareApp().run()
