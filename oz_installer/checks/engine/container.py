"""Whether a container really starts: a program of a few bytes is imported as an image, run, and removed."""

from __future__ import annotations

import io
import struct
import tarfile
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from oz_installer.checks.base import ProbeCheck
from oz_installer.checks.context import CheckContext, CheckedNode, Finding
from oz_installer.remote.transport import TIMED_OUT
from oz_installer.text import parse_fields, parse_int, safe_line

EXPECTED_STATUS = 7
"""The program does nothing but end with it; no engine does by itself."""

_LABEL = "oz-install.check"
_PROGRAM = "oz-install-check"
_SECONDS = 8
# Machine code of exit(7), by the ELF number of the machine and as uname calls it.
_CODE = {
    "x86_64": (62, bytes.fromhex("bf07000000b83c0000000f05")),
    "aarch64": (183, bytes.fromhex("e00080d2a80b80d2010000d4")),
}
# $1 engine, $2 name; the image on stdin is for every machine, the node runs its own program. What a killed
# check has left is gone with the next one an hour later.
_SCRIPT = f"""
engine=$1 name=$2 image=
timeout 5 "$engine" ps -q > /dev/null 2>&1 || {{ echo "engine none"; exit; }}
clean() {{
  timeout {_SECONDS} "$engine" rm -f "$name" > /dev/null 2>&1
  [ -z "$image" ] || timeout {_SECONDS} "$engine" rmi -f "$image" > /dev/null 2>&1
}}
trap clean EXIT
trap 'exit 1' HUP INT TERM
trap '' PIPE
timeout {_SECONDS} "$engine" image prune --force --filter label={_LABEL} --filter until=1h > /dev/null 2>&1
image=$(timeout {_SECONDS} "$engine" import --change 'LABEL {_LABEL}=1' - 2> /dev/null | tail -n 1)
[ -n "$image" ] || {{ echo "status 125"; echo "said the engine takes no image"; exit; }}
said=$(timeout {_SECONDS} "$engine" run --rm --network none --name "$name" "$image" \\
  "/$(uname -m)/{_PROGRAM}" 2>&1)
echo "status $?"
echo "said $(echo "$said" | tr '\\n' ' ')"
"""


@dataclass(frozen=True, kw_only=True)
class ContainerFacts:
    """How it ended; ``status`` None: there is no engine to ask, or none that answers."""

    status: int | None
    said: str = ""


class ContainerCheck(ProbeCheck[ContainerFacts]):
    """What versions cannot tell: kernel, cgroups, storage driver and security modules work together."""

    name = "container"
    title = "Container"

    def probe(self, context: CheckContext, node: CheckedNode) -> ContainerFacts:
        """Import, run, remove."""
        name = f"{_PROGRAM}-{uuid.uuid4().hex[:12]}"
        argv = ("sh", "-c", _SCRIPT, _PROGRAM, context.answers.engine, name)
        result = context.transport(node.name).run(argv, stdin=image(), timeout=4 * _SECONDS)
        told = parse_fields(result.text)
        status = parse_int(told.get("status", ""))
        return ContainerFacts(status=status, said=safe_line(told.get("said", "") or result.stderr_text, 300))

    def judge(self, context: CheckContext, node: CheckedNode, facts: ContainerFacts) -> Iterator[Finding]:
        """An engine that is not there is the engine's own finding."""
        del context
        if facts.status is None:
            return
        if facts.status == EXPECTED_STATUS:
            yield self.finding(node, "ok", "one starts and ends as it should")
            return
        late = f"does not start within {_SECONDS} s" if facts.status in TIMED_OUT else "does not start"
        yield self.finding(
            node,
            "failure",
            f"one {late}: {facts.said or f'status {facts.status}'}",
            needed="an engine that runs containers",
            why="Nothing of Oz would start either.",
            hint="The words are the engine's own; its log says more (journalctl -u docker). Mend that first.",
        )


@cache
def image() -> bytes:
    """The program that only ends, as a tar."""
    return tar_of(_CODE)


def tar_of(codes: Mapping[str, tuple[int, bytes]]) -> bytes:
    """A tar of one program (ELF number and code) a machine, in a folder that is called as uname calls it."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for machine, (number_, code) in codes.items():
            content = minimal_elf(number_, code)
            info = tarfile.TarInfo(f"{machine}/{_PROGRAM}")
            info.size, info.mode = len(content), 0o755
            tar.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def minimal_elf(machine: int, code: bytes) -> bytes:
    """The smallest program that Linux runs: an ELF header, one segment, the code."""
    base, head = 0x400000, 64 + 56
    size = head + len(code)
    ident = b"\x7fELF" + bytes((2, 1, 1, 0)) + bytes(8)
    header = struct.pack("<16sHHIQQQIHHHHHH", ident, 2, machine, 1, base + head, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, base, base, size, size, 0x10000)
    return header + segment + code
