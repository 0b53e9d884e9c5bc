"""The disks that matter, asked once for all looks and beside each other: one that hangs costs five seconds.

Whatever touches a file of a dead NFS mount hangs, a ``[ -d ... ]`` of the shell too: so a program does that
first, and can be ended.
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
"""The folder ``place``, or the nearest folder above it that is there."""

# The engine's root is the end of what it tells; it may hold spaces. A name's lines are written at once, for
# two of them write.
_SCRIPT = """
disk() {{
  told=$(soon sh -c 'place=$1; {nearest}; printf "%s\\n" "$place"; exec df -Pk "$place"' sh "$2")
  [ $? != 124 ] || {{ echo "$1 hangs"; return; }}
  printf "$1 place %s\\n$1 disk %s\\n" "${{told%%"$nl"*}}" "${{told##*"$nl"}}"
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
    """The disk behind a folder: sizes in KiB, None where nobody told; ``at`` is where it is mounted,
    ``place`` the folder or the nearest one above it that is there. ``hangs``: it does not answer."""

    hangs: bool = False
    place: str = ""
    size: int | None = None
    free: int | None = None
    at: str = ""


def disk_query(install_dir: str) -> str:
    """Shell that sets, for all pieces after it, where ``engine_info`` is set:

    ``disks``: lines of the install folder's disk (``here``) and of the engine's (``root``), for ``disk_of``.
    ``disk_place``: the install folder, or the nearest folder above it. ``disk_hangs``: its disk does not
    answer, so nothing there may be touched.
    """
    return _SCRIPT.format(dir=shlex.quote(install_dir), nearest=NEAREST)


def disk_of(text: str, name: str) -> Disk:
    """That disk among what a piece printed."""
    lines = text.splitlines()
    if f"{name} hangs" in lines:
        return Disk(hangs=True)
    told = dict.fromkeys(("place", "disk"), "")
    for line in lines:
        who, _, rest = line.partition(" ")
        key, _, value = rest.partition(" ")
        if who == name and key in told:
            told[key] = value
    words = told["disk"].split()
    size, free, at = (words[1], words[3], words[5]) if len(words) > 5 else ("", "", "")
    return Disk(place=safe_line(told["place"]), size=parse_int(size), free=parse_int(free), at=safe_line(at))


def hung_disk_finding(
    check: NodeCheck[Any], node: CheckedNode, folder: str, *, about: str, subject: str
) -> Finding:
    """What is told of a disk that does not answer."""
    return check.finding(
        node,
        "failure",
        f"the disk behind {folder} does not answer within {SECONDS} s: a dead NFS mount?",
        about=about,
        subject=subject,
        why="Whatever touches it hangs, containers too.",
        hint="Look in /proc/mounts for what is mounted there. Bring its server back, or unmount it "
        "(umount -f -l), then check again.",
    )
