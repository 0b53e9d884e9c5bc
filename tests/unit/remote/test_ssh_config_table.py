"""B: the configuration of a host is what OpenSSH makes of it, asked with ``ssh -G`` or read by ourselves."""

from __future__ import annotations

import subprocess
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from oz_installer.errors import ConnectError
from oz_installer.remote.ssh.config import SshEndpoint, list_hosts, resolve_host
from oz_installer.remote.ssh.openssh import effective, program
from oz_installer.remote.ssh.openssh import home as openssh_home
from oz_installer.remote.ssh.openssh.home import account_home
from oz_installer.remote.ssh.openssh.patterns import split_paths
from oz_installer.remote.ssh.openssh.query import HostQuery

SSH = program.ssh_path()
needs_ssh = pytest.mark.skipif(SSH is None, reason="no OpenSSH client")


@dataclass(frozen=True)
class Case:
    """A configuration; FOLDER stands for ~/.ssh. ``files`` lie beside it."""

    config: str
    host: str = "node"
    user: str | None = None
    port: int | None = None
    files: tuple[tuple[str, str], ...] = ()


CASES = {
    "nothing": Case(""),
    "include": Case("Include FOLDER/conf.d/*\n", files=(("conf.d/a", "Host node\n HostName 10.0.0.9\n"),)),
    "include-order": Case(
        "Include FOLDER/conf.d/*\nHost node\n Port 3\n",
        files=(("conf.d/b", "Port 2\n"), ("conf.d/a", "Host other\n Port 1\n")),
    ),
    "include-within-host": Case(
        "Host node\n Include FOLDER/inc\n User after\nHost *\n User star\n",
        files=(("inc", "Host *\n Port 2022\nHost nothing\n Port 1\n"),),
    ),
    "include-within-other-host": Case(
        "Host other\n Include FOLDER/inc\nHost *\n User star\n", files=(("inc", "Host *\n Port 2022\n"),)
    ),
    "include-two-in-one-line": Case(
        "Include FOLDER/one FOLDER/two FOLDER/none\n", files=(("one", "Port 11\n"), ("two", "User two\n"))
    ),
    "include-in-include": Case(
        "Include FOLDER/one\n", files=(("one", "Include FOLDER/two\nUser one\n"), ("two", "User two\n"))
    ),
    "first-value-wins": Case("Host no*\n Port 1\nHost node\n Port 2\n User a\nHost *\n User b\n"),
    "negated-host": Case("Host * !node\n Port 1\nHost !x no?e\n Port 2\n"),
    "host-case": Case("Host NODE\n Port 1\nHost node\n Port 2\n", host="node"),
    "equals-and-quotes": Case('Host="node"\n HostName = "10.0.0.1"\n User="a b"\n  Port=7 # comment\n'),
    "hostname-token": Case("Host node\n HostName %h.example.com\n"),
    "hostname-upper": Case("HostName REAL.Example\n"),
    "host-upper": Case(
        "Host NODE\n Port 1\nHost node\n Port 2\nMatch originalhost node\n User o\n", host="NODE"
    ),
    "match-host-sees-hostname": Case("Host node\n HostName real.example\nMatch host real.*\n Port 5\n"),
    "match-host-sees-only-earlier": Case("Match host real.*\n Port 5\nHost node\n HostName real.example\n"),
    "match-originalhost": Case("Host node\n HostName x\nMatch originalhost node\n Port 5\n"),
    "match-originalhost-not": Case("Host node\n HostName x\nMatch originalhost x\n Port 5\n"),
    "match-user": Case("Host node\n User deploy\nMatch user deploy,other\n Port 5\n"),
    "match-user-given": Case("Match user deploy\n Port 5\n", user="deploy"),
    "match-user-unlike": Case("Match user !deploy,*\n Port 5\n", user="deploy"),
    "match-not": Case("Match !host other\n Port 5\nMatch !host node\n Port 6\n"),
    "match-two": Case(
        "Match host node user nobody\n Port 5\nMatch host node user bob\n Port 6\n", user="bob"
    ),
    "match-all": Case("Host other\n Port 1\nMatch all\n Port 5\n"),
    "match-localuser": Case("Match localuser *\n Port 5\n"),
    "match-list": Case("Match host a,b,no*\n Port 5\n"),
    "match-final": Case("Match final\n Port 5\nHost node\n HostName 10.1.1.1\n"),
    "match-final-host": Case("Match final host 10.*\n Port 5\nHost node\n HostName 10.1.1.1\n"),
    "match-final-all": Case("Match final all\n User late\nHost *\n IdentityFile FOLDER/k\n"),
    "match-not-final": Case("Match !final\n Port 5\n"),
    "match-canonical": Case("Match canonical\n Port 5\n"),
    "match-exec-after-mismatch": Case('Match host other exec "false"\n Port 5\n'),
    "given-port": Case("Host node\n Port 2\n User a\n", port=77, user="me"),
    "identities-gather": Case(
        "Host node\n IdentityFile FOLDER/a\n IdentityFile FOLDER/b\nHost *\n IdentityFile FOLDER/a\n"
        " IdentityFile FOLDER/c\n CertificateFile FOLDER/c-cert.pub\n"
    ),
    "identity-none": Case("IdentityFile none\nIdentitiesOnly yes\n"),
    "identity-tokens": Case("IdentityFile FOLDER/%n-%h-%p-%r-%u-%%-%L\nHostName ten\nPort 4\n", user="me"),
    "identity-quoted": Case('IdentityFile "FOLDER/my key"\n'),
    "known-hosts": Case('UserKnownHostsFile FOLDER/one "FOLDER/two words"\nGlobalKnownHostsFile /dev/null\n'),
    "known-hosts-none": Case("UserKnownHostsFile none\n"),
    "alias": Case("HostKeyAlias Other\nHostName 10.0.0.3\nPort 2222\n"),
    "agent": Case("IdentityAgent FOLDER/agent-%r\n", user="me"),
    "agent-none": Case("IdentityAgent none\n"),
    "agent-variable": Case("IdentityAgent $OZ_AGENT\n"),
    "jump": Case("Host node\n ProxyJump me@bastion:2222,other\n"),
    "jump-none-first": Case("Host node\n ProxyJump none\nHost *\n ProxyJump bastion\n"),
    "jump-before-command": Case("ProxyJump bastion\nProxyCommand nc %h %p\n"),
    "methods": Case("PubkeyAuthentication no\nPasswordAuthentication no\n"),
    "methods-more": Case("KbdInteractiveAuthentication no\nGSSAPIAuthentication yes\n"),
    "control": Case("ControlMaster auto\nControlPath FOLDER/%C\n"),
    "revoked": Case("RevokedHostKeys FOLDER/revoked\n"),
    "environment": Case("IdentityFile ${OZ_PLACE}/key\n"),
    "crlf-and-tabs": Case("Host\tnode\r\n\tPort\t9\r\n"),
    "trailing-comment-line": Case("  # Host x\nHost node\n Port 8\n#Port 9\n"),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The ~/.ssh of a $HOME that OpenSSH ignores."""
    ssh = tmp_path / ".ssh"
    ssh.mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("OZ_AGENT", "/run/agent-of-oz")
    monkeypatch.setenv("OZ_PLACE", "/some where")
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.setattr(openssh_home, "SYSTEM_CONFIG", tmp_path / "none" / "ssh_config")
    monkeypatch.setattr(program, "_lookups", {})  # no answer of another test
    return ssh


def write(folder: Path, case: Case) -> None:
    for name, text in (("config", case.config), *case.files):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text.replace("FOLDER", str(folder)), newline="")


def ask_openssh(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ``ssh -G`` read the file of this $HOME, as it reads that of the account's home."""
    wrapper = folder / "ssh-of-this-home"
    wrapper.write_text(f'#!/bin/sh\necho x >> {folder}/asked\nexec {SSH} -F {folder}/config "$@"\n')
    wrapper.chmod(0o700)
    monkeypatch.setattr(program, "ssh_path", lambda: str(wrapper))
    monkeypatch.setattr(effective, "is_own_home", lambda: True)


def in_this_home(endpoint: SshEndpoint) -> SshEndpoint:
    """OpenSSH's own known_hosts files lie in the account's home, those of ours in $HOME."""
    account = account_home()
    assert account is not None
    usual = {account / ".ssh" / name: Path.home() / ".ssh" / name for name in ("known_hosts", "known_hosts2")}
    return replace(endpoint, known_hosts=tuple(usual.get(path, path) for path in endpoint.known_hosts))


@needs_ssh
@pytest.mark.parametrize("name", CASES)
def test_our_reader_and_openssh_agree(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = CASES[name]
    write(folder, case)
    ours = resolve_host(case.host, user=case.user, port=case.port)
    assert not (folder / "asked").exists()
    ask_openssh(folder, monkeypatch)
    theirs = resolve_host(case.host, user=case.user, port=case.port)
    assert (folder / "asked").exists()
    assert ours == in_this_home(theirs)


def resolved(folder: Path, name: str) -> SshEndpoint:
    write(folder, CASES[name])
    return resolve_host("node", user=CASES[name].user)


def test_the_table_says_what_it_means(folder: Path) -> None:
    assert resolved(folder, "include").host == "10.0.0.9"
    assert resolved(folder, "include-within-host").port == 2022
    assert resolved(folder, "include-within-other-host").port == 22
    assert resolved(folder, "match-final-host").port == 5
    assert resolved(folder, "alias").host_key_alias == "other"
    assert resolved(folder, "agent").agent == f"{folder}/agent-me"
    assert resolved(folder, "agent-none").agent is None
    assert resolved(folder, "agent-variable").agent == "/run/agent-of-oz"
    assert resolved(folder, "jump").jump == "me@bastion:2222,other"
    assert resolved(folder, "jump-none-first").jump is None
    assert resolved(folder, "methods").methods == ("keyboard-interactive",)
    assert resolved(folder, "identity-none").key_files == ()
    assert resolved(folder, "environment").key_files == (Path("/some where/key"),)
    assert folder / "two words" in resolved(folder, "known-hosts").known_hosts
    assert resolved(folder, "control").unused == ("controlpath",)
    assert resolved(folder, "revoked").revoked_host_keys == folder / "revoked"


def test_include_relative_and_by_tilde_in_the_readers_home(folder: Path) -> None:
    case = Case(
        "Include conf.d/*.conf ~/.ssh/more\n", files=(("conf.d/a.conf", "Port 5\n"), ("more", "User m\n"))
    )
    write(folder, case)
    endpoint = resolve_host("node")
    assert (endpoint.port, endpoint.user) == (5, "m")


@needs_ssh
def test_port_abc_is_reported_with_the_words_of_openssh(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, Case("Host node\n Port abc\n"))
    ask_openssh(folder, monkeypatch)
    with pytest.raises(ConnectError) as caught:
        resolve_host("node")
    assert "config line 2: Bad port 'abc'" in caught.value.message
    assert "ssh -G node" in caught.value.hint


@pytest.mark.parametrize("host", ["-oProxyCommand=touch /tmp/x", "-G", "", "a b", "a\nb", "x" * 300])
def test_a_host_that_is_none_is_never_given_to_ssh(
    host: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, Case(""))
    ask_openssh(folder, monkeypatch)
    with pytest.raises(ConnectError, match="is not a host name"):
        resolve_host(host)
    assert not (folder / "asked").exists()


@needs_ssh
@pytest.mark.parametrize(
    ("user", "system", "asks"),
    [
        (None, None, False),
        (None, "Include FOLDER/d/*.conf\nHost *\n SendEnv LANG\n HashKnownHosts yes\n", False),
        (None, "Host *\n Port 7\n", True),
        (None, "Match final all\n HashKnownHosts yes\n", True),
        (None, "Include FOLDER/more\n", True),
        (None, "nonsense\n", True),
        ("", None, True),
    ],
)
def test_no_process_where_there_is_nothing_to_ask(
    user: str | None, system: str | None, asks: bool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask_openssh(folder, monkeypatch)
    monkeypatch.setattr(openssh_home, "SYSTEM_CONFIG", folder / "ssh_config")
    for name, text in (("config", user), ("ssh_config", system), ("more", "User m\n")):
        if text is not None:
            (folder / name).write_text(text.replace("FOLDER", str(folder)))
    if user is None:
        (folder / "ssh-of-this-home").write_text(f'#!/bin/sh\necho x >> {folder}/asked\nexec {SSH} "$@"\n')
    effective.prefetch("node", None, None)
    assert resolve_host("node").host == "node"
    assert (folder / "asked").exists() is asks


@needs_ssh
def test_one_question_per_host(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder, Case("Host *\n Port 5\n"))
    ask_openssh(folder, monkeypatch)
    effective.prefetch("one", "me", None)
    for _ in range(3):
        assert resolve_host("one", user="me").port == 5
        assert resolve_host("two").port == 5
    assert (folder / "asked").read_text() == "x\nx\n"


def fake_ssh(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    ask_openssh(folder, monkeypatch)
    (folder / "config").touch()
    (folder / "ssh-of-this-home").write_text(f"#!/bin/sh\n{script}\n")


def test_an_ssh_that_hangs_is_ended_and_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "LIMIT_SECONDS", 0.3)
    fake_ssh(folder, monkeypatch, f"sleep 300 & echo $! > {folder}/pid; wait")
    with pytest.raises(ConnectError, match="did not finish") as caught:
        resolve_host("node")
    assert "Match exec" in caught.value.hint
    state = Path(f"/proc/{(folder / 'pid').read_text().strip()}/stat")
    until = time.monotonic() + 60
    while state.exists() and ") Z " not in state.read_text():
        assert time.monotonic() < until
        threading.Event().wait(0.05)


def test_an_ssh_without_end_is_cut(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_ssh(folder, monkeypatch, "yes hostname")
    with pytest.raises(ConnectError):
        resolve_host("node")


def test_an_old_ssh_is_replaced_by_our_reader(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder, Case("Port 5\n"))
    fake_ssh(folder, monkeypatch, "echo 'unknown option -- G' >&2; exit 255")
    assert resolve_host("node").port == 5


def test_match_exec_runs_nothing_and_names_the_way(folder: Path) -> None:
    mark = folder / "ran"
    write(folder, Case(f'Match exec "touch {mark}"\n Port 5\n'))
    with pytest.raises(ConnectError, match="only OpenSSH can evaluate Match exec"):
        resolve_host("node")
    assert list_hosts() == ()
    assert not mark.exists()


def test_files_that_include_each_other_end(folder: Path) -> None:
    write(folder, Case("Include FOLDER/config\n"))
    with pytest.raises(ConnectError, match="include each other"):
        resolve_host("node")


def test_an_environment_variable_that_is_not_set_is_named(folder: Path) -> None:
    write(folder, Case("IdentityFile ${OZ_NOT_SET}/key\n"))
    with pytest.raises(ConnectError, match=r"\$\{OZ_NOT_SET\}, which is not set"):
        resolve_host("node")


def test_hosts_of_included_files_are_listed(folder: Path) -> None:
    write(folder, CASES["include"])
    assert [(host.name, host.host) for host in list_hosts()] == [("node", "10.0.0.9")]


def test_a_proxy_command_is_refused_unless_the_way_is_given(folder: Path) -> None:
    write(folder, Case("ProxyCommand nc %h %p\n"))
    with pytest.raises(ConnectError, match="ProxyCommand") as caught:
        resolve_host("node")
    assert "jump:" in caught.value.hint
    assert resolve_host("node", jumped=True).jump is None


def test_paths_with_spaces() -> None:
    assert list(split_paths("/a b/c ~/d %d/e f")) == ["/a b/c", "~/d", "%d/e f"]


@needs_ssh
def test_the_argv_is_no_shells(folder: Path) -> None:
    assert SSH is not None
    query = HostQuery(host="$(touch${IFS}x);node", user="a b", port=5)
    lookup = program.ConfigLookup(SSH, query)
    with pytest.raises(ConnectError):
        lookup.result()
    assert subprocess.run([SSH, "-G", "--", "node"], capture_output=True, check=False).returncode == 0
