"""The nodes beside the measuring: cleaned, and looked at after every step. All of it past SSH."""

from __future__ import annotations

import subprocess
import urllib.error
import urllib.request
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bench.workload import CHANGED_SERVICE, INSTALL_DIR, NODES
from oz_installer.lab import Lab, reset_gateway
from oz_installer.render.compose.bundle import Bundle
from oz_installer.render.project import DIGEST_LABEL

_CLEAN = f"""
some=$(docker ps -aq); [ -z "$some" ] || docker rm -fv $some >/dev/null
docker network prune -f >/dev/null
some=$(docker volume ls -q); [ -z "$some" ] || docker volume rm -f $some >/dev/null
rm -rf {INSTALL_DIR} /mnt/oz/* /root/.ansible /var/tmp/oz-bench
"""
_LOOK = f"""
cd {INSTALL_DIR}/current/ || exit
echo @files
find . -type f ! -path ./record.json ! -path ./manifest ! -path './shown/*' > /tmp/bench-files
while read -r file; do printf '%s ' "$(stat -c %a "$file")"; sha256sum "$file"; done < /tmp/bench-files
echo @containers
docker ps -a --no-trunc --format '{{{{.Names}}}} {{{{.State}}}} {{{{.Label "{DIGEST_LABEL}"}}}} {{{{.ID}}}}'
echo @jobs
cd {INSTALL_DIR}/state/jobs && for job in *; do [ ! -f "$job" ] || echo "$job $(head -n 1 "$job")"; done
"""


class WrongResultError(Exception):
    """A tool said that it was done, and the nodes are not as they should be."""


@dataclass(frozen=True)
class Seen:
    """A node as it is: lines to compare with what its bundle asks for; container ids by service."""

    lines: frozenset[str]
    ids: Mapping[str, str]


def on(lab: Lab, node: str, script: str) -> str:
    """What a script prints on a node. Raises WrongResultError when it fails."""
    container = lab.node(NODES.index(node) + 1).container
    done = subprocess.run(
        ["docker", "exec", container, "bash", "-c", script], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise WrongResultError(f"{node}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def each(lab: Lab, script: str) -> dict[str, str]:
    """The same on all nodes at once."""
    with ThreadPoolExecutor(len(NODES)) as pool:
        return dict(zip(NODES, pool.map(lambda node: on(lab, node, script), NODES), strict=True))


def clean(lab: Lab) -> None:
    """Leave nothing of an installation, on the nodes and in the database; images stay."""
    each(lab, _CLEAN)
    reset_gateway(lab)


def look(lab: Lab) -> dict[str, Seen]:
    """All nodes as they are."""
    return {node: parse(text) for node, text in each(lab, _LOOK).items()}


def parse(text: str) -> Seen:
    """Read what ``_LOOK`` prints."""
    lines, ids, section = set(), {}, ""
    for line in text.splitlines():
        if line.startswith("@"):
            section = line
        elif section == "@containers":
            name, state, digest, ids[name] = line.split(" ")
            lines.add(f"container {name} {state} {digest}")
        else:
            lines.add(f"{section[1:-1]} {line}")
    return Seen(frozenset(lines), ids)


def wanted(bundle: Bundle) -> frozenset[str]:
    """The lines that a node with this bundle shows."""
    lines = {f"file {file.mode:o} {file.digest}  ./{file.path}" for file in bundle.files}
    lines |= {f"container {service.name} running {service.digest}" for service in bundle.long_running}
    return frozenset(lines | {f"job {job.name} {job.digest}" for job in bundle.jobs})


def verify(
    lab: Lab, bundles: Mapping[str, Bundle], before: Mapping[str, Seen] | None, recreated: frozenset[str]
) -> dict[str, Seen]:
    """Raises WrongResultError unless all files have the right bytes, all services of these very settings
    run, and since ``before`` just the ``recreated`` ones were. Without ``before`` all must also be well."""
    seen = look(lab)
    for node, bundle in bundles.items():
        if odd := sorted(seen[node].lines ^ wanted(bundle)):
            raise WrongResultError(f"{node}: {odd[:4]}")
        if before is not None:
            other = {name for name, known in seen[node].ids.items() if before[node].ids.get(name) != known}
            if other != recreated & set(seen[node].ids):
                raise WrongResultError(f"{node}: other containers than before: {sorted(other)}")
    _all_well(lab, bundles, None if before is None else recreated)
    return seen


def _all_well(lab: Lab, bundles: Mapping[str, Bundle], only: frozenset[str] | None) -> None:
    """Run each service's own check once: whoever has waited for them finds all of them passing."""
    tasks = [
        (node, service)
        for node, bundle in bundles.items()
        for service in bundle.long_running
        if service.health_command and (only is None or service.name in only)
    ]
    if not tasks:
        return
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda task: _passes(lab, task[0], task[1].name, task[1].health_command), tasks))
    if only is None:
        for node, bundle in bundles.items():
            names = {service.name for service in bundle.long_running}
            if "oz-api-nginx" in names:
                _answers(lab, node, 8880, "/api/version")
            if "oz-tfss" in names:
                _answers(lab, node, 8501, "/v1/models/dummy")


def _passes(lab: Lab, node: str, name: str, check: str) -> None:
    container = lab.node(NODES.index(node) + 1).container
    command = ["docker", "exec", container, "docker", "exec", name, "sh", "-c", check]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    if done.returncode:
        raise WrongResultError(f"{node}/{name} is not well: {done.stdout[-500:]}{done.stderr[-500:]}")


def _answers(lab: Lab, node: str, port: int, path: str) -> None:
    url = f"http://{lab.node(NODES.index(node) + 1).address}:{port}{path}"
    try:
        with urllib.request.urlopen(url, timeout=30):
            return
    except (urllib.error.URLError, OSError) as error:
        raise WrongResultError(f"{url}: {error}") from None


ALL = frozenset[str]()
CHANGED = frozenset({CHANGED_SERVICE})
