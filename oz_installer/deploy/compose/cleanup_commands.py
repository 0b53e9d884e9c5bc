"""argv of commands that take away what a run began."""

from __future__ import annotations

from collections.abc import Iterable

# The containers that «compose run» made, running or left behind. One that is gone already, or is just being
# removed, makes the removal fail: what counts is that none is left.
_END_JOBS = """found() {
  "$0" ps -aq --filter "label=com.docker.compose.project=$1" --filter label=com.docker.compose.oneoff=True
}
ids=$(found "$1") || exit
[ -z "$ids" ] || "$0" rm -f $ids || { sleep 1; [ -z "$(found "$1")" ]; }"""


def remove_job_containers(engine: str, project: str) -> tuple[str, ...]:
    """Remove the containers of jobs under way, which ends the commands that wait for them."""
    return ("sh", "-c", _END_JOBS, engine, project)


def if_exists(path: str, argv: Iterable[str]) -> tuple[str, ...]:
    """A command that is left out where ``path`` is not there."""
    return ("sh", "-c", '[ ! -e "$0" ] || exec "$@"', path, *argv)
