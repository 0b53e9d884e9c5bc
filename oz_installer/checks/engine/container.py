"""The check that a container starts: import a tiny program as an image, run it, remove it."""

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
"""The exit status of the test program; no engine returns it by itself."""

_LABEL = "oz-install.check"
_PROGRAM = "oz-install-check"
_SECONDS = 8
# ELF number of the machine and machine code of exit(7), by the machine's name in uname.
_CODE = {
    "x86_64": (62, bytes.fromhex("bf07000000b83c0000000f05")),
    "aarch64": (183, bytes.fromhex("e00080d2a80b80d2010000d4")),
}
# $1 engine, $2 name; the image on stdin holds a program per machine type, and the node runs its own. Images
# that a killed check left behind are removed by the next check after an hour.
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
[ -n "$image" ] || {{ echo "status 125"; echo "said the engine cannot import an image"; exit; }}
output=$(timeout {_SECONDS} "$engine" run --rm --network none --name "$name" "$image" \\
  "/$(uname -m)/{_PROGRAM}" 2>&1)
echo "status $?"
echo "said $(echo "$output" | tr '\\n' ' ')"
"""


@dataclass(frozen=True, kw_only=True)
class ContainerFacts:
    """The result of the test container; ``status`` is None without an engine that answers."""

    status: int | None
    message: str = ""


class ContainerCheck(ProbeCheck[ContainerFacts]):
    """Prove that kernel, cgroups, storage driver and security modules work together."""

    name = "container"
    title = "Container"

    def probe(self, context: CheckContext, node: CheckedNode) -> ContainerFacts:
        """Import the image, run it, remove it."""
        name = f"{_PROGRAM}-{uuid.uuid4().hex[:12]}"
        argv = ("sh", "-c", _SCRIPT, _PROGRAM, context.answers.engine, name)
        result = context.transport(node.name).run(argv, stdin=image(), timeout=4 * _SECONDS)
        values = parse_fields(result.text)
        status = parse_int(values.get("status", ""))
        message = safe_line(values.get("said", "") or result.stderr_text, 300)
        return ContainerFacts(status=status, message=message)

    def judge(self, context: CheckContext, node: CheckedNode, facts: ContainerFacts) -> Iterator[Finding]:
        """Judge the exit status. A missing engine is a finding of the engine's own check."""
        del context
        if facts.status is None:
            return
        if facts.status == EXPECTED_STATUS:
            yield self.finding(node, "ok", "a test container starts and exits as expected")
            return
        late = f"does not start within {_SECONDS} s" if facts.status in TIMED_OUT else "does not start"
        yield self.finding(
            node,
            "failure",
            f"a test container {late}: {facts.message or f'status {facts.status}'}",
            needed="an engine that runs containers",
            why="The containers of Oz would not start either.",
            hint="Fix the error of the engine quoted here; its log has the details (journalctl -u docker).",
        )


@cache
def image() -> bytes:
    """Return the test program for every machine type, as a tar."""
    return tar_of(_CODE)


def tar_of(codes: Mapping[str, tuple[int, bytes]]) -> bytes:
    """Pack one program (ELF number and code) per machine type, in folders named as in uname."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for machine, (elf_number, code) in codes.items():
            content = minimal_elf(elf_number, code)
            info = tarfile.TarInfo(f"{machine}/{_PROGRAM}")
            info.size, info.mode = len(content), 0o755
            tar.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def minimal_elf(machine: int, code: bytes) -> bytes:
    """Build the smallest program that Linux runs: an ELF header, one segment, the code."""
    base, head = 0x400000, 64 + 56
    size = head + len(code)
    ident = b"\x7fELF" + bytes((2, 1, 1, 0)) + bytes(8)
    header = struct.pack("<16sHHIQQQIHHHHHH", ident, 2, machine, 1, base + head, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, base, base, size, size, 0x10000)
    return header + segment + code
