"""The BIO updater's client token: whether it looks like one. Only its form can be told here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from oz_installer.checks.base import InstallationCheck
from oz_installer.checks.context import CheckContext, Finding, Level

SHORTEST, LONGEST = 8, 512
"""Inferred: what a token's length may be."""

_PLACEHOLDERS = re.compile(
    r"(change[-_ ]?(me|it|this)|(your|my|client|the|insert|enter|put)?[-_ ]*(client)?[-_ ]*token([-_ ]?here)?"
    r"|[x*.?-]+|to[-_ ]?do|tbd|none|null|secret|password|test|example|placeholder|<.*>|\{.*\}|\$\{?\w+\}?)",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class TokenFacts:
    """What is wrong with the token, never the token itself; None: no updater asks for one."""

    fault: tuple[Level, str] | None = None
    wanted: bool = True


class UpdaterTokenCheck(InstallationCheck[TokenFacts]):
    """A wrong token shows only hours later, when no models come."""

    name = "updater"
    title = "Updater token"

    def probe(self, context: CheckContext) -> TokenFacts:
        """Look at it here; the vendor is not asked."""
        if not context.answers.components.bio_updater or "updater.token" not in context.secrets:
            return TokenFacts(wanted=False)
        return TokenFacts(fault=token_problem(context.secrets["updater.token"].reveal()))

    def judge(self, context: CheckContext, facts: TokenFacts) -> Iterator[Finding]:
        """One finding."""
        del context
        if not facts.wanted:
            return
        if facts.fault is None:
            seen = "looks like one; whether it is valid, only the vendor knows"
            yield self.finding(None, "ok", seen, about="token")
            return
        level, seen = facts.fault
        yield self.finding(
            None,
            level,
            seen,
            about="token",
            needed="the client token that Oz Forensics gave you, one line",
            why="The updater would be refused, and no models would come to the BIO nodes.",
            hint="Correct it (answers: updater.token), switch components.bio_updater off"
            + (", or accept this." if level == "warning" else "."),
        )


def token_problem(token: str) -> tuple[Level, str] | None:
    """What is wrong with a token, in words that do not show it; None when nothing is."""
    if token != token.strip():
        return "failure", "begins or ends with white space"
    if not token.isprintable():
        return "failure", "holds characters that do not print"
    if _PLACEHOLDERS.fullmatch(token):
        return "failure", "is a placeholder, not a token"
    if any(char.isspace() for char in token):
        return "warning", "holds white space"
    if not SHORTEST <= len(token) <= LONGEST:
        return "warning", f"has {len(token)} characters"
    return None
