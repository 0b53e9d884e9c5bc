"""Runs one command and writes what it cost, as JSON: ``stopwatch.py REPORT COMMAND ...``.

A process of its own, and a small one, because the kernel counts the memory of whoever starts a command
as the command's until it has become one. Loads nothing but what ships with the bare interpreter.
"""

import os
import resource
import sys
import time


def main(report: str, command: list[str]) -> int:
    """Wait for the command; its exit status, or 128 + the signal that ended it."""
    began = time.monotonic()
    pid = os.posix_spawnp(command[0], command, os.environ)
    _, status = os.waitpid(pid, 0)
    seconds = time.monotonic() - began
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = used.ru_utime + used.ru_stime
    with open(report, "w", encoding="ascii") as file:  # noqa: PTH123 - pathlib costs 10 ms to import
        file.write(f'{{"seconds": {seconds:.6f}, "cpu": {cpu:.6f}, "largest_kib": {used.ru_maxrss}}}\n')
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
