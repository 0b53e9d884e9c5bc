"""Logins against servers that want one factor or several, with keys, agents and jump hosts."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import paramiko
import pytest

from oz_installer.errors import ConnectError
from oz_installer.remote.ssh.openssh import home as openssh_home
from oz_installer.remote.ssh.transport import SshTarget, SshTransport, connect
from oz_installer.secret import Secret
from tests.unit.remote.login_server import LoginServer, Rules, login_server

CODE = (("Verification code: ", "123456"),)
BOTH = ("publickey", "keyboard-interactive")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home without an agent."""
    (tmp_path / ".ssh").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.setattr(openssh_home, "SYSTEM_CONFIG", tmp_path / "none" / "ssh_config")
    return tmp_path


def make_key(path: Path, passphrase: str = "", kind: str = "ed25519") -> Path:
    subprocess.run(
        ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", path.name, "-f", str(path)], check=True
    )
    return path


def blob(key: Path) -> bytes:
    import base64

    return base64.b64decode(key.with_name(f"{key.name}.pub").read_text().split()[1])


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], None]]:
    """An ssh-agent; the function adds a key to it."""
    path = tmp_path / "agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", str(path)], stdout=subprocess.DEVNULL)
    waited = threading.Event()
    for _ in range(600):
        if path.exists():
            break
        waited.wait(0.05)
    monkeypatch.setenv("SSH_AUTH_SOCK", str(path))

    def add(key: Path) -> None:
        subprocess.run(
            ["ssh-add", "-q", str(key)], check=True, env={**os.environ, "SSH_AUTH_SOCK": str(path)}
        )

    yield add
    process.terminate()
    process.wait()


class Codes:
    """Answers to questions, and the questions."""

    def __init__(self, *answers: str) -> None:
        self.labels: list[str] = []
        self._answers = list(answers)

    def __call__(self, label: str) -> Secret:
        self.labels.append(label)
        return Secret(self._answers.pop(0))


def target(server: LoginServer, home: Path, **changes: object) -> SshTarget:
    values: dict[str, object] = {
        "name": "n1",
        "host": "127.0.0.1",
        "port": server.port,
        "user": "me",
        "known_hosts": server.trust(home / "known"),
        **changes,
    }
    return SshTarget(**values)  # type: ignore[arg-type]


def refused(at: SshTarget, ask_code: Codes | None = None) -> ConnectError:
    with pytest.raises(ConnectError) as caught:
        connect(at, ask_code=ask_code, timeout=10).close()
    assert caught.value.hint
    return caught.value


def log_in(at: SshTarget, ask_code: Codes | None = None) -> SshTransport:
    node = connect(at, ask_code=ask_code, timeout=10)
    node.close()
    return node


# ---- second factor


def test_second_factor_is_asked_with_the_servers_words_and_sent_once(home: Path) -> None:
    key, codes = make_key(home / "key"), Codes("123456")
    with login_server(Rules(BOTH, [CODE])) as server:
        node = log_in(target(server, home, key_file=key), codes)
    assert codes.labels == [f"me@127.0.0.1:{server.port}: Verification code"]
    assert server.seen.answers == [["123456"]]
    assert node.asked_code


def test_second_factor_never_gets_the_password(home: Path) -> None:
    key = make_key(home / "key")
    with login_server(Rules(BOTH, [CODE])) as server:
        error = refused(target(server, home, key_file=key, password=Secret("cAnary")))
    assert "asks for a second factor (Verification code:), and there is no terminal" in error.message
    assert "accepts no keys" not in error.hint
    assert server.seen.answers == []
    assert server.seen.passwords == []


def test_second_factor_password_then_code(home: Path) -> None:
    key, codes = make_key(home / "key"), Codes("123456")
    rounds = [(("Password: ", "cAnary"),), CODE]
    with login_server(Rules(BOTH, rounds)) as server:
        log_in(target(server, home, key_file=key, password=Secret("cAnary")), codes)
    assert server.seen.answers == [["cAnary"], ["123456"]]
    assert len(codes.labels) == 1


def test_a_wrong_code_is_not_sent_again(home: Path) -> None:
    key, codes = make_key(home / "key"), Codes("1", "2", "3")
    with login_server(Rules(BOTH, [CODE])) as server:
        error = refused(target(server, home, key_file=key), codes)
    assert server.seen.answers == [["1"], ["2"], ["3"]]
    assert "next code" in error.hint
    assert "accepted key" in error.message


def test_key_and_password_of_the_account(home: Path) -> None:
    key = make_key(home / "key")
    with login_server(Rules(("publickey", "password"))) as server:
        log_in(target(server, home, key_file=key, password=Secret("right")))
        assert server.seen.passwords == ["right"]
        error = refused(target(server, home, key_file=key))
    assert "requires more" in error.message
    assert "`password`" in error.hint


def test_a_code_as_the_only_factor(home: Path) -> None:
    codes = Codes("123456")
    with login_server(Rules(("keyboard-interactive",), [CODE])) as server:
        log_in(target(server, home), codes)
        assert "no terminal" in refused(target(server, home)).message


def test_the_jump_host_is_asked_once_for_all_nodes(home: Path) -> None:
    key, codes = make_key(home / "key"), Codes("123456")
    with login_server(Rules(BOTH, [CODE])) as jump, login_server(Rules()) as far:
        known = jump.trust(home / "known")
        far.trust(known)
        at = [
            SshTarget(
                name=f"n{number}",
                host="127.0.0.1",
                port=far.port,
                user="me",
                key_file=key,
                known_hosts=known,
                jump=f"hop@127.0.0.1:{jump.port}",
            )
            for number in range(3)
        ]
        with ThreadPoolExecutor(3) as pool:
            nodes = list(pool.map(lambda one: connect(one, ask_code=codes, timeout=20), at))
        assert codes.labels == [f"hop@127.0.0.1:{jump.port}: Verification code"]
        assert jump.seen.answers == [["123456"]]
        assert far.seen.logins == 3
        assert all(node.asked_code for node in nodes)
        for node in nodes[:2]:
            node.close()
            node.close()
        assert nodes[2].tunnel("127.0.0.1", far.port, timeout=10)
        nodes[2].close()
        again = Codes("123456")
        connect(at[0], ask_code=again, timeout=20).close()
        assert len(again.labels) == 1


# ---- keys and agent


def test_agent_order_the_key_of_the_identity_file_comes_first(
    home: Path, agent: Callable[[Path], None]
) -> None:
    keys = [make_key(home / f"key{number}") for number in range(7)]
    for key in keys:
        agent(key)
    (home / ".ssh/config").write_text(f"IdentityFile {keys[6]}\n")
    with login_server(Rules(keys=(blob(keys[6]),))) as server:
        log_in(target(server, home))
        assert server.seen.keys[0] == blob(keys[6])


def test_agent_order_the_hint_names_identities_only(home: Path, agent: Callable[[Path], None]) -> None:
    keys = [make_key(home / f"key{number}") for number in range(4)]
    for key in keys:
        agent(key)
    with login_server(Rules(keys=(), most_tries=3)) as server:
        error = refused(target(server, home))
    assert "closed the connection" in error.message
    assert "IdentitiesOnly yes" in error.hint
    assert "`key_file`" in error.hint


def test_all_keys_are_tried_without_a_password(home: Path, agent: Callable[[Path], None]) -> None:
    keys = [make_key(home / f"key{number}") for number in range(8)]
    for key in keys:
        agent(key)
    with login_server(Rules(keys=(blob(keys[7]),), most_tries=99)) as server:
        log_in(target(server, home))


def test_a_password_gets_a_try_before_too_many_keys(home: Path, agent: Callable[[Path], None]) -> None:
    for number in range(7):
        agent(make_key(home / f"key{number}"))
    rules = Rules(("password",), keys=(), offered=("publickey", "password"))
    with login_server(rules) as server:
        log_in(target(server, home, password=Secret("right")))


@pytest.mark.parametrize("suffix", ["", ".pub"])
def test_identities_only_with_an_encrypted_or_public_key_in_the_agent(
    home: Path, agent: Callable[[Path], None], suffix: str
) -> None:
    other, key = make_key(home / "other"), make_key(home / "key")
    agent(other)
    agent(key)
    subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", "secret", "-f", str(key)], check=True)
    if suffix:
        key.unlink()
    (home / ".ssh/config").write_text(f"IdentitiesOnly yes\nIdentityFile {key}{suffix}\n")
    with login_server(Rules(keys=(blob(key),))) as server:
        log_in(target(server, home))
        assert blob(other) not in server.seen.keys


def test_identities_only_without_the_agent_says_what_is_missing(home: Path) -> None:
    key = make_key(home / "key", "secret")
    (home / ".ssh/config").write_text(f"IdentitiesOnly yes\nIdentityFile {key}\n")
    with login_server(Rules()) as server:
        error = refused(target(server, home))
    assert f"key {key} (encrypted, and not in ssh-agent)" in error.message
    assert "ssh-agent" in error.hint


def test_key_file_that_is_encrypted_is_taken_from_the_agent(
    home: Path, agent: Callable[[Path], None]
) -> None:
    key = make_key(home / "key")
    agent(key)
    subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", "secret", "-f", str(key)], check=True)
    with login_server(Rules(keys=(blob(key),))) as server:
        log_in(target(server, home, key_file=key))


def test_identity_agent_of_the_configuration_is_asked(
    home: Path, agent: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    key = make_key(home / "key")
    agent(key)
    monkeypatch.delenv("SSH_AUTH_SOCK")
    (home / ".ssh/config").write_text(f"IdentityAgent {home}/agent\n")
    with login_server(Rules(keys=(blob(key),))) as server:
        log_in(target(server, home))
        (home / ".ssh/config").write_text("IdentityAgent none\n")
        refused(target(server, home))


@pytest.mark.parametrize("mode", [0o777, 0o644, 0o640])
def test_a_private_key_open_to_others_is_refused_as_ssh_does(home: Path, mode: int) -> None:
    key = make_key(home / "key")
    key.chmod(mode)
    with login_server(Rules()) as server:
        error = refused(target(server, home, key_file=key))
        assert f"open to other users (mode {mode:04o})" in error.message
        assert f"chmod 600 {key}" in error.hint
        (home / ".ssh/config").write_text(f"IdentityFile {key}\n")
        assert f"mode {mode:04o}" in refused(target(server, home)).message
        assert server.seen.keys == []


def test_rsa_keys_sign_with_sha2(home: Path, agent: Callable[[Path], None]) -> None:
    first, second = make_key(home / "one", kind="rsa"), make_key(home / "two", kind="rsa")
    agent(second)
    with login_server(Rules(keys=(blob(first), blob(second)))) as server:
        log_in(target(server, home, key_file=first))
        log_in(target(server, home))
    assert server.seen.keys == [blob(first), blob(second)]


def test_methods_that_the_configuration_turns_off_are_named(home: Path) -> None:
    make_key(home / ".ssh/id_ed25519")
    (home / ".ssh/config").write_text("PubkeyAuthentication no\n")
    with login_server(Rules(keys=())) as server:
        error = refused(target(server, home))
    assert "turns off publickey" in error.hint
    assert server.seen.keys == []


# ---- servers that break off


def test_dead_at_once_is_an_error_of_the_connection(home: Path) -> None:
    key = make_key(home / "key")
    with login_server(Rules(close_after_login=True)) as server:
        at = target(server, home, key_file=key)
        with pytest.raises(ConnectError) as caught:
            connect(at, timeout=10).run(["true"], timeout=10)
    assert "AttributeError" not in str(caught.value)
    assert "closed" in caught.value.message or "lost" in caught.value.message


def test_host_keys_of_the_server_are_not_of_this_machine(home: Path) -> None:
    key = make_key(home / "key")
    with login_server(Rules()) as server:
        at = target(server, home, key_file=key, known_hosts=home / "my hosts")
        error = refused(at)
    assert "is unknown" in error.message
    assert error.hint.endswith(f"ssh-keyscan -p {server.port} 127.0.0.1 >> ~/'my hosts'")


def test_control_path_is_named_where_a_code_is_wanted(home: Path) -> None:
    key = make_key(home / "key")
    (home / ".ssh/config").write_text("ControlMaster auto\nControlPath ~/.ssh/%C\n")
    with login_server(Rules(BOTH, [CODE])) as server:
        error = refused(target(server, home, key_file=key))
    assert "ControlPath" in error.hint


def test_paramiko_is_what_the_messages_were_written_for() -> None:
    """``LoginMessages`` takes the place of paramiko's handler: the transport looks into these names."""
    import inspect

    text = inspect.getsource(paramiko.Transport.run)
    assert "self.auth_handler._handler_table[ptype]" in text
    assert "self.auth_handler.abort()" in text
