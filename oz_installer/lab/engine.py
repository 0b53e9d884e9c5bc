"""Set up this machine for the lab: a Docker Engine and a few Debian tools."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from oz_installer.deploy.process_identity import started_at
from oz_installer.errors import PreflightError
from oz_installer.lab.docker import run
from oz_installer.lab.images import locked
from oz_installer.lab.options import Say, cache_folder

_LIMIT = 120
_GRACE = 20
_PACKAGES = {
    "docker": "docker.io",
    "dockerd": "docker.io",
    "debootstrap": "debootstrap",
    "ssh-keygen": "openssh-client",
    "ip": "iproute2",
}


def ensure_tools(say: Say) -> None:
    """Make sure that an engine answers and the tools exist; report before installing anything.

    Raises PreflightError when that is not possible on this machine.
    """
    if os.geteuid() != 0:
        raise PreflightError("the lab needs root to build images and run nodes", "run it with sudo")
    with locked("engine"):  # of labs that start in parallel, one starts the engine
        if missing := missing_packages(engine_answers()):
            _install(missing, say)
        if not engine_answers():
            _start(say)


def missing_packages(engine_ready: bool) -> list[str]:
    """Return the sorted Debian packages whose programs are not in PATH."""
    wanted = set(_PACKAGES) - ({"dockerd"} if engine_ready else set())
    return sorted({_PACKAGES[program] for program in wanted if not shutil.which(program)})


def engine_answers() -> bool:
    """Return whether a Docker Engine answers on this machine."""
    if not shutil.which("docker"):
        return False
    return run(["docker", "version", "--format", "{{.Server.Version}}"], check=False, timeout=60).status == 0


def stop_engine(say: Say) -> bool:
    """Stop the engine that the lab started, never another; return whether there was one."""
    with locked("engine"):
        pid_file = _pid_file()
        identity = pid_file.read_text().split() if pid_file.is_file() else []
        if len(identity) != 2 or started_at(int(identity[0])) != identity[1]:
            pid_file.unlink(missing_ok=True)
            return False
        say(f"Stopping the Docker Engine that the lab started (process {identity[0]}) ...")
        os.kill(int(identity[0]), signal.SIGTERM)
        end = time.monotonic() + _LIMIT
        while started_at(int(identity[0])) == identity[1] and time.monotonic() < end:
            time.sleep(0.1)
        pid_file.unlink(missing_ok=True)
        return True


def _install(packages: Sequence[str], say: Say) -> None:
    names = " ".join(packages)
    if not shutil.which("apt-get"):
        raise PreflightError(
            f"the lab needs {names}, and this machine has no apt-get", "install them, then try again"
        )
    say(f"Installing on this machine with apt-get: {names} ...")
    quiet = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y"]
    run([*quiet, "update"], timeout=1800)
    run([*quiet, "install", "--no-install-recommends", *packages], timeout=3600)


def _start(say: Say) -> None:
    """Start dockerd in its own session and record its process id and start time."""
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "dockerd.log"
    say(f"No Docker Engine answers: starting dockerd (log: {log}) ...")
    with log.open("ab") as output:
        process = subprocess.Popen(
            ["dockerd"], stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    _pid_file().write_text(f"{process.pid} {started_at(process.pid)}")
    end, died = time.monotonic() + _LIMIT, False
    while time.monotonic() < end:
        if engine_answers():
            return
        if process.poll() is not None:  # perhaps the package has just started one itself
            end = min(end, time.monotonic() + _GRACE) if not died else end
            died = True
        time.sleep(0.2)
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-10:])
    raise PreflightError(f"dockerd did not start:\n{tail}", f"read {log}, or start a Docker Engine yourself")


def _pid_file() -> Path:
    return cache_folder() / "dockerd.pid"
