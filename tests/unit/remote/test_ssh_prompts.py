"""SECOND-FACTOR: which prompt gets the password, which is asked, and which is refused; shared jump hosts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, cast

import pytest

from oz_installer.errors import AnswersError, ConnectError
from oz_installer.installation.nodes.connection_pool import ConnectionPool
from oz_installer.remote.ssh.keepalive import KeepaliveTransport
from oz_installer.remote.ssh.login import shared_links
from oz_installer.remote.ssh.login.interactive import PromptAnswers, is_password_prompt
from oz_installer.remote.ssh.login.messages import LoginMessages, LoginReply
from oz_installer.remote.ssh.login.questions import ask_one, asking_seconds
from oz_installer.secret import Secret

PASSWORD = Secret("cAnary")


@pytest.mark.parametrize(
    "text",
    ["Password:", "Password: ", "password", "(root@node) Password:", "root's password: ", "Password for me:"],
)
def test_password_prompts(text: str) -> None:
    assert is_password_prompt(text)


@pytest.mark.parametrize(
    "text",
    [
        "Verification code: ",
        "One-time password (OATH) for `root': ",
        "One-time password: ",
        "Password & verification code: ",
        "New password: ",
        "Current password: ",
        "Retype new password: ",
        "Passcode or option (1-2): ",
        "OTP: ",
        "",
        "Your password will expire. Enter PIN:",
    ],
)
def test_other_prompts(text: str) -> None:
    assert not is_password_prompt(text)


class Server:
    """The server's side of keyboard-interactive: rounds of prompts, then a reply."""

    def __init__(self, *rounds: tuple[str, ...], title: str = "", last: LoginReply | None = None) -> None:
        self.timeout = 15.0
        self.received: list[list[str]] = []
        self._title = title
        self._rounds = list(rounds)
        self._last = last or LoginReply(accepted=True)

    def try_interactive(self) -> LoginReply:
        return self._next()

    def answer(self, answers: list[str]) -> LoginReply:
        self.received.append(answers)
        return self._next()

    def _next(self) -> LoginReply:
        if not self._rounds:
            return self._last
        return LoginReply(title=self._title, prompts=tuple((text, False) for text in self._rounds.pop(0)))


def log_in(
    server: Server, password: Secret | None = None, ask: Callable[[str], Secret] | None = None
) -> PromptAnswers:
    answers = PromptAnswers(label="root@n1", user="root", password=password, ask_code=ask)
    answers.exchange(cast("LoginMessages", server))
    return answers


def test_the_password_answers_a_password_prompt_and_the_operator_the_code() -> None:
    asked: list[str] = []

    def ask(label: str) -> Secret:
        asked.append(label)
        return Secret(f"code{len(asked)}")

    server = Server(("Password: ",), ("Verification code: ",), (), title="Two\x1b]0;x\x07 steps")
    log_in(server, PASSWORD, ask)
    assert server.received == [["cAnary"], ["code1"], []]
    assert [label.isprintable() for label in asked] == [True]
    assert asked[0].startswith("root@n1: Two")
    assert asked[0].endswith("Verification code")


@pytest.mark.parametrize("prompt", ["Verification code: ", "One-time password: ", "PIN:"])
def test_a_password_is_never_sent_as_a_code(prompt: str) -> None:
    server = Server((prompt,))
    with pytest.raises(ConnectError, match="second factor") as caught:
        log_in(server, PASSWORD)
    assert "there is no terminal" in caught.value.message
    assert "in a terminal" in caught.value.hint
    assert server.received == []


def test_a_refused_password_is_not_sent_twice() -> None:
    server = Server(("Password: ",), ("Password: ",))
    with pytest.raises(ConnectError, match="does not accept the password"):
        log_in(server, PASSWORD, lambda _label: Secret("never"))
    assert server.received == [["cAnary"]]


def test_a_prompt_that_is_cancelled_is_an_error_of_the_connection() -> None:
    def cancel(_label: str) -> Secret:
        raise AnswersError("not given")

    with pytest.raises(ConnectError, match="none was given"):
        log_in(Server(("Code:",)), None, cancel)


def test_a_server_that_asks_for_ever_is_left() -> None:
    with pytest.raises(ConnectError, match="more than 20 questions"):
        log_in(Server(*[("Code:",)] * 30), None, lambda _label: Secret("1"))


def test_questions_come_one_at_a_time_and_do_not_count_as_patience() -> None:
    begun, answered = threading.Event(), threading.Event()
    open_now: list[str] = []
    most: list[int] = []

    def ask(label: str) -> Secret:
        open_now.append(label)
        most.append(len(open_now))
        begun.set()
        assert answered.wait(60)
        open_now.remove(label)
        return Secret(label)

    def open_node(name: str) -> Any:
        ask_one(ask, name)
        return name

    before = asking_seconds()
    pool = ConnectionPool(open_node, patience=0.2)
    results: dict[str, Future[Any]] = {name: Future() for name in ("n1", "n2")}

    def fill(name: str) -> None:
        try:
            results[name].set_result(pool(name))
        except BaseException as error:  # noqa: BLE001 - the test sees it
            results[name].set_exception(error)

    for name in results:
        threading.Thread(target=fill, args=(name,), daemon=True).start()
    assert begun.wait(60)
    until = time.monotonic() + 60
    while asking_seconds() - before < 0.5:  # longer than the patience
        assert time.monotonic() < until
        threading.Event().wait(0.05)
    answered.set()
    assert {name: future.result(60) for name, future in results.items()} == {"n1": "n1", "n2": "n2"}
    assert max(most) == 1
    assert asking_seconds() - before >= 0.5


class Link:
    """A connection that lives until it is closed."""

    def __init__(self) -> None:
        self.alive = True

    def is_active(self) -> bool:
        return self.alive


def link() -> KeepaliveTransport:
    return cast("KeepaliveTransport", Link())


def test_a_jump_host_that_asks_is_asked_by_one_login_only() -> None:
    route = ("jump-of-this-test",)
    asked: list[str] = []
    shared = link()

    def ask(label: str) -> Secret:
        asked.append(label)
        return Secret("1")

    inside, go_on = threading.Event(), threading.Event()

    def first() -> None:
        with shared_links.turn(route, ask) as ask_in_turn:
            ask_in_turn("code")
            inside.set()
            assert go_on.wait(60)
            ask_in_turn("second question of the same login")
            shared_links.share(route, shared, ())

    thread = threading.Thread(target=first, daemon=True)
    thread.start()
    assert inside.wait(60)
    threading.Timer(0.1, go_on.set).start()
    with pytest.raises(shared_links.SharedInstead), shared_links.turn(route, ask) as ask_in_turn:
        ask_in_turn("code")
    thread.join(60)
    assert asked == ["code", "second question of the same login"]
    assert shared_links.take(route) is shared
    assert shared_links.release(shared) == ()
    assert shared_links.release(shared) == (shared,)
    assert shared_links.take(route) is None


def test_what_a_shared_connection_runs_through_lives_as_long() -> None:
    below, shared = link(), link()
    shared_links.share(("a", "b"), shared, (below,))
    assert shared_links.take(("a", "b")) is shared
    assert shared_links.release(shared) == ()
    assert shared_links.release(below) == ()
    assert shared_links.release(shared) == (shared, below)
    assert shared_links.release(below) == (below,)


def test_a_shared_connection_that_is_lost_is_not_taken() -> None:
    shared = link()
    shared_links.share(("lost",), shared, ())
    cast("Any", shared).alive = False
    assert shared_links.take(("lost",)) is None
    shared_links.release(shared)
