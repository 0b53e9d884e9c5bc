"""The remote commands, by pyinfra, once all files are there.

Every node has every step, if need be without a command: pyinfra lets nodes wait for each other only where
they have the same operation, and a BIO's step needs what another node has begun before.
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
    text = [before * (not FRESH) + step.read_text()] if step.is_file() else []
    server.shell(name=name, commands=text)
