"""Real sshd processes on loopback, each in a temporary folder, and users made for a test."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

SSHD = Path("/usr/sbin/sshd")


def require_root_tools() -> None:
    """Make sure that sshd and sudo are here; install what is missing, saying so."""
    if os.geteuid() != 0:
        raise RuntimeError("these tests start sshd and make users: run them as root")
    missing = [
        package
        for package, path in (("openssh-server", SSHD), ("sudo", Path("/usr/bin/sudo")))
        if not path.exists()
    ]
    if missing:
        print(f"installing {' '.join(missing)} for the SSH tests")
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "install", "-y", *missing], check=True, env=environment)
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)


def free_port() -> int:
    """A loopback port that nobody holds now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def make_key(path: Path, kind: str = "ed25519", passphrase: str = "") -> Path:
    """Make a key pair; the path of the private key."""
    subprocess.run(
        ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", "test", "-f", str(path)], check=True
    )
    return path


def key_fingerprint(path: Path) -> str:
    """The fingerprint as ssh-keygen prints it."""
    text = subprocess.run(["ssh-keygen", "-lf", str(path)], check=True, capture_output=True, text=True)
    return text.stdout.split()[1]


@dataclass
class Sshd:
    """One sshd at 127.0.0.1:port."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]
    host_key_types: tuple[str, ...]
    authorized: Path
    known_hosts: Path = field(init=False)

    def __post_init__(self) -> None:
        self.known_hosts = self.folder / "known_hosts"

    def public_key(self, kind: str = "ed25519") -> str:
        """``type base64`` of the host key."""
        return " ".join((self.folder / f"host_{kind}.pub").read_text().split()[:2])

    def fingerprint(self, kind: str = "ed25519") -> str:
        """Of the host key."""
        return key_fingerprint(self.folder / f"host_{kind}.pub")

    def trust(self) -> Path:
        """Write a known_hosts that names this server; its path."""
        lines = [f"[127.0.0.1]:{self.port} {self.public_key(kind)}\n" for kind in self.host_key_types]
        self.known_hosts.write_text("".join(lines))
        return self.known_hosts

    def allow_key(self, private: Path) -> None:
        """Let a key in, for every user."""
        with self.authorized.open("a") as stream:
            stream.write(private.with_name(private.name + ".pub").read_text())

    def session_pids(self) -> list[int]:
        """The processes that serve connections, down to the last child."""
        table: dict[int, list[int]] = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError, ValueError):
                    stat = (entry / "stat").read_text()
                    parent = int(stat.rpartition(")")[2].split()[1])
                    table.setdefault(parent, []).append(int(entry.name))
        found: list[int] = []
        queue = list(table.get(self.process.pid, []))
        while queue:
            pid = queue.pop()
            found.append(pid)
            queue.extend(table.get(pid, []))
        return found

    def freeze(self) -> list[int]:
        """Stop every process that serves a connection; TCP goes on acknowledging."""
        pids = self.session_pids()
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        return pids

    def stop(self) -> None:
        """End it and all it serves."""
        for pid in self.session_pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()


@contextlib.contextmanager
def sshd(
    folder: Path,
    *,
    host_keys: tuple[str, ...] = ("ed25519",),
    port: int | None = None,
    **options: str,
) -> Iterator[Sshd]:
    """A running sshd; options are those of sshd_config."""
    require_root_tools()
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    for kind in host_keys:
        if not (folder / f"host_{kind}").exists():
            make_key(folder / f"host_{kind}", kind)
    # pytest's folders are closed to other users, as whom sshd reads this file
    public = Path(tempfile.mkdtemp(prefix="oz-sshd-"))
    public.chmod(0o755)
    authorized = public / "authorized_keys"
    authorized.touch(mode=0o644)
    number = port or free_port()
    settings = {
        "Port": str(number),
        "ListenAddress": "127.0.0.1",
        "PidFile": "none",
        "AuthorizedKeysFile": str(authorized),
        "StrictModes": "no",
        "UsePAM": "no",
        "PermitRootLogin": "yes",
        "PasswordAuthentication": "yes",
        "KbdInteractiveAuthentication": "no",
        "LogLevel": "VERBOSE",
        "MaxStartups": "100",
        # the .bashrc of whoever runs the tests is none of their business: bash reads it for sshd
        "SetEnv": "HOME=/",
        **options,
    }
    lines = [f"HostKey {folder / f'host_{kind}'}" for kind in host_keys]
    lines += [f"{name} {value}" for name, value in settings.items()]
    config = folder / "sshd_config"
    config.write_text("\n".join(lines) + "\n")
    log = (folder / "sshd.log").open("ab")
    process = subprocess.Popen([str(SSHD), "-D", "-e", "-f", str(config)], stdout=log, stderr=log)
    server = Sshd(folder, number, process, host_keys, authorized)
    try:
        _await_port(server)
        yield server
    finally:
        server.stop()
        log.close()
        shutil.rmtree(public, ignore_errors=True)


def _await_port(server: Sshd) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            raise RuntimeError((server.folder / "sshd.log").read_text())
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", server.port), 1):
            return
        time.sleep(0.02)
    raise RuntimeError(f"sshd at port {server.port} did not start")


@dataclass(frozen=True)
class User:
    """A user of this machine, made for a test."""

    name: str
    password: str
    home: Path


@contextlib.contextmanager
def user(password: str, sudoers: str | None = None) -> Iterator[User]:
    """A user with a password; ``sudoers`` is what follows the name on its line of /etc/sudoers.d."""
    require_root_tools()
    name = f"oztest{secrets.token_hex(4)}"
    home = Path("/tmp") / f"home-{name}"
    subprocess.run(["useradd", "-m", "-d", str(home), "-s", "/bin/bash", name], check=True)
    dropin = Path("/etc/sudoers.d") / name
    try:
        subprocess.run(["chpasswd"], input=f"{name}:{password}\n", text=True, check=True)
        if sudoers is not None:
            dropin.write_text(f"{name} {sudoers}\n")
            dropin.chmod(0o440)
        yield User(name, password, home)
    finally:
        dropin.unlink(missing_ok=True)
        subprocess.run(["pkill", "-KILL", "-u", name], check=False)
        subprocess.run(["userdel", "-f", name], check=False, capture_output=True)
        shutil.rmtree(home, ignore_errors=True)
