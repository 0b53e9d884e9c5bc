"""One large file to one node and to four at once: scp as it comes, and oz-install's own upload path."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

from bench.deploying import say
from bench.nodes import WrongResultError, on
from bench.samples import Sample, Samples, measure
from bench.tools import OURS
from bench.workload import NODES, Workload

SCP = "scp"
UPLOAD = "UPLOAD"
DEST = "/var/tmp/oz-bench"  # noqa: S108 - on a lab node
_SCP_ALL = """
failed=0 running=
for words in "$@"; do scp -q -F none $words & running="$running $!"; done
for process in $running; do wait "$process" || failed=1; done
exit $failed
"""


def make_file(folder: Path, mebibytes: int) -> tuple[Path, str]:
    """A file of random bytes, and its SHA-256; made once."""
    path = folder / f"random.{mebibytes}"
    digest = hashlib.sha256()
    if not path.is_file() or path.stat().st_size != mebibytes << 20:
        with path.open("wb") as file:
            for _ in range(mebibytes):
                file.write(os.urandom(1 << 20))
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return path, digest.hexdigest()


def command(tool: str, workload: Workload, source: Path, nodes: int) -> list[str]:
    """How a tool sends the file to the first nodes."""
    inventory = workload.inventory(slow=False)
    if tool == OURS:
        module = [sys.executable, "-m", "bench.upload_client"]
        return [*module, str(source), DEST, str(inventory), *NODES[:nodes]]
    rows = [line.split() for line in inventory.read_text().splitlines()][:nodes]
    words = [
        f"-o BatchMode=yes -o IdentitiesOnly=yes -o UserKnownHostsFile={known} -i {key} -P {port} "
        f"{source} {user}@{host}:{DEST}"
        for _, host, port, user, key, known in rows
    ]
    return ["bash", "-c", _SCP_ALL, "bash", *words]


def uploads(workload: Workload, samples: Samples, runs: int, mebibytes: int) -> None:
    """Both ways in turns; every file's digest is compared on the node."""
    workload.write(0)
    source, digest = make_file(workload.folder, mebibytes)
    for number in range(runs):
        for nodes in (1, 4):
            for tool in (SCP, OURS) if number % 2 == 0 else (OURS, SCP):
                for node in NODES[:nodes]:
                    on(workload.lab, node, f"rm -f {DEST} {DEST}.partial")
                cost = measure(command(tool, workload, source, nodes), workload.folder)
                for node in NODES[:nodes]:
                    if on(workload.lab, node, f"sha256sum {DEST}; rm -f {DEST}").split()[0] != digest:
                        raise WrongResultError(f"{tool}: {node} got other bytes")
                samples.add(Sample(tool=tool, phase=UPLOAD, nodes=nodes, round=number, cost=cost))
                rate = nodes * (mebibytes << 20) / cost.seconds / 1e6
                say(f"{number} {tool:21} UPLOAD {nodes} nodes {cost.seconds:7.2f} s {rate:5.0f} MB/s"
                    f"  cpu {cost.cpu:5.2f} s  {cost.largest_kib >> 10:4} MiB")  # fmt: skip
    source.unlink()
