"""What every tool deploys: oz-install's own bundles; for the others also the commands that end it."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml

from oz_installer.answers.file import read
from oz_installer.catalog.service import STAGES
from oz_installer.installation.render import build_desired_state
from oz_installer.lab import Lab
from oz_installer.render.compose.bundle import Bundle, BundleService

NODES = ("node1", "node2", "node3", "node4")
INSTALL_DIR = "/opt/oz"
CHANGED_SERVICE = "oz-bio-updater"
FIRST_PERIOD = 6000
SLOW_PORT = 22022

_COMPOSE = f"docker compose -p oz --project-directory {INSTALL_DIR}/current -f {INSTALL_DIR}/current"
# As oz-install waits: the container's own check, run in it at once, again after a pause, and no more checks
# at once than the node has CPUs. Only what this very command has started is waited for.
_WAITING = """
leaves=$(mktemp -u)
mkfifo "$leaves" && exec 3<>"$leaves" && rm "$leaves" || exit 1
for cpu in $(seq "$(nproc)"); do echo >&3; done
passes() {
  read -r leave <&3
  timeout 30 docker exec "$1" sh -c "$2" >/dev/null 2>&1
  set -- $?
  echo >&3
  return "$1"
}
well() {
  tries=0
  until passes "$1" "$2"; do
    tries=$((tries + 1)); [ $tries -lt 600 ] || { echo "$1 does not get healthy" >&2; exit 1; }
    case $tries in 1|2|3|4|5|6) sleep 0.3 ;; *) sleep 0.7 ;; esac
  done
}
running() { [ "$(docker inspect -f '{{.State.Running}}' "$1")" = true ]; }
awaited=
started() { case "$said" in *"Container $1  Started"*) return 0 ;; esac; return 1; }
"""


@dataclass(frozen=True)
class Workload:
    """Folders of one run: answers, the trees that the others send, their steps, their inventories."""

    lab: Lab
    folder: Path

    @property
    def source(self) -> Path:
        """A folder a node, with the files of its bundle and their modes."""
        return self.folder / "source"

    @property
    def steps(self) -> Path:
        """A folder a node, with its remote commands, and ``count``, how many services it runs."""
        return self.folder / "steps"

    def answers(self, *, slow: bool) -> Path:
        """oz-install's answers, for the nodes themselves or for their slow twins."""
        return self.folder / ("slow.yml" if slow else "direct.yml")

    def inventory(self, *, slow: bool) -> Path:
        """Lines of ``name host port user key known_hosts``."""
        return self.folder / ("slow.inventory" if slow else "direct.inventory")

    def known_hosts(self, *, slow: bool) -> Path:
        """The host keys that go with the inventory."""
        return self.folder / "slow.known_hosts" if slow else self.lab.known_hosts

    def endpoint(self, node: str, *, slow: bool) -> tuple[str, int]:
        """Where a node listens; its twin does so at another port only, because a bundle names addresses."""
        return str(self.lab.node(NODES.index(node) + 1).address), SLOW_PORT if slow else 22

    def write(self, version: int) -> Mapping[str, Bundle]:
        """Write everything for this version, which differs from others in one setting; the bundles."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        self._write_slow_known_hosts()
        for slow in (False, True):
            document = yaml.safe_load(self.lab.answers.read_text())
            self._write(self.answers(slow=slow), yaml.safe_dump(self._adapt(document, version, slow)))
            self._write(self.inventory(slow=slow), self._inventory(slow))
        bundles = self._bundles(self.answers(slow=False))
        secrets = self.folder / "direct.secrets.json"
        shutil.copy2(secrets, self.folder / "slow.secrets.json")
        twins = self._bundles(self.answers(slow=True))
        if {n: b.digest for n, b in twins.items()} != {n: b.digest for n, b in bundles.items()}:
            raise AssertionError("the way to a node changes its files")
        self._write_trees(bundles)
        return bundles

    def _adapt(self, document: dict[str, Any], version: int, slow: bool) -> dict[str, Any]:
        document["updater"] = {**document["updater"], "period": FIRST_PERIOD + version}
        document["known_hosts"] = str(self.known_hosts(slow=slow))
        for node in document["nodes"]:
            node["host"], node["port"] = self.endpoint(node["name"], slow=slow)
        return document

    def _bundles(self, path: Path) -> Mapping[str, Bundle]:
        desired_state = build_desired_state(read(path), path, ask=None, connecting=False)
        desired_state.save_secrets()
        return cast("Mapping[str, Bundle]", desired_state.renderings)

    def _inventory(self, slow: bool) -> str:
        lines = []
        for node in NODES:
            host, port = self.endpoint(node, slow=slow)
            lines.append(f"{node} {host} {port} root {self.lab.key} {self.known_hosts(slow=slow)}\n")
        return "".join(lines)

    def _write_slow_known_hosts(self) -> None:
        lines = []
        for line in self.lab.known_hosts.read_text().splitlines():
            names, _, key = line.partition(" ")
            for node in NODES:
                address, _ = self.endpoint(node, slow=False)
                if address in names.split(","):
                    host, port = self.endpoint(node, slow=True)
                    lines.append(f"[{host}]:{port} {key}\n")
        self._write(self.known_hosts(slow=True), "".join(lines))

    def _write_trees(self, bundles: Mapping[str, Bundle]) -> None:
        for folder in (self.source, self.steps):
            shutil.rmtree(folder, ignore_errors=True)
        for node, bundle in bundles.items():
            for file in bundle.files:
                path = self.source / node / file.path
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(file.content)
                path.chmod(file.mode)
            for name, text in steps_of(bundle).items():
                self._write(self.steps / node / name, text)
            self._write(self.steps / node / "count", str(len(bundle.long_running)))

    @staticmethod
    def _write(path: Path, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(text)


def steps_of(bundle: Bundle) -> dict[str, str]:
    """Remote commands by the name of their file: one a step of a fresh installation, and ``all.sh``.

    A step's name is the same on all nodes, and sorted names are the order. Jobs are a step of their own:
    other nodes' services of the same stage need what they make.
    """
    folders = [f"{INSTALL_DIR}/data", *(f"{INSTALL_DIR}/{folder}" for folder in bundle.folders)]
    folders += [f"{INSTALL_DIR}/state/jobs"]
    first = f"(umask 022; mkdir -p {shlex.join(folders)}) || exit\n"
    steps: dict[str, str] = {}
    for number, stage in enumerate(STAGES):
        jobs = [job for job in bundle.jobs if job.stage == stage]
        services = [service for service in bundle.long_running if service.stage == stage]
        for place, text in ((1, _run_jobs(jobs)), (2, _up(services))):
            if text:
                steps[f"{number}{place}-{stage}.sh"] = ("" if steps else first) + text
    steps["all.sh"] = first + _run_jobs(bundle.jobs) + _up(bundle.long_running)
    return steps


def _run_jobs(jobs: Sequence[BundleService]) -> str:
    """Every job, unless it was done for these very settings."""
    lines = []
    for job in jobs:
        done = f"{INSTALL_DIR}/state/jobs/{job.name}"
        run = f"{_COMPOSE}/jobs.yaml run --rm --no-deps -T {job.name} </dev/null"
        lines.append(
            f'if [ "$(cat {done} 2>/dev/null)" != {job.digest} ]; then\n'
            f'  said=$({run} 2>&1) || {{ echo "$said" >&2; exit 1; }}\n'
            f"  printf %s {job.digest} > {done}\nfi\n"
        )
    return "".join(lines)


def _up(services: Sequence[BundleService]) -> str:
    """Bring the services up, then wait for those that this has started.

    With their dependencies, which run already: without them Compose would take a service that came up with
    its stage for another one when all come up together, and make it anew.
    """
    if not services:
        return ""
    names = shlex.join(service.name for service in services)
    lines = [
        f"said=$({_COMPOSE}/compose.yaml up --detach --no-build --no-color {names} 2>&1) "
        '|| { echo "$said" >&2; exit 1; }',
        _WAITING,
    ]
    for service in services:
        wait = (
            f"well {service.name} {shlex.quote(service.health_command)}"
            if service.health_command
            else f"running {service.name}"
        )
        lines.append(f'if started {service.name}; then {wait} & awaited="$awaited $!"; fi')
    lines.append('for process in $awaited; do wait "$process" || exit 1; done\n')
    return "\n".join(lines)
