"""The query for the disks of install folder and engine, run once for all shell checks.

The disks are read in parallel, so one that hangs costs five seconds. Every access to a dead NFS mount hangs,
even ``[ -d ... ]`` in the shell; so a separate program, which can be killed, touches it first.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Any

from oz_installer.checks.base import NodeCheck
from oz_installer.checks.context import CheckedNode, Finding
from oz_installer.text import parse_int, safe_line

SECONDS = 5
NEAREST = 'until [ -d "$place" ]; do place=${place%/*}; place=${place:-/}; done'
"""Shell that climbs from ``place`` to the nearest folder that exists."""

# The engine's root is the last field, because it may hold spaces. The lines of a disk are written by one
# printf, because two processes write.
_SCRIPT = """
disk() {{
  output=$(soon sh -c 'place=$1; {nearest}; printf "%s\\n" "$place"; df -Pk "$place"; echo @
    exec stat -f -c "%c %d" "$place"' sh "$2")
  [ $? != 124 ] || {{ echo "$1 hangs"; return; }}
  set -- "$1" "${{output%"$nl@"*}}"
  printf "$1 place %s\\n$1 disk %s\\n$1 inodes %s\\n" "${{2%%"$nl"*}}" "${{2##*"$nl"}}" "${{output##*"$nl"}}"
}}
echo  # a sign of life: an engine that hangs has taken seven seconds
engine_root=
[ -z "$engine_info" ] || engine_root=${{engine_info#* * * * }}
disks=$([ -z "$engine_root" ] || disk root "$engine_root" & disk here {dir}; wait)
disk_place=${{nl}}$disks disk_hangs=
disk_place=${{disk_place##*"$nl"here place }} disk_place=${{disk_place%%"$nl"*}}
case $nl$disks in *"$nl"here\\ hangs*) disk_hangs=yes ;; esac
"""


@dataclass(frozen=True, kw_only=True)
class Disk:
    """The disk behind a folder: sizes in KiB, None when unknown; ``at`` is its mount point.

    ``inodes`` are free, None where the file system counts none. ``place`` is the folder, or
    the nearest existing one above it. ``hangs``: the disk does not answer."""

    hangs: bool = False
    place: str = ""
    size: int | None = None
    free: int | None = None
    inodes: int | None = None
    at: str = ""


def disk_query(install_dir: str) -> str:
    """Return shell that sets these variables for later pieces; it needs ``engine_info``.

    ``disks``: lines of the install folder's disk (``here``) and of the engine's (``root``), for ``disk_of``.
    ``disk_place``: the install folder, or the nearest existing one above it. ``disk_hangs``: its disk does
    not answer, so nothing on it may be touched.
    """
    return _SCRIPT.format(dir=shlex.quote(install_dir), nearest=NEAREST)


def disk_of(text: str, name: str) -> Disk:
    """Parse the disk of this name from a piece's output."""
    lines = text.splitlines()
    if f"{name} hangs" in lines:
        return Disk(hangs=True)
    values = dict.fromkeys(("place", "disk", "inodes"), "")
    for line in lines:
        disk, _, rest = line.partition(" ")
        key, _, value = rest.partition(" ")
        if disk == name and key in values:
            values[key] = value
    columns = values["disk"].split()
    size, free, at = (columns[1], columns[3], columns[5]) if len(columns) > 5 else ("", "", "")
    counted = values["inodes"].split()
    return Disk(
        place=safe_line(values["place"]),
        size=parse_int(size),
        free=parse_int(free),
        inodes=parse_int(counted[1]) if len(counted) == 2 and counted[0] != "0" else None,
        at=safe_line(at),
    )


def hung_disk_finding(
    check: NodeCheck[Any], node: CheckedNode, folder: str, *, about: str, subject: str
) -> Finding:
    """Return the finding for a disk that does not answer."""
    return check.finding(
        node,
        "failure",
        f"the disk behind {folder} does not answer within {SECONDS} s (possibly a dead NFS mount)",
        about=about,
        subject=subject,
        why="Every process that accesses it hangs, containers included.",
        hint="Find the mount in /proc/mounts. Restore its server, or unmount it (umount -f -l), "
        "then check again.",
    )
