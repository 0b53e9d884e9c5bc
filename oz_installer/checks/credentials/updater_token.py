"""The check of the BIO updater's client token.

Only its form is checked; the vendor is not called.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from oz_installer.checks.base import InstallationCheck
from oz_installer.checks.context import CheckContext, Finding, FindingLevel

SHORTEST, LONGEST = 8, 512
"""Bounds of a token's length; inferred, not the vendor's."""

_PLACEHOLDERS = re.compile(
    r"(change[-_ ]?(me|it|this)|(your|my|client|the|insert|enter|put)?[-_ ]*(client)?[-_ ]*token([-_ ]?here)?"
    r"|[x*.?-]+|to[-_ ]?do|tbd|none|null|secret|password|test|example|placeholder|<.*>|\{.*\}|\$\{?\w+\}?)",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class TokenFacts:
    """The problem of the token, never the token itself.

    ``wanted``: the updater needs a token. ``host`` is the update server's URL.
    """

    problem: tuple[FindingLevel, str] | None = None
    wanted: bool = True
    host: str = ""


class UpdaterTokenCheck(InstallationCheck[TokenFacts]):
    """Check the token now: a wrong one shows only hours later, when no models arrive."""

    name = "updater"
    title = "Updater token"

    def probe(self, context: CheckContext) -> TokenFacts:
        """Check the form of the token."""
        if not context.answers.components.bio_updater or "updater.token" not in context.secrets:
            return TokenFacts(wanted=False)
        token, host = context.secrets["updater.token"].reveal(), context.answers.updater.host
        return TokenFacts(problem=token_problem(token), host=host)

    def judge(self, context: CheckContext, facts: TokenFacts) -> Iterator[Finding]:
        """Return findings about the token and its way, if one is wanted."""
        del context
        if not facts.wanted:
            return
        if facts.problem is None:
            seen = "has the form of a token; only the vendor knows whether it is valid"
            yield self.finding(None, "ok", seen, about="token")
        else:
            yield self._bad(*facts.problem)
        if facts.host.startswith("http://"):
            yield self.finding(
                None,
                "warning",
                f"goes unencrypted to {facts.host}",
                about="clear",
                needed="an https:// address of the update server",
                why="Others on the way can read the token and replace the models.",
                hint="Set updater.host to an https:// address, or accept this in a closed network.",
            )

    def _bad(self, level: FindingLevel, seen: str) -> Finding:
        return self.finding(
            None,
            level,
            seen,
            about="token",
            needed="the client token that Oz Forensics gave you, one line",
            why="The vendor would refuse the updater, and the BIO nodes would receive no models.",
            hint="Correct the token (answers: updater.token), set components.bio_updater: false"
            + (", or accept this." if level == "warning" else "."),
        )


def token_problem(token: str) -> tuple[FindingLevel, str] | None:
    """Return what is wrong with a token without showing it; None for a good one."""
    if token != token.strip():
        return "failure", "begins or ends with white space"
    if not token.isprintable():
        return "failure", "contains unprintable characters"
    if _PLACEHOLDERS.fullmatch(token):
        return "failure", "is a placeholder, not a token"
    if any(char.isspace() for char in token):
        return "warning", "contains white space"
    if not SHORTEST <= len(token) <= LONGEST:
        return "warning", f"has {len(token)} characters"
    return None
