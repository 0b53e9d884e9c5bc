"""L10: no core file holds the secrets."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import resource
from oz_installer import __main__
__main__._run = lambda argv: print(resource.getrlimit(resource.RLIMIT_CORE)[0]) or 0
__main__.main()
"""


def test_l10_no_core_file_is_written() -> None:
    done = subprocess.run(
        ["sh", "-c", 'ulimit -S -c unlimited 2> /dev/null; exec "$@"', "sh", sys.executable, "-c", CODE],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "0"
