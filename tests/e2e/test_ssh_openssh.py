"""Real logins: where ``ssh`` gets in with a configuration, so do we, and where it does not, neither do we."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from oz_installer.errors import ConnectError
from oz_installer.remote.ssh.transport import SshTarget, connect
from oz_installer.secret import Secret
from tests.e2e.sshd import Sshd, make_key, sshd, user

WELCOME = b"in\n"


@dataclass
class Client:
    """A home with keys, and the same login by ``ssh`` and by us."""

    home: Path
    agent: Path
    keys: Callable[[str], Path]

    def configure(self, text: str) -> None:
        (self.home / ".ssh/config").write_text(text.replace("HOME", str(self.home)))

    def add(self, *names: str) -> None:
        for name in names:
            subprocess.run(["ssh-add", "-q", str(self.keys(name))], check=True, env=self._environment())

    def by_ssh(self, host: str = "node") -> bool:
        argv = ["ssh", "-F", str(self.home / ".ssh/config"), "-o", "BatchMode=yes", host, "echo in"]
        result = subprocess.run(argv, capture_output=True, timeout=60, check=False, env=self._environment())
        return result.stdout == WELCOME

    def by_us(self, host: str = "node", **changes: object) -> str:
        """Log in. Empty when it succeeds, else the message and the hint."""
        values: dict[str, object] = {"name": "n1", "host": host, "become": "none", **changes}
        try:
            node = connect(SshTarget(**values), timeout=20)  # type: ignore[arg-type]
        except ConnectError as error:
            return f"{error.message} | {error.hint}"
        try:
            assert node.run(["echo", "in"]).stdout == WELCOME
        finally:
            node.close()
        return ""

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "SSH_AUTH_SOCK": str(self.agent)}


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    agent = tmp_path / "agent"
    monkeypatch.setenv("SSH_AUTH_SOCK", str(agent))
    process = subprocess.Popen(["ssh-agent", "-D", "-a", str(agent)], stdout=subprocess.DEVNULL)
    waited = threading.Event()
    for _ in range(600):
        if agent.exists():
            break
        waited.wait(0.05)

    def keys(name: str) -> Path:
        path = home / name
        return path if path.exists() else make_key(path)

    yield Client(home, agent, keys)
    process.terminate()
    process.wait()


def head(server: Sshd, more: str = "") -> str:
    return (
        f"Host node\n HostName 127.0.0.1\n Port {server.port}\n User root\n"
        f" UserKnownHostsFile {server.known_hosts}\n GlobalKnownHostsFile /dev/null\n"
        f" StrictHostKeyChecking yes\n{more}"
    )


KEYS = {
    "file": ("6", (), " IdentityFile HOME/good\n", True),
    "file-second": ("6", (), " IdentityFile HOME/other\n IdentityFile HOME/good\n", True),
    "no-key": ("6", (), " IdentityFile HOME/other\n", False),
    "agent": ("6", ("good",), "", True),
    "agent-but-none": ("6", ("good",), " IdentityAgent none\n", False),
    "agent-but-identities-only": ("6", ("good",), " IdentitiesOnly yes\n IdentityFile HOME/other\n", False),
    "agent-by-public-key": ("6", ("a", "good"), " IdentitiesOnly yes\n IdentityFile HOME/good.pub\n", True),
    "agent-order": ("6", ("a", "b", "c", "d", "e", "f", "good"), " IdentityFile HOME/good\n", True),
    "agent-too-many": ("6", ("a", "b", "c", "d", "e", "f", "good"), "", False),
    "agent-most-tries-3": ("3", ("a", "b", "c", "good"), "", False),
    "agent-most-tries-3-named": ("3", ("a", "b", "c", "good"), " IdentityFile HOME/good\n", True),
    "agent-before-files": ("3", ("a", "b", "c"), " IdentityFile HOME/good\n", False),
    "identities-only-then-file": (
        "3", ("a", "b", "c"), " IdentitiesOnly yes\n IdentityFile HOME/good\n", True,
    ),
    "pubkey-off": ("6", ("good",), " PubkeyAuthentication no\n", False),
}  # fmt: skip


@pytest.mark.parametrize("name", KEYS)
def test_keys_as_ssh_offers_them(name: str, client: Client, tmp_path: Path) -> None:
    most, agent, more, gets_in = KEYS[name]
    with sshd(tmp_path / "sshd", PasswordAuthentication="no", MaxAuthTries=most) as server:
        server.trust()
        server.allow_key(client.keys("good"))
        client.keys("other")
        client.configure(head(server, more))
        client.add(*agent)
        assert client.by_ssh() is gets_in
        assert (client.by_us() == "") is gets_in


def test_key_file_of_the_answers_comes_first(client: Client, tmp_path: Path) -> None:
    with sshd(tmp_path / "sshd", MaxAuthTries="3") as server:
        server.trust()
        server.allow_key(client.keys("good"))
        client.configure(head(server))
        client.add("a", "b", "c")
        told = client.by_us()
        assert "IdentitiesOnly yes" in told
        assert "`key_file`" in told
        assert client.by_us(key_file=client.keys("good")) == ""


def sign(ca: Path, public: Path, *more: str) -> None:
    subprocess.run(["ssh-keygen", "-q", "-s", str(ca), "-I", "test", *more, str(public)], check=True)


@pytest.mark.parametrize("how", ["beside", "key_file", "CertificateFile", "agent", "agent-key", "rsa"])
def test_user_certificates(how: str, client: Client, tmp_path: Path) -> None:
    ca = make_key(tmp_path / "ca")
    key = make_key(client.home / "ukey", "rsa" if how == "rsa" else "ed25519")
    sign(ca, client.home / "ukey.pub", "-n", "root")
    with sshd(tmp_path / "sshd", TrustedUserCAKeys=f"{ca}.pub") as server:
        server.trust()
        more = f" IdentityFile {key}\n"
        if how == "CertificateFile":
            (client.home / "ukey-cert.pub").rename(client.home / "elsewhere.pub")
            more += f" CertificateFile {client.home}/elsewhere.pub\n"
        if how.startswith("agent"):
            client.add("ukey")
            more = f" IdentityFile {key}\n" if how == "agent-key" else ""
        client.configure(head(server, "" if how == "key_file" else more))
        if how != "key_file":
            assert client.by_ssh()
        assert client.by_us(key_file=key if how == "key_file" else None) == ""


def test_a_user_certificate_that_is_refused_is_named(client: Client, tmp_path: Path) -> None:
    ca, key = make_key(tmp_path / "ca"), client.keys("ukey")
    sign(ca, client.home / "ukey.pub", "-n", "somebody")
    with sshd(tmp_path / "sshd", TrustedUserCAKeys=f"{ca}.pub") as server:
        server.trust()
        client.configure(head(server, f" IdentityFile {key}\n"))
        assert not client.by_ssh()
        told = client.by_us()
    assert f"certificate {key}-cert.pub" in told
    assert "ssh-keygen -L" in told


HOST_KEYS = {
    "plain": ("[127.0.0.1]:PORT KEY", "", True),
    "hashed-or-wildcard": ("[127.0.0.*]:PORT KEY", "", True),
    "without-port": ("127.0.0.1 KEY", "", True),
    "other-without-port": ("127.0.0.1 OTHER", "", False),
    "alias": ("thealias KEY", " HostKeyAlias TheAlias\n", True),
    "alias-with-port": ("[thealias]:PORT KEY", " HostKeyAlias thealias\n", False),
    "alias-is-not-the-address": ("[127.0.0.1]:PORT KEY", " HostKeyAlias thealias\n", False),
    "authority": ("@cert-authority [127.0.0.1]:PORT CA", "", True),
    "authority-pattern": ("@cert-authority * CA", "", True),
    "authority-other": ("@cert-authority * OTHER", "", False),
    "authority-alias": ("@cert-authority * CA", " HostKeyAlias stranger\n", False),
    "authority-revoked": ("@cert-authority * CA\n@revoked * CA", "", False),
    "authority-and-plain": ("@cert-authority * OTHER\n[127.0.0.1]:PORT KEY", "", True),
    "revoked": ("[127.0.0.1]:PORT KEY\n@revoked * KEY", "", False),
    "revoked-file": ("[127.0.0.1]:PORT KEY", " RevokedHostKeys HOME/revoked\n", False),
    "changed": ("[127.0.0.1]:PORT OTHER", "", False),
}


@pytest.mark.parametrize("name", HOST_KEYS)
def test_host_keys_as_ssh_looks_them_up(name: str, client: Client, tmp_path: Path) -> None:
    text, more, gets_in = HOST_KEYS[name]
    folder, ca = tmp_path / "sshd", make_key(tmp_path / "ca")
    folder.mkdir()
    host_key = make_key(folder / "host_ed25519")
    sign(ca, folder / "host_ed25519.pub", "-h", "-n", "127.0.0.1,thealias")
    other = make_key(tmp_path / "other")

    def public(path: Path) -> str:
        return " ".join(path.with_name(f"{path.name}.pub").read_text().split()[:2])

    with sshd(folder, HostCertificate=str(folder / "host_ed25519-cert.pub")) as server:
        server.allow_key(client.keys("good"))
        for word, value in (
            ("PORT", str(server.port)),
            ("KEY", public(host_key)),
            ("CA", public(ca)),
            ("OTHER", public(other)),
        ):
            text = text.replace(word, value)
        server.known_hosts.write_text(text + "\n")
        (client.home / "revoked").write_text(public(host_key) + "\n")
        client.configure(head(server, f" IdentityFile HOME/good\n{more}"))
        assert client.by_ssh() is gets_in
        assert (client.by_us() == "") is gets_in


@pytest.mark.parametrize("fault", ["expired", "other-name"])
def test_a_host_certificate_that_proves_nothing_is_refused(
    fault: str, client: Client, tmp_path: Path
) -> None:
    folder, ca = tmp_path / "sshd", make_key(tmp_path / "ca")
    folder.mkdir()
    make_key(folder / "host_ed25519")
    options = {
        "expired": ["-h", "-n", "127.0.0.1", "-V", "20200101:20210101"],
        "other-name": ["-h", "-n", "elsewhere"],
    }
    sign(ca, folder / "host_ed25519.pub", *options[fault])
    authority = " ".join((tmp_path / "ca.pub").read_text().split()[:2])
    with sshd(folder, HostCertificate=str(folder / "host_ed25519-cert.pub")) as server:
        server.allow_key(client.keys("good"))
        server.known_hosts.write_text(f"@cert-authority * {authority}\n")
        client.configure(head(server, " IdentityFile HOME/good\n"))
        assert not client.by_ssh()
        assert "certificate of the host key" in client.by_us()


def test_second_factor_of_pam(client: Client, tmp_path: Path) -> None:
    """Key and the account's password by PAM: with the password of the answers, asked, and refused."""
    with (
        sshd(
            tmp_path / "sshd",
            KbdInteractiveAuthentication="yes",
            AuthenticationMethods="publickey,keyboard-interactive",
            UsePAM="yes",
        ) as server,
        user("cAnary") as account,
    ):
        server.allow_key(client.keys("good"))
        known = server.trust()
        base = SshTarget(
            name="n1",
            host="127.0.0.1",
            port=server.port,
            user=account.name,
            key_file=client.keys("good"),
            known_hosts=known,
        )
        connect(replace(base, password=Secret("cAnary"))).close()
        asked: list[str] = []

        def ask(label: str) -> Secret:
            asked.append(label)
            return Secret("cAnary")

        connect(base, ask_code=ask).close()
        assert len(asked) == 1
        assert asked[0].endswith("Password")
        with pytest.raises(ConnectError) as caught:
            connect(base)
        assert "asks for a password" in caught.value.message
        assert "`password`" in caught.value.hint


def test_include_and_match_by_the_accounts_own_home(tmp_path: Path) -> None:
    """``ssh`` reads the account's home, whatever $HOME says; our reader agrees with it there."""
    from oz_installer.remote.ssh.openssh.program import parse_settings

    with user("plain") as account:
        folder = account.home / ".ssh"
        (folder / "conf.d").mkdir(parents=True)
        (folder / "config").write_text("Include conf.d/*.conf ~/.ssh/more\nMatch final host 10.*\n Port 7\n")
        (folder / "conf.d/a.conf").write_text("Host node\n HostName 10.0.0.7\n IdentityFile ~/.ssh/%h\n")
        (folder / "more").write_text("Host *\n User deploy\n")
        script = "ssh -G node"
        text = subprocess.run(
            ["su", account.name, "-c", script], capture_output=True, text=True, check=True
        ).stdout
        theirs = parse_settings(text)
        environment = {**os.environ, "HOME": str(account.home)}
        code = (
            "from oz_installer.remote.ssh.openssh.effective import effective_settings as e\n"
            "from oz_installer.remote.ssh.openssh.query import HostQuery as Q\n"
            "s = e(Q(host='node'))\n"
            "print(*[s[k][0] for k in ('hostname', 'port', 'user', 'identityfile')])"
        )
        ours = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
        ).stdout.split()
        assert ours == [theirs[key][0] for key in ("hostname", "port", "user", "identityfile")]
        assert ours == ["10.0.0.7", "7", "deploy", "~/.ssh/%h"]
