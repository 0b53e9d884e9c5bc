"""What is wrong with a way to a node, its engine or its disk is said once, and the node stays as it was."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest

from tests.e2e.ground import FRESH, INSTALLED, Document, Ground, assert_told
from tests.e2e.site import CLEAN
from tests.e2e.stopped import running

# --- the way to the node -------------------------------------------------------------------------------


def _unresolved(node: Document, ground: Ground) -> None:
    node["host"] = f"no-such-{node['name']}.invalid"


def _closed_port(node: Document, ground: Ground) -> None:
    node["port"] = 2


def _wrong_password(node: Document, ground: Ground) -> None:
    del node["key_file"]
    node.update(user="ozadmin", password={"file": _secret(ground, "not-the-password")})


def _wrong_passphrase(node: Document, ground: Ground) -> None:
    key = ground.folder / "id_locked"
    if not key.exists():
        shutil.copy(ground.site.lab.key, key)
        key.chmod(0o600)
        change = ["ssh-keygen", "-q", "-p", "-P", "", "-N", "the-right-one", "-f", str(key)]
        subprocess.run(change, check=True)
    node.update(key_file=str(key), key_passphrase={"file": _secret(ground, "the-wrong-one")})


def _sudo_without_password(node: Document, ground: Ground) -> None:
    node.update(user="ozpw", become="sudo")


def _wrong_sudo_password(node: Document, ground: Ground) -> None:
    node.update(
        user="ozpw", become="sudo", become_password={"file": _secret(ground, "not-the-sudo-password")}
    )


def _no_engine_rights(node: Document, ground: Ground) -> None:
    node.update(user="ozpw", become="none")


def _other_key(node: Document, ground: Ground) -> None:
    node["host_key"] = "SHA256:" + "A" * 43


def _secret(ground: Ground, text: str) -> str:
    path = ground.folder / text
    path.touch(mode=0o600)
    path.write_text(text)
    return str(path)


WAYS: dict[str, tuple[Callable[[Document, Ground], None], Sequence[str]]] = {
    "a host that does not resolve": (_unresolved, ("no-such-node1.invalid", "does not resolve", "getent")),
    "a closed port": (_closed_port, ("port 2 of", "is closed", "`port` of the node")),
    "a wrong password": (_wrong_password, ("ozadmin", "password")),
    "a wrong passphrase": (_wrong_passphrase, ("id_locked", "passphrase")),
    "sudo wants a password": (_sudo_without_password, ("sudo requires a password", "become_password")),
    "a wrong sudo password": (_wrong_sudo_password, ("does not accept the password", "become_password")),
    "no right to use the engine": (_no_engine_rights, ("may not use Docker", "group docker")),
    "another host key": (_other_key, ("in the answers is SHA256:AAA", "correct `host_key`")),
}


@pytest.mark.parametrize("fault", WAYS)
def test_a_way_that_is_barred(ground: Ground, fault: str) -> None:
    spoil, words = WAYS[fault]
    document = ground.both()
    for node in document["nodes"]:
        spoil(node, ground)
    ended = ground.refused(document, 3, (f"{INSTALLED}: ", f"{FRESH}: ", *words))
    for secret in ("not-the-password", "the-wrong-one", "the-right-one", "not-the-sudo-password"):
        assert secret not in ended.stderr


def test_an_unknown_host_key(ground: Ground) -> None:
    empty = ground.folder / "empty_known_hosts"
    empty.touch()
    words = (f"{INSTALLED}: the host key", f"{FRESH}: the host key", "is unknown", "SHA256:", "host_key")
    ground.refused({**ground.both(), "known_hosts": str(empty)}, 3, words)


def test_a_host_key_that_known_hosts_has_otherwise(ground: Ground) -> None:
    other = ground.folder / "other_key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(other)], check=True)
    document = ground.both()
    kind, key, *_ = other.with_suffix(".pub").read_text().split()
    known = ground.folder / "other_known_hosts"
    known.write_text("".join(f"{node['host']} {kind} {key}\n" for node in document["nodes"]))
    document["known_hosts"] = str(known)
    ended = ground.refused(document, 3, ("has changed", str(known), f"ssh-keygen -f {known} -R"))
    assert ended.stderr.count("SHA256:") == 4


def test_one_node_that_cannot_be_reached_holds_up_the_other(ground: Ground) -> None:
    document = ground.both()
    document["nodes"][1]["port"] = 2
    ended = ground.refused(document, 3, (f"{FRESH}: port 2 of",))
    assert INSTALLED not in ended.stderr


# --- the engine ----------------------------------------------------------------------------------------


@contextmanager
def on_node(ground: Ground, node: str, spoil: str, mend: str) -> Iterator[None]:
    """A fault on a node for a while."""
    ground.site.on(node, spoil)
    try:
        yield
    finally:
        ground.site.on(node, mend)


def wrapper(conditions: str, name: str = "docker") -> tuple[str, str]:
    """Scripts that put a wrapper of a program before it, and take it away."""
    text = f'#!/bin/sh\n{conditions}\nexec /usr/bin/{name} "$@"\n'
    return (
        f"cat > /usr/local/bin/{name} <<'E'\n{text}E\nchmod 755 /usr/local/bin/{name}",
        f"rm /usr/local/bin/{name}",
    )


OLD_DOCKER = 'case "$1" in version) echo 18.09.9; exit 0;; esac'
NO_PLUGIN = 'case "$1" in compose) exit 1;; esac'
ENGINES: dict[str, tuple[list[tuple[str, str]], Sequence[str]]] = {
    "not installed": (
        [("mv /usr/bin/docker /usr/bin/docker.hidden", "mv /usr/bin/docker.hidden /usr/bin/docker")],
        ("Docker is not installed", "Install Docker"),
    ),
    "not running": (
        [("mv /run/docker.sock /run/docker.sock.hidden", "mv /run/docker.sock.hidden /run/docker.sock")],
        ("Docker does not answer", "systemctl enable --now docker"),
    ),
    "too old": ([wrapper(OLD_DOCKER)], ("Docker 18.09.9 is too old", "19.03 or newer", "Upgrade Docker")),
    "Compose too old": (
        [wrapper(NO_PLUGIN), wrapper("echo 1.25.0; exit 0", "docker-compose")],
        ("Docker Compose 1.25.0 is too old", "1.27 or newer"),
    ),
    "without Compose": (
        [wrapper(NO_PLUGIN), wrapper("exit 1", "docker-compose")],
        ("Docker Compose is not installed", "Install Docker Compose"),
    ),
}


@pytest.mark.parametrize("fault", ENGINES)
def test_an_engine_that_will_not_do(ground: Ground, fault: str) -> None:
    faults, words = ENGINES[fault]
    before = ground.state()
    path = ground.write(ground.both(), "both")
    spoil, mend = " && ".join(one for one, _ in faults), "; ".join(one for _, one in faults)
    with on_node(ground, INSTALLED, spoil, mend), on_node(ground, FRESH, spoil, mend):
        ended = ground.site.install(path)
        planned = ground.site.run("plan", "--answers", str(path))
    for one in (ended, planned):
        assert_told(one, 3, (f"{INSTALLED}: ", f"{FRESH}: ", *words))
    assert ground.state() == before


def test_status_says_that_an_engine_is_down(ground: Ground) -> None:
    path = ground.write(ground.document(INSTALLED), INSTALLED)
    with on_node(ground, INSTALLED, *ENGINES["not running"][0][0]):
        ended = ground.site.run("status", "--answers", str(path))
    assert ended.status == 3
    assert f"{INSTALLED}  ! Docker does not answer" in ended.stdout
    assert "hint: " in ended.stderr
    assert ground.site.run("status", "--answers", str(path)).status == 0


# --- the disk ------------------------------------------------------------------------------------------

DISKS: dict[str, tuple[str, int, Sequence[str]]] = {
    "small": ("size=64k", 3, ("MB free", "512 MB are needed", "Free some space")),
    "few inodes": ("size=600m,nr_inodes=12", 3, ("free inodes, 10000 are needed",)),
    "full while staging": ("size=600m,nr_inodes=12", 4, ("No space left on device", "Free some space")),
    "read-only": ("ro,size=600m", 3, ("mounted read-only", "choose another install_dir")),
}


@pytest.mark.parametrize("fault", DISKS)
def test_a_disk_that_will_not_do(ground: Ground, fault: str) -> None:
    options, status, words = DISKS[fault]
    with on_node(
        ground,
        FRESH,
        f"mkdir -p /srv/oz && mount -t tmpfs -o {options},mode=755 none /srv/oz",
        "umount /srv/oz; rmdir /srv/oz",
    ):
        before = ground.site.shape(FRESH)
        document = ground.document(FRESH, install_dir="/srv/oz")
        flags = ("--skip-checks",) if fault == "full while staging" else ()
        ended = ground.site.install(ground.write(document, FRESH), *flags)
        node = FRESH if fault == "few inodes" else f"{FRESH}: "  # the preflight has a table
        assert_told(ended, status, (node, *words))
        assert ground.site.shape(FRESH) == before


def test_a_disk_that_is_full_at_an_upgrade(ground: Ground) -> None:
    """The folder of a working installation takes no more files."""
    document = ground.document(INSTALLED)
    document["updater"]["period"] = 7200
    spoil = (
        "mkdir /tmp/g && n=$(find /opt/oz | wc -l) && "
        "mount -t tmpfs -o size=600m,nr_inodes=$((n + 9)) none /tmp/g && cp -a /opt/oz/. /tmp/g/ "
        "&& mount --move /tmp/g /opt/oz"
    )
    containers = ground.site.containers(INSTALLED)
    with on_node(ground, INSTALLED, spoil, "umount /opt/oz; rmdir /tmp/g"):
        before = ground.site.shape(INSTALLED)
        ended = ground.site.install(ground.write(document, INSTALLED), "--skip-checks")
        assert_told(ended, 4, ("No space left on device", "Free some space"))
        assert ground.site.shape(INSTALLED) == before
    assert ground.site.containers(INSTALLED) == containers


HOLDER = (
    "import socket, struct, time; s = socket.socket(); s.bind(('', 60050)); "
    "s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0)); "
    "s.connect(('127.0.0.1', 22)); print('up', flush=True); time.sleep(1e6)"
)
"""A connection from a port that the updater publishes; when it ends, nothing remains of it for a minute."""


def test_a_port_that_a_connection_of_the_node_uses_is_waited_for(ground: Ground) -> None:
    """Linux gives outgoing connections any port up to 60999, those of the updater's range, too."""
    path = ground.write(ground.document(FRESH), FRESH)
    start = (
        f'setsid python3 -c "{HOLDER}" > /run/holding 2>&1 & echo $! > /run/holder; '
        "until grep -q up /run/holding; do sleep 0.05; done"
    )
    end = "kill $(cat /run/holder) 2> /dev/null; rm -f /run/holder /run/holding"
    with on_node(ground, FRESH, start, f"{end}; {CLEAN}"):
        with running(path) as run:
            run.until(lambda event: "TCP port 60050 is in use by an outgoing" in event.get("text", ""))
            ground.site.on(FRESH, end)
            ended = run.end()
        assert ended.status == 0, ended.stderr
        assert "oz-bio-updater" in ground.site.containers(FRESH)
