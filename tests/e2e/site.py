"""What end-to-end tests do with a lab: write answers, run oz-install, look at the nodes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from oz_installer.lab import Lab, reset_gateway
from oz_installer.lab.files import SMALL

LAYOUTS: Mapping[str, tuple[str, int]] = {
    "poc-1": ("poc", 1),
    "poc-2": ("poc", 2),
    "medium-2": ("medium", 2),
    "medium-3": ("medium", 3),
    "medium-4": ("medium", 4),
}
LIMIT_SECONDS = 900
CLEAN = (
    "ids=$(docker ps -aq); [ -z \"$ids\" ] || docker rm -f -v $ids >/dev/null; "
    "docker network prune -f >/dev/null; v=$(docker volume ls -q); "
    "[ -z \"$v\" ] || docker volume rm -f $v >/dev/null; "
    "rm -rf /opt/oz /mnt/oz/* /srv/oz"
)  # fmt: skip
RELOAD_SSHD = """
pid=$(cat /run/sshd.pid)
sockets() { readlink /proc/$pid/fd/* 2>/dev/null | grep '^socket' | sort; }
before=$(sockets); kill -HUP "$pid"
for _ in $(seq 300); do
  now=$(sockets)
  [ -n "$now" ] && [ "$now" != "$before" ] && break
  sleep 0.1
done
"""
"""Makes a node's sshd read its settings anew, and waits until it listens again."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a run of oz-install ended."""

    status: int
    stdout: str
    stderr: str

    @property
    def events(self) -> list[dict[str, Any]]:
        """stdout as JSON lines."""
        return [json.loads(line) for line in self.stdout.splitlines()]


@dataclass(frozen=True)
class Site:
    """A lab and the commands that tests need."""

    lab: Lab
    count: int
    environment: dict[str, str] = field(default_factory=dict)
    engine: str = "docker"

    def answers(self, layout: str, **changes: Any) -> dict[str, Any]:
        """Answers for a layout on the first nodes of the lab; ``changes`` replace top-level keys."""
        scenario, count = LAYOUTS[layout]
        lab = self.lab
        document: dict[str, Any] = {
            "version": 1,
            "scenario": scenario,
            "release": "5.2",
            "engine": self.engine,
            "public_url": f"http://{lab.node(1).address}:8880",
            "known_hosts": str(lab.known_hosts),
            "nodes": [
                {
                    "name": f"node{n}",
                    "host": str(lab.node(n).address),
                    "user": "root",
                    "key_file": str(lab.key),
                }
                for n in range(1, count + 1)
            ],
            "database": {
                "host": str(lab.database_address),
                "password": {"file": str(lab.database_password)},
                "sslmode": "require",
            },
            "license": {"bio": str(lab.license)},
            "updater": {"token": {"file": str(lab.updater_token)}},
            "air_gapped": True,
            "accept": list(SMALL),
        }
        if layout == "medium-4":
            document["storage"] = {"type": "path", "path": "/mnt/oz"}
        document.update(changes)
        return document

    def run(self, *arguments: str, timeout: float = LIMIT_SECONDS) -> Outcome:
        """Run oz-install in a process of its own, without a terminal."""
        command = [sys.executable, "-m", "oz_installer", *arguments]
        done = subprocess.run(
            command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=timeout, check=False
        )
        return Outcome(status=done.returncode, stdout=done.stdout, stderr=done.stderr)

    def install(self, answers: Path, *flags: str) -> Outcome:
        """An unattended run."""
        return self.run("--answers", str(answers), "--yes", *flags)

    def on(self, node: str, script: str, *, check: bool = True) -> str:
        """What a shell script prints on a node, not through SSH."""
        container = f"{self.lab.prefix}-{node}"
        done = subprocess.run(
            ["docker", "exec", container, "bash", "-c", script], capture_output=True, text=True, check=False
        )
        if check and done.returncode:
            raise AssertionError(f"{node}: {script}: {done.stdout}{done.stderr}")
        return done.stdout

    def each(self, nodes: Sequence[str], script: str) -> dict[str, str]:
        """The same on several nodes at once."""
        with ThreadPoolExecutor(len(nodes)) as pool:
            return dict(zip(nodes, pool.map(lambda node: self.on(node, script), nodes), strict=True))

    def clean(self) -> None:
        """Remove everything that an installation left anywhere."""
        self.each([f"node{n}" for n in range(1, self.count + 1)], CLEAN.replace("docker", self.engine))
        reset_gateway(self.lab)

    def containers(self, node: str) -> dict[str, str]:
        """Id and time of start of every container on a node, by name."""
        form = "{{.Name}} {{.Id}} {{.State.StartedAt}}"
        engine = self.engine
        text = self.on(node, f"ids=$({engine} ps -aq); [ -z \"$ids\" ] || {engine} inspect -f '{form}' $ids")
        return {line.split()[0].lstrip("/"): line.split(" ", 1)[1] for line in text.splitlines()}

    def state(self, node: str) -> str:
        """Everything that an installation may change on a node, as one text to compare: containers and
        when they started, volumes, networks, images, mounts, files with their times."""
        return self.on(
            node,
            'ids=$(docker ps -aq); [ -z "$ids" ] || docker inspect -f '
            "'{{.Name}} {{.Id}} {{.State.Status}} {{.State.StartedAt}} {{.RestartCount}}' $ids | sort; "
            "docker volume ls -q | sort; docker network ls --format '{{.Name}} {{.ID}}' | sort; "
            "docker images --format '{{.ID}} {{.Repository}}:{{.Tag}}' | sort; "
            "mount | grep -v '/docker' | sort; "
            "find /opt /mnt /srv /etc /root /home -printf '%p %y %m %u %s %T@ %l\\n' 2>/dev/null "
            "| grep -v -e '^/opt/oz/data/' -e '^/etc/mtab ' | sort",
        )

    def shape(self, node: str) -> str:
        """The same without times, ids and the journal: what a rollback must bring back."""
        return self.on(
            node,
            "docker ps -a --format '{{.Names}} {{.State}} {{.Image}} "
            '{{.Label "com.ozforensics.oz-install.digest"}}\' | sort; '
            "docker volume ls -q | sort; docker network ls --format '{{.Name}}' | sort; "
            "mount | grep -v '/docker' | sort; "
            "find /opt /mnt /srv -printf '%p %y %m %u %l\\n' 2>/dev/null "
            "| grep -v -e '^/opt/oz/data/' -e '^/opt/oz/journal ' | sort; "
            "cd /opt/oz 2>/dev/null && "
            "find . -type f ! -path './data/*' ! -name journal -exec sha256sum {} + | sort; true",
        )


def write_answers(folder: Path, document: Mapping[str, Any], name: str = "answers.yml") -> Path:
    """Write answers, readable by their owner only."""
    path = folder / name
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(dict(document), sort_keys=False), encoding="utf-8")
    return path
