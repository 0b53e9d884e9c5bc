"""The prompts of keyboard-interactive: passwords, and codes of a second factor."""

from __future__ import annotations

import re

from oz_installer.errors import OzError
from oz_installer.remote.ssh.login.messages import LoginMessages, LoginReply
from oz_installer.remote.ssh.login.questions import PromptRefused
from oz_installer.remote.ssh.target import AskCode
from oz_installer.secret import Secret
from oz_installer.text import safe_line

# PAM's prompt for the account's password, and nothing that only contains the word.
_PASSWORD = re.compile(r"(\([^()]*\) ?)?(\S+'s )?password( for \S+)?\s*:?\s*", re.IGNORECASE)
LONGEST_PROMPT = 200
MOST_ROUNDS = 20
ANSWER_SECONDS = 90.0
"""A server may wait for a confirmation on the operator's telephone."""


class PromptAnswers:
    """Answers to prompts. The password answers one prompt for a password, once.

    ``label`` names the server to the operator. ``asked`` counts the questions to the operator.
    """

    def __init__(self, *, label: str, user: str, password: Secret | None, ask_code: AskCode | None) -> None:
        self.label = label
        self.user = user
        self.password = password
        self.ask_code = ask_code
        self.asked = 0
        self.password_sent = False
        self.prompts: list[str] = []

    def exchange(self, login: LoginMessages) -> LoginReply:
        """Run keyboard-interactive once; the reply has no prompts. Raises PromptRefused."""
        limit, login.timeout = login.timeout, ANSWER_SECONDS
        try:
            reply = login.try_interactive()
            for _ in range(MOST_ROUNDS):
                if reply.prompts is None:
                    return reply
                heading = " ".join(filter(None, (reply.title.strip(), reply.instructions.strip())))
                reply = login.answer([self._answer(text, shown, heading) for text, shown in reply.prompts])
        finally:
            login.timeout = limit
        raise PromptRefused(
            f"{self.label} asks more than {MOST_ROUNDS} questions",
            "Log in there with `ssh` to see them; let the login of oz-install ask for fewer.",
        )

    def _answer(self, text: str, shown: bool, heading: str) -> str:
        prompt = safe_line(f"{heading} {text}" if heading else text, LONGEST_PROMPT).strip()
        self.prompts.append(prompt)
        is_password = not shown and is_password_prompt(text)
        if is_password and self.password is not None and not self.password_sent:
            self.password_sent = True
            return self.password.reveal()
        if is_password and self.password is not None:
            raise PromptRefused(
                f"{self.label} does not accept the password",
                f"Check the password of {self.user}, and that sshd allows this user to log in.",
            )
        if self.ask_code is None:
            raise self._nobody(prompt, is_password=is_password)
        self.asked += 1
        try:
            return self.ask_code(f"{self.label}: {prompt.rstrip(': ')}").reveal()
        except (OzError, EOFError):  # cancelled
            raise PromptRefused(
                f"{self.label} asks for a second factor ({prompt}), and none was given",
                "Try again with the code at hand.",
            ) from None

    def _nobody(self, prompt: str, *, is_password: bool) -> PromptRefused:
        if is_password:
            return PromptRefused(
                f"{self.label} asks for a password ({prompt}), and none is given",
                "Set `password` of the node, or run oz-install in a terminal, where it asks.",
            )
        return PromptRefused(
            f"{self.label} asks for a second factor ({prompt}), and there is no terminal to ask on",
            "Run oz-install in a terminal, where it asks for the code. For unattended runs give the server's "
            "sshd a `Match User` block whose AuthenticationMethods is publickey alone.",
        )


def is_password_prompt(text: str) -> bool:
    """Return whether a prompt is for the account's password, not for a code."""
    return _PASSWORD.fullmatch(text.strip()) is not None
