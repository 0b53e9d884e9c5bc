"""An image of a few bytes: a program per machine type that ends with a status of its own."""

from __future__ import annotations

import io
import struct
import tarfile
from collections.abc import Mapping
from functools import cache

EXPECTED_STATUS = 7
"""The exit status of the test program; no engine returns it by itself."""

PROGRAM = "oz-install-check"
# ELF number of the machine and machine code of exit(7), by the machine's name in uname.
_CODE = {
    "x86_64": (62, bytes.fromhex("bf07000000b83c0000000f05")),
    "aarch64": (183, bytes.fromhex("e00080d2a80b80d2010000d4")),
}


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
            info = tarfile.TarInfo(f"{machine}/{PROGRAM}")
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
