"""Join the pieces of shell checks into one script, and split its output. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

# Most of the cost of a script is starting programs, so the pieces use shell built-ins; ``show KEY COMMAND``
# prints a line without a subshell. An engine that hangs costs five seconds once: the piece that notices it
# signals the enclosing shell, and later pieces skip the engine. A slow engine gets less ``patience``.
_HEAD = """\
hung= patience=5
trap 'hung=yes' USR1
soon() {
  case $1 in
    docker | podman | docker-compose) [ -z "$hung" ] || return 124; timeout $patience "$@" ;;
    *) timeout 5 "$@" ;;
  esac
  set -- $? "$1"
  [ "$1" != 143 ] || set -- 124 "$2"  # the status of busybox's timeout
  case $1,$2 in 124,docker | 124,podman) kill -USR1 $$ ;; esac
  return "$1"
}
section() { printf '\\n@%s\\n' "$1"; }
show() { printf '%s ' "$1"; shift; "$@"; set -- $?; echo; return "$1"; }
nl='
'
"""


def combine_scripts(pieces: Mapping[str, str], before: Sequence[str] = ()) -> str:
    """Join the pieces into one script: the preludes, then a section with a subshell per piece."""
    first = "".join(f"{{\n{text}\n}} 2>/dev/null\n" for text in dict.fromkeys(before) if text)
    body = "".join(f"section {name}\n(\n{piece}\n) 2>/dev/null\n" for name, piece in pieces.items())
    return f"{_HEAD}{first}{body}section end\n"


def sections(text: str) -> dict[str, str]:
    """Split the script's output by piece."""
    parts = re.split(r"(?:^|\n)@([a-z0-9-]+)\n", text)
    return dict(zip(parts[1::2], parts[2::2], strict=True))
