"""pyinfra's deployment. BENCH_MANNER: ``files`` puts each file, ``archive`` one tar, where it differs."""

import io
import os
import tarfile
from pathlib import Path

from pyinfra import host  # type: ignore[import-not-found]  # in an environment of its own
from pyinfra.operations import files, server  # type: ignore[import-not-found]

SRC = Path(os.environ["BENCH_SRC"]) / host.name
STEPS = Path(os.environ["BENCH_STEPS"]) / host.name
FRESH = os.environ["BENCH_PHASE"] == "FRESH"
CURRENT = "/opt/oz/current"


def archive() -> io.BytesIO:
    """The bundle as a tar; same files, same bytes."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for path in sorted(SRC.rglob("*")):
            info = tar.gettarinfo(str(path), str(path.relative_to(SRC)))
            info.mtime = 0
            info.uid = info.gid = 0
            with path.open("rb") if path.is_file() else io.BytesIO() as content:
                tar.addfile(info, content if path.is_file() else None)
    packed.seek(0)
    return packed


if os.environ["BENCH_MANNER"] == "files":
    inside = sorted(path.relative_to(SRC) for path in SRC.rglob("*") if path.is_file())
    folders = sorted({f"{CURRENT}/{path.parent}" for path in inside})
    server.shell(name="folders", commands=[f"umask 022; mkdir -p {' '.join(folders)}"])
    for path in host.loop(inside):
        files.put(
            name=f"put {path}",
            src=str(SRC / path),
            dest=f"{CURRENT}/{path}",
            mode="644",
            create_remote_dir=False,
        )
    before = ""
else:
    files.put(name="put the bundle", src=archive(), dest="/opt/oz/bundle.tar", mode="600")
    before = (
        f"umask 022; mkdir -p {CURRENT} && tar -C {CURRENT} -xpf /opt/oz/bundle.tar --no-same-owner || exit\n"
    )

names = sorted({path.name for path in STEPS.parent.glob("*/[0-9]*")}) if FRESH else ["all.sh"]
if FRESH and before:
    server.shell(name="unpack", commands=[before])
for name in host.loop(names):
    step = STEPS / name
    if step.is_file():
        server.shell(name=name, commands=[step.read_text() if FRESH else before + step.read_text()])
