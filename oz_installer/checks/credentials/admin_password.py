"""The first administrator's password: whether it is soon guessed. It is taken all the same."""

from __future__ import annotations

from collections.abc import Iterator

from oz_installer.answers.fields import MIN_PASSWORD_LENGTH, weak_password_advice
from oz_installer.checks.base import InstallationCheck
from oz_installer.checks.context import CheckContext, Finding

PASSWORD = "admin.password"  # noqa: S105 - the answer's key


class AdminPasswordCheck(InstallationCheck[bool]):
    """Says something only when there is something to say: no rule of the vendor's is known."""

    name = "admin"
    title = "Administrator"

    def probe(self, context: CheckContext) -> bool:
        """Whether the password is short."""
        given = context.secrets.get(PASSWORD)
        return given is not None and weak_password_advice(given.reveal()) is not None

    def judge(self, context: CheckContext, facts: bool) -> Iterator[Finding]:
        """At most one finding."""
        del context
        if facts:
            yield self.finding(
                None,
                "warning",
                "the password is short",
                about="password",
                needed=f"{MIN_PASSWORD_LENGTH} characters or more",
                why="Whoever guesses it can see and change everything in Oz.",
                hint=f"Give a longer one (answers: {PASSWORD}), leave it out, or accept this.",
            )
