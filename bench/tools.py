"""The tools, and how each is told to deploy the same workload."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bench.workload import INSTALL_DIR, NODES, Workload

PEERS = Path(__file__).with_name("peers")
OURS, FLOOR, FLOOR_CHECK = "oz-install", "FLOOR", "FLOOR-CHECK"
PYINFRA, PYINFRA_ARCHIVE, ANSIBLE = "pyinfra", "pyinfra, one archive", "Ansible"
FRESH, NOOP, ONE = "FRESH", "NOOP", "ONE"


@dataclass(frozen=True)
class Call:
    """A command, and what it finds in its environment."""

    command: Sequence[str]
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Toolbox:
    """Builds calls; ``peers`` is the folder with the peers' commands."""

    workload: Workload
    peers: Path

    def call(self, tool: str, phase: str, *, nodes: int = 4, slow: bool = False) -> Call:
        """How a tool brings a phase about on the first ``nodes`` nodes. Raises KeyError."""
        makers = {
            OURS: self._ours,
            FLOOR: self._floor,
            FLOOR_CHECK: self._floor_check,
            PYINFRA: self._pyinfra,
            PYINFRA_ARCHIVE: self._pyinfra,
            ANSIBLE: self._ansible,
        }
        command, more = makers[tool](tool, phase, nodes, slow)
        environment = {
            "BENCH_INVENTORY": str(self.workload.inventory(slow=slow)),
            "BENCH_NODES": " ".join(NODES[:nodes]),
            "BENCH_SRC": str(self.workload.source),
            "BENCH_STEPS": str(self.workload.steps),
            "BENCH_PHASE": phase,
        }
        return Call(command, {} if tool == OURS else environment | more)

    def _ours(self, _tool: str, _phase: str, nodes: int, slow: bool) -> tuple[list[str], dict[str, str]]:
        """Without the preflight, which the others have none of; it is measured by itself."""
        limit = [word for node in NODES[:nodes] for word in ("--limit", node)] if nodes < len(NODES) else []
        program = str(Path(sys.executable).with_name("oz-install"))
        answers = str(self.workload.answers(slow=slow))
        return [program, "--answers", answers, "--yes", "--skip-checks", *limit], {}

    def _floor(self, _tool: str, phase: str, _nodes: int, _slow: bool) -> tuple[list[str], dict[str, str]]:
        return ["bash", str(PEERS / "floor.sh"), "fresh" if phase == FRESH else "again"], {}

    def _floor_check(
        self, _tool: str, _phase: str, _nodes: int, _slow: bool
    ) -> tuple[list[str], dict[str, str]]:
        return ["bash", str(PEERS / "floor_check.sh")], {}

    def _pyinfra(self, tool: str, _phase: str, _nodes: int, _slow: bool) -> tuple[list[str], dict[str, str]]:
        files = [str(PEERS / name) for name in ("pyinfra_nodes.py", "pyinfra_deploy.py", "pyinfra_steps.py")]
        manner = "files" if tool == PYINFRA else "archive"
        return [str(self.peers / "pyinfra"), "-y", *files], {"BENCH_MANNER": manner}

    def _ansible(self, _tool: str, phase: str, nodes: int, slow: bool) -> tuple[list[str], dict[str, str]]:
        folder = self.workload.folder / "ansible"
        folder.mkdir(exist_ok=True)
        play, hosts, settings = folder / "play.yml", folder / "hosts.yml", folder / "ansible.cfg"
        play.write_text(yaml.safe_dump([self._play(phase)], sort_keys=False, width=1 << 20))
        hosts.write_text(yaml.safe_dump(self._hosts(nodes, slow)))
        settings.write_text("")
        known = self.workload.known_hosts(slow=slow)
        environment = {
            "ANSIBLE_CONFIG": str(settings),
            "ANSIBLE_LOCAL_TEMP": str(folder / "tmp"),
            "ANSIBLE_FORKS": "4",
            "ANSIBLE_PIPELINING": "1",
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(folder / "sockets"),
            "ANSIBLE_SSH_ARGS": "-F none -o ControlMaster=auto -o ControlPersist=5s -o IdentitiesOnly=yes "
            f"-o PreferredAuthentications=publickey -o UserKnownHostsFile={known}",
        }
        return [str(self.peers / "ansible-playbook"), "-i", str(hosts), str(play)], environment

    def _hosts(self, nodes: int, slow: bool) -> dict[str, Any]:
        hosts = {}
        for node in NODES[:nodes]:
            host, port = self.workload.endpoint(node, slow=slow)
            hosts[node] = {"ansible_host": host, "ansible_port": port}
        common = {
            "ansible_user": "root",
            "ansible_ssh_private_key_file": str(self.workload.lab.key),
            "ansible_python_interpreter": "/usr/bin/python3",
        }
        return {"all": {"hosts": hosts, "vars": common}}

    def _play(self, phase: str) -> dict[str, Any]:
        """One archive; then a task a step where nodes wait for each other, else one task."""
        source, steps = self.workload.source, self.workload.steps
        packed = self.workload.folder / "ansible" / "{{ inventory_hostname }}.tar"
        tasks: list[dict[str, Any]] = [
            {
                "name": "archive",
                "command": f"tar -C {source}/{{{{ inventory_hostname }}}} -cf {packed} .",
                "delegate_to": "localhost",
                "vars": {"ansible_connection": "local", "ansible_python_interpreter": sys.executable},
                "changed_when": False,
            },
            {"name": "folder", "command": f"mkdir -p {INSTALL_DIR}/current", "changed_when": False},
            {"name": "unpack", "unarchive": {"src": str(packed), "dest": f"{INSTALL_DIR}/current"}},
        ]
        names = sorted({p.name for p in steps.glob("*/[0-9]*")}) if phase == FRESH else ["all.sh"]
        for name in names:
            file = f"{steps}/{{{{ inventory_hostname }}}}/{name}"
            there = [node for node in NODES if (steps / node / name).is_file()]
            text = f"{{{{ lookup('ansible.builtin.file', '{file}') }}}}"
            task = {"name": name, "shell": {"cmd": text, "executable": "/bin/bash"}, "changed_when": False}
            tasks.append(
                task | ({} if len(there) == len(NODES) else {"when": f"inventory_hostname in {there}"})
            )
        strategy = "linear" if phase == FRESH else "free"
        return {"hosts": "all", "gather_facts": False, "strategy": strategy, "tasks": tasks}
