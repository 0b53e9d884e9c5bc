"""Commands (argv) that clean up after an aborted run."""

from __future__ import annotations

from collections.abc import Iterable

# Remove the containers of «compose run», running or left behind. A container that is gone or is being removed
# makes «rm» fail, so success means that none is left.
_END_JOBS = """found() {
  "$0" ps -aq --filter "label=com.docker.compose.project=$1" --filter label=com.docker.compose.oneoff=True
}
ids=$(found "$1") || exit
[ -z "$ids" ] || "$0" rm -f $ids || { sleep 1; [ -z "$(found "$1")" ]; }"""


def remove_job_containers(engine: str, project: str) -> tuple[str, ...]:
    """Return the argv that removes the containers of running jobs, which ends their commands."""
    return ("sh", "-c", _END_JOBS, engine, project)


def if_exists(path: str, argv: Iterable[str]) -> tuple[str, ...]:
    """Return the argv that runs a command only if ``path`` exists."""
    return ("sh", "-c", '[ ! -e "$0" ] || exec "$@"', path, *argv)
