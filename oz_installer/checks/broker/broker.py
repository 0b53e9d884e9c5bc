"""The check of an external broker from every api node: connection, login, settings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from oz_installer.answers.sections import Broker
from oz_installer.checks.base import ProbeCheck
from oz_installer.checks.broker import rabbitmq, redis
from oz_installer.checks.broker.session import BrokerLogin, BrokerServer
from oz_installer.checks.context import CheckContext, CheckedNode, Finding, FindingLevel
from oz_installer.checks.network.service import ExternalService, access_finding, version_finding
from oz_installer.checks.network.tcp import TCP_SECONDS, TcpResult, tunnel_error
from oz_installer.checks.viewpoint import Viewpoint
from oz_installer.remote.docker_commands import parse_version
from oz_installer.remote.transport import ForwardingForbidden
from oz_installer.secret import Secret
from oz_installer.text import format_kib, safe_line

NAMES = {"redis": "Redis", "rabbitmq": "RabbitMQ"}


@dataclass(frozen=True, kw_only=True)
class BrokerFacts:
    """The result of the login; ``tcp`` when sshd forbids tunnels."""

    attempt: BrokerLogin
    tcp: TcpResult | None = None


class BrokerCheck(ProbeCheck[BrokerFacts]):
    """Log in once per node. A bundled broker is no finding."""

    name = "broker"
    title = "Broker"

    def nodes(self, context: CheckContext) -> tuple[CheckedNode, ...]:
        """Return the nodes that use the queues of an external broker."""
        return context.api_nodes if context.answers.broker.host else ()

    def probe(self, context: CheckContext, node: CheckedNode) -> BrokerFacts:
        """Log in and query; when tunnels are forbidden, only try the port."""
        broker, viewpoint = context.answers.broker, context.viewpoint(node.name)
        host, port = broker.host or "", broker.effective_port
        attempt = _attempt(context, viewpoint, host, port)
        if attempt.outcome != "forbidden":
            return BrokerFacts(attempt=attempt)
        return BrokerFacts(attempt=attempt, tcp=viewpoint.tcp_from_shell(host, port))

    def judge(self, context: CheckContext, node: CheckedNode, facts: BrokerFacts) -> Iterator[Finding]:
        """Judge from the connection to the settings."""
        broker, attempt = context.answers.broker, facts.attempt
        product, address = NAMES[broker.type], f"{broker.host}:{broker.effective_port}"
        service = _service(broker, product, address)
        if failure := access_finding(self, node, service, attempt.outcome, attempt.message, facts.tcp):
            yield failure
            return
        yield self._login(node, attempt, product, address, bool(context.secrets.get("broker.password")))
        if attempt.outcome == "refused":
            return
        if attempt.outcome == "vhost":
            yield self._vhost(node, attempt, broker.user or "oz")
        yield self._version(context, node, attempt.server, broker.type)
        if broker.type == "redis":
            yield from self._redis(context, node, attempt.server)

    def _login(
        self, node: CheckedNode, attempt: BrokerLogin, product: str, address: str, given: bool
    ) -> Finding:
        about, subject = "login", "Broker login"
        if attempt.outcome != "refused":
            seen = f"login to {product} at {address} succeeded"
            return self.finding(node, "ok", seen, about=about, subject=subject)
        return self.finding(
            node,
            "failure",
            f"{address} refuses the login: {attempt.message}",
            about=about,
            subject=subject,
            why="The services cannot reach their queues, so no analysis starts.",
            hint="Check broker.user and broker.password; the message is the broker's own."
            if given
            else "Set broker.password: the broker requires a password.",
        )

    def _vhost(self, node: CheckedNode, attempt: BrokerLogin, user: str) -> Finding:
        return self.finding(
            node,
            "failure",
            f"the virtual host / cannot be opened: {attempt.message}",
            about="vhost",
            subject="Broker's virtual host",
            needed=f"/ for {user}, with the rights to configure, write and read",
            why="The services cannot reach their queues, so no analysis starts.",
            hint=f"Run rabbitmqctl add_vhost / ; rabbitmqctl set_permissions -p / {user} '.*' '.*' '.*'",
        )

    def _version(self, context: CheckContext, node: CheckedNode, server: BrokerServer, kind: str) -> Finding:
        bundled, found = _bundled(context, kind), parse_version(server.version)
        old = bool(bundled and found and found[: len(bundled)] < bundled)
        seen = f"{NAMES[kind]} {server.version}" if server.version else "it does not report its version"
        return version_finding(self, node, "Broker version", seen, ".".join(map(str, bundled)), old=old)

    def _redis(self, context: CheckContext, node: CheckedNode, server: BrokerServer) -> Iterator[Finding]:
        yield self._mode(node, server)
        yield self._databases(context, node, server)
        yield self._policy(node, server)

    def _mode(self, node: CheckedNode, server: BrokerServer) -> Finding:
        unsuitable = server.mode not in ("", "standalone") or server.role == "slave"
        mode = "a read-only replica" if server.role == "slave" else f"{server.mode or 'standalone'}"
        return self.finding(
            node,
            "failure" if unsuitable else "ok",
            mode if server.mode or server.role else "it does not report its mode",
            about="mode",
            subject="Redis mode",
            needed="standalone, and the master (the vendor's requirement)",
            why="Celery fails: its queues use several databases and scripts over many keys.",
            hint="Set broker.host to a standalone Redis, or to the master.",
        )

    def _databases(self, context: CheckContext, node: CheckedNode, server: BrokerServer) -> Finding:
        numbers = sorted(context.release.redis_databases.values())
        used = f"{numbers[0]} to {numbers[-1]}"
        level: FindingLevel = (
            "ok" if server.databases else "failure" if server.databases is False else "warning"
        )
        seen = {
            "ok": f"database {numbers[-1]} exists",
            "failure": f"there is no database {numbers[-1]}",
            "warning": f"this login may not select database {numbers[-1]}",
        }[level]
        return self.finding(
            node,
            level,
            seen,
            about="databases",
            subject="Redis databases",
            needed=f"databases {used} (the vendor's requirement)",
            why="Queues, results, analyses and throttling each need a database of their own.",
            hint=f"Set databases to {len(numbers)} or more in redis.conf, and allow SELECT.",
        )

    def _policy(self, node: CheckedNode, server: BrokerServer) -> Finding:
        """Judge the memory policy: queues have no expiry, so a volatile policy never evicts them."""
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
            f"{server.policy}{limit}" if server.policy else "it does not report its memory policy",
            about="policy",
            subject="Redis memory policy",
            needed="noeviction or volatile-ttl (what the vendor bundles)",
            why="When memory runs out, Redis silently evicts queued analyses.",
            hint="Set maxmemory-policy to volatile-ttl or noeviction, or accept this.",
        )


def _attempt(context: CheckContext, viewpoint: Viewpoint, host: str, port: int) -> BrokerLogin:
    try:
        sock = viewpoint.tunnel(host, port, timeout=TCP_SECONDS)
    except ForwardingForbidden:
        return BrokerLogin(outcome="forbidden")
    except OSError as error:
        return BrokerLogin(outcome="unreachable", message=tunnel_error(error))
    password = context.secrets.get("broker.password")
    try:
        sock.settimeout(TCP_SECONDS)
        if context.answers.broker.type == "redis":
            databases = max(context.release.redis_databases.values()) + 1
            return redis.log_in(sock, password, databases)
        user = context.answers.broker.user or "oz"
        return rabbitmq.log_in(sock, user, password or Secret(""))
    except OSError as error:
        return BrokerLogin(outcome="stranger", message=safe_line(error) or type(error).__name__)
    finally:
        sock.close()


def _service(broker: Broker, product: str, address: str) -> ExternalService:
    return ExternalService(
        product=product,
        listener=address,
        host=broker.host or "",
        key="broker.host",
        listens_by="bind and protected-mode" if broker.type == "redis" else "listeners.tcp",
        stranger_hint=f"Correct broker.type, or set {product}'s own port without TLS (broker.port).",
    )


def _bundled(context: CheckContext, kind: str) -> tuple[int, ...]:
    """Return major and minor version of the release's own broker, from its image's tag."""
    service = next((one for one in context.release.services if one.part == kind), None)
    tag = context.release.images[service.image].rpartition(":")[2] if service else ""
    return (parse_version(tag) or ())[:2]
