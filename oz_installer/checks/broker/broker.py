"""A broker of the operator's own, from every api node: reachable, lets us in, and keeps what is put in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from oz_installer.answers.model import Broker
from oz_installer.checks.base import ProbeCheck
from oz_installer.checks.broker import rabbitmq, redis
from oz_installer.checks.broker.session import BrokerLogin, BrokerServer
from oz_installer.checks.context import CheckContext, CheckedNode, Finding, Level
from oz_installer.checks.network.service import Service, access_finding, version_finding
from oz_installer.checks.network.tcp import TCP_SECONDS, TcpResult, try_tcp_from_shell, tunnel_error
from oz_installer.remote.docker_commands import parse_version
from oz_installer.remote.transport import ForwardingForbidden, Transport
from oz_installer.secret import Secret
from oz_installer.text import format_kib, safe_line

NAMES = {"redis": "Redis", "rabbitmq": "RabbitMQ"}


@dataclass(frozen=True, kw_only=True)
class BrokerFacts:
    """How talking to it ended; ``knock`` where sshd forbids tunnels."""

    attempt: BrokerLogin
    knock: TcpResult | None = None


class BrokerCheck(ProbeCheck[BrokerFacts]):
    """One real login a node; nothing is said of a bundled broker."""

    name = "broker"
    title = "Broker"

    def nodes(self, context: CheckContext) -> tuple[CheckedNode, ...]:
        """What uses the queues, where the broker is not ours."""
        return context.api_nodes if context.answers.broker.host else ()

    def probe(self, context: CheckContext, node: CheckedNode) -> BrokerFacts:
        """Log in and ask; where tunnels are forbidden, only whether the port answers."""
        broker, transport = context.answers.broker, context.transport(node.name)
        host, port = broker.host or "", broker.effective_port
        attempt = _attempt(context, transport, host, port)
        if attempt.ended != "forbidden":
            return BrokerFacts(attempt=attempt)
        return BrokerFacts(attempt=attempt, knock=try_tcp_from_shell(transport, host, port))

    def judge(self, context: CheckContext, node: CheckedNode, facts: BrokerFacts) -> Iterator[Finding]:
        """From the outside in."""
        broker, attempt = context.answers.broker, facts.attempt
        product, place = NAMES[broker.type], f"{broker.host}:{broker.effective_port}"
        service = _service(broker, product, place)
        if trouble := access_finding(self, node, service, attempt.ended, attempt.message, facts.knock):
            yield trouble
            return
        yield self._login(node, attempt, product, place, bool(context.secrets.get("broker.password")))
        if attempt.ended == "refused":
            return
        if attempt.ended == "vhost":
            yield self._vhost(node, attempt, broker.user or "oz")
        yield self._version(context, node, attempt.server, broker.type)
        if broker.type == "redis":
            yield from self._redis(context, node, attempt.server)

    def _login(
        self, node: CheckedNode, attempt: BrokerLogin, product: str, place: str, given: bool
    ) -> Finding:
        about, subject = "login", "Broker login"
        if attempt.ended != "refused":
            seen = f"{product} at {place} lets us in"
            return self.finding(node, "ok", seen, about=about, subject=subject)
        return self.finding(
            node,
            "failure",
            f"{place} refuses the login: {attempt.message}",
            about=about,
            subject=subject,
            why="No analysis would ever be started.",
            hint="Check broker.user and broker.password; the words are its own."
            if given
            else "It wants a password: give broker.password.",
        )

    def _vhost(self, node: CheckedNode, attempt: BrokerLogin, user: str) -> Finding:
        return self.finding(
            node,
            "failure",
            f"the virtual host / does not open: {attempt.message}",
            about="vhost",
            subject="Broker's virtual host",
            needed=f"/ for {user}, who may configure, write and read there",
            hint=f"rabbitmqctl add_vhost / ; rabbitmqctl set_permissions -p / {user} '.*' '.*' '.*'",
        )

    def _version(self, context: CheckContext, node: CheckedNode, server: BrokerServer, kind: str) -> Finding:
        bundled, found = _bundled(context, kind), parse_version(server.version)
        old = bool(bundled and found and found[: len(bundled)] < bundled)
        seen = f"{NAMES[kind]} {server.version}" if server.version else "it does not tell its version"
        return version_finding(self, node, "Broker version", seen, ".".join(map(str, bundled)), old=old)

    def _redis(self, context: CheckContext, node: CheckedNode, server: BrokerServer) -> Iterator[Finding]:
        yield self._mode(node, server)
        yield self._databases(context, node, server)
        yield self._policy(node, server)

    def _mode(self, node: CheckedNode, server: BrokerServer) -> Finding:
        wrong = server.mode not in ("", "standalone") or server.role == "slave"
        what = "a read-only replica" if server.role == "slave" else f"{server.mode or 'standalone'}"
        return self.finding(
            node,
            "failure" if wrong else "ok",
            what if server.mode or server.role else "it does not tell its mode",
            about="mode",
            subject="Redis mode",
            needed="standalone, and its master (the vendor's requirement)",
            why="Celery's queues use several databases and scripts over many keys.",
            hint="Name the address of a standalone Redis, or of the master.",
        )

    def _databases(self, context: CheckContext, node: CheckedNode, server: BrokerServer) -> Finding:
        numbers = sorted(context.release.redis_databases.values())
        used = f"{numbers[0]} to {numbers[-1]}"
        level: Level = "ok" if server.databases else "failure" if server.databases is False else "warning"
        seen = {
            "ok": f"database {numbers[-1]} is there",
            "failure": f"there is no database {numbers[-1]}",
            "warning": f"this login may not choose database {numbers[-1]}",
        }[level]
        return self.finding(
            node,
            level,
            seen,
            about="databases",
            subject="Redis databases",
            needed=f"databases {used} (the vendor's requirement)",
            why="Queues, results, analyses and throttling each have their own.",
            hint=f"Set databases to {len(numbers)} or more, and allow SELECT.",
        )

    def _policy(self, node: CheckedNode, server: BrokerServer) -> Finding:
        """volatile-ttl is the vendor's own; queues never expire, so that no volatile policy takes them."""
        evicts = server.policy.startswith("allkeys-") and server.memory_limit != 0
        limit = (
            ""
            if server.memory_limit is None
            else f", {format_kib(server.memory_limit // 1024)}"
            if server.memory_limit
            else ", no limit"
        )
        return self.finding(
            node,
            "warning" if evicts else "ok",
            f"{server.policy}{limit}" if server.policy else "it does not tell its memory policy",
            about="policy",
            subject="Redis memory policy",
            needed="noeviction or volatile-ttl (what the vendor bundles)",
            why="When memory is short, queued analyses are thrown away without a word.",
            hint="Set maxmemory-policy to volatile-ttl or noeviction, or accept this.",
        )


def _attempt(context: CheckContext, transport: Transport, host: str, port: int) -> BrokerLogin:
    try:
        sock = transport.tunnel(host, port, timeout=TCP_SECONDS)
    except ForwardingForbidden:
        return BrokerLogin(ended="forbidden")
    except OSError as error:
        return BrokerLogin(ended="unreachable", message=tunnel_error(error))
    password = context.secrets.get("broker.password")
    try:
        sock.settimeout(TCP_SECONDS)
        if context.answers.broker.type == "redis":
            databases = max(context.release.redis_databases.values()) + 1
            return redis.log_in(sock, password, databases)
        user = context.answers.broker.user or "oz"
        return rabbitmq.log_in(sock, user, password or Secret(""))
    except OSError as error:
        return BrokerLogin(ended="stranger", message=safe_line(error) or type(error).__name__)
    finally:
        sock.close()


def _service(broker: Broker, product: str, place: str) -> Service:
    return Service(
        product=product,
        listener=place,
        host=broker.host or "",
        key="broker.host",
        listens_by="bind and protected-mode" if broker.type == "redis" else "listeners.tcp",
        stranger_hint=f"Correct broker.type, or give {product}'s own port without TLS (broker.port).",
    )


def _bundled(context: CheckContext, kind: str) -> tuple[int, ...]:
    """Version that the release brings, from its image's tag, as far as it changes what is understood."""
    service = next((one for one in context.release.services if one.part == kind), None)
    tag = context.release.images[service.image].rpartition(":")[2] if service else ""
    return (parse_version(tag) or ())[:2]
