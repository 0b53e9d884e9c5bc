"""Bundles, facts and transports for the tests of deploy, made in memory."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from oz_installer.deploy.compose.facts import ContainerFact, NodeDetails, NodeFacts
from oz_installer.deploy.compose.run import NodesRun
from oz_installer.deploy.events import Event
from oz_installer.deploy.gate import Gate, LiveGate
from oz_installer.deploy.plan import Plan, TargetPlan
from oz_installer.deploy.record import record_of
from oz_installer.deploy.settings import RunSettings
from oz_installer.errors import ConnectError
from oz_installer.remote.transport import CommandResult, ForwardingForbidden
from oz_installer.render.compose.bundle import Bundle, BundleService
from oz_installer.render.rendering import RenderedFile
from oz_installer.secret import Masker, Secret
from oz_installer.topology.model import Topology

Answer = Callable[[tuple[str, ...]], CommandResult | str | None]
GIGABYTE = 1024 * 1024  # in KiB


@dataclass(frozen=True)
class Sent:
    """One command that a fake node was given."""

    argv: tuple[str, ...]
    stdin: bytes | None = None
    asks: bool = False
    """Whether the node asks in the same command if the lock is still ours."""


@dataclass
class FakeTransport:
    """Answers commands from a function and writes them down; ``None`` means: nothing said, status 0."""

    name: str = "n1"
    answer: Answer = lambda argv: None
    sent: list[Sent] = field(default_factory=list)
    closed: int = 0
    host_key_fingerprint: str = ""
    tunnels: bool = True

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes | Iterable[bytes] | None = None,
        become: bool = True,
        timeout: float = 120.0,
        check: bool = False,
        on_output: Callable[[bytes], None] | None = None,
        on_sent: Callable[[int], None] | None = None,
    ) -> CommandResult:
        """Write the command down and answer it."""
        payload = stdin if stdin is None or isinstance(stdin, bytes) else b"".join(stdin)
        bare = without_guard(argv)
        self.sent.append(Sent(bare, payload, asks=bare != tuple(argv) or is_own_step(bare)))
        said = self.answer(bare)
        if isinstance(said, CommandResult):
            return said
        if said and on_output is not None:
            on_output(said.encode())
        return CommandResult(argv=tuple(argv), status=0, stdout=(said or "").encode())

    def stream(self, argv: Sequence[str], *, become: bool = True, timeout: float = 30.0) -> socket.socket:
        """Not wanted here."""
        raise ConnectError("no streams in this test", node=self.name)

    def tunnel(self, host: str, port: int, *, timeout: float = 10.0) -> socket.socket:
        """From this machine, or forbidden."""
        if not self.tunnels:
            raise ForwardingForbidden(self.name)
        return socket.create_connection((host, port), timeout=timeout)

    def forwarding_allowed(self) -> bool:
        """As told."""
        return self.tunnels

    def close(self) -> None:
        """Count it."""
        self.closed += 1

    def words(self) -> list[str]:
        """What was called: the command of node.sh, or the engine's; not whether the node is there."""
        return [word for sent in self.sent if (word := short(sent.argv)) != "true"]


def without_guard(argv: Sequence[str]) -> tuple[str, ...]:
    """What runs on the node if the lock is still ours."""
    return tuple(argv[8:] if argv[3:5] == ("oz-install", "under_lock") else argv)


def is_own_step(argv: Sequence[str]) -> bool:
    """Whether this is a command of node.sh that asks for the lock itself, as its own tests prove."""
    own = argv[:2] == ("sh", "-c") and argv[3:4] == ("oz-install",)
    return own and argv[4] not in ("facts", "lock", "unlock", "wait_idle")


def short(argv: Sequence[str]) -> str:
    """``node.sh stage``, ``docker ps``, ...: enough to tell commands apart."""
    if argv[0] == "sh" and 'exec "$@"' in argv[2]:  # only where a path is there
        return short(argv[4:])
    if argv[0] == "sh" and "until passes" in argv[2]:
        return "checks"
    if argv[0] == "sh":
        return f"node.sh {argv[4]}" if argv[3] == "oz-install" else "sh"
    if "-p" in argv:  # a Compose: what follows its files
        rest = list(argv[argv.index("-p") + 2 :])
        while rest and rest[0] in ("--project-directory", "-f"):
            del rest[:2]
        return f"compose {' '.join(word for word in rest if word[0] != '-')}"
    return " ".join(word for word in argv if word[0] != "-")


def failed(status: int = 1, errors: str = "", output: str = "") -> CommandResult:
    """A command that did not work."""
    return CommandResult(argv=("x",), status=status, stderr=errors.encode(), stdout=output.encode())


def service(name: str, **changes: Any) -> BundleService:
    """A service of the stage ``app`` with a health check."""
    fields: dict[str, Any] = {
        "kind": name,
        "title": name.title(),
        "image": f"example/{name}:1",
        "stage": "app",
        "job": False,
        "health_command": "true",
        "start_timeout": 60,
        "digest": f"digest-of-{name}",
    }
    return BundleService(name=name, **{**fields, **changes})


def bundle(*services: BundleService, node: str = "n1", **files: str) -> Bundle:
    """A bundle; files by name, ``_`` read as ``/``, those that start with ``secret`` are secret."""
    made = [
        RenderedFile(path=path.replace("_", "/"), content=text.encode(), secret=path.startswith("secret"))
        for path, text in sorted({"compose.yaml": "services: {}\n", **files}.items())
    ]
    return Bundle(node=node, release="5.2", files=tuple(made), services=services, folders=("data/media",))


def container(name: str, status: str = "Up 2 minutes (healthy)", **changes: Any) -> ContainerFact:
    """A container as ``docker ps`` prints it, made from the right definition."""
    from oz_installer.deploy.compose.facts import parse_containers

    digest = changes.get("digest", f"digest-of-{name}")
    return parse_containers(f"{name}\t{status}\t{digest}\texample/{name}:1")[name]


def details(**changes: Any) -> NodeDetails:
    """A node in order."""
    fields: dict[str, Any] = {
        "uid": 0,
        "os": "Linux 6.1 · Debian GNU/Linux 12 (bookworm)",
        "engine_version": "26.1.5",
        "compose_plugin": "2.26.1",
        "compose_v1": "",
        "podman_compose": "",
        "images": frozenset(),
        "volumes": frozenset(),
        "generations": (),
        "disk_free": 40 * GIGABYTE,
    }
    return NodeDetails(**{**fields, **changes})


def fresh(node: str = "n1", **changes: Any) -> NodeFacts:
    """A node on which nothing is installed."""
    fields: dict[str, Any] = {
        "engine_ok": True,
        "engine_message": "",
        "generation": "",
        "record": None,
        "lock": "",
        "details": details(),
    }
    return NodeFacts(node=node, **{**fields, **changes})


def installed(of: Bundle, **changes: Any) -> NodeFacts:
    """A node on which just that bundle is installed and well."""
    fields: dict[str, Any] = {
        "generation": "000001",
        "record": record_of(of, "000001"),
        "verified": of.digest,
        "files": {file.path: file.digest for file in of.files},
        "jobs": {job.name: job.digest for job in of.jobs},
        "containers": {one.name: container(one.name, digest=one.digest) for one in of.long_running},
        "details": details(generations=("000001",)),
    }
    return fresh(of.node, **{**fields, **changes})


def make_run(
    *bundles: Bundle,
    transports: dict[str, FakeTransport] | None = None,
    facts: dict[str, NodeFacts] | None = None,
    plans: Sequence[TargetPlan] = (),
    gate: Gate | None = None,
    events: list[Event] | None = None,
    topology: Topology | None = None,
    secrets: Sequence[str] = (),
    health_timeout: float | None = None,
    engine: str = "docker",
) -> NodesRun:
    """A run over fake nodes."""
    wanted = bundles or (bundle(node="n1"),)
    told = events if events is not None else []
    nothing = Topology(
        layout="poc-1",
        scenario="poc",
        release="5.2",
        engine="docker",
        public_url="http://oz",
        nodes=(),
        edges=(),
    )
    settings = RunSettings(
        install_dir="/opt/oz",
        engine=engine,
        owner="me@here",
        masker=Masker(tuple(map(Secret, secrets))),
        health_timeout=health_timeout,
    )
    return NodesRun(
        topology=topology or nothing,
        bundles={one.node: one for one in wanted},
        transports=transports or {one.node: FakeTransport(one.node) for one in wanted},
        facts=facts or {one.node: fresh(one.node) for one in wanted},
        plan=Plan(targets=tuple(plans) or tuple(TargetPlan(target=one.node) for one in wanted)),
        gate=gate or LiveGate(),
        settings=settings,
        emit=told.append,
        masked_files=lambda node: {},
        fingerprints=lambda node: {},
    )


IN_USE = "rootlessport listen tcp4 0.0.0.0:60088: bind: address already in use"


def minding_once(verb: str, answer: Answer) -> Answer:
    """A node on which a connection uses a port the first time that something is to be started."""
    minded: list[tuple[str, ...]] = []

    def look(argv: tuple[str, ...]) -> CommandResult | str | None:
        if argv[-1] == "EAB8":
            return "all\n"
        if verb in argv and not minded:
            minded.append(argv)
            return failed(125, IN_USE)
        return answer(argv)

    return look


@dataclass
class Clock:
    """Time that passes only where something waits."""

    now: float = 1000.0
    began: float = 1000.0

    @property
    def seconds(self) -> float:
        return self.now - self.began


class Pause(threading.Event):
    """An event on whose waiting the clock goes on."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock

    def wait(self, timeout: float | None = None) -> bool:
        """Never really."""
        self.clock.now += timeout or 0
        return self.is_set()
