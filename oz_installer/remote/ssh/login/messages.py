"""The messages of SSH user authentication (RFC 4252, 4256), on top of paramiko's transport.

paramiko's own handler cannot ask whether a key would do, hides which methods a server offers after a refusal,
and calls back from its own thread. This one takes its place: the calling thread sends and waits. The
transport's thread calls the functions in ``_handler_table``, and ``abort`` when the connection has ended.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from oz_installer.frozen import dataclass
from oz_installer.remote.ssh.paramiko_import import paramiko

if TYPE_CHECKING:
    from paramiko import Message

SERVICE_REQUEST, SERVICE_ACCEPT = 5, 6
REQUEST, FAILURE, SUCCESS, BANNER = 50, 51, 52, 53
KEY_ACCEPTED = INFO_REQUEST = 60
INFO_RESPONSE = 61
SERVICE = "ssh-connection"
MOST_BANNER = 16 << 10
MOST_WAITING = 64
MOST_PROMPTS = 16


@dataclass(frozen=True, kw_only=True)
class LoginReply:
    """A server's reply.

    ``methods`` may continue after a refusal; ``partial``: this step succeeded. ``prompts`` are texts
    with whether the answer may be shown.
    """

    accepted: bool = False
    key_accepted: bool = False
    methods: tuple[str, ...] = ()
    partial: bool = False
    title: str = ""
    instructions: str = ""
    prompts: tuple[tuple[str, bool], ...] | None = None


class LoginMessages:
    """One login on a transport.

    Raises EOFError when the server closes, TimeoutError when it is silent, and SSHException."""

    def __init__(self, transport: paramiko.Transport, user: str, timeout: float) -> None:
        self.user = user
        self.banner: bytes = b""
        self.authenticated = False
        self.timeout = timeout
        self._transport = transport
        self._received: deque[tuple[int, Message]] = deque()
        self._arrived = threading.Condition()
        self._ended = False
        self._handler_table: dict[int, Callable[[Message], None]] = {
            kind: partial(self._receive, kind) for kind in (SERVICE_ACCEPT, FAILURE, SUCCESS, INFO_REQUEST)
        }
        self._handler_table[BANNER] = self._receive_banner
        transport.auth_handler = self  # type: ignore[assignment]

    # --- called by the transport --------------------------------------------------------------------------

    def is_authenticated(self) -> bool:
        """Return whether the login succeeded."""
        return self.authenticated

    def get_username(self) -> str:
        """Return the login name."""
        return self.user

    def abort(self) -> None:
        """Wake the caller up: the connection has ended."""
        with self._arrived:
            self._ended = True
            self._arrived.notify_all()

    def _receive(self, kind: int, message: Message) -> None:
        if kind == SUCCESS:
            self.authenticated = self._transport.authenticated = True
        with self._arrived:
            if len(self._received) == MOST_WAITING:
                raise paramiko.SSHException("more login messages than were asked for")
            self._received.append((kind, message))
            self._arrived.notify_all()

    def _receive_banner(self, message: Message) -> None:
        self.banner = (self.banner + message.get_binary())[:MOST_BANNER]

    # --- called by the login ------------------------------------------------------------------------------

    def begin(self) -> None:
        """Ask for the login service."""
        message = paramiko.Message()
        message.add_byte(bytes([SERVICE_REQUEST]))
        message.add_string("ssh-userauth")
        self._send(message)
        self._wait(SERVICE_ACCEPT)

    def try_none(self) -> LoginReply:
        """Log in with nothing: the reply says which methods the server offers."""
        return self._request("none")

    def try_password(self, password: str) -> LoginReply:
        """Log in with a password."""
        message = self._message("password")
        message.add_boolean(False)
        message.add_string(password)
        return self._exchange(message)

    def try_key(self, algorithm: str, blob: bytes, sign: Callable[[bytes], bytes] | None) -> LoginReply:
        """Log in with a key or certificate; without ``sign`` ask only whether it would do."""
        message = self._message("publickey")
        message.add_boolean(sign is not None)
        message.add_string(algorithm)
        message.add_string(blob)
        if sign is not None:
            signed = paramiko.Message()
            signed.add_string(self._transport.session_id or b"")
            signature = sign(signed.asbytes() + message.asbytes())
            message.add_string(signature)
        return self._exchange(message, key=True)

    def try_interactive(self) -> LoginReply:
        """Begin keyboard-interactive: the reply may have prompts."""
        message = self._message("keyboard-interactive")
        message.add_string("")
        message.add_string("")
        return self._exchange(message)

    def answer(self, answers: list[str]) -> LoginReply:
        """Answer the prompts of keyboard-interactive."""
        message = paramiko.Message()
        message.add_byte(bytes([INFO_RESPONSE]))
        message.add_int(len(answers))
        for text in answers:
            message.add_string(text)
        return self._exchange(message)

    def signature_algorithms(self) -> tuple[str, ...]:
        """Return the algorithms for keys that the server named; empty when it named none."""
        extensions: dict[str, Any] = getattr(self._transport, "server_extensions", {})
        named = extensions.get("server-sig-algs", b"")
        text = named.decode("ascii", "replace") if isinstance(named, bytes) else str(named)
        return tuple(text.split(",")) if text else ()

    def end(self) -> None:
        """Take no more login messages."""
        self._handler_table = {}

    def _request(self, method: str) -> LoginReply:
        return self._exchange(self._message(method))

    def _message(self, method: str) -> Message:
        message = paramiko.Message()
        message.add_byte(bytes([REQUEST]))
        for text in (self.user, SERVICE, method):
            message.add_string(text)
        return message

    def _exchange(self, message: Message, *, key: bool = False) -> LoginReply:
        self._send(message)
        kind, reply = self._wait(FAILURE, SUCCESS, INFO_REQUEST)
        if kind == SUCCESS:
            return LoginReply(accepted=True)
        if kind == FAILURE:
            methods = tuple(_text(reply).split(","))
            return LoginReply(methods=methods, partial=reply.get_boolean())
        return LoginReply(key_accepted=True) if key else _prompts(reply)

    def _send(self, message: Message) -> None:
        if not self._transport.is_active():
            raise EOFError
        self._transport.packetizer.send_message(message)

    def _wait(self, *kinds: int) -> tuple[int, Message]:
        until = time.monotonic() + self.timeout
        with self._arrived:
            while True:
                while self._received:
                    kind, message = self._received.popleft()
                    if kind in kinds:
                        return kind, message
                if self._ended:
                    raise _end_error(self._transport.get_exception())
                if not self._arrived.wait(max(0.0, until - time.monotonic())):
                    raise TimeoutError


def _end_error(error: BaseException | None) -> Exception:
    """Return the error for a connection that has ended, whatever ended paramiko's thread."""
    if error is None or isinstance(error, (paramiko.SSHException, EOFError, OSError)):
        return error or EOFError()
    return paramiko.SSHException(f"{type(error).__name__}: {error}")


def _text(message: Message) -> str:
    return message.get_binary().decode("utf-8", "replace")


def _prompts(message: Message) -> LoginReply:
    title, instructions, _language = _text(message), _text(message), _text(message)
    count = message.get_int()
    if count > MOST_PROMPTS:
        raise paramiko.SSHException(f"the server asks {count} questions at once")
    prompts = tuple((_text(message), message.get_boolean()) for _ in range(count))
    return LoginReply(title=title, instructions=instructions, prompts=prompts)
