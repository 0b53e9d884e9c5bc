"""Upload of large files to several nodes in parallel, a process and a connection for each.

Encryption holds Python's lock, so threads of one process share one core: four threads reach 0.65 of the
speed of four scp, four processes 0.95. The worker gets its job, secrets included, on its stdin; they are
in no argv, environment or file.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from oz_installer.errors import ConnectError, DeployError, OzError
from oz_installer.remote.ssh.target import SecretCache, SshTarget
from oz_installer.remote.ssh.transport import SshTransport, connect
from oz_installer.remote.ssh.upload import file_digest, upload_file
from oz_installer.remote.transport import Transport
from oz_installer.secret import Secret

# below this, starting a process (0.3 s) costs more than it gains
WORTH_A_PROCESS = 32 << 20
_ERRORS: dict[str, type[OzError]] = {"ConnectError": ConnectError}


@dataclass(frozen=True, kw_only=True)
class UploadJob:
    """One file for one node; ``dest`` is an absolute path there."""

    transport: Transport
    source: Path
    dest: str
    mode: int = 0o644
    become: bool = True
    timeout: float = 120.0


def upload_many(jobs: Sequence[UploadJob], on_sent: Callable[[str, int], None] | None = None) -> None:
    """Run the jobs in parallel; ``on_sent`` gets node and bytes sent, from several threads.

    A file that goes to several nodes is hashed once. Raises the first failure, in the order of the jobs,
    after all have ended.
    """
    digests = _Digests()

    def one(job: UploadJob) -> None:
        def report(sent: int) -> None:
            if on_sent is not None:
                on_sent(job.transport.name, sent)

        in_worker = len(jobs) > 1 and job.source.stat().st_size >= WORTH_A_PROCESS
        # A second connection would ask for another code.
        if in_worker and isinstance(job.transport, SshTransport) and not job.transport.asked_code:
            _in_worker(job, job.transport, digests, report)
        else:
            upload_file(
                job.transport,
                job.source,
                job.dest,
                mode=job.mode,
                become=job.become,
                timeout=job.timeout,
                on_sent=report,
                digest_of_source=lambda: digests.of(job.source),
            )

    with ThreadPoolExecutor(max(1, len(jobs)), "oz-upload") as pool:
        for done in [pool.submit(one, job) for job in jobs]:
            done.result()


class _Digests:
    """The SHA-256 of the files to send; each file is read on first use."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[Path, str] = {}

    def of(self, path: Path) -> str:
        with self._lock:
            if path not in self._known:
                self._known[path] = file_digest(path)
            return self._known[path]


def _in_worker(
    job: UploadJob, transport: SshTransport, digests: _Digests, report: Callable[[int], None]
) -> None:
    """Run one job in a process of its own and forward its progress."""
    settings = {
        "target": _dump_target(transport.reconnect_target()),
        "answers": {question: secret.reveal() for question, secret in transport.answers.items()},
        "source": str(job.source),
        "dest": job.dest,
        "mode": job.mode,
        "become": job.become,
        "timeout": job.timeout,
    }
    with subprocess.Popen(
        (sys.executable, "-P", "-m", "oz_installer.remote.ssh.upload_many"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as worker:
        try:
            _follow(worker, settings, job, digests, report)
        except BaseException:
            worker.kill()
            raise


def _follow(
    worker: subprocess.Popen[bytes],
    settings: dict[str, Any],
    job: UploadJob,
    digests: _Digests,
    report: Callable[[int], None],
) -> None:
    stdin, stdout = worker.stdin, worker.stdout
    assert stdin is not None  # noqa: S101 - Popen was given PIPE
    assert stdout is not None  # noqa: S101

    def send(text: str) -> None:
        with contextlib.suppress(BrokenPipeError):  # a worker that died is reported below
            stdin.write(text.encode() + b"\n")
            stdin.flush()

    send(json.dumps(settings))
    finished = False
    for line in stdout:
        message = json.loads(line)
        if "sent" in message:
            report(message["sent"])
        elif "wanted" in message:
            send(digests.of(job.source))
        elif "error" in message:
            kind = _ERRORS.get(message["error"], DeployError)
            raise kind(message["message"], message["hint"], node=job.transport.name)
        else:
            finished = True
    if not finished:
        raise DeployError(
            f"the process that sent {job.source.name} ended with status {worker.wait()}",
            "Check that this machine has enough memory (free -m), then run again.",
            node=job.transport.name,
        )


def _dump_target(target: SshTarget) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for field in fields(target):
        value = getattr(target, field.name)
        if isinstance(value, Secret):
            value = {"secret": value.reveal()}
        elif isinstance(value, Path):
            value = {"path": str(value)}
        values[field.name] = value
    return values


def _load_target(values: dict[str, Any]) -> SshTarget:
    def load(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return Secret(value["secret"]) if "secret" in value else Path(value["path"])

    return SshTarget(**{name: load(value) for name, value in values.items()})


def _emit(**message: object) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def _ask_digest() -> str:
    _emit(wanted="sha256")
    return sys.stdin.readline().strip()


def _work(settings: dict[str, Any]) -> None:
    """Run the worker: its own connection, one file, and JSON lines for progress and result."""
    secrets = SecretCache(None)
    secrets.answers = {question: Secret(text) for question, text in settings["answers"].items()}
    reported = 0

    def progress(sent: int) -> None:
        nonlocal reported
        if sent - reported >= 1 << 20:
            reported = sent
            _emit(sent=sent)

    try:
        transport = connect(_load_target(settings["target"]), ask_secret=secrets if secrets.answers else None)
        try:
            digest = upload_file(
                transport,
                Path(settings["source"]),
                settings["dest"],
                mode=settings["mode"],
                become=settings["become"],
                timeout=settings["timeout"],
                on_sent=progress,
                digest_of_source=_ask_digest,
            )
        finally:
            transport.close()
    except OzError as error:
        _emit(error=type(error).__name__, message=error.message, hint=error.hint)
    except OSError as error:
        _emit(error="OSError", message=str(error), hint="")
    else:
        _emit(sha256=digest)


if __name__ == "__main__":
    _work(json.loads(sys.stdin.readline()))
