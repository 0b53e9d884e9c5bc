"""The check of the first administrator's password: a short one is a warning."""

from __future__ import annotations

from collections.abc import Iterator

from oz_installer.answers.fields import MIN_PASSWORD_LENGTH, weak_password_advice
from oz_installer.checks.base import InstallationCheck
from oz_installer.checks.context import CheckContext, Finding

PASSWORD = "admin.password"  # noqa: S105 - the answer's key


class AdminPasswordCheck(InstallationCheck[bool]):
    """Warn of a short password.

    The vendor is not known to have a rule, so a good one is no finding."""

    name = "admin"
    title = "Administrator"

    def probe(self, context: CheckContext) -> bool:
        """Return whether the password is short."""
        given = context.secrets.get(PASSWORD)
        return given is not None and weak_password_advice(given.reveal()) is not None

    def judge(self, context: CheckContext, facts: bool) -> Iterator[Finding]:
        """Return at most one finding."""
        del context
        if facts:
            yield self.finding(
                None,
                "warning",
                "the password is short",
                about="password",
                needed=f"{MIN_PASSWORD_LENGTH} characters or more",
                why="Anyone who guesses the password can see and change everything in Oz.",
                hint=f"Set a longer password (answers: {PASSWORD}), leave it out, or accept this.",
            )
