"""SSH servers on loopback that ask for what a test says, by paramiko's server side."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import paramiko
from paramiko.common import AUTH_FAILED, AUTH_PARTIALLY_SUCCESSFUL, AUTH_SUCCESSFUL, OPEN_SUCCEEDED
from paramiko.server import InteractiveQuery

HOST_KEY = paramiko.ECDSAKey.generate()


@dataclass
class Rules:
    """What a server wants. ``prompts``: rounds of keyboard-interactive, each with its right answers.

    ``factors``: methods that must all succeed, in this order. ``offered``: what it says instead, if anything.
    """

    factors: tuple[str, ...] = ("publickey",)
    prompts: Sequence[tuple[tuple[str, str], ...]] = ()
    password: str = "right"
    keys: tuple[bytes, ...] | None = None
    most_tries: int = 6
    close_after_login: bool = False
    offered: tuple[str, ...] = ()


@dataclass
class Seen:
    """What servers got: keys that were offered, passwords, answers by round, and logins."""

    keys: list[bytes] = field(default_factory=list)
    passwords: list[str] = field(default_factory=list)
    answers: list[list[str]] = field(default_factory=list)
    logins: int = 0


class _Session(paramiko.ServerInterface):
    """One connection."""

    def __init__(self, rules: Rules, seen: Seen) -> None:
        self._rules = rules
        self._seen = seen
        self._left = list(rules.factors)
        self._round = 0
        self._failures = 0
        self._has_key = False
        self._counted = False
        self.transport: paramiko.Transport | None = None

    def get_allowed_auths(self, username: str) -> str:
        left = self._left[1:] if self._has_key else self._left
        return ",".join(self._rules.offered or left[:1])

    def check_auth_none(self, username: str) -> int:
        return AUTH_FAILED

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        self._seen.keys.append(key.asbytes())
        good = self._rules.keys is None or key.asbytes() in self._rules.keys
        if not good or self._left[0] != "publickey":
            return self._judge("publickey", False)
        self._has_key = True  # paramiko asks again when the signature comes
        return self._success(len(self._left) == 1)

    def check_auth_password(self, username: str, password: str) -> int:
        self._seen.passwords.append(password)
        return self._judge("password", password == self._rules.password)

    def check_auth_interactive(self, username: str, submethods: str) -> int | InteractiveQuery:
        self._round = 0
        return self._query()

    def check_auth_interactive_response(self, responses: list[str]) -> int | InteractiveQuery:
        self._seen.answers.append(list(responses))
        wanted = [answer for _prompt, answer in self._rules.prompts[self._round]]
        if responses != wanted:
            return self._judge("keyboard-interactive", False)
        self._round += 1
        if self._round < len(self._rules.prompts):
            return self._query()
        return self._judge("keyboard-interactive", True)

    def _query(self) -> InteractiveQuery:
        query = InteractiveQuery("", "")
        for prompt, _answer in self._rules.prompts[self._round]:
            query.add_prompt(prompt, False)
        return query

    def _judge(self, method: str, good: bool) -> int:
        if self._has_key and method != "publickey":
            self._left.remove("publickey")
            self._has_key = False
        if not good or self._left[:1] != [method]:
            self._failures += 1
            if self._failures >= self._rules.most_tries and self.transport is not None:
                self.transport.close()
            return AUTH_FAILED
        self._left.pop(0)
        return self._success(not self._left)

    def _success(self, whole: bool) -> int:
        if not whole:
            return AUTH_PARTIALLY_SUCCESSFUL
        self._seen.logins += not self._counted
        self._counted = True
        if self._rules.close_after_login and self.transport is not None:
            threading.Timer(0.0, self.transport.close).start()
        return AUTH_SUCCESSFUL

    def check_channel_direct_tcpip_request(
        self, chanid: int, origin: tuple[str, int], destination: tuple[str, int]
    ) -> int:
        threading.Thread(target=self._forward, args=(destination,), daemon=True).start()
        return OPEN_SUCCEEDED

    def _forward(self, destination: tuple[str, int]) -> None:
        assert self.transport is not None
        channel = None
        while channel is None and self.transport.is_active():
            channel = self.transport.accept(60)  # none when another thread was faster
        if channel is None:
            return
        with contextlib.suppress(OSError, EOFError), socket.create_connection(destination, 10) as far:
            for source, sink in ((channel, far), (far, channel)):
                threading.Thread(target=_pump, args=(source, sink), daemon=True).start()
            while self.transport.is_active() and not channel.closed:
                channel.status_event.wait(0.1)


def _pump(source: socket.socket | paramiko.Channel, sink: socket.socket | paramiko.Channel) -> None:
    with contextlib.suppress(OSError, EOFError):
        while data := source.recv(32768):
            sink.sendall(data)
    with contextlib.suppress(OSError, EOFError):
        sink.close()


@dataclass
class LoginServer:
    """A server at 127.0.0.1:port."""

    port: int
    seen: Seen

    def trust(self, path: Path) -> Path:
        """Add its host key to a known_hosts file; the file."""
        with path.open("a") as stream:
            key = f"{HOST_KEY.get_name()} {HOST_KEY.get_base64()}"
            stream.write(f"[127.0.0.1]:{self.port} {key}\n")
        return path


@contextlib.contextmanager
def login_server(rules: Rules) -> Iterator[LoginServer]:
    """A server that follows the rules, for any number of connections."""
    listener = socket.create_server(("127.0.0.1", 0))
    seen = Seen()
    transports: list[paramiko.Transport] = []

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _address = listener.accept()
                transport = paramiko.Transport(connection)
                transports.append(transport)
                transport.add_server_key(HOST_KEY)
                session = _Session(rules, seen)
                session.transport = transport
                with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
                    transport.start_server(threading.Event(), session)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield LoginServer(listener.getsockname()[1], seen)
    finally:
        listener.close()
        for transport in transports:
            transport.close()
