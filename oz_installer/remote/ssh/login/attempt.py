"""One login in progress: keys, password and keyboard-interactive, one or several of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from oz_installer.frozen import dataclass
from oz_installer.remote.ssh.config import SshEndpoint
from oz_installer.remote.ssh.login.key_files import AgentFailure
from oz_installer.remote.ssh.login.key_offers import KeyOffer, KeyRing, key_algorithm, signature_algorithm
from oz_installer.remote.ssh.login.messages import LoginMessages, LoginReply
from oz_installer.remote.ssh.target import AskCode, AskSecret
from oz_installer.secret import Secret

if TYPE_CHECKING:
    from oz_installer.remote.ssh.login.interactive import PromptAnswers

# sshd's MaxAuthTries is 6: leave one for a password, then go on
MOST_KEYS = 5
MOST_ROUNDS = 3


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """The operator's credentials; ``key_file`` is tried first.

    ``ask_secret`` may answer from memory, ``ask_code`` never does."""

    key_file: Path | None = None
    key_passphrase: Secret | None = None
    password: Secret | None = None
    ask_secret: AskSecret | None = None
    ask_code: AskCode | None = None


class LoginAttempt:
    """A login in progress: what was ``tried``, what ``passed`` as one factor of several.

    ``methods`` are those that the server offers now; None until it has said so."""

    def __init__(self, messages: LoginMessages, endpoint: SshEndpoint, credentials: Credentials) -> None:
        self.messages = messages
        self.endpoint = endpoint
        self.credentials = credentials
        self.tried: list[str] = []
        self.passed: list[str] = []
        self.methods: tuple[str, ...] | None = None
        self.keys = 0
        self.rounds = 0
        self.prompts: PromptAnswers | None = None
        self._offers: Iterator[KeyOffer] | None = None
        self._password_tried = False

    def run(self) -> bool:
        """Try everything in turn; return whether the server let us in. Raises PromptRefused."""
        given = self.credentials
        keys = KeyRing(self.endpoint, given.key_file, given.key_passphrase, given.ask_secret)
        self._offers = keys.offers()
        while True:
            if self._has_keys() and not self._keeps_a_try():
                reply = self._next_key()
            elif self._may("password") and self._has_password():
                reply = self._by_password()
            elif self._may("keyboard-interactive") and self._has_answers():
                reply = self._by_prompts()
            elif self._has_keys():
                reply = self._next_key()
            elif self.methods is None:
                reply = self.messages.try_none()
            else:
                return False
            if reply is not None and reply.accepted:
                return True
            if reply is not None and not reply.key_accepted:
                self.methods = reply.methods

    @property
    def asked(self) -> int:
        """The number of questions to the operator."""
        return self.prompts.asked if self.prompts else 0

    # --- keys ---------------------------------------------------------------------------------------------

    def _has_keys(self) -> bool:
        allowed = "publickey" in self.endpoint.methods or self.credentials.key_file is not None
        return self._offers is not None and allowed and (self.methods is None or "publickey" in self.methods)

    def _keeps_a_try(self) -> bool:
        """Return whether the next try is kept for the password: sshd allows few failures."""
        ways = self._may("password") or self._may("keyboard-interactive")
        return self.keys >= MOST_KEYS and ways and self._has_password()

    def _next_key(self) -> LoginReply | None:
        offer = next(self._offers, None) if self._offers is not None else None
        if offer is None:
            self._offers = None
            return None
        if offer.sign is None:
            self.tried.append(offer.label)
            return None
        algorithm = signature_algorithm(offer.blob, self.messages.signature_algorithms())
        if algorithm is None:
            self.tried.append(f"{offer.label} (the server takes RSA with SHA-1 only)")
            return None
        self.keys += 1
        self.tried.append(offer.label)
        return self._offer(offer, algorithm)

    def _offer(self, offer: KeyOffer, algorithm: str) -> LoginReply | None:
        sign, name = offer.sign, key_algorithm(offer.blob, algorithm)
        assert sign is not None  # noqa: S101 - the caller has looked
        if offer.ask_first:
            reply = self.messages.try_key(name, offer.blob, None)
            if not reply.key_accepted:
                return reply
        try:
            reply = self.messages.try_key(name, offer.blob, lambda data: sign(data, algorithm))
        except AgentFailure:
            self.tried[-1] = f"{offer.label} (ssh-agent did not sign)"
            return None
        return self._passed(reply, offer.label)

    # --- password and prompts -----------------------------------------------------------------------------

    def _may(self, method: str) -> bool:
        """Return whether the server offers a method that the configuration allows."""
        given = self.credentials.password is not None
        return (
            self.methods is not None and method in self.methods and (method in self.endpoint.methods or given)
        )

    def _has_password(self) -> bool:
        if self._password_tried or (self.prompts and self.prompts.password_sent):
            return False
        asked = self.credentials.ask_secret or (self.passed and self.credentials.ask_code)
        return self.credentials.password is not None or bool(asked)

    def _password(self) -> Secret:
        given, label = self.credentials, f"Password of {self.endpoint.label}"
        if given.password is not None:
            return given.password
        if given.ask_secret is not None:
            return given.ask_secret(label)
        assert given.ask_code is not None  # noqa: S101 - the caller has looked
        return given.ask_code(label)

    def _by_password(self) -> LoginReply:
        self._password_tried = True
        password = self._password()
        self.tried.append("password")
        return self._passed(self.messages.try_password(password.reveal()), "password")

    def _has_answers(self) -> bool:
        """Return whether answering prompts may help; a key that was refused is the usual fault."""
        if self.rounds and (self.rounds >= MOST_ROUNDS or self.asked < self.rounds):
            return False
        only = "publickey" not in (self.methods or ()) or not self.tried
        return bool(self.passed) or self._has_password() or (only and not self._password_tried)

    def _by_prompts(self) -> LoginReply:
        from oz_installer.remote.ssh.login.interactive import PromptAnswers

        self.rounds += 1
        given, password = self.credentials, None
        if not self._password_tried:  # else it was sent already
            password = self._password() if given.ask_secret and not self.passed else given.password
        self.prompts = self.prompts or PromptAnswers(
            label=self.endpoint.label, user=self.endpoint.user, password=password, ask_code=given.ask_code
        )
        reply = self.prompts.exchange(self.messages)
        by_password = self.prompts.password_sent and not self.asked
        self.tried.append("password" if by_password else "prompts")
        return self._passed(reply, "keyboard-interactive")

    def _passed(self, reply: LoginReply, what: str) -> LoginReply:
        if reply.partial:
            self.passed.append(what)
        return reply
