"""Why a command did not run: the classes of refusal by login and sudo. Pure.

Judged by the marks that came, by how often sudo asked, and by the words of OpenSSH, PAM and sudo in the C
locale. Words that are not known are shown as they are, with a way to see them without oz-install.
"""

from __future__ import annotations

import re

from oz_installer.errors import ConnectError
from oz_installer.frozen import dataclass
from oz_installer.text import safe_line

_LONGEST = 600


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """The evidence: what was printed in place of the command, and how far it came.

    ``command`` is an ssh command that shows the same to the operator. ``question``: what sudo asked, other
    than the password.
    """

    node: str
    user: str
    text: str
    status: int | None
    login_ran: bool
    has_sudo: bool
    prompts: int
    gave_password: bool
    question: str
    command: str


@dataclass(frozen=True, kw_only=True)
class _Words:
    """Words of OpenSSH, PAM or sudo.

    Message and hint have ``{user}`` and the groups of the pattern.
    """

    pattern: str
    message: str
    hint: str


_KNOWN = (
    _Words(
        pattern=r"Please login as the user \"?(?P<other>[\w.-]+)\"? rather than",
        message="{user} may not run commands here; the server says to log in as {other}",
        hint="Set `user: {other}` and `become: sudo` of the node.",
    ),
    _Words(
        pattern=r"must have a tty",
        message="sudo runs nothing for {user} without a terminal (requiretty)",
        hint="Add to /etc/sudoers.d on the node: Defaults:{user} !requiretty",
    ),
    _Words(
        pattern=r"[Aa]ccount (has )?expired|account validation failure",
        message="the account {user} has expired or is locked",
        hint="See `chage -l {user}` as root on the node; `chage -E -1 {user}` removes the date.",
    ),
    _Words(
        pattern=r"[Pp]assword (has |is )?expired|[Pp]assword change required|change your password",
        message="the password of {user} has expired",
        hint="Set a new one: log in as {user} in a terminal, or run `passwd {user}` as root on the node.",
    ),
    _Words(
        pattern=r"This account is currently not available",
        message="{user} has a login shell that runs no commands",
        hint="Give it a shell, as root on the node: chsh -s /bin/bash {user}",
    ),
)
_WRONG = re.compile(r"incorrect password|[Aa]uthentication (failed|failure)|authentication attempts")
_FORBIDDEN = re.compile(r"not in the sudoers|not allowed to|may not run|I'm afraid I can't do that")


def refusal_error(seen: Refusal) -> ConnectError:
    """Return the error for a command that did not run, with a hint."""
    message, hint = _judge(seen)
    return ConnectError(message, hint, node=seen.node)


def known_refusal(text: str, user: str) -> tuple[str, str] | None:
    """Return message and hint for known words of sshd, PAM or sudo; None for others."""
    for words in _KNOWN:
        if found := re.search(words.pattern, text):
            fields = {"user": user, **found.groupdict()}
            return words.message.format_map(fields), words.hint.format_map(fields)
    return None


def _judge(seen: Refusal) -> tuple[str, str]:
    user, told = seen.user, safe_line(seen.text, _LONGEST)
    if not seen.has_sudo:
        return (
            f"sudo is not installed, and {user} is not root",
            "Install sudo, or log in as root with `become: none`.",
        )
    if known := known_refusal(seen.text, user):
        return f"{known[0]}; it said: {told}", known[1]
    if seen.login_ran:
        return _judge_sudo(seen, told)
    ending = "" if seen.status is None else f" (status {seen.status})"
    return (
        f"the login of {user} did not run the command{ending}; it said: {told or 'nothing'}",
        f"Make this work first: {seen.command}",
    )


def _judge_sudo(seen: Refusal, told: str) -> tuple[str, str]:
    user = seen.user
    if _FORBIDDEN.search(seen.text):
        return f"sudo refused {user}: {told}", f"Add to /etc/sudoers.d on the node: {user} ALL=(ALL) ALL"
    if seen.prompts and not seen.gave_password:
        return (
            f"sudo requires a password for {user}",
            "Set `become_password` of the node, or allow NOPASSWD in /etc/sudoers.d.",
        )
    if seen.prompts > 1 or (seen.prompts and _WRONG.search(seen.text)):
        return (
            f"sudo does not accept the password given for {user}",
            "Correct `become_password` of the node.",
        )
    if seen.question:
        return (
            f"sudo asks {user} for something that oz-install cannot answer: {safe_line(seen.question)}",
            f"Let sudo ask for nothing: add to /etc/sudoers.d on the node {user} ALL=(ALL) NOPASSWD: ALL",
        )
    ending = "" if seen.status is None else f" (status {seen.status})"
    return (
        f"sudo did not run the command for {user}{ending}; it said: {told or 'nothing'}",
        f"Make this work first: {seen.command}",
    )
