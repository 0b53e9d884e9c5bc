"""The node's connection against real sshd processes, real users and real sudo."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from oz_installer.errors import ConnectError, OzError
from oz_installer.remote.ssh.transport import HostKeyQuestion, SshTarget, SshTransport, connect
from oz_installer.remote.ssh.upload import upload_file, upload_tree
from oz_installer.remote.ssh.upload_many import UploadJob, upload_many
from oz_installer.remote.transport import ForwardingForbidden, RemoteFile
from oz_installer.secret import Secret
from tests.e2e.sshd import Sshd, User, free_port, key_fingerprint, make_key, sshd, user

CANARY = "cAnary$(touch /tmp/oz-canary)'\"`x"


@dataclass
class Lab:
    """A server, a key that it takes, and users with the four relations to sudo."""

    server: Sshd
    key: Path
    folder: Path
    asked: User
    free: User
    stranger: User

    def target(self, **changes: object) -> SshTarget:
        base = SshTarget(
            name="n1",
            host="127.0.0.1",
            port=self.server.port,
            user="root",
            key_file=self.key,
            known_hosts=self.server.known_hosts,
        )
        return replace(base, **changes)  # type: ignore[arg-type]

    def connect(self, **changes: object) -> SshTransport:
        return connect(self.target(**changes), timeout=10)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("ssh")
    key = make_key(folder / "key")
    with (
        sshd(folder / "main", host_keys=("ed25519", "ecdsa", "rsa")) as server,
        user(CANARY, "ALL=(ALL) ALL") as asked,
        user("plain", "ALL=(ALL) NOPASSWD: ALL") as free,
        user("plain") as stranger,
    ):
        server.allow_key(key)
        server.trust()
        yield Lab(server, key, folder, asked, free, stranger)


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No key, agent or config of the machine may decide a test."""
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    return home


def refused(lab: Lab, **changes: object) -> ConnectError:
    """The error of a connection that must not come about; every one has a hint and no secret."""
    with pytest.raises(ConnectError) as caught:
        lab.connect(**changes).close()
    error = caught.value
    assert error.hint
    assert error.exit_code == 3
    assert CANARY not in f"{error!r}{error}{error.hint}"
    return error


# ---- logging in


def test_key_file_lets_in_and_argv_arrives_unchanged(lab: Lab) -> None:
    node = lab.connect()
    strange = ["a b", "'\"", "$HOME", "`id`", "*", "", "\n", "-n", "ü", "\\", "!x", "#"]
    result = node.run(["printf", "%s\\0", *strange])
    assert result.stdout.decode().split("\0")[:-1] == strange
    node.close()
    node.close()


def test_status_signal_stdout_and_stderr(lab: Lab) -> None:
    node = lab.connect()
    result = node.run(["sh", "-c", "echo out; echo err >&2; exit 3"])
    assert (result.status, result.text, result.stderr_text) == (3, "out\n", "err")
    assert node.run(["sh", "-c", "kill -9 $$"]).status == 128 + 9
    assert node.run(["sh", "-c", "kill -TERM $$"]).status == 128 + 15
    node.close()


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_encrypted_key_wants_its_passphrase(lab: Lab, kind: str) -> None:
    key = lab.folder / f"locked-{kind}"
    if not key.exists():
        make_key(key, kind, CANARY)
        lab.server.allow_key(key)
    lab.connect(key_file=key, key_passphrase=Secret(CANARY)).close()
    error = refused(lab, key_file=key, key_passphrase=Secret(CANARY + "x"))
    assert "passphrase" in str(error)
    assert str(key) in str(error)
    assert "encrypted" in str(refused(lab, key_file=key))


def test_passphrase_is_asked_for(lab: Lab) -> None:
    key = make_key(lab.folder / "asked", passphrase=CANARY)
    lab.server.allow_key(key)
    questions: list[str] = []

    def ask(question: str) -> Secret:
        questions.append(question)
        return Secret(CANARY)

    connect(lab.target(key_file=key), ask_secret=ask).close()
    assert questions == [f"Passphrase of {key}"]


def test_password(lab: Lab) -> None:
    lab.connect(key_file=None, user=lab.asked.name, password=Secret(CANARY)).close()
    error = refused(lab, key_file=None, user=lab.asked.name, password=Secret(CANARY + "x"))
    assert "password" in str(error)
    assert "publickey" in str(error)  # what the server takes


def test_keyboard_interactive_takes_the_password(lab: Lab, tmp_path: Path) -> None:
    with sshd(
        tmp_path / "kbd", KbdInteractiveAuthentication="yes", PasswordAuthentication="no", UsePAM="yes"
    ) as server:
        target = lab.target(
            port=server.port,
            known_hosts=server.trust(),
            key_file=None,
            user=lab.asked.name,
            password=Secret(CANARY),
        )
        connect(target).close()


def test_nothing_at_hand_says_what_the_server_takes(lab: Lab) -> None:
    error = refused(lab, key_file=None)
    assert "the server offers publickey, password" in str(error)


def test_unusable_key_files(lab: Lab) -> None:
    assert "cannot be read" in str(refused(lab, key_file=Path("/nonexistent")))
    assert "no usable private key" in str(refused(lab, key_file=Path("/etc/hosts")))


# ---- host keys


def test_unknown_key_is_refused_unless_accepted(lab: Lab, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.touch()
    shown = lab.server.fingerprint()
    error = refused(lab, known_hosts=empty)
    assert shown in str(error)
    assert "host_key" in error.hint
    assert "ssh-keyscan" in error.hint
    asked: list[HostKeyQuestion] = []

    def decline(question: HostKeyQuestion) -> bool:
        asked.append(question)
        return False

    with pytest.raises(ConnectError):
        connect(lab.target(known_hosts=empty), on_unknown_key=decline)
    assert asked[0].fingerprint == shown
    connect(lab.target(known_hosts=empty), on_unknown_key=lambda _: True).close()
    connect(lab.target(known_hosts=empty)).close()  # remembered for the run


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_pinned_fingerprint_or_key_of_any_type(lab: Lab, tmp_path: Path, kind: str) -> None:
    none = tmp_path / "none"
    lab.connect(known_hosts=none, host_key=lab.server.fingerprint(kind)).close()
    lab.connect(known_hosts=none, host_key=lab.server.public_key(kind)).close()


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_only_known_type_is_negotiated(lab: Lab, tmp_path: Path, kind: str) -> None:
    known = tmp_path / "known"
    known.write_text(f"[127.0.0.1]:{lab.server.port} {lab.server.public_key(kind)}\n")
    node = lab.connect(known_hosts=known)
    assert node.host_key_fingerprint == lab.server.fingerprint(kind)
    node.close()


def test_hashed_known_hosts(lab: Lab, tmp_path: Path) -> None:
    known = tmp_path / "known"
    known.write_text(f"[127.0.0.1]:{lab.server.port} {lab.server.public_key()}\n")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(known)], check=True, capture_output=True)
    assert "127.0.0.1" not in known.read_text()
    lab.connect(known_hosts=known).close()


def test_changed_key_is_refused_always(lab: Lab, tmp_path: Path) -> None:
    other = make_key(tmp_path / "other")
    public = " ".join(other.with_suffix(".pub").read_text().split()[:2])
    known = tmp_path / "known"
    known.write_text(f"[127.0.0.1]:{lab.server.port} {public}\n")
    with pytest.raises(ConnectError) as caught:
        connect(lab.target(known_hosts=known), on_unknown_key=lambda _: True)
    assert lab.server.fingerprint() in str(caught.value)
    assert key_fingerprint(other) in str(caught.value)
    pinned = refused(lab, host_key=key_fingerprint(other))
    assert lab.server.fingerprint() in str(pinned)
    assert key_fingerprint(other) in str(pinned)


# ---- the way there


def test_unresolvable_closed_and_mute(lab: Lab) -> None:
    assert "does not resolve" in str(refused(lab, host="nosuch.invalid"))
    assert "closed" in str(refused(lab, port=free_port()))
    with socket.create_server(("127.0.0.1", 0)) as mute, pytest.raises(ConnectError) as caught:
        connect(lab.target(port=mute.getsockname()[1]), timeout=1)
    assert "1 s" in str(caught.value)


def test_jump_host(lab: Lab, tmp_path: Path) -> None:
    with sshd(tmp_path / "bastion") as bastion:
        bastion.allow_key(lab.key)
        both = tmp_path / "both"
        both.write_text(lab.server.known_hosts.read_text())
        jump = f"root@127.0.0.1:{bastion.port}"
        assert bastion.fingerprint() in str(refused(lab, jump=jump, known_hosts=both))
        both.write_text(both.read_text() + bastion.trust().read_text())
        node = lab.connect(jump=jump, known_hosts=both)
        assert node.run(["cat"], stdin=b"x" * 1_000_000).stdout == b"x" * 1_000_000
        node.close()
        assert "jump host" in str(refused(lab, jump=jump, known_hosts=both, port=free_port()))


def test_ssh_config_names_everything(lab: Lab, own_home: Path, tmp_path: Path) -> None:
    with sshd(tmp_path / "bastion") as bastion:
        bastion.allow_key(lab.key)
        bastion.trust()
        (own_home / ".ssh/config").write_text(
            f"Host bastion\n HostName 127.0.0.1\n Port {bastion.port}\n"
            f" UserKnownHostsFile {bastion.known_hosts}\n"
            f"Host oz-node\n HostName 127.0.0.1\n Port {lab.server.port}\n ProxyJump bastion\n"
            f" UserKnownHostsFile {lab.server.known_hosts}\n"
            f"Host *\n User root\n IdentityFile {lab.key}\n"
        )
        node = connect(SshTarget(name="n1", host="oz-node"))
        assert node.run(["id", "-u"]).text == "0\n"
        node.close()


def test_busy_sshd_is_tried_again(lab: Lab, tmp_path: Path) -> None:
    with sshd(tmp_path / "busy", MaxStartups="2:100:2") as server:
        server.allow_key(lab.key)
        server.trust()
        target = lab.target(port=server.port, known_hosts=server.known_hosts)
        with ThreadPoolExecutor(12) as pool:
            nodes = list(pool.map(lambda _: connect(target), range(12)))
        for node in nodes:
            node.close()


# ---- becoming root


def test_sudo_without_password(lab: Lab) -> None:
    node = lab.connect(user=lab.free.name, become_password=Secret(CANARY))
    for _ in range(2):
        result = node.run(["sh", "-c", "id -u; cat; echo err >&2"], stdin=b"line\n")
        assert (result.text, result.stderr_text) == ("0\nline\n", "err")
    assert node.run(["id", "-un"], become=False).text == f"{lab.free.name}\n"
    node.close()


def test_sudo_with_password_keeps_stdin_clean(lab: Lab) -> None:
    node = lab.connect(user=lab.asked.name, become_password=Secret(CANARY))
    for _ in range(2):
        result = node.run(["sh", "-c", "id -u; cat; echo err >&2"], stdin=b"line\n")
        assert (result.text, result.stderr_text, result.status) == ("0\nline\n", "err", 0)
    assert (
        node.run(["cat"], stdin=iter([b"a" * 100_000, b"b" * 100_000])).stdout
        == b"a" * 100_000 + b"b" * 100_000
    )
    assert node.run(["sh", "-c", "exit 7"]).status == 7
    node.close()


def test_sudo_from_many_threads_at_once(lab: Lab) -> None:
    node = lab.connect(user=lab.asked.name, become_password=Secret(CANARY))
    with ThreadPoolExecutor(8) as pool:
        texts = list(pool.map(lambda n: node.run(["echo", str(n)]).text, range(8)))
    assert texts == [f"{n}\n" for n in range(8)]
    node.close()


@pytest.mark.parametrize("streamed", [False, True])
def test_sudo_refusals(lab: Lab, streamed: bool) -> None:
    cases = [
        (lab.asked, Secret(CANARY + "x"), "does not accept the password"),
        (lab.asked, None, "requires a password"),
        (lab.stranger, Secret(lab.stranger.password), "sudo refused"),
    ]
    for who, password, words in cases:
        node = lab.connect(user=who.name, become_password=password)
        data = iter([b"data\n"]) if streamed else b"data\n"
        with pytest.raises(ConnectError, match=words) as caught:
            node.run(["cat"], stdin=data)
        assert CANARY not in f"{caught.value}{caught.value.hint}"
        assert caught.value.hint
        assert node.run(["echo", "on"], become=False).text == "on\n"
        node.close()


def test_sudo_password_is_asked_once(lab: Lab) -> None:
    asked: list[str] = []

    def ask(question: str) -> Secret:
        asked.append(question)
        return Secret(CANARY)

    node = connect(lab.target(user=lab.asked.name), ask_secret=ask)
    assert [node.run(["id", "-u"]).text for _ in range(3)] == ["0\n"] * 3
    assert len(asked) == 1
    node.close()


def test_become_none_stays_who_it_is(lab: Lab) -> None:
    node = lab.connect(user=lab.free.name, become="none")
    assert node.run(["id", "-un"]).text == f"{lab.free.name}\n"
    node.close()


# ---- limits and faults


def test_max_sessions_one_serialises(lab: Lab, tmp_path: Path) -> None:
    with sshd(tmp_path / "one", MaxSessions="1") as server:
        server.allow_key(lab.key)
        plain = {"user": lab.stranger.name, "become": "none"}
        node = lab.connect(port=server.port, known_hosts=server.trust(), **plain)
        with ThreadPoolExecutor(12) as pool:
            texts = list(pool.map(lambda n: node.run(["echo", str(n)]).text, range(24)))
        assert texts == [f"{n}\n" for n in range(24)]
        node.close()


def test_more_commands_than_max_sessions(lab: Lab) -> None:
    node = lab.connect(user=lab.stranger.name, become="none")
    with ThreadPoolExecutor(25) as pool:
        list(pool.map(lambda _: node.run(["sleep", "0.2"], check=True), range(25)))
    node.close()


def test_tunnel_carries_bytes_and_tells_closed_ports(lab: Lab) -> None:
    node = lab.connect()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def echo() -> None:
            peer, _ = listener.accept()
            with peer:
                while data := peer.recv(65536):
                    peer.sendall(data)

        threading.Thread(target=echo, daemon=True).start()
        with node.tunnel("127.0.0.1", listener.getsockname()[1]) as tunnel:
            tunnel.settimeout(5)
            tunnel.sendall(b"hello")
            assert tunnel.recv(5) == b"hello"
            tunnel.shutdown(socket.SHUT_WR)
            assert tunnel.recv(5) == b""
    with pytest.raises(ConnectionRefusedError):
        node.tunnel("127.0.0.1", free_port())
    assert node.forwarding_allowed()
    node.close()


def test_forbidden_forwarding_is_told(lab: Lab, tmp_path: Path) -> None:
    with sshd(tmp_path / "closed", AllowTcpForwarding="no") as server:
        server.allow_key(lab.key)
        node = lab.connect(port=server.port, known_hosts=server.trust())
        assert not node.forwarding_allowed()
        with pytest.raises(ForwardingForbidden) as caught:
            node.tunnel("127.0.0.1", 22)
        assert "AllowTcpForwarding" in caught.value.hint
        assert node.run(["true"]).ok
        node.close()


def test_much_in_and_much_out_at_once(lab: Lab) -> None:
    node = lab.connect()
    data = os.urandom(10_000_000)
    sent: list[int] = []
    result = node.run(["sh", "-c", "tee /dev/stderr"], stdin=data, on_sent=sent.append)
    assert result.stdout == data
    assert result.stderr == data
    assert sent == sorted(sent)
    assert sent[-1] == len(data)
    node.close()


def test_command_that_reads_nothing(lab: Lab) -> None:
    node = lab.connect()
    assert node.run(["sh", "-c", "exit 4"], stdin=b"x" * 10_000_000).status == 4
    node.close()


def test_silent_command_is_given_up_and_the_connection_lives(lab: Lab) -> None:
    node = lab.connect()
    begin = time.monotonic()
    with pytest.raises(ConnectError, match="no data for 1 s"):
        node.run(["sleep", "30"], timeout=1)
    assert time.monotonic() - begin < 10
    assert node.run(["echo", "alive"]).text == "alive\n"
    node.close()


@pytest.mark.parametrize("size", [0, 50_000_000])
def test_frozen_server_ends_with_an_error(lab: Lab, tmp_path: Path, size: int) -> None:
    with sshd(tmp_path / "frozen") as server:
        server.allow_key(lab.key)
        node = lab.connect(port=server.port, known_hosts=server.trust())
        pids: list[int] = []
        timer = threading.Timer(0.05 if size else 0.5, lambda: pids.extend(server.freeze()))
        timer.start()
        begin = time.monotonic()
        with pytest.raises(ConnectError, match="no data for 2 s"):
            node.run(["sh", "-c", "cat > /dev/null; sleep 60"], stdin=b"x" * size, timeout=2)
        assert time.monotonic() - begin < 20
        timer.join()
        with pytest.raises(ConnectError):
            node.run(["true"], timeout=1)
        node.close()
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def test_killed_connection_is_told(lab: Lab, tmp_path: Path) -> None:
    with sshd(tmp_path / "killed") as server:
        server.allow_key(lab.key)
        node = lab.connect(port=server.port, known_hosts=server.trust())
        threading.Timer(0.3, server.stop).start()
        with pytest.raises(ConnectError, match="connection lost"):
            node.run(["sleep", "30"])
        node.close()


# ---- uploads


def test_upload_tree_and_file(lab: Lab, tmp_path: Path) -> None:
    node = lab.connect(user=lab.free.name)
    dest = tmp_path / "dest with space"
    upload_tree(node, str(dest), [RemoteFile(path="a/b 'c", content=b"1", mode=0o600)])
    assert (dest / "a/b 'c").read_bytes() == b"1"
    assert (dest / "a/b 'c").stat().st_mode & 0o777 == 0o600
    big = tmp_path / "big"
    big.write_bytes(os.urandom(3_000_001))
    upload_file(node, big, str(dest / "-x $y"), mode=0o640)
    assert (dest / "-x $y").read_bytes() == big.read_bytes()
    assert (dest / "-x $y").stat().st_mode & 0o777 == 0o640
    assert not (dest / "-x $y.partial").exists()
    node.close()


def test_upload_onto_a_full_disk_leaves_the_old_file(lab: Lab, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    node = lab.connect()
    node.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(small)], check=True)
    try:
        (small / "x").write_bytes(b"old")
        with pytest.raises(OzError, match="No space left"):
            upload_file(node, [b"x" * 100_000] * 50, str(small / "x"))
        assert sorted(path.name for path in small.iterdir()) == ["x"]
        assert (small / "x").read_bytes() == b"old"
    finally:
        node.run(["umount", str(small)], check=True)
    node.close()


def test_no_secret_in_any_log(
    lab: Lab, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    node = lab.connect(
        key_file=None, user=lab.asked.name, password=Secret(CANARY), become_password=Secret(CANARY)
    )
    node.run(["true"])
    refused(lab, key_file=None, user=lab.asked.name, password=Secret(CANARY + "x"))
    refused(lab, host="nosuch.invalid")
    seen = caplog.text + "".join(capfd.readouterr()) + (lab.server.folder / "sshd.log").read_text()
    assert CANARY not in seen + repr(node.target)
    assert not Path("/tmp/oz-canary").exists()
    node.close()


def test_large_files_at_once_by_processes(lab: Lab, tmp_path: Path) -> None:
    big = tmp_path / "big"
    big.write_bytes(os.urandom(1 << 20) * 40)
    asked = {"password": Secret(CANARY), "become_password": Secret(CANARY)}
    nodes = [lab.connect(), lab.connect(user=lab.asked.name, key_file=None, **asked)]
    sent: dict[int, int] = {}
    jobs = [
        UploadJob(transport=node, source=big, dest=str(tmp_path / f"out{number}"))
        for number, node in enumerate(nodes)
    ]
    upload_many(jobs, lambda _node, count: sent.update({count: count}))
    assert all((tmp_path / f"out{number}").read_bytes() == big.read_bytes() for number in range(2))
    assert max(sent) > 30 << 20
    with pytest.raises(OzError, match="cannot create directory"):
        upload_many([*jobs, replace(jobs[0], dest="/dev/null/x")])
    for node in nodes:
        node.close()
