"""The files, by pyinfra. BENCH_MANNER: ``files`` puts each one, ``archive`` one tar, where it differs."""

import io
import os
import tarfile
from pathlib import Path

from pyinfra import host  # type: ignore[import-not-found]  # in an environment of its own
from pyinfra.operations import files, server  # type: ignore[import-not-found]

SRC = Path(os.environ["BENCH_SRC"]) / host.name
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
else:
    files.put(name="put the bundle", src=archive(), dest="/opt/oz/bundle.tar", mode="600")
