"""Large files to several nodes at once: a process and a connection each.

Encrypting holds Python's lock, so threads of one process share one core: four fall to 0.65 of what four
scp reach, where four processes keep 0.95. The worker gets its job, secrets included, on its stdin; they
stand in no argv, environment or file.
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
    """Carry out the jobs, all at once; ``on_sent`` gets node and bytes sent, from several threads.

    A file that goes to several nodes is hashed once. Raises the first failure, in the order of the jobs,
    when all have ended.
    """
    digests = _Digests()

    def one(job: UploadJob) -> None:
        def tell(sent: int) -> None:
            if on_sent is not None:
                on_sent(job.transport.name, sent)

        apart = len(jobs) > 1 and job.source.stat().st_size >= WORTH_A_PROCESS
        if apart and isinstance(job.transport, SshTransport):
            _in_worker(job, job.transport, digests, tell)
        else:
            upload_file(
                job.transport,
                job.source,
                job.dest,
                mode=job.mode,
                become=job.become,
                timeout=job.timeout,
                on_sent=tell,
                digest_of_source=lambda: digests.of(job.source),
            )

    with ThreadPoolExecutor(max(1, len(jobs)), "oz-upload") as pool:
        for done in [pool.submit(one, job) for job in jobs]:
            done.result()


class _Digests:
    """SHA-256 of the files to be sent, each read when first asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[Path, str] = {}

    def of(self, path: Path) -> str:
        with self._lock:
            if path not in self._known:
                self._known[path] = file_digest(path)
            return self._known[path]


def _in_worker(
    job: UploadJob, transport: SshTransport, digests: _Digests, tell: Callable[[int], None]
) -> None:
    """Run one job in a process of its own and pass on what it tells."""
    order = {
        "target": _dump_target(transport.reconnect_target()),
        "answers": {question: secret.reveal() for question, secret in transport.answers.items()},
        "source": str(job.source),
        "dest": job.dest,
        "mode": job.mode,
        "become": job.become,
        "timeout": job.timeout,
    }
    with subprocess.Popen(
        (sys.executable, "-m", "oz_installer.remote.ssh.upload_many"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as worker:
        try:
            _follow(worker, order, job, digests, tell)
        except BaseException:
            worker.kill()
            raise


def _follow(
    worker: subprocess.Popen[bytes],
    order: dict[str, Any],
    job: UploadJob,
    digests: _Digests,
    tell: Callable[[int], None],
) -> None:
    stdin, stdout = worker.stdin, worker.stdout
    assert stdin is not None  # noqa: S101 - Popen was given PIPE
    assert stdout is not None  # noqa: S101

    def say(text: str) -> None:
        with contextlib.suppress(BrokenPipeError):  # a worker that died is told of below
            stdin.write(text.encode() + b"\n")
            stdin.flush()

    say(json.dumps(order))
    finished = False
    for line in stdout:
        said = json.loads(line)
        if "sent" in said:
            tell(said["sent"])
        elif "wanted" in said:
            say(digests.of(job.source))
        elif "error" in said:
            kind = _ERRORS.get(said["error"], DeployError)
            raise kind(said["message"], said["hint"], node=job.transport.name)
        else:
            finished = True
    if not finished:
        raise DeployError(
            f"the process that sent {job.source.name} ended with status {worker.wait()}",
            "Is this machine short of memory?",
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


def _tell(**said: object) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


def _ask_digest() -> str:
    _tell(wanted="sha256")
    return sys.stdin.readline().strip()


def _work(order: dict[str, Any]) -> None:
    """The worker: its own connection, one file, what it has to say as JSON lines."""
    memory = SecretCache(None)
    memory.answers = {question: Secret(text) for question, text in order["answers"].items()}
    told = 0

    def progress(sent: int) -> None:
        nonlocal told
        if sent - told >= 1 << 20:
            told = sent
            _tell(sent=sent)

    try:
        transport = connect(_load_target(order["target"]), ask_secret=memory if memory.answers else None)
        try:
            digest = upload_file(
                transport,
                Path(order["source"]),
                order["dest"],
                mode=order["mode"],
                become=order["become"],
                timeout=order["timeout"],
                on_sent=progress,
                digest_of_source=_ask_digest,
            )
        finally:
            transport.close()
    except OzError as error:
        _tell(error=type(error).__name__, message=error.message, hint=error.hint)
    except OSError as error:
        _tell(error="OSError", message=str(error), hint="")
    else:
        _tell(sha256=digest)


if __name__ == "__main__":
    _work(json.loads(sys.stdin.readline()))
