"""The pure parts of remote/: known_hosts, jump hosts, tar, and this machine as a node."""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oz_installer.errors import ConnectError, DeployError
from oz_installer.remote.ssh.config import split_jump
from oz_installer.remote.ssh.exec_channel import split_blocks
from oz_installer.remote.ssh.known_hosts import (
    HostKeyStatus,
    fingerprint,
    keys_for,
    match_host_key,
    parse_known_hosts,
    pinned_fingerprint,
    preferred_key_types,
)
from oz_installer.remote.ssh.upload import tar_blocks, tar_bytes, upload_file, upload_tree
from oz_installer.remote.transport import BLOCK, CommandFailed, RemoteFile
from tests.local_transport import LocalTransport

KEY = b"\0\0\0\x0bssh-ed25519" + b"k" * 36
LINE = base64.b64encode(KEY).decode()


def test_another_host_key_than_the_answers_name_is_told_with_both() -> None:
    from oz_installer.remote.ssh.auth import Credentials
    from oz_installer.remote.ssh.config import resolve_host
    from oz_installer.remote.ssh.dial import Hop, _check_host_key

    class Shown:
        def get_remote_server_key(self) -> Shown:
            return self

        def asbytes(self) -> bytes:
            return KEY

    wanted = "SHA256:" + "A" * 43
    hop = Hop(node="n1", endpoint=resolve_host("10.0.0.1"), credentials=Credentials(), host_key=wanted)
    with pytest.raises(ConnectError) as caught:
        _check_host_key(hop, [], Shown(), None)  # type: ignore[arg-type]
    assert fingerprint(KEY) in str(caught.value)
    assert wanted in str(caught.value)
    assert "has changed" not in str(caught.value)
    assert "correct `host_key`" in caught.value.hint
    assert "ssh-keygen -R" not in caught.value.hint


def _hashed(name: str) -> str:
    salt = b"s" * 20
    digest = hmac.new(salt, name.encode(), hashlib.sha1).digest()
    return f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()}"


@pytest.mark.parametrize(
    ("pattern", "host", "port", "known"),
    [
        ("a.example", "a.example", 22, True),
        ("a.example", "A.Example", 22, True),
        ("a.example", "a.example", 23, False),
        ("[a.example]:23", "a.example", 23, True),
        ("b,a.example", "a.example", 22, True),
        ("*.example", "a.example", 22, True),
        ("*.example,!a.example", "a.example", 22, False),
        (_hashed("a.example"), "a.example", 22, True),
        (_hashed("[a.example]:23"), "a.example", 23, True),
        (_hashed("b.example"), "a.example", 22, False),
        ("|1|broken", "a.example", 22, False),
        ("[10.0.0.?]:23", "10.0.0.7", 23, True),
    ],
)
def test_known_hosts_patterns(pattern: str, host: str, port: int, known: bool) -> None:
    keys = parse_known_hosts(f"# comment\n\n{pattern} ssh-ed25519 {LINE} someone\n{pattern} ssh-ed25519 !!\n")
    assert bool(keys_for(keys, host, port)) is known


def test_verdicts() -> None:
    known = parse_known_hosts(f"a ssh-ed25519 {LINE}", "file")
    assert match_host_key(known, KEY) is HostKeyStatus.KNOWN
    assert match_host_key([], KEY) is HostKeyStatus.UNKNOWN
    assert match_host_key(known, b"other") is HostKeyStatus.CHANGED
    assert match_host_key(parse_known_hosts(f"@revoked a ssh-ed25519 {LINE}"), KEY) is HostKeyStatus.REVOKED
    assert parse_known_hosts(f"@cert-authority a ssh-ed25519 {LINE}") == []
    assert known[0].where == "file:1"


@given(st.text())
def test_known_hosts_never_fails(text: str) -> None:
    keys_for(parse_known_hosts(text), "host", 22)


def test_known_key_types_come_first() -> None:
    offered = ("ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512")
    known = parse_known_hosts(f"a ssh-rsa {LINE}")
    assert preferred_key_types(known, offered)[0] == "rsa-sha2-512"
    assert preferred_key_types([], offered) == offered


def test_pinned_forms() -> None:
    assert pinned_fingerprint(fingerprint(KEY)) == fingerprint(KEY)
    assert pinned_fingerprint(f"256 {fingerprint(KEY)} host (ED25519)") == fingerprint(KEY)
    assert pinned_fingerprint(f"ssh-ed25519 {LINE} someone") == fingerprint(KEY)
    assert pinned_fingerprint("nonsense") is None


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("bastion", (None, "bastion", None)),
        ("me@bastion:2222", ("me", "bastion", 2222)),
        ("me@corp@bastion", ("me@corp", "bastion", None)),
        ("[::1]:22", (None, "::1", 22)),
        ("::1", (None, "::1", None)),
    ],
)
def test_jump_hosts(text: str, parts: tuple[str | None, str, int | None]) -> None:
    assert split_jump(text) == parts


@pytest.mark.parametrize("text", ["", "@host", "me@", "host:port", "[::1"])
def test_bad_jump_hosts(text: str) -> None:
    with pytest.raises(ValueError):
        split_jump(text)


@given(st.lists(st.binary(max_size=3 * BLOCK), max_size=5))
def test_blocks_keep_every_byte(pieces: list[bytes]) -> None:
    out = list(split_blocks(pieces))
    assert b"".join(out) == b"".join(pieces)
    assert all(0 < len(block) <= BLOCK for block in out)


# ---- uploads


def test_tar_is_deterministic_and_complete() -> None:
    files = [
        RemoteFile(path="b/" + "long" * 60 + "/ü", content=b"x" * 1000, mode=0o600),
        RemoteFile(path="a", content=b"", mode=0o755),
    ]
    data = tar_bytes(files, mtime=5)
    assert data == tar_bytes(list(reversed(files)), mtime=5)
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        members = {item.name: item for item in tar.getmembers()}
        assert list(members) == ["a", "b", "b/" + "long" * 60, files[0].path]
        stream = tar.extractfile(files[0].path)
        assert stream is not None
        assert stream.read() == files[0].content
    assert {(m.uid, m.gid, m.mtime) for m in members.values()} == {(0, 0, 5)}
    assert [members[n].mode for n in ("a", "b", files[0].path)] == [0o755, 0o755, 0o600]


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../../x", ""])
def test_tar_stays_inside(path: str) -> None:
    with pytest.raises(ValueError):
        list(tar_blocks([RemoteFile(path=path, content=b"")]))


def test_upload_here(tmp_path: Path) -> None:
    here = LocalTransport(become="none")
    upload_tree(here, str(tmp_path / "t"), [RemoteFile(path="x/y", content=b"1", mode=0o640)])
    assert (tmp_path / "t/x/y").stat().st_mode & 0o777 == 0o640
    source = tmp_path / "source"
    source.write_bytes(b"z" * 5_000_000)
    digest = upload_file(here, source, str(tmp_path / "d/$(x)"), mode=0o600)
    assert digest == hashlib.sha256(source.read_bytes()).hexdigest()
    assert (tmp_path / "d/$(x)").read_bytes() == source.read_bytes()
    assert [path.name for path in (tmp_path / "d").iterdir()] == ["$(x)"]


def test_damaged_upload_is_discarded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "bin"
    fake.mkdir()
    for name in ("sha256sum", "openssl"):
        (fake / name).write_text("#!/bin/sh\ncat > /dev/null; echo 00  -\n")
        (fake / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake}:/usr/bin:/bin")
    (tmp_path / "x").write_bytes(b"old")
    with pytest.raises(DeployError, match="damaged"):
        upload_file(LocalTransport(become="none"), [b"new"], str(tmp_path / "x"))
    assert (tmp_path / "x").read_bytes() == b"old"
    assert not (tmp_path / "x.partial").exists()


# ---- this machine


def test_local_runs() -> None:
    here = LocalTransport(become="none")
    assert here.run(["sh", "-c", "cat; echo e >&2; exit 3"], stdin=b"in").status == 3
    assert here.run(["sh", "-c", "kill -9 $$"]).status == 137
    assert here.run(["/nonexistent/program"]).status == 127
    assert here.run(["cat"], stdin=b"x" * 3_000_000).stdout == b"x" * 3_000_000
    with pytest.raises(CommandFailed):
        here.run(["false"], check=True)
    with pytest.raises(ConnectError, match=r"no data for 0\.2 s"):
        here.run(["sleep", "9"], timeout=0.2)
    assert here.run(["sh", "-c", "echo $LC_ALL"]).text == "C\n"
    with here.stream(["cat"]) as stream:
        stream.sendall(b"hi")
        assert stream.recv(2) == b"hi"
