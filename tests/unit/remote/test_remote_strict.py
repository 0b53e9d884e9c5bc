"""L2, L3, L5: what OpenSSH would refuse, and what a folder must not be able to do."""

from __future__ import annotations

import inspect
import socket
from pathlib import Path

import pytest

from oz_installer.errors import ConnectError
from oz_installer.remote.ssh import upload_many
from oz_installer.remote.ssh.config import resolve_host
from oz_installer.remote.ssh.connection_errors import lost
from oz_installer.remote.ssh.keepalive import KeepaliveTransport
from oz_installer.remote.ssh.paramiko_import import paramiko

WEAK = ("cbc", "md5", "sha1", "group1-", "group-exchange-sha1", "ssh-rsa", "ssh-dss", "arcfour")


@pytest.mark.parametrize("port", ["abc", "0", "65536", "\u0662\u0662", "-1"])
def test_l2_a_port_that_is_none_is_told(port: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh/config").write_text(f"Host node\n  Port {port}\n", encoding="utf-8")
    with pytest.raises(ConnectError, match="no port for node"):
        resolve_host("node")
    assert resolve_host("node", port=2222).port == 2222


def test_l3_no_weak_algorithm_is_offered() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        options = KeepaliveTransport(ours).get_security_options()
        lists = {
            "ciphers": tuple(options.ciphers),
            "digests": tuple(options.digests),
            "kex": tuple(options.kex),
            "key_types": tuple(options.key_types),
        }
    for offered in lists.values():
        assert offered
        assert [name for name in offered if any(weak in name for weak in WEAK)] == []
    assert lists["ciphers"][0] == "aes128-gcm@openssh.com"
    assert "curve25519-sha256@libssh.org" in lists["kex"]


def test_l5_a_worker_imports_nothing_from_the_current_folder() -> None:
    assert '"-P", "-m"' in inspect.getsource(upload_many)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (None, "the server closed it"),
        (EOFError(), "the server closed it"),
        (ConnectionResetError(104, "reset"), "the server closed it"),
        (paramiko.SSHException("Mismatched MAC\x1b[2J"), "SSHException: Mismatched MAC"),
    ],
)
def test_a_connection_that_ended_on_this_side_is_not_blamed_on_the_server(
    fault: Exception | None, told: str
) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        link = KeepaliveTransport(ours)
        link.saved_exception = fault
        message = str(lost(link, "n1", EOFError()))
    assert message.startswith(f"n1: connection lost: {told}")
    assert "\x1b" not in message


def channel_message(kind: int, channel: int) -> paramiko.Message:
    """A message of a channel: its kind, and the server's number of the channel."""
    message = paramiko.Message()
    message.add_byte(bytes([kind]))
    message.add_int(channel)
    return message


def test_nothing_of_a_channel_follows_its_close(monkeypatch: pytest.MonkeyPatch) -> None:
    """An EOF behind it makes sshd end the connection."""
    close, eof, data = 97, 96, 94
    own = vars(KeepaliveTransport)
    send, open_channel = own["_send_message"], own["_parse_channel_open_success"]
    ours, theirs = socket.socketpair()
    with ours, theirs:
        link, sent = KeepaliveTransport(ours), list[bytes]()
        monkeypatch.setattr(link.packetizer, "send_message", lambda message: sent.append(message.asbytes()))
        for kind, channel in ((data, 2), (close, 2), (eof, 2), (data, 2), (close, 2), (eof, 1)):
            send(link, channel_message(kind, channel))
        assert [(one[0], one[4]) for one in sent] == [(data, 2), (close, 2), (eof, 1)]
        opened = paramiko.Message()
        for number in (7, 2, 1000, 1000):  # our number, the server's, window, packet
            opened.add_int(number)
        opened.rewind()
        open_channel(link, opened)
        send(link, channel_message(eof, 2))
        assert (sent[-1][0], sent[-1][4]) == (eof, 2)
