"""Logs in to PostgreSQL as a node sees it and asks it about itself: a pure driver over a tunnel."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from oz_installer.checks.reach import TCP_SECONDS
from oz_installer.checks.text import said
from oz_installer.remote.transport import ForwardingForbidden, Transport
from oz_installer.secret import Secret

Ended = Literal["in", "forbidden", "unreachable", "stranger", "no-tls", "untrusted", "refused", "error"]

_SSL_REQUEST = struct.pack("!ii", 8, 80877103)
_ORDER: Mapping[str, tuple[bool, ...]] = {
    "disable": (False,),
    "allow": (False, True),
    "prefer": (True, False),
}
_REFUSED = ("28000", "28P01")  # invalid authorization, wrong password

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
}
_SQL = (  # of constants only
    f"select {', '.join(_QUESTIONS.values())} from pg_database d, pg_roles r"  # noqa: S608
    " where d.datname = current_database() and r.rolname = current_user"
)


@dataclass(frozen=True, kw_only=True)
class Server:
    """A database as it describes itself to our role. ``locale`` is its collation."""

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


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """How trying to log in ended. ``state`` is the SQLSTATE; ``tls`` the version, empty without TLS."""

    ended: Ended
    said: str = ""
    state: str = ""
    tls: str = ""
    server: Server | None = None


@dataclass(frozen=True, kw_only=True)
class Door:
    """Where to log in, and as whom."""

    host: str
    port: int
    name: str
    user: str
    password: Secret = field(repr=False)
    sslmode: str


def log_in(transport: Transport, door: Door) -> Attempt:
    """Try as libpq would with this sslmode. Raises ConnectError when the node is gone."""
    orders = _ORDER.get(door.sslmode, (True,))
    attempt = _try(transport, door, tls=orders[0])
    if len(orders) > 1 and (attempt.ended == "no-tls" or attempt.state == "28000"):
        second = _try(transport, door, tls=orders[1])
        return second if second.ended not in ("no-tls", "stranger") else attempt
    return attempt


def _try(transport: Transport, door: Door, *, tls: bool) -> Attempt:
    try:
        sock = transport.tunnel(door.host, door.port, timeout=TCP_SECONDS)
    except ForwardingForbidden:
        return Attempt(ended="forbidden")
    except OSError as error:
        return Attempt(ended="unreachable", said=said(error))
    try:
        sock.settimeout(TCP_SECONDS)
        if not tls:
            return _talk(sock, door, "")
        sock.sendall(_SSL_REQUEST)
        answer = sock.recv(1)
        if answer != b"S":
            return Attempt(ended="no-tls") if answer == b"N" else Attempt(ended="stranger")
        wrapped = _context(door.sslmode).wrap_socket(sock, server_hostname=door.host)
        sock = wrapped
        return _talk(wrapped, door, wrapped.version() or "TLS")
    except ssl.SSLCertVerificationError as error:
        return Attempt(ended="untrusted", said=said(error.verify_message))
    except (OSError, ValueError) as error:
        return Attempt(ended="stranger", said=said(error) or type(error).__name__)
    finally:
        sock.close()


def _context(sslmode: str) -> ssl.SSLContext:
    """As libpq understands the mode; what verifies asks the authorities of this workstation."""
    context = ssl.create_default_context()
    context.check_hostname = sslmode == "verify-full"
    if sslmode not in ("verify-ca", "verify-full"):
        context.verify_mode = ssl.CERT_NONE
    return context


def _talk(sock: socket.socket, door: Door, tls: str) -> Attempt:
    """Log in over a connection that is ready, and ask. Nothing but pg8000's own errors tells why not."""
    from pg8000.exceptions import DatabaseError, InterfaceError
    from pg8000.native import Connection

    try:
        connection = Connection(
            door.user,
            host=door.host,
            database=door.name,
            password=door.password.reveal(),
            sock=sock,
            ssl_context=False,
            application_name="oz-install",
        )
    except DatabaseError as error:
        return _refusal(error, tls)
    except (InterfaceError, struct.error, LookupError) as error:
        return Attempt(ended="stranger", said=said(error), tls=tls)
    try:
        return Attempt(ended="in", tls=tls, server=_server(connection.run(_SQL)))
    except DatabaseError as error:
        return _refusal(error, tls)
    finally:
        with contextlib.suppress(InterfaceError, OSError):
            connection.close()


def _server(rows: Any) -> Server:
    row = dict(zip(_QUESTIONS, rows[0], strict=True))
    sets = {name: frozenset(row[name]) for name in ("installed", "available", "trusted")}
    return Server(**{**row, **sets})


def _refusal(error: Exception, tls: str) -> Attempt:
    told = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
    state = str(told.get("C", ""))
    return Attempt(
        ended="refused" if state in _REFUSED else "error",
        said=said(told.get("M", error)),
        state=state,
        tls=tls,
    )
