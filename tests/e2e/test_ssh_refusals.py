"""Commands over real sshd and sudo that are not plain: shells, greetings, languages, refusals."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from oz_installer.errors import ConnectError
from oz_installer.remote.ssh.transport import SshTarget, SshTransport, connect
from oz_installer.secret import Secret
from tests.e2e.sshd import Sshd, User, make_key, sshd, user

CANARY = "CanarySudoPw7391'$x"
STRANGE = ["a b", "'\"", "$HOME", "`id`", "*", "", "\n", "-n", "ü", "\\", "!x !!", "#", "%d", "\\n", "^a^b"]
SCRIPT = 'x=$1\nif [ "$x" = "it\'s" ]; then\n  echo "got! $x"\nfi\ncat'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """A server as distributions set it up: with PAM. It takes the key ``key`` of its folder for everybody."""
    folder = tmp_path_factory.mktemp("refusals")
    with sshd(folder, UsePAM="yes") as running:
        running.allow_key(make_key(folder / "key"))
        running.trust()
        yield running


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)


def log_in(server: Sshd, who: str, password: str | None = None, name: str = "n1") -> SshTransport:
    target = SshTarget(
        name=name,
        host="127.0.0.1",
        port=server.port,
        user=who,
        key_file=server.folder / "key",
        known_hosts=server.known_hosts,
        become_password=Secret(password) if password else None,
    )
    return connect(target, timeout=10)


def refused(node: SshTransport, *words: str) -> ConnectError:
    """The error of a command that does not run: no secret, no mark in it, and a stream says the same."""
    with pytest.raises(ConnectError) as caught:
        node.run(["cat"], stdin=b"data\n")
    error = caught.value
    told = f"{error}\n{error.hint}"
    for word in words:
        assert word in told, told
    assert error.node == "n1"
    assert CANARY not in told
    assert not re.search("oz-install:[0-9a-f]{16}", told)
    with pytest.raises(ConnectError) as streamed:
        node.stream(["cat"])
    assert streamed.value.message == error.message
    return error


@contextmanager
def sudoers(who: User, *lines: str) -> Iterator[None]:
    """More lines for sudo; what follows the user's name is meant where a line has no {user}."""
    path = Path("/etc/sudoers.d") / f"{who.name}-more"
    path.write_text("".join(line.format(user=who.name) + "\n" for line in lines))
    path.chmod(0o440)
    subprocess.run(["visudo", "-cqf", str(path)], check=True)
    try:
        yield
    finally:
        path.unlink()


def chage(who: User, *options: str) -> None:
    subprocess.run(["chage", *options, who.name], check=True)


# ---- stdin and the password


@pytest.mark.parametrize("stdin", [b"hello\n", None])
def test_sudo_stdin_the_password_never_reaches_a_command_for_which_sudo_asks_none(
    server: Sshd, stdin: bytes | None
) -> None:
    """SUDO-STDIN, M1: the same login has ALL with a password and some commands without one."""
    with (
        user(CANARY, "ALL=(ALL) ALL") as who,
        sudoers(who, "{user} ALL=(ALL) NOPASSWD: /usr/bin/cat, /bin/sh"),
    ):
        node = log_in(server, who.name, CANARY)
        assert node.run(["true"]).ok
        assert node.run(["cat"], stdin=stdin).stdout == (stdin or b"")
        with node.stream(["cat"]) as stream:
            stream.sendall(b"GET /\n")
            assert stream.recv(100) == b"GET /\n"
        node.close()


def test_sudo_stdin_is_clean_where_sudo_asks(server: Sshd) -> None:
    """SUDO-RS is of this kind: a sudo that reads on behind the password finds nothing to swallow."""
    with user(CANARY, "ALL=(ALL) ALL") as who:
        node = log_in(server, who.name, CANARY)
        for _ in range(2):
            done = node.run(["sh", "-c", "id -u; cat; echo err >&2; exit 7"], stdin=b"line\n")
            assert (done.text, done.stderr_text, done.status) == ("0\nline\n", "err", 7)
        assert node.run(["cat"], stdin=iter([b"a" * 100_000, b"b" * 100_000])).stdout.count(b"b") == 100_000
        with node.stream(["cat"]) as stream:
            stream.sendall(b"GET /\n")
            assert stream.recv(100) == b"GET /\n"
        node.close()


def test_sudo_rs_that_swallows_eight_kib_behind_the_password(server: Sshd, tmp_path: Path) -> None:
    """sudo-rs 0.2.5 reads its password by blocks, and has a prompt of its own around ours."""
    with user("x") as who:
        fake = who.home / "sudo"
        fake.write_text(
            "#!/bin/bash\n"
            '[ "$1 $2" = "-S -p" ] && [ "$4" = -- ] || exit 9\n'
            'printf "[sudo: %s] Password: " "${3//%%/%}" >&2\n'
            "IFS= read -r -N 8192 -t 1 block\n"  # what came within a second is lost to the command
            "if [ \"${block%%$'\\n'*}\" != pw1 ]; then\n"
            '  printf "sudo: no\\n[sudo: %s] Password: " "${3//%%/%}" >&2; read -r x; exit 1\n'
            "fi\n"
            "shift 4\n"
            'exec "$@"\n'
        )
        fake.chmod(0o755)
        (who.home / ".bashrc").write_text(f"PATH={who.home}:$PATH\n")
        with sshd_with_bashrc(server, who):
            node = log_in(server, who.name, "pw1")
            assert node.run(["cat"], stdin=b"first bytes\n").text == "first bytes\n"
            node.close()
            refused(log_in(server, who.name, "pw2"), "does not accept the password", "`become_password`")
            refused(log_in(server, who.name), "sudo requires a password", "`become_password`")


@contextmanager
def sshd_with_bashrc(server: Sshd, who: User) -> Iterator[None]:
    """bash reads ~/.bashrc for sshd; these servers set another HOME for their sessions, so it lies there."""
    del server
    profile = Path("/.bashrc")
    assert not profile.exists()
    profile.write_text(f'[ "$(id -un)" != {who.name} ] || . {who.home}/.bashrc\n')
    try:
        yield
    finally:
        profile.unlink()


def test_a_wrong_password_is_sent_once_only(server: Sshd) -> None:
    """Commands in parallel would try it as often as they are, and lock the account."""
    from concurrent.futures import ThreadPoolExecutor

    with user(CANARY, "ALL=(ALL) ALL") as who:
        node = log_in(server, who.name, "wrong")
        with ThreadPoolExecutor(4) as pool:
            errors = [str(one.exception()) for one in [pool.submit(node.run, ["true"]) for _ in range(4)]]
        assert len(set(errors)) == 1
        assert "does not accept the password" in errors[0]
        node.close()


# ---- shells, greetings, languages


@pytest.mark.parametrize("shell", ["tcsh", "fish", "dash", "bash"])
@pytest.mark.parametrize("become", [True, False])
def test_tcsh_and_every_other_login_shell_runs_scripts_whole(server: Sshd, shell: str, become: bool) -> None:
    path = subprocess.run(["which", shell], check=False, capture_output=True, text=True).stdout.strip()
    if not path:
        subprocess.run(["apt-get", "install", "-y", shell], check=True, capture_output=True)
        path = subprocess.run(["which", shell], check=True, capture_output=True, text=True).stdout.strip()
    with user(CANARY, "ALL=(ALL) ALL") as who:
        subprocess.run(["usermod", "-s", path, who.name], check=True)
        node = log_in(server, who.name, CANARY)
        done = node.run(["sh", "-c", SCRIPT, "sh", "it's"], stdin=b"in!\n", become=become)
        assert (done.text, done.status) == ("got! it's\nin!\n", 0), done.stderr
        done = node.run(["printf", "%s\\0", *STRANGE], become=become)
        assert done.stdout.decode().split("\0")[:-1] == STRANGE
        assert node.run(["sh", "-c", "kill -9 $$"], become=become).status in (137, 128 + 9)
        node.close()


def test_bashrc_noise_is_skipped_for_commands_and_streams(server: Sshd) -> None:
    """BASHRC-NOISE: a greeting on both streams, also one without a line's end."""
    with user(CANARY, "ALL=(ALL) NOPASSWD: ALL") as who:
        (who.home / ".bashrc").write_text(
            "echo welcome; echo WARNING >&2; printf 'Password: ' >&2; printf x\n"
        )
        with sshd_with_bashrc(server, who):
            node = log_in(server, who.name)
            for become in (True, False):
                done = node.run(["sh", "-c", "cat; echo err >&2"], stdin=b"in", become=become)
                assert (done.stdout, done.stderr) == (b"in", b"err\n")
                with node.stream(["cat"], become=become) as stream:
                    stream.sendall(b"GET /\n")
                    assert stream.recv(100) == b"GET /\n"
            heard: list[bytes] = []
            node.run(["echo", "own"], on_output=heard.append)
            assert b"".join(heard) == b"own\n"
            node.close()


def test_a_shell_that_prints_its_commands_prints_no_mark(server: Sshd) -> None:
    """``set -x`` prints the line; nothing in it may be taken for sudo's prompt or the command's start."""
    with user(CANARY, "ALL=(ALL) ALL") as who:
        (who.home / ".bashrc").write_text("set -x; export SHELLOPTS\n")
        with sshd_with_bashrc(server, who):
            node = log_in(server, who.name, CANARY)
            assert node.run(["cat"], stdin=b"in").stdout == b"in"
            node.close()


@pytest.mark.parametrize("become", [True, False])
def test_locale_ok_every_command_runs_in_one_locale(server: Sshd, tmp_path: Path, become: bool) -> None:
    """LOCALE-OK: the login's own locale and the one that PAM sets for sudo do not reach a command."""
    folder = tmp_path / "russian"
    with (
        user(CANARY, "ALL=(ALL) NOPASSWD: ALL") as who,
        sshd(folder, SetEnv="LC_ALL=ru_RU.UTF-8 LANG=ru_RU.UTF-8") as russian,
        sudoers(who, 'Defaults:{user} env_keep += "LC_ALL LANG"'),
    ):
        russian.allow_key(make_key(folder / "key"))
        russian.trust()
        node = log_in(russian, who.name)
        assert node.run(["sh", "-c", "echo $LC_ALL"], become=become).text == "C\n"
        with node.stream(["sh", "-c", "echo $LC_ALL"], become=become) as stream:
            assert stream.recv(100) == b"C\n"
        node.close()


# ---- refusals


def test_requiretty_is_named(server: Sshd) -> None:
    with user(CANARY, "ALL=(ALL) NOPASSWD: ALL") as who, sudoers(who, "Defaults:{user} requiretty"):
        refused(log_in(server, who.name), "requiretty", f"Defaults:{who.name} !requiretty")


def test_expired_password_is_named(server: Sshd) -> None:
    with user(CANARY, "ALL=(ALL) ALL") as who:
        chage(who, "-d", "0")
        refused(
            log_in(server, who.name, CANARY), f"the password of {who.name} has expired", f"passwd {who.name}"
        )


def test_expired_password_that_only_sudo_notices_is_named(server: Sshd, tmp_path: Path) -> None:
    folder = tmp_path / "nopam"
    with user(CANARY, "ALL=(ALL) ALL") as who, sshd(folder, UsePAM="no") as plain:
        plain.allow_key(make_key(folder / "key"))
        plain.trust()
        node = log_in(plain, who.name, CANARY)
        chage(who, "-d", "0")
        refused(node, f"the password of {who.name} has expired")


def test_account_expired_while_connected_is_named_by_sudo(server: Sshd) -> None:
    with user(CANARY, "ALL=(ALL) ALL") as who:
        node = log_in(server, who.name, CANARY)
        chage(who, "-E", "2020-01-01")
        refused(node, f"the account {who.name} has expired", "chage -E -1")


def test_account_expired_is_named_at_the_login(server: Sshd) -> None:
    with user(CANARY, "ALL=(ALL) ALL") as who:
        chage(who, "-E", "2020-01-01")
        with pytest.raises(ConnectError) as caught:
            log_in(server, who.name)
        told = f"{caught.value}\n{caught.value.hint}"
        assert "Your account has expired" in told
        assert "chage -E -1" in told
        assert "authorized_keys" not in told
        assert "too many attempts" not in told


def test_root_cloud_is_told_at_once_with_the_right_user(server: Sshd, tmp_path: Path) -> None:
    """ROOT-CLOUD: the image's forced command says it on stdout and sleeps."""
    said = 'Please login as the user "debian" rather than the user "root".'
    with user(CANARY) as who:
        key = make_key(tmp_path / "cloud")
        public = key.with_name("cloud.pub").read_text()
        forced = (
            f"no-pty,command=\"echo '{said.replace(chr(34), chr(92) + chr(34))}';echo;sleep 60;exit 142\" "
        )
        server.authorized.write_text(server.authorized.read_text() + forced + public)
        target = SshTarget(
            name="n1", host="127.0.0.1", port=server.port, user=who.name, key_file=key,
            known_hosts=server.known_hosts,
        )  # fmt: skip
        error = refused(connect(target, timeout=10), said)
        assert "`user: debian`" in error.hint
        assert "`become: sudo`" in error.hint


def test_a_login_without_a_shell_is_named(server: Sshd) -> None:
    with user(CANARY) as who:
        subprocess.run(["usermod", "-s", "/usr/sbin/nologin", who.name], check=True)
        refused(log_in(server, who.name), "This account is currently not available", "chsh -s /bin/bash")


def test_unknown_words_are_shown_whole_and_the_hint_shows_the_same(server: Sshd, tmp_path: Path) -> None:
    words = "Zugang gesperrt: \x1b[31mFall 4711, " + "Grund " * 40 + "Ende"
    with user(CANARY, "ALL=(ALL) NOPASSWD: ALL") as who:
        (who.home / ".bashrc").write_text(f"printf '%s\\n' {shlex.quote(words)}; exit 3\n")
        with sshd_with_bashrc(server, who):
            error = refused(log_in(server, who.name), "Zugang gesperrt: Fall 4711", "Ende", "status 3")
            assert "\x1b" not in str(error)
            assert f"ssh -T -p {server.port} {who.name}@127.0.0.1 id" in error.hint


def test_a_question_of_sudo_that_is_no_password_is_shown(server: Sshd) -> None:
    """As a second factor asks: not sudo's prompt, so the password is not sent."""
    with user("x") as who:
        fake = who.home / "sudo"
        fake.write_text(
            '#!/bin/sh\nprintf "Verification code: " >&2\nread -r code\necho "took $code" >&2\nexit 1\n'
        )
        fake.chmod(0o755)
        (who.home / ".bashrc").write_text(f"PATH={who.home}:$PATH\n")
        with sshd_with_bashrc(server, who):
            refused(log_in(server, who.name, CANARY), "Verification code:", "NOPASSWD: ALL")


def test_no_sudo_is_named_by_its_mark(server: Sshd) -> None:
    with user("x") as who:
        (who.home / ".bashrc").write_text("PATH=/nowhere\n")
        (who.home / "bin").mkdir()
        for name in ("sh", "id"):
            (who.home / "bin" / name).symlink_to(f"/usr/bin/{name}")
        (who.home / ".bashrc").write_text(f"PATH={who.home}/bin\n")
        with sshd_with_bashrc(server, who):
            refused(log_in(server, who.name), "sudo is not installed", "`become: none`")


def test_hardened_sudo_runs_commands_whole(server: Sshd) -> None:
    """use_pty, secure_path and a umask as CIS asks for them."""
    with (
        user(CANARY, "ALL=(ALL) ALL") as who,
        sudoers(who, "Defaults:{user} use_pty, umask=0077, umask_override", "Defaults:{user} lecture=always",
                'Defaults:{user} secure_path="/usr/sbin:/usr/bin:/sbin:/bin"'),
    ):  # fmt: skip
        node = log_in(server, who.name, CANARY)
        done = node.run(["sh", "-c", "cat; echo err >&2; exit 3"], stdin=b"\x04in\n\x03\n")
        assert (done.stdout, done.stderr, done.status) == (b"\x04in\n\x03\n", b"err\n", 3)
        data = os.urandom(300_000)
        assert node.run(["cat"], stdin=data).stdout == data
        node.close()
