"""Media storage on lab nodes: made to fail for real, named, mended, seen to pass; nothing stays behind."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from oz_installer.answers.file import read
from oz_installer.answers.secrets.resolve import Secrets
from oz_installer.checks.storage import probe
from oz_installer.checks.storage.probe import HeldFile, MediaLocation, read_back
from oz_installer.checks.storage.scripts import PREFIX
from oz_installer.lab import LabOptions, up
from oz_installer.remote.transport import Transport
from tests.e2e.checked_nodes import BOTH, BOTH_API, Bench, bad, both
from tests.e2e.site import Site as LabSite

# A server that answers the NULL call of NFS, as far as the lab's kernel can go.
NULL_SERVER = """
import socket, struct
listener = socket.create_server(("", 2049))
print("up", flush=True)
while True:
    peer, _ = listener.accept()
    heard = peer.recv(4096)
    if len(heard) >= 8:
        peer.sendall(struct.pack("!I", 0x80000018) + heard[4:8] + struct.pack("!5I", 1, 0, 0, 0, {status}))
    peer.close()
"""


@contextmanager
def listening(bench: Bench, program: str) -> Iterator[None]:
    """A Python program on node1 that says when it listens."""
    start = (
        f"cat > /tmp/served.py <<'END'\n{program}\nEND\n"
        "python3 /tmp/served.py > /tmp/serving 2>&1 & echo $! > /tmp/server; "
        "until grep -q up /tmp/serving; do sleep 0.05; done"
    )
    with bench.during("node1", start, "kill $(cat /tmp/server); rm -f /tmp/serv*"):
        yield


def test_nfs_as_far_as_this_kernel_goes(bench: Bench) -> None:
    """No server, one that is none, one whose export no kernel without an NFS client can mount."""
    address = str(bench.site.lab.node(1).address)
    nfs = {"type": "nfs", "server": address, "export": "/srv/oz"}
    found = bench.storage(storage=nfs)
    assert bad(found) == both("storage", "failure")
    assert "does not answer at port 2049" in found["storage/node2"].seen
    web = "import http.server; s = http.server.HTTPServer(('', 2049), http.server.BaseHTTPRequestHandler); "
    with listening(bench, f"{web}print('up', flush=True); s.serve_forever()"):
        found = bench.storage(storage=nfs)
    assert bad(found) == both("storage", "failure")
    assert "does not speak NFS" in found["storage/node2"].seen
    with listening(bench, NULL_SERVER.format(status=0)):
        found = bench.storage(storage=nfs)
    assert found["storage/node1"].level == "ok"
    if any("nfs4" in line for line in Path("/proc/filesystems").read_text().splitlines()):
        assert bad(found)  # a kernel with a client finds that this is no whole server
    else:
        assert bad(found) == both("storage.client", "failure")
        assert "this kernel cannot mount NFS" in found["storage.client/node1"].seen
        assert "nfs-common" in found["storage.client/node1"].hint


def test_a_folder_that_nothing_is_mounted_at_and_one_that_readers_cannot_enter(bench: Bench) -> None:
    found = bench.storage()
    assert bad(found) == {}
    names = {name.partition("/")[0] for name in found}
    assert names >= {"storage.folder", "storage.shared", "storage.locks", "storage.reader", "storage.latency"}
    assert found["storage.locks/node2"].seen == "sees the lock of node1"
    with bench.during("node1", "chmod 700 /mnt/oz", "chmod 755 /mnt/oz"):
        found = bench.storage()
        assert bad(found) == both("storage.reader", "warning")
        assert "the user 101 cannot read files" in found["storage.reader/node1"].seen
    alone = {"type": "path", "path": "/srv/media"}
    with contextlib.ExitStack() as stack:
        for node in BOTH:
            stack.enter_context(bench.during(node, "mkdir /srv/media", "rmdir /srv/media"))
        found = bench.storage(storage=alone)
        assert both("storage.mount", "warning").items() <= bad(found).items()
        assert "it is on the system disk" in found["storage.mount/node1"].seen
        mount = "mount --bind /mnt/oz /srv/media"
        for node in BOTH:
            stack.enter_context(bench.during(node, mount, "umount /srv/media"))
        assert bad(bench.storage(storage=alone)) == {}


@pytest.fixture
def bound(monkeypatch: pytest.MonkeyPatch) -> MediaLocation:
    """What the lab's kernel can mount in place of NFS: /mnt/oz, by the same volume, container and script."""
    for name in ("HOLD", "READ"):
        script = getattr(probe, name)
        assert "type=nfs" in script
        monkeypatch.setattr(probe, name, script.replace("type=nfs", "type=none"))
    return MediaLocation(options="bind", device="/mnt/oz", reader=101)


def test_a_volume_is_mounted_tried_and_gone(bench: Bench, bound: MediaLocation) -> None:
    with lines(bench) as (first, second):
        with HeldFile(first, bound, f"{PREFIX}a", "word", measure=True) as held:
            assert (held.facts.mount, held.facts.folder) == ("", "ok")
            assert (held.facts.locks, held.facts.readable) == (True, True)
            assert held.facts.write_ms
            assert held.facts.free
            facts = read_back(second, bound, f"{PREFIX}a", "word")
            assert (facts.shared, facts.lock_seen, facts.readable) == (True, True, True)
            assert "oz-install-check-" in bench.site.on("node1", "docker ps; docker volume ls")
            with bench.during("node2", "chmod 700 /mnt/oz", "chmod 755 /mnt/oz"):
                assert read_back(second, bound, f"{PREFIX}a", "word").readable is False
        for node in BOTH:
            assert gone(bench, node)
        missing = replace(bound, device="/mnt/nowhere")
        facts = read_back(second, missing, f"{PREFIX}a", "word")
        assert "no such file or directory" in facts.mount


def test_a_workstation_that_dies_takes_volume_container_and_image_along(
    bench: Bench, bound: MediaLocation
) -> None:
    with lines(bench) as (first, _):
        held = HeldFile(first, bound, f"{PREFIX}broken", "word")
        held.__enter__()
        assert held.facts.folder == "ok"
        assert not gone(bench, "node1")
        first.close()
        until = time.monotonic() + 30
        while not gone(bench, "node1") and time.monotonic() < until:
            time.sleep(0.2)
    assert gone(bench, "node1")


def test_a_login_that_is_not_root_is_told_what_it_cannot_try(bench: Bench, bound: MediaLocation) -> None:
    """It may use the engine, and mounts; it may not look into the container."""
    with lines(bench, user="ozadmin") as (first, _):
        facts = read_back(first, bound, f"{PREFIX}a", "word")
    assert (facts.mount, facts.folder) == ("", "unseen")
    assert gone(bench, "node1")


@pytest.mark.slow
def test_podman_mounts_without_a_container_that_would_change_the_owner(
    site: LabSite, bench: Bench, bound: MediaLocation
) -> None:
    up(LabOptions(name=site.lab.name, nodes=site.count, directory=site.lab.directory, say=print))
    with lines(bench) as (first, second), bench.during("node1", "chown 33:33 /mnt/oz", "chown 0:0 /mnt/oz"):
        place = replace(bound, engine="podman")
        with HeldFile(first, place, f"{PREFIX}a", "word", measure=True) as held:
            assert (held.facts.mount, held.facts.folder, held.facts.readable) == ("", "ok", True)
            facts = read_back(second, place, f"{PREFIX}a", "word")
            assert (facts.shared, facts.lock_seen) == (True, True)
        assert bench.site.on("node1", "stat -c %u /mnt/oz").strip() == "33"
        for node in BOTH:
            assert bench.site.on(node, "podman volume ls -q").strip() == ""
            assert "oz-install-check" not in bench.site.on(node, "mount")


@contextmanager
def lines(bench: Bench, **changes: Any) -> Iterator[tuple[Transport, Transport]]:
    """Connections to both nodes."""
    document = bench.site.answers("medium-2")["nodes"]
    nodes = [{**node, **more, **changes} for node, more in zip(document, BOTH_API, strict=True)]
    path = bench.answers(nodes=nodes)
    opened = [bench.opener(path)(node, Secrets({})) for node in read(path).answers.nodes]
    try:
        yield opened[0], opened[1]
    finally:
        for one in opened:
            one.close()


def gone(bench: Bench, node: str) -> bool:
    """Whether nothing of a check is there any more."""
    text = bench.site.on(
        node,
        "docker ps -aq --filter name=oz-install-check; docker volume ls -q --filter name=oz-install-check; "
        f"docker images -q --filter label=oz-install.check; ls -A /mnt/oz | grep -F {PREFIX}; true",
    )
    return text.strip() == ""
