"""PostgreSQL from every api node: reachable, encrypted as asked, lets us in, and is what Oz needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from oz_installer.answers.model import Database
from oz_installer.checks.base import ProbeCheck
from oz_installer.checks.context import CheckContext, CheckedNode, Finding, Remedy
from oz_installer.checks.database.capacity import clock_findings, connection_findings
from oz_installer.checks.database.postgres import (
    AdminView,
    ConnectionSettings,
    LoginResult,
    log_in_as_admin,
    probe_database,
)
from oz_installer.checks.database.postgres_admin import HOME, admin_connection
from oz_installer.checks.database.properties import needs_admin, property_findings
from oz_installer.checks.database.remedies import (
    NO_DATABASE,
    REFUSED,
    admin_login_finding,
    database_remedy,
    findings_from_admin,
    is_role_missing,
    role_remedy,
)
from oz_installer.checks.network.service import Service, access_finding
from oz_installer.checks.network.tcp import TcpResult, try_tcp_from_shell
from oz_installer.render.filters import sql_name

_TOO_MANY = "53300"
_STARTING = "57P03"
_NO_RIGHT = "42501"


@dataclass(frozen=True, kw_only=True)
class DatabaseFacts:
    """How logging in ended; ``knock`` where sshd forbids tunnels. Neither with a bundled database.

    ``admin``: how the administrator's login ended, where one is given and something is missing.
    """

    attempt: LoginResult | None = None
    tcp: TcpResult | None = None
    admin: LoginResult | None = None

    @property
    def admin_view(self) -> AdminView | None:
        """What the administrator saw."""
        return self.admin.ground if self.admin else None


class DatabaseCheck(ProbeCheck[DatabaseFacts]):
    """One real login a node, with the driver's own errors to tell what is wrong."""

    name = "database"
    title = "Database"

    def nodes(self, context: CheckContext) -> tuple[CheckedNode, ...]:
        """What uses the database."""
        return context.api_nodes

    def probe(self, context: CheckContext, node: CheckedNode) -> DatabaseFacts:
        """Log in and ask; where tunnels are forbidden, only whether the port answers."""
        database = context.answers.database
        if database.host is None:
            return DatabaseFacts()
        transport, door = context.transport(node.name), _door(context, database.host)
        attempt = probe_database(transport, door)
        if attempt.outcome == "forbidden":
            knock = try_tcp_from_shell(transport, database.host, database.port)
            return DatabaseFacts(attempt=attempt, tcp=knock)
        admin = admin_connection_for(context)
        if admin is None or not _admin_could_help(context, attempt):
            return DatabaseFacts(attempt=attempt)
        return DatabaseFacts(
            attempt=attempt, admin=log_in_as_admin(transport, admin, database.user, database.name)
        )

    def judge(self, context: CheckContext, node: CheckedNode, facts: DatabaseFacts) -> Iterator[Finding]:
        """From the outside in: what cannot be told because of another failure is not told."""
        if facts.attempt is None:
            yield self.finding(node, "ok", "bundled: PostgreSQL comes with the installation")
            return
        database, attempt = context.answers.database, facts.attempt
        place = f"{database.host}:{database.port}"
        trouble = access_finding(self, node, _service(database), attempt.outcome, attempt.said, facts.tcp)
        if trouble := trouble or self._no_tls(node, attempt, database, place):
            yield trouble
            return
        yield self._tls(node, attempt, database)
        yield self._login(context, node, facts, attempt, database)
        if attempt.server is not None:
            yield from property_findings(self, context, node, attempt.server, facts.admin_view)
            yield from connection_findings(self, node, attempt.server, context.topology)
        elif facts.admin_view is not None:
            yield from findings_from_admin(self, context, node, attempt, facts.admin_view)
        if facts.admin is not None and facts.admin_view is None:
            yield admin_login_finding(self, context, node, facts.admin)

    def across(self, context: CheckContext, facts: Mapping[str, DatabaseFacts]) -> Iterator[Finding]:
        """One server, one clock."""
        del context
        servers = {name: one.attempt.server for name, one in facts.items() if one.attempt}
        yield from clock_findings(self, {name: server.ahead for name, server in servers.items() if server})

    def _no_tls(
        self, node: CheckedNode, attempt: LoginResult, database: Database, place: str
    ) -> Finding | None:
        """What ends it while TLS is set up."""
        if attempt.outcome == "no-tls":
            return self.finding(
                node,
                "failure",
                f"{place} takes no TLS",
                about="tls",
                subject="Database TLS",
                needed=f"TLS, as sslmode {database.sslmode} asks",
                hint="Switch ssl on in postgresql.conf, or set database.sslmode to prefer or disable.",
            )
        if attempt.outcome == "untrusted":
            return self.finding(
                node,
                "failure",
                f"the certificate of {place} is not trusted: {attempt.said}",
                about="tls",
                subject="Database TLS",
                needed=f"a certificate that sslmode {database.sslmode} accepts",
                hint="Use a certificate of a known authority, or set database.sslmode to require.",
            )
        return None

    def _tls(self, node: CheckedNode, attempt: LoginResult, database: Database) -> Finding:
        place = f"{database.host}:{database.port}"
        unwanted = not attempt.tls and database.sslmode == "prefer"
        return self.finding(
            node,
            "warning" if unwanted else "ok",
            f"{place} answers, {attempt.tls or 'not encrypted'}",
            about="tls",
            subject="Database TLS",
            needed=f"sslmode {database.sslmode}",
            why="Faces and names travel readable between this node and the database.",
            hint="Switch ssl on in postgresql.conf, or accept this in a closed network.",
        )

    def _login(
        self,
        context: CheckContext,
        node: CheckedNode,
        facts: DatabaseFacts,
        attempt: LoginResult,
        database: Database,
    ) -> Finding:
        subject, about = "Database login", "login"
        if attempt.server is not None:
            seen = f"{database.user} gets into {database.name}"
            return self.finding(node, "ok", seen, about=about, subject=subject)
        if attempt.outcome == "untried":
            return self.finding(
                node,
                "warning",
                "could not be tried: the check cannot prepare this password as PostgreSQL does",
                about=about,
                subject=subject,
                why="It holds characters that SASLprep (RFC 4013) does not know; PostgreSQL's own library "
                "takes them as they are.",
                hint="Use letters, digits and usual signs, or accept this: the installation logs in itself.",
            )
        remedy: Remedy | None = None
        if attempt.state == NO_DATABASE:
            seen = f"there is no database {database.name}"
            remedy, hint = database_remedy(context, node, facts.admin_view)
        elif is_role_missing(attempt, facts.admin_view):
            seen = f"there is no role {database.user}"
            remedy, hint = role_remedy(context, node, facts.admin_view)
        else:
            seen, hint = attempt.said, _login_hint(attempt, database, facts.admin_view)
        return self.finding(node, "failure", seen, about=about, subject=subject, hint=hint, remedy=remedy)


def admin_connection_for(context: CheckContext) -> ConnectionSettings | None:
    """Where the administrator logs in; None where the answers name none."""
    return admin_connection(context.answers.database, context.secrets, HOME)


def _door(context: CheckContext, host: str) -> ConnectionSettings:
    database = context.answers.database
    return ConnectionSettings(
        host=host,
        port=database.port,
        name=database.name,
        user=database.user,
        password=context.secrets["database.password"],
        sslmode=database.sslmode,
    )


def _service(database: Database) -> Service:
    return Service(
        product="PostgreSQL",
        listener=f"{database.host}:{database.port}",
        host=database.host or "",
        key="database.host",
        listens_by="listen_addresses",
        stranger_hint="Give PostgreSQL's own port (answers: database.port; 5432 as a rule), not that of a "
        "pooler or of another service.",
    )


def _admin_could_help(context: CheckContext, attempt: LoginResult) -> bool:
    """Nobody logs in as administrator while all is there."""
    if attempt.server is not None:
        return needs_admin(context, attempt.server)
    return attempt.state in (*REFUSED, NO_DATABASE)


def _login_hint(attempt: LoginResult, database: Database, ground: AdminView | None) -> str:
    if attempt.state == _TOO_MANY:
        return "Raise max_connections of the server (or the role's CONNECTION LIMIT), or end what holds them."
    if attempt.state == _STARTING:
        return "PostgreSQL is starting or stopping: try again in a minute."
    if attempt.state == _NO_RIGHT:
        grant = f"GRANT CONNECT ON DATABASE {sql_name(database.name)} TO {sql_name(database.user)};"
        return f"Let the database's administrator run: {grant}"
    if attempt.outcome == "refused":
        known = ground is not None and ground.role
        there = "is there." if known else "may be missing, too (with database.admin_user we could tell)."
        return (
            f"The role {database.user} {there} Check its password, and that pg_hba.conf lets this node in "
            f"(host {sql_name(database.name)} {sql_name(database.user)} ADDRESS scram-sha-256)."
        )
    return "Ask the database's administrator; the words are PostgreSQL's own."
