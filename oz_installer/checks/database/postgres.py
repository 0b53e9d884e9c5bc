"""Login to PostgreSQL and queries about the database, by pg8000 from a viewpoint."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from oz_installer.checks.database.connection_settings import ConnectionSettings, tls_context
from oz_installer.checks.network.tcp import TCP_SECONDS, tunnel_error
from oz_installer.checks.viewpoint import Viewpoint
from oz_installer.remote.transport import ForwardingForbidden
from oz_installer.text import safe_line

PostgresOutcome = Literal[
    "in",
    "forbidden",
    "unreachable",
    "stranger",
    "no-tls",
    "untrusted",
    "refused",
    "untried",
    "insecure",
    "error",
]

_SSL_REQUEST = struct.pack("!ii", 8, 80877103)
_ORDER: Mapping[str, tuple[bool, ...]] = {
    "disable": (False,),
    "allow": (False, True),
    "prefer": (True, False),
}
_REFUSED = ("28000", "28P01")  # invalid authorization, wrong password
_PROGRAM = "oz-install"

# All sessions but those of checks. Older servers do not report the kind of a process, and only a superuser
# sees that of other roles' sessions.
_SESSIONS = (  # of constants only
    "(select count(*) from pg_stat_activity a where a.datid is not null and a.pid <> pg_backend_pid()"  # noqa: S608
    " and coalesce(to_jsonb(a) ->> 'backend_type', 'client backend') = 'client backend'"
    f" and not (a.usesysid = r.oid and a.application_name = '{_PROGRAM}'){{}})::int"
)

# The columns of one row; to_jsonb because older servers do not know which extensions are trusted.
_COLUMNS: Mapping[str, str] = {
    "number": "current_setting('server_version_num')::int",
    "version": "current_setting('server_version')",
    "encoding": "pg_encoding_to_char(d.encoding)",
    "locale": "d.datcollate",
    "owner": "pg_get_userbyid(d.datdba)",
    "superuser": "r.rolsuper",
    "standby": "pg_is_in_recovery()",
    "read_only": "current_setting('transaction_read_only')::bool",
    "started": "extract(epoch from pg_postmaster_start_time())::float8",
    "may_create": "has_database_privilege(d.oid, 'CREATE')",
    "may_create_tables": "coalesce(has_schema_privilege(to_regnamespace('public')::oid, 'CREATE'), false)",
    "installed": "array(select extname::text from pg_extension)",
    "available": "array(select name::text from pg_available_extensions)",
    "trusted": "array(select distinct v.name::text from pg_available_extension_versions v"
    " where coalesce((to_jsonb(v) ->> 'trusted')::boolean, false))",
    "limit": "current_setting('max_connections')::int",
    "reserved": "current_setting('superuser_reserved_connections')::int"
    " + coalesce(current_setting('reserved_connections', true)::int, 0)",
    "role_limit": "r.rolconnlimit",
    "database_limit": "d.datconnlimit",
    "used": _SESSIONS.format(""),
    "used_by_role": _SESSIONS.format(" and a.usesysid = r.oid"),
    "used_in_database": _SESSIONS.format(" and a.datid = d.oid"),
    "used_by_us": _SESSIONS.format(" and a.usesysid = r.oid and a.datid = d.oid"),
}
_SQL = (  # of constants only
    f"select {', '.join(_COLUMNS.values())} from pg_database d, pg_roles r"  # noqa: S608
    " where d.datname = current_database() and r.rolname = current_user"
)
_ADMIN_VIEW: Mapping[str, str] = {
    "superuser": "r.rolsuper",
    "may_create_roles": "r.rolsuper or r.rolcreaterole",
    "may_create_databases": "r.rolsuper or r.rolcreatedb",
    # Since PostgreSQL 16 this takes the admin option, which the creator of a role has.
    "may_lend": "r.rolsuper or not exists(select 1 from pg_roles where rolname = :role) or case"
    " when cast(current_setting('server_version_num') as integer) < 160000 then r.rolcreaterole"
    " else exists(select 1 from pg_auth_members m join pg_roles o on o.oid = m.roleid"
    " where m.member = r.oid and m.admin_option and o.rolname = :role) end",
    "role": "exists(select 1 from pg_roles where rolname = :role)",
    "owner": "coalesce((select pg_get_userbyid(datdba) from pg_database where datname = :name), '')",
    "available": _COLUMNS["available"].replace("name::text", "cast(name as text)"),
    "trusted": "array(select distinct cast(v.name as text) from pg_available_extension_versions v"
    " where coalesce(cast(to_jsonb(v) ->> 'trusted' as boolean), false))",
}
_ADMIN_VIEW_SQL = f"select {', '.join(_ADMIN_VIEW.values())} from pg_roles r where r.rolname = current_user"  # noqa: S608


@dataclass(frozen=True, kw_only=True)
class Server:
    """A database as it describes itself to the role of Oz. ``locale`` is its collation.

    ``standby``: it replicates another server, and takes no writes. ``read_only``: transactions begin so, by
    default_transaction_read_only for example. ``started``: Unix time in seconds; no two servers share it.

    A connection limit of -1 means none; ``used`` counts all connections, ``used_by_us`` those of this role in
    this database. ``ahead``: seconds that its clock is certainly ahead of this workstation's.
    """

    number: int
    version: str
    encoding: str
    locale: str
    owner: str
    superuser: bool
    may_create: bool
    may_create_tables: bool
    installed: frozenset[str]
    available: frozenset[str]
    trusted: frozenset[str]
    standby: bool = False
    read_only: bool = False
    started: float = 0.0
    limit: int = 100
    reserved: int = 3
    role_limit: int = -1
    database_limit: int = -1
    used: int = 0
    used_by_role: int = 0
    used_in_database: int = 0
    used_by_us: int = 0
    ahead: float = 0.0


@dataclass(frozen=True, kw_only=True)
class AdminView:
    """The server as an administrator sees it: its rights, the role, the database.

    ``may_lend``: it may make itself a member of the role. ``role``: the role exists. ``owner`` owns the
    database; empty when there is no such database."""

    superuser: bool
    may_create_roles: bool
    may_create_databases: bool
    role: bool
    owner: str
    available: frozenset[str]
    trusted: frozenset[str]
    may_lend: bool = True


@dataclass(frozen=True, kw_only=True)
class LoginResult:
    """The result of a login.

    ``state`` is the SQLSTATE; ``tls`` the TLS version, empty without TLS.

    ``tables`` is the number of the database's tables, views and sequences; None when not counted."""

    outcome: PostgresOutcome
    message: str = ""
    state: str = ""
    tls: str = ""
    server: Server | None = None
    admin_view: AdminView | None = None
    tables: int | None = None


Query = Callable[[Any], Mapping[str, Any]]
"""A query over a pg8000 connection; it returns fields of ``LoginResult``."""


def probe_database(viewpoint: Viewpoint, settings: ConnectionSettings) -> LoginResult:
    """Log in as libpq does with this sslmode, and query.

    Raises ConnectError when the node is lost."""
    return log_in_and_query(viewpoint, settings, lambda connection: {"server": _server(connection)})


def log_in_as_admin(viewpoint: Viewpoint, admin: ConnectionSettings, role: str, name: str) -> LoginResult:
    """Log in as the administrator and query the role and the database of that name."""
    return log_in_and_query(
        viewpoint, admin, lambda connection: {"admin_view": _admin_view(connection, role, name)}
    )


def log_in_and_query(
    viewpoint: Viewpoint, settings: ConnectionSettings, query: Query, *, timeout: float | None = None
) -> LoginResult:
    """Log in and run ``query``; its results become fields of ``LoginResult``.

    ``timeout`` in seconds."""
    orders = _ORDER.get(settings.sslmode, (True,))
    attempt = _try(viewpoint, settings, query, timeout, tls=orders[0])
    if len(orders) > 1 and (attempt.outcome == "no-tls" or attempt.state == "28000"):
        second = _try(viewpoint, settings, query, timeout, tls=orders[1])
        return second if second.outcome not in ("no-tls", "stranger") else attempt
    return attempt


def _try(
    viewpoint: Viewpoint, settings: ConnectionSettings, query: Query, timeout: float | None, *, tls: bool
) -> LoginResult:
    try:
        sock = viewpoint.tunnel(settings.host, settings.port, timeout=TCP_SECONDS)
    except ForwardingForbidden:
        return LoginResult(outcome="forbidden")
    except OSError as error:
        return LoginResult(outcome="unreachable", message=tunnel_error(error))
    try:
        sock.settimeout(timeout or TCP_SECONDS)
        if not tls:
            return _log_in(sock, settings, query, "")
        sock.sendall(_SSL_REQUEST)
        answer = sock.recv(1)
        if answer != b"S":
            return LoginResult(outcome="no-tls") if answer == b"N" else LoginResult(outcome="stranger")
        wrapped = tls_context(settings).wrap_socket(sock, server_hostname=settings.host)
        sock = wrapped
        return _log_in(wrapped, settings, query, wrapped.version() or "TLS")
    except ssl.SSLCertVerificationError as error:
        return LoginResult(outcome="untrusted", message=safe_line(error.verify_message))
    except (OSError, ValueError) as error:
        return LoginResult(outcome="stranger", message=safe_line(error) or type(error).__name__)
    finally:
        sock.close()


def _log_in(sock: socket.socket, settings: ConnectionSettings, query: Query, tls: str) -> LoginResult:
    """Log in over an open connection, and query.

    The reasons of a failure are pg8000's own errors."""
    from pg8000.exceptions import DatabaseError, InterfaceError
    from scramp import ScramException

    from oz_installer.checks.database.scram_connection import PasswordRefused, ScramConnection

    try:
        connection = ScramConnection(
            verified=bool(tls) and settings.verifies,
            user=settings.user,
            host=settings.host,
            database=settings.name,
            password=settings.password.reveal(),
            sock=sock,
            ssl_context=False,
            application_name=_PROGRAM,
        )
    except DatabaseError as error:
        return _refusal(error, tls)
    except PasswordRefused as refused:
        return LoginResult(outcome="insecure", message=f"the server asks for the password {refused}", tls=tls)
    except ScramException:  # its text may hold the password
        return LoginResult(outcome="untried", tls=tls)
    except (InterfaceError, struct.error, LookupError) as error:
        return LoginResult(outcome="stranger", message=safe_line(error), tls=tls)
    try:
        return LoginResult(outcome="in", tls=tls, **query(connection))
    except DatabaseError as error:
        return _refusal(error, tls)
    finally:
        with contextlib.suppress(InterfaceError, OSError):
            connection.close()


def _server(connection: Any) -> Server:
    row = _row(_COLUMNS, connection.run(_SQL))
    return Server(**row, ahead=_ahead(connection))


def _admin_view(connection: Any, role: str, name: str) -> AdminView:
    return AdminView(**_row(_ADMIN_VIEW, connection.run(_ADMIN_VIEW_SQL, role=role, name=name)))


def _row(columns: Mapping[str, str], rows: Any) -> dict[str, Any]:
    """Map the values of the only row to their names; lists become sets."""
    pairs = zip(columns, rows[0], strict=True)
    return {name: frozenset(value) if isinstance(value, list) else value for name, value in pairs}


def _ahead(connection: Any) -> float:
    """Return the certain offset of the server's clock: 0.0 within the time that the query takes."""
    before = time.time()
    server = float(connection.run("select extract(epoch from clock_timestamp())")[0][0])
    after = time.time()
    return server - after if server > after else min(server - before, 0.0)


def _refusal(error: Exception, tls: str) -> LoginResult:
    fields = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
    state = str(fields.get("C", ""))
    return LoginResult(
        outcome="refused" if state in _REFUSED else "error",
        message=safe_line(fields.get("M", error)),
        state=state,
        tls=tls,
    )
