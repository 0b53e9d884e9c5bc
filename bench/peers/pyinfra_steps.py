"""The remote commands, by pyinfra, once all files are on all nodes.

A file of its own: in one file the nodes' operations are ordered by their place in it, so that a node with few
files would be at its services before another has its own.
"""

import os
from pathlib import Path

from pyinfra import host  # type: ignore[import-not-found]  # in an environment of its own
from pyinfra.operations import server  # type: ignore[import-not-found]

STEPS = Path(os.environ["BENCH_STEPS"]) / host.name
FRESH = os.environ["BENCH_PHASE"] == "FRESH"
CURRENT = "/opt/oz/current"
UNPACK = (
    f"umask 022; mkdir -p {CURRENT} && tar -C {CURRENT} -xpf /opt/oz/bundle.tar --no-same-owner || exit\n"
)

before = "" if os.environ["BENCH_MANNER"] == "files" else UNPACK
if FRESH and before:
    server.shell(name="unpack", commands=[before])
names = sorted({path.name for path in STEPS.parent.glob("*/[0-9]*")}) if FRESH else ["all.sh"]
for name in host.loop(names):
    step = STEPS / name
    if step.is_file():
        server.shell(name=name, commands=[step.read_text() if FRESH else before + step.read_text()])
