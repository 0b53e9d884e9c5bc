"""What the tests do with the two machines: export, write answers, check, compare before and after."""

from __future__ import annotations

import functools
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from oz_installer.answers.file import read
from oz_installer.checks.context import Finding
from oz_installer.checks.engine import container
from oz_installer.checks.runner import run_checks
from oz_installer.checks.storage import peer, probe, scripts
from oz_installer.installation import check
from oz_installer.installation.nodes.connect import transport_opener
from oz_installer.installation.prepare import prepare
from tests.e2e.site import write_answers
from tests.vm.machine import Machine

ADDRESSES = {"node1": "10.77.0.1", "node2": "10.77.0.2"}
SERVER = ADDRESSES["node1"]
EXPORT = "/srv/oz"
WAYS = "rw,no_root_squash,sync,no_subtree_check,fsid=77"
STORAGE = {"type": "nfs", "server": SERVER, "export": EXPORT}
PATIENCE_SECONDS = 120.0
MOUNT_SECONDS = 40
GONE_SECONDS = 120.0
"""What a check needs to clean up after a workstation that died."""
# Everything that a check could leave: containers, volumes, images, mounts, files, programs of its own.
_STATE = """
docker ps -a --no-trunc --format '{{.ID}} {{.Names}}'; docker volume ls -q; docker images -a -q --no-trunc
cut -d ' ' -f 1-3 /proc/mounts | sort
find /srv /mnt /opt /tmp /var/tmp /root /home -xdev -printf '%p %y %m %u\\n' | grep -v systemd-private | sort
ps -eo args | grep -v -e grep -e 'ps -eo' -e 'bash -c' | grep -e oz-install -e 'mount' | sort
true
"""


def give_time(patch: pytest.MonkeyPatch) -> None:
    """Multiply the limits of the checks of storage and container: ``docker run`` takes 10 s on an emulated
    processor, at times, where 8 s are allowed."""
    patch.setattr(check, "run_checks", functools.partial(run_checks, limit=PATIENCE_SECONDS))
    patch.setattr(peer, "HELD_AT", PATIENCE_SECONDS / 2)
    patch.setattr(peer, "OVER_AT", PATIENCE_SECONDS / 2)
    limits = {scripts.MOUNT_SECONDS: MOUNT_SECONDS, scripts.HELD_SECONDS: PATIENCE_SECONDS}
    for name in ("HOLD", "READ"):
        script = getattr(probe, name)
        for limit, longer in limits.items():
            assert f"timeout {limit} " in script, "there is no such limit any more"
            script = script.replace(f"timeout {limit} ", f"timeout {longer:.0f} ")
        patch.setattr(probe, name, script)
    patch.setattr(probe, "MOUNT_SECONDS", MOUNT_SECONDS)
    patch.setattr(container, "_SECONDS", MOUNT_SECONDS)


@dataclass
class Pair:
    """Two api nodes."""

    machines: Sequence[Machine]
    folder: Path

    def node(self, name: str) -> Machine:
        """The machine of that name."""
        return next(one for one in self.machines if one.name == name)

    def export(self, ways: str = WAYS, clients: str = "10.77.0.0/24") -> None:
        """The server serves the folder in these ways, whatever it did before."""
        self.node("node1").on(
            f"echo '{EXPORT} {clients}({ways})' > /etc/exports; exportfs -ra; "
            "systemctl is-active -q nfs-server || systemctl start nfs-server; "
            # nobody has a lock to claim back
            "grep -q Y /proc/fs/nfsd/v4_end_grace || echo Y > /proc/fs/nfsd/v4_end_grace"
        )

    @contextmanager
    def during(self, node: str, script: str, mend: str) -> Iterator[None]:
        """Something wrong on a node for a while."""
        self.node(node).on(script)
        try:
            yield
        finally:
            self.node(node).on(mend)

    def state(self) -> set[str]:
        """Of both, as lines to compare."""
        return {f"{one.name}: {line}" for one in self.machines for line in one.on(_STATE).splitlines()}

    def same(self, before: set[str]) -> set[str]:
        """What is not as it was before, as soon as nothing is, or when a check has had its time."""
        end = time.monotonic() + GONE_SECONDS
        while (changed := self.state() ^ before) and time.monotonic() < end:
            time.sleep(0.2)
        return changed

    def answers(self, **changes: Any) -> Path:
        """Two api nodes that share media over NFS; ``changes`` replace top-level keys."""
        for name in ("license.key", "password"):
            (self.folder / name).write_text("stand-in\n")
            (self.folder / name).chmod(0o600)
        document: dict[str, Any] = {
            "version": 1,
            "scenario": "medium",
            "release": "5.2",
            "public_url": f"http://{SERVER}:8880",
            "nodes": [
                {
                    "name": one.name,
                    "host": "127.0.0.1",
                    "port": one.port,
                    "address": one.address,
                    "user": "root",
                    "key_file": str(one.key),
                    "host_key": one.host_key,
                    "roles": ["api", "bio"] if one.name == "node2" else ["api"],
                }
                for one in self.machines
            ],
            "database": {"host": SERVER, "password": {"file": "password"}},
            "storage": STORAGE,
            "license": {"bio": "license.key"},
            "components": {"bio_updater": False},
        }
        return write_answers(self.folder, {**document, **changes})

    def nfs(self, **changes: Any) -> dict[str, Finding]:
        """The findings about media by id; ``changes`` are of the answers about storage."""
        return self.check("storage", storage={**STORAGE, **changes})

    def check(self, only: str, **changes: Any) -> dict[str, Finding]:
        """The findings of one check by id. An emulated processor may take its time."""
        path = self.answers(**changes)
        opened = functools.partial(transport_opener(), base=path.parent, known_hosts=None)
        told: list[Finding] = []
        began = time.monotonic()
        prepared = prepare(read(path), path, opened)
        try:
            with pytest.MonkeyPatch.context() as patch:
                give_time(patch)
                check.check_prepared(prepared, told.append, threading.Event(), only=(only,))
        finally:
            prepared.close()
        for one in told:
            print(f"{one.level:8} {one.id}: {one.seen}")
        print(f"{only}: {time.monotonic() - began:.1f} s")
        return {one.id: one for one in told}

    def command(self, *arguments: str, **changes: Any) -> subprocess.Popen[str]:
        """``oz-install check`` in a process of its own."""
        argv = [sys.executable, "-m", "oz_installer", "check", *arguments, "--answers"]
        return subprocess.Popen(
            [*argv, str(self.answers(**changes))],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


def bad(found: Mapping[str, Finding]) -> dict[str, str]:
    """What is not ok, but for what an emulated disk is too slow for."""
    return {one.id: one.level for one in found.values() if one.level != "ok" and "latency" not in one.id}
