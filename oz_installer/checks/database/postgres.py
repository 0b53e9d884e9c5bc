"""Logs in to PostgreSQL as a node sees it and asks it about itself: a pure driver over a tunnel."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from oz_installer.checks.network.tcp import TCP_SECONDS, tunnel_error
from oz_installer.remote.transport import ForwardingForbidden, Transport
from oz_installer.secret import Secret
from oz_installer.text import safe_line

Ended = Literal[
    "in", "forbidden", "unreachable", "stranger", "no-tls", "untrusted", "refused", "untried", "error"
]

_SSL_REQUEST = struct.pack("!ii", 8, 80877103)
_ORDER: Mapping[str, tuple[bool, ...]] = {
    "disable": (False,),
    "allow": (False, True),
    "prefer": (True, False),
}
_REFUSED = ("28000", "28P01")  # invalid authorization, wrong password
_PROGRAM = "oz-install"

# Sessions but for those of checks; older servers do not say of what kind a process is, and of other roles'
# sessions nobody but a superuser learns it.
_SESSIONS = (  # of constants only
    "(select count(*) from pg_stat_activity a where a.datid is not null and a.pid <> pg_backend_pid()"  # noqa: S608
    " and coalesce(to_jsonb(a) ->> 'backend_type', 'client backend') = 'client backend'"
    f" and not (a.usesysid = r.oid and a.application_name = '{_PROGRAM}'){{}})::int"
)

# Of one row; to_jsonb because older servers do not know which extensions are trusted.
_QUESTIONS: Mapping[str, str] = {
    "number": "current_setting('server_version_num')::int",
    "version": "current_setting('server_version')",
    "encoding": "pg_encoding_to_char(d.encoding)",
    "locale": "d.datcollate",
    "owner": "pg_get_userbyid(d.datdba)",
    "superuser": "r.rolsuper",
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
    f"select {', '.join(_QUESTIONS.values())} from pg_database d, pg_roles r"  # noqa: S608
    " where d.datname = current_database() and r.rolname = current_user"
)
_GROUND: Mapping[str, str] = {
    "superuser": "r.rolsuper",
    "may_create_roles": "r.rolsuper or r.rolcreaterole",
    "may_create_databases": "r.rolsuper or r.rolcreatedb",
    # From 16 on it takes the admin option, which the maker of a role has.
    "may_lend": "r.rolsuper or not exists(select 1 from pg_roles where rolname = :role) or case"
    " when cast(current_setting('server_version_num') as integer) < 160000 then r.rolcreaterole"
    " else exists(select 1 from pg_auth_members m join pg_roles o on o.oid = m.roleid"
    " where m.member = r.oid and m.admin_option and o.rolname = :role) end",
    "role": "exists(select 1 from pg_roles where rolname = :role)",
    "owner": "coalesce((select pg_get_userbyid(datdba) from pg_database where datname = :name), '')",
    "available": _QUESTIONS["available"].replace("name::text", "cast(name as text)"),
    "trusted": "array(select distinct cast(v.name as text) from pg_available_extension_versions v"
    " where coalesce(cast(to_jsonb(v) ->> 'trusted' as boolean), false))",
}
_GROUND_SQL = f"select {', '.join(_GROUND.values())} from pg_roles r where r.rolname = current_user"  # noqa: S608


@dataclass(frozen=True, kw_only=True)
class Server:
    """A database as it describes itself to our role. ``locale`` is its collation.

    Limits of connections are -1 where there is none; ``used`` counts those of others and ours, ``used_by_us``
    those of our role in this database. ``ahead``: seconds by which its clock is ahead of this workstation's,
    as far as the way there and back lets tell it.
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
    """What an administrator sees: what it may do (``may_lend``: make itself a member of the role), whether
    the role is there, who owns the database (empty: it is not there)."""

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
    """How trying to log in ended. ``state`` is the SQLSTATE; ``tls`` the version, empty without TLS;
    ``tables``: how much the database holds, None where that was not asked."""

    outcome: Ended
    said: str = ""
    state: str = ""
    tls: str = ""
    server: Server | None = None
    ground: AdminView | None = None
    tables: int | None = None


Ask = Callable[[Any], Mapping[str, Any]]
"""Asks over a connection of pg8000; fields of an attempt."""


@dataclass(frozen=True, kw_only=True)
class ConnectionSettings:
    """Where to log in, and as whom."""

    host: str
    port: int
    name: str
    user: str
    password: Secret = field(repr=False)
    sslmode: str


def probe_database(transport: Transport, door: ConnectionSettings) -> LoginResult:
    """Try as libpq would with this sslmode, and ask. Raises ConnectError when the node is gone."""
    return log_in_and_query(transport, door, lambda connection: {"server": _server(connection)})


def log_in_as_admin(transport: Transport, admin: ConnectionSettings, role: str, name: str) -> LoginResult:
    """The same as an administrator, who is asked about the role and the database of that name."""
    return log_in_and_query(transport, admin, lambda connection: {"ground": _ground(connection, role, name)})


def log_in_and_query(
    transport: Transport, door: ConnectionSettings, ask: Ask, *, patience: float | None = None
) -> LoginResult:
    """Log in and let ``ask`` ask; what it gives become fields of the attempt. ``patience`` in seconds."""
    orders = _ORDER.get(door.sslmode, (True,))
    attempt = _try(transport, door, ask, patience, tls=orders[0])
    if len(orders) > 1 and (attempt.outcome == "no-tls" or attempt.state == "28000"):
        second = _try(transport, door, ask, patience, tls=orders[1])
        return second if second.outcome not in ("no-tls", "stranger") else attempt
    return attempt


def _try(
    transport: Transport, door: ConnectionSettings, ask: Ask, patience: float | None, *, tls: bool
) -> LoginResult:
    try:
        sock = transport.tunnel(door.host, door.port, timeout=TCP_SECONDS)
    except ForwardingForbidden:
        return LoginResult(outcome="forbidden")
    except OSError as error:
        return LoginResult(outcome="unreachable", said=tunnel_error(error))
    try:
        sock.settimeout(patience or TCP_SECONDS)
        if not tls:
            return _talk(sock, door, ask, "")
        sock.sendall(_SSL_REQUEST)
        answer = sock.recv(1)
        if answer != b"S":
            return LoginResult(outcome="no-tls") if answer == b"N" else LoginResult(outcome="stranger")
        wrapped = _context(door.sslmode).wrap_socket(sock, server_hostname=door.host)
        sock = wrapped
        return _talk(wrapped, door, ask, wrapped.version() or "TLS")
    except ssl.SSLCertVerificationError as error:
        return LoginResult(outcome="untrusted", said=safe_line(error.verify_message))
    except (OSError, ValueError) as error:
        return LoginResult(outcome="stranger", said=safe_line(error) or type(error).__name__)
    finally:
        sock.close()


def _context(sslmode: str) -> ssl.SSLContext:
    """As libpq understands the mode; what verifies asks the authorities of this workstation."""
    if sslmode in ("verify-ca", "verify-full"):
        context = ssl.create_default_context()
        context.check_hostname = sslmode == "verify-full"
        return context
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # to read all authorities would take 20 ms
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _talk(sock: socket.socket, door: ConnectionSettings, ask: Ask, tls: str) -> LoginResult:
    """Log in over a connection that is ready, and ask. Nothing but pg8000's own errors tells why not."""
    from pg8000.exceptions import DatabaseError, InterfaceError
    from pg8000.native import Connection
    from scramp import ScramException

    try:
        connection = Connection(
            door.user,
            host=door.host,
            database=door.name,
            password=door.password.reveal(),
            sock=sock,
            ssl_context=False,
            application_name=_PROGRAM,
        )
    except DatabaseError as error:
        return _refusal(error, tls)
    except ScramException:  # its words may hold the password
        return LoginResult(outcome="untried", tls=tls)
    except (InterfaceError, struct.error, LookupError) as error:
        return LoginResult(outcome="stranger", said=safe_line(error), tls=tls)
    try:
        return LoginResult(outcome="in", tls=tls, **ask(connection))
    except DatabaseError as error:
        return _refusal(error, tls)
    finally:
        with contextlib.suppress(InterfaceError, OSError):
            connection.close()


def _server(connection: Any) -> Server:
    row = _row(_QUESTIONS, connection.run(_SQL))
    return Server(**row, ahead=_ahead(connection))


def _ground(connection: Any, role: str, name: str) -> AdminView:
    return AdminView(**_row(_GROUND, connection.run(_GROUND_SQL, role=role, name=name)))


def _row(questions: Mapping[str, str], rows: Any) -> dict[str, Any]:
    """The answers by name; lists as sets."""
    pairs = zip(questions, rows[0], strict=True)
    return {name: frozenset(value) if isinstance(value, list) else value for name, value in pairs}


def _ahead(connection: Any) -> float:
    """What is known for sure of how far the server's clock is off: 0.0 within the time that asking takes."""
    before = time.time()
    there = float(connection.run("select extract(epoch from clock_timestamp())")[0][0])
    after = time.time()
    return there - after if there > after else min(there - before, 0.0)


def _refusal(error: Exception, tls: str) -> LoginResult:
    told = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
    state = str(told.get("C", ""))
    return LoginResult(
        outcome="refused" if state in _REFUSED else "error",
        said=safe_line(told.get("M", error)),
        state=state,
        tls=tls,
    )
