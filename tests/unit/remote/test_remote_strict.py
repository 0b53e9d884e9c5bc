"""L2, L3, L5: what OpenSSH would refuse, and what a folder must not be able to do."""

from __future__ import annotations

import inspect
import socket
from pathlib import Path

import pytest

from oz_installer.errors import ConnectError
from oz_installer.remote.ssh import upload_many
from oz_installer.remote.ssh.config import resolve_host
from oz_installer.remote.ssh.keepalive import KeepaliveTransport

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
