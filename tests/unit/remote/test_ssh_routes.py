"""Jump hosts as OpenSSH chains them, and the command in the hint for an unknown host key."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from oz_installer.errors import ConnectError
from oz_installer.remote.ssh.jump_chain import jump_chain
from oz_installer.remote.ssh.login.host_key import keyscan_command
from oz_installer.remote.ssh.openssh import home as openssh_home
from oz_installer.remote.ssh.target import SshTarget

CONFIG = """
Host node
 ProxyJump b
Host a
 HostName 10.0.0.1
 User hop
 ProxyJump z:2200
Host b
 ProxyJump loop1
Host loop1
 ProxyJump loop2
Host loop2
 ProxyJump loop1
Host commanded
 ProxyCommand nc %h %p
Host aliased
 HostName 10.0.0.9
 Port 2222
 HostKeyAlias The-Alias
 UserKnownHostsFile /dev/null ~/.ssh/own
Host *
 User me
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh/config").write_text(CONFIG)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(openssh_home, "SYSTEM_CONFIG", tmp_path / "none")
    return tmp_path


def route(host: str, jump: str | None = None) -> list[str]:
    return [
        hop.endpoint.label for hop, _route in jump_chain(SshTarget(name="n1", host=host, jump=jump), None)
    ]


@pytest.mark.parametrize(
    ("host", "jump", "hops"),
    [
        ("plain", None, ["me@plain"]),
        ("plain", "x", ["me@x", "me@plain"]),
        ("plain", "you@x:2022, y", ["you@x:2022", "me@y", "me@plain"]),
        ("plain", "ssh://x:2022", ["me@x:2022", "me@plain"]),
        # the first jump host is reached as its own configuration says, the others through the one before
        ("plain", "a,b", ["me@z:2200", "hop@10.0.0.1", "me@b", "me@plain"]),
        ("node", "x", ["me@x", "me@node"]),
        ("node", "none", ["me@node"]),
        ("commanded", "x", ["me@x", "me@commanded"]),
        ("commanded", "none", ["me@commanded"]),
    ],
)
def test_routes(host: str, jump: str | None, hops: list[str]) -> None:
    assert route(host, jump) == hops


def test_jump_hosts_in_a_circle_are_named() -> None:
    with pytest.raises(ConnectError, match="form a loop: me@b -> me@loop1 -> me@loop2 -> me@loop1"):
        route("node")


def test_what_is_no_jump_host_is_named() -> None:
    for text in ("@x", "x:port", "[::1", "-oProxyCommand=x"):
        with pytest.raises(ConnectError):
            route("plain", text)


@pytest.mark.parametrize(
    ("host", "jump", "known", "command"),
    [
        ("plain", None, None, "ssh-keyscan -p 22 plain >> ~/.ssh/known_hosts"),
        ("plain", None, "/srv/my hosts", "ssh-keyscan -p 22 plain >> '/srv/my hosts'"),
        ("plain", "x", None, "ssh ssh://me@x ssh-keyscan -p 22 plain >> ~/.ssh/known_hosts"),
        (
            "plain",
            "x,y:2022",
            None,
            "ssh -J ssh://me@x ssh://me@y:2022 ssh-keyscan -p 22 plain >> ~/.ssh/known_hosts",
        ),
        (
            "aliased",
            None,
            None,
            "ssh-keyscan -p 2222 10.0.0.9 | sed 's/^[^ ]*/the-alias/' >> ~/.ssh/own",
        ),
    ],
)
def test_hint_keyscan_writes_to_a_file_that_is_read(
    host: str, jump: str | None, known: str | None, command: str
) -> None:
    target = SshTarget(name="n1", host=host, jump=jump, known_hosts=Path(known) if known else None)
    hop = jump_chain(target, None)[-1][0]
    assert keyscan_command(hop) == command
    file = command.rpartition(" >> ")[2].strip("'").replace("~", str(Path.home()))
    assert Path(file) in hop.endpoint.known_hosts


def test_hint_keyscan_without_any_file_names_the_usual_one() -> None:
    hop = jump_chain(SshTarget(name="n1", host="plain"), None)[-1][0]
    nowhere = replace(hop, endpoint=replace(hop.endpoint, known_hosts=(Path("/dev/null"),)))
    assert keyscan_command(nowhere).endswith(">> ~/.ssh/known_hosts")
