"""The check of an external PostgreSQL from every api node: TLS, login, properties, clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from oz_installer.answers.sections import Database
from oz_installer.checks.base import ProbeCheck
from oz_installer.checks.context import CheckContext, CheckedNode, Finding, Remedy
from oz_installer.checks.database.capacity import clock_findings, connection_findings
from oz_installer.checks.database.connection_settings import ConnectionSettings
from oz_installer.checks.database.postgres import (
    AdminView,
    LoginResult,
    log_in_as_admin,
    probe_database,
)
from oz_installer.checks.database.postgres_admin import (
    HOME,
    SCRAM_HINT,
    admin_connection,
    database_authorities,
)
from oz_installer.checks.database.properties import needs_admin, property_findings, same_server_findings
from oz_installer.checks.database.remedies import (
    NO_DATABASE,
    REFUSED,
    admin_login_finding,
    database_remedy,
    findings_from_admin,
    is_role_missing,
    role_remedy,
)
from oz_installer.checks.network.service import ExternalService, access_finding
from oz_installer.checks.network.tcp import TcpResult
from oz_installer.render.filters import sql_name

_TOO_MANY = "53300"
_STARTING = "57P03"
_NO_RIGHT = "42501"


@dataclass(frozen=True, kw_only=True)
class DatabaseFacts:
    """The result of the login; ``tcp`` when sshd forbids tunnels.

    Both are None for a bundled database.

    ``admin`` is the result of the administrator's login, tried only when something is missing.
    """

    attempt: LoginResult | None = None
    tcp: TcpResult | None = None
    admin: LoginResult | None = None

    @property
    def admin_view(self) -> AdminView | None:
        """The administrator's view; None without a login."""
        return self.admin.admin_view if self.admin else None


class DatabaseCheck(ProbeCheck[DatabaseFacts]):
    """Log in once per node and judge the driver's own errors."""

    name = "database"
    title = "Database"

    def nodes(self, context: CheckContext) -> tuple[CheckedNode, ...]:
        """Return the nodes that use the database."""
        return context.api_nodes

    def probe(self, context: CheckContext, node: CheckedNode) -> DatabaseFacts:
        """Log in and query; when tunnels are forbidden, only try the port."""
        database = context.answers.database
        if database.host is None:
            return DatabaseFacts()
        viewpoint, settings = context.viewpoint(node.name), _settings(context, database.host)
        attempt = probe_database(viewpoint, settings)
        if attempt.outcome == "forbidden":
            tcp = viewpoint.tcp_from_shell(database.host, database.port)
            return DatabaseFacts(attempt=attempt, tcp=tcp)
        admin = admin_connection_for(context)
        if admin is None or not _admin_could_help(context, attempt):
            return DatabaseFacts(attempt=attempt)
        return DatabaseFacts(
            attempt=attempt, admin=log_in_as_admin(viewpoint, admin, database.user, database.name)
        )

    def judge(self, context: CheckContext, node: CheckedNode, facts: DatabaseFacts) -> Iterator[Finding]:
        """Judge from the connection to the content; a failure hides the findings that depend on it."""
        if facts.attempt is None:
            yield self.finding(node, "ok", "bundled: PostgreSQL comes with the installation")
            return
        database, attempt = context.answers.database, facts.attempt
        address = f"{database.host}:{database.port}"
        failure = access_finding(self, node, _service(database), attempt.outcome, attempt.message, facts.tcp)
        if failure := failure or self._no_tls(node, attempt, database, address):
            yield failure
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
        """Judge the server's clock once, and whether all nodes reach the same server."""
        logged_in = {name: one.attempt.server for name, one in facts.items() if one.attempt}
        servers = {name: server for name, server in logged_in.items() if server}
        yield from clock_findings(self, {name: server.ahead for name, server in servers.items()})
        yield from same_server_findings(self, context, servers)

    def _no_tls(
        self, node: CheckedNode, attempt: LoginResult, database: Database, address: str
    ) -> Finding | None:
        """Judge a login that ended while TLS was set up."""
        if attempt.outcome == "no-tls":
            return self.finding(
                node,
                "failure",
                f"{address} does not support TLS",
                about="tls",
                subject="Database TLS",
                needed=f"TLS, required by sslmode {database.sslmode}",
                why="The API cannot connect to the database.",
                hint="Set ssl = on in postgresql.conf, or set database.sslmode to prefer or disable.",
            )
        if attempt.outcome == "untrusted":
            return self.finding(
                node,
                "failure",
                f"the certificate of {address} is not trusted: {attempt.message}",
                about="tls",
                subject="Database TLS",
                needed=f"a certificate that sslmode {database.sslmode} accepts",
                why="The API cannot connect to the database.",
                hint="Set database.ca_file to the authority of this certificate; with verify-full the "
                "certificate must also name database.host.",
            )
        return None

    def _tls(self, node: CheckedNode, attempt: LoginResult, database: Database) -> Finding:
        address = f"{database.host}:{database.port}"
        unwanted = not attempt.tls and database.sslmode == "prefer"
        return self.finding(
            node,
            "warning" if unwanted else "ok",
            f"{address} answers, {attempt.tls or 'not encrypted'}",
            about="tls",
            subject="Database TLS",
            needed=f"sslmode {database.sslmode}",
            why="Biometric and personal data cross the network unencrypted.",
            hint="Set ssl = on in postgresql.conf, or accept this in a closed network.",
        )

    def _not_tried(self, node: CheckedNode, attempt: LoginResult) -> Finding:
        """Warn of a login that was not tried: the password would have been of no use, or not safe."""
        if attempt.outcome == "untried":
            seen, needed = "the check cannot prepare this password as PostgreSQL does", ""
            why = (
                "The password contains characters that SASLprep (RFC 4013) does not define; PostgreSQL's "
                "own library sends them unchanged."
            )
            hint = "Use letters, digits and punctuation, or accept this: the installation logs in itself."
        else:
            seen = f"{attempt.message}, and its certificate was not verified"
            needed = "SCRAM-SHA-256, or a verified certificate"
            why = "Another machine that answers in the server's place would have the password."
            hint = SCRAM_HINT
        return self.finding(
            node,
            "warning",
            f"not checked: {seen}",
            about="login",
            subject="Database login",
            needed=needed,
            why=why,
            hint=hint,
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
            seen = f"{database.user} can log in to {database.name}"
            return self.finding(node, "ok", seen, about=about, subject=subject)
        if attempt.outcome in ("untried", "insecure"):
            return self._not_tried(node, attempt)
        remedy: Remedy | None = None
        if attempt.state == NO_DATABASE:
            seen = f"there is no database {database.name}"
            remedy, hint = database_remedy(context, node, facts.admin_view)
        elif is_role_missing(attempt, facts.admin_view):
            seen = f"there is no role {database.user}"
            remedy, hint = role_remedy(context, node, facts.admin_view)
        else:
            seen, hint = attempt.message, _login_hint(attempt, database, facts.admin_view)
        why = "The API cannot start without its database."
        return self.finding(
            node, "failure", seen, about=about, subject=subject, why=why, hint=hint, remedy=remedy
        )


def admin_connection_for(context: CheckContext) -> ConnectionSettings | None:
    """Return the administrator's login; None when the answers name no administrator."""
    return admin_connection(context.answers.database, context.secrets, HOME, context.answers_dir)


def _settings(context: CheckContext, host: str) -> ConnectionSettings:
    database = context.answers.database
    return ConnectionSettings(
        host=host,
        port=database.port,
        name=database.name,
        user=database.user,
        password=context.secrets["database.password"],
        sslmode=database.sslmode,
        authorities=database_authorities(database, context.answers_dir),
    )


def _service(database: Database) -> ExternalService:
    return ExternalService(
        product="PostgreSQL",
        listener=f"{database.host}:{database.port}",
        host=database.host or "",
        key="database.host",
        listens_by="listen_addresses",
        stranger_hint="Set PostgreSQL's own port (answers: database.port; usually 5432), not that of a "
        "pooler or of another service.",
    )


def _admin_could_help(context: CheckContext, attempt: LoginResult) -> bool:
    """Return whether an administrator can provide what is missing."""
    if attempt.server is not None:
        return needs_admin(context, attempt.server)
    return attempt.state in (*REFUSED, NO_DATABASE)


def _login_hint(attempt: LoginResult, database: Database, admin_view: AdminView | None) -> str:
    if attempt.state == _TOO_MANY:
        return "Raise max_connections of the server (or the role's CONNECTION LIMIT), or close connections."
    if attempt.state == _STARTING:
        return "Check again in a minute: PostgreSQL is starting or stopping."
    if attempt.state == _NO_RIGHT:
        grant = f"GRANT CONNECT ON DATABASE {sql_name(database.name)} TO {sql_name(database.user)};"
        return f"Ask the database administrator to run: {grant}"
    if attempt.outcome == "refused":
        known = admin_view is not None and admin_view.role
        role = "exists." if known else "may also be missing (database.admin_user would show it)."
        return (
            f"The role {database.user} {role} Check its password, and that pg_hba.conf admits this node "
            f"(host {sql_name(database.name)} {sql_name(database.user)} ADDRESS scram-sha-256)."
        )
    return "Ask the database administrator; the message is PostgreSQL's own."
