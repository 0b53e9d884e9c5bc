"""Commands (argv) of ``node.sh``: all work in a node's install folder."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from oz_installer.render.project import RECORD_FILE

KEPT_GENERATIONS = 5
STALE_LOCK_MINUTES = 30


@cache
def _script() -> str:
    return Path(__file__).with_name("node.sh").read_text(encoding="utf-8")


def _call(command: str, install_dir: str, *arguments: str) -> tuple[str, ...]:
    return ("sh", "-c", _script(), "oz-install", command, install_dir, *arguments)


def read_facts(install_dir: str, engine: str, digest: str, images: Iterable[str]) -> tuple[str, ...]:
    """Read record and facts; details only if another bundle than ``digest`` is installed."""
    return _call("facts", install_dir, engine, digest, *images)


def lock(
    install_dir: str,
    run: str,
    owner: str,
    *,
    process: str = "",
    dead: str = "",
    seen: tuple[str, str] | None = None,
) -> tuple[str, ...]:
    """Take the lock.

    Exit status 5: another run holds it; its owner is on stderr, its run and process on stdout. Exit status 6:
    another run has changed the node since its facts were read: ``seen`` is the generation and the size of the
    journal of then. ``dead`` is a run that has died, whose lock is taken over; then ``over`` is on stdout.
    """
    return _call("lock", install_dir, run, owner, process, dead, *(seen or ()))


def clear(install_dir: str, run: str, owner: str, *, process: str, dead: str) -> tuple[str, ...]:
    """Remove what a dead run left: its lock, and generations that it had not finished sending.

    Exit status 5: another run holds the lock.
    """
    return _call("clear", install_dir, run, owner, process, dead)


def refresh_lock(install_dir: str, run: str) -> tuple[str, ...]:
    """Refresh the lock, so that it does not become stale while the run continues."""
    return _call("refresh_lock", install_dir, run)


def under_lock(install_dir: str, run: str, what: str, argv: Iterable[str]) -> tuple[str, ...]:
    """Return the argv that runs a command only if the run holds the lock.

    ``what`` is its line in the journal. The commands of ``node.sh`` that change a node ask themselves, and
    are returned as they are.
    """
    plain = tuple(argv)
    return plain if plain[2:3] == (_script(),) else _call("under_lock", install_dir, run, what, *plain)


def wait_idle(install_dir: str, engine: str) -> tuple[str, ...]:
    """Wait until commands of a lost connection or a dead run have ended and the engine is quiet.

    Waits for about a minute at most; exit status 1 when it is not quiet by then, with the reason on stderr.
    """
    return _call("wait_idle", install_dir, engine)


def unlock(install_dir: str, run: str) -> tuple[str, ...]:
    """Release the lock; also removes an install folder that was made for it and is empty."""
    return _call("unlock", install_dir, run)


def stage(
    install_dir: str,
    run: str,
    generation: str,
    compose: str,
    *,
    removed: Iterable[str],
    folders: Iterable[str],
) -> tuple[str, ...]:
    """Build and check the next generation from the current one and a tar on stdin."""
    flags = [part for path in removed for part in ("--remove", path)]
    flags += [part for folder in folders for part in ("--folder", folder)]
    return _call("stage", install_dir, run, generation, compose, *flags)


def switch(install_dir: str, run: str, generation: str) -> tuple[str, ...]:
    """Make the staged generation the current one."""
    return _call("switch", install_dir, run, generation)


def switch_back(install_dir: str, run: str, generation: str, previous: str) -> tuple[str, ...]:
    """Undo a switch."""
    return _call("switch_back", install_dir, run, generation, previous)


def unstage(install_dir: str, run: str, generation: str) -> tuple[str, ...]:
    """Undo a stage, and remove the folders that it created."""
    return _call("unstage", install_dir, run, generation)


def mark_job_done(
    install_dir: str, run: str, job: str, digest: str, engine: str, fills: Iterable[str] = ()
) -> tuple[str, ...]:
    """Mark a job with this digest as done, for as long as what it ``fills`` is there."""
    return _call("mark_job_done", install_dir, run, job, digest, engine, *fills)


def unmark_job(install_dir: str, run: str, job: str) -> tuple[str, ...]:
    """Unmark a job that was done."""
    return _call("unmark_job", install_dir, run, job)


def mark_verified(install_dir: str, run: str, digest: str, previous: str, engine: str) -> tuple[str, ...]:
    """Mark the bundle with this digest as verified, and its generation as the one to go back to.

    Surplus old generations are deleted, but not ``previous``, which was current before the run (empty: none).
    Finished jobs are bound to the containers that now have what they filled.
    """
    return _call("mark_verified", install_dir, run, digest, str(KEPT_GENERATIONS), previous, engine)


def unmark_verified(install_dir: str, run: str, digest: str, good: str) -> tuple[str, ...]:
    """Mark what was verified before: digest of its bundle, and its generation; empty: none."""
    return _call("unmark_verified", install_dir, run, digest, good)


def print_record(install_dir: str, generation: str) -> tuple[str, ...]:
    """Print the record of a generation."""
    return ("cat", f"{install_dir}/generations/{generation}/{RECORD_FILE}")


# Run the health check in each container until it passes or the time is over; print each name when it passes,
# and name, tab and the end of the last output when it does not.
# A check may cost a second of CPU that the services need to start, so only as many run in parallel as the
# node has CPUs (at least two). Each empty line in the pipe permits one check.
_CHECKS = """engine=$1 end=$(($(date +%s) + $2)); shift 2
passes() {
  read -r leave <&3
  output=$({ timeout 30 "$engine" exec "$1" sh -c "$2" 2>&1; printf '\nstatus %s' $?; } | tail -c 600)
  echo >&4
  return "${output##*status }"
}
try() {
  tries=0
  until passes "$1" "$2"; do
    [ "$(date +%s)" -lt "$end" ] || {
      printf '%s\t%s\n' "$1" "$(printf '%s' "${output%status *}" | tr -s '\n\t' ' ')"
      return
    }
    tries=$((tries + 1))
    case $tries in 1|2|3|4|5|6) sleep 0.3 ;; *) sleep 0.7 ;; esac
  done
  echo "$1"
}
cpus=$(nproc 2>/dev/null) && [ "$cpus" -gt 1 ] || cpus=2
while [ "$cpus" -gt 0 ]; do echo; cpus=$((cpus - 1)); done | {
  exec 3<&0 4>/proc/self/fd/0
  while [ $# -gt 0 ]; do
    try "$1" "$2" &
    shift 2
  done
  wait
}"""


def run_health_checks(engine: str, seconds: int, checks: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Run the containers' health checks at once: pairs of name and shell line.

    Each is repeated until it passes, for about ``seconds``.
    """
    pairs = (part for pair in checks for part in pair)
    return ("sh", "-c", _CHECKS, "oz-install", engine, str(seconds), *pairs)
