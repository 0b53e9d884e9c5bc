"""What the administrator of a PostgreSQL server runs to mend something: shown first, then run."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from oz_installer.answers.model import Database
from oz_installer.catalog.release import DatabaseRequirements
from oz_installer.checks.context import Remedy
from oz_installer.checks.database.postgres import AdminView, ConnectionSettings, LoginResult, log_in_and_query
from oz_installer.checks.database.postgres_content import require_empty
from oz_installer.errors import AnswersError, OzError
from oz_installer.remote.transport import Transport
from oz_installer.render.filters import sql, sql_name
from oz_installer.secret import Secret

HOME = "postgres"
"""The database in which roles and databases are made; every server has it."""
PLACEHOLDER = "$1"
"""Stands for the role's password in statements that are shown."""

_PASSWORD = re.compile(r" PASSWORD \$1\Z")
_PLAIN = "NOSUPERUSER NOCREATEDB NOCREATEROLE"  # the vendor's requirement
_ITERATIONS = 4096  # PostgreSQL's own
_SECONDS = 60.0  # a database is copied file by file


def create_role(node: str, role: str) -> Remedy:
    """Makes the role that Oz logs in as: it owns its database and may nothing else."""
    return Remedy(
        title=f"create the role {role}",
        node=node,
        database=HOME,
        commands=((f"CREATE ROLE {sql_name(role)} LOGIN {_PLAIN} PASSWORD {PLACEHOLDER}",),),
        undo=((f"DROP ROLE IF EXISTS {sql_name(role)}",),),
    )


def create_database(node: str, name: str, role: str, wanted: DatabaseRequirements, admin: str = "") -> Remedy:
    """Makes the database as the vendor wants it. ``admin`` is one who is no superuser: only members of a role
    may make it an owner."""
    lend, back = _membership(role, admin)
    return Remedy(
        title=f"create the database {name}",
        node=node,
        database=HOME,
        commands=(*lend, (create_database_sql(name, role, wanted),), *back),
        undo=(*lend, (f"DROP DATABASE IF EXISTS {sql_name(name)}",), *back),
        undo_of=(*(1 for _ in lend), len(lend), *(0 for _ in back)),
    )


def create_database_sql(name: str, role: str, wanted: DatabaseRequirements) -> str:
    """The statement that makes the database."""
    locale = sql(wanted.locale)
    return (
        f"CREATE DATABASE {sql_name(name)} OWNER {sql_name(role)} TEMPLATE template0 "
        f"ENCODING {sql(wanted.encoding)} LC_COLLATE {locale} LC_CTYPE {locale}"
    )


def change_owner(node: str, name: str, role: str, owner: str, admin: str = "") -> Remedy:
    """Makes the role the owner, who may create tables."""
    lend, back = _membership(role, admin)
    commands = tuple((statement,) for statement in owner_sql(name, role))
    first = len(lend)
    undo: tuple[tuple[str, ...], ...] = back
    undo_of: tuple[int, ...] = tuple(0 for _ in back)
    if _is_writable(owner):
        undo = (
            *lend,
            (f"REVOKE CREATE ON SCHEMA public FROM {sql_name(role)}",),
            (f"ALTER DATABASE {sql_name(name)} OWNER TO {sql_name(owner)}",),
            *back,
        )
        undo_of = (*(first for _ in lend), first + 1, first, *undo_of)
    return Remedy(
        title=f"make {role} the owner of {name}",
        node=node,
        database=name,
        commands=(*lend, *commands, *back),
        undo=undo,
        undo_of=undo_of,
    )


def owner_sql(name: str, role: str) -> tuple[str, ...]:
    """The statements that make the role the owner; to be run in that database."""
    return (
        f"ALTER DATABASE {sql_name(name)} OWNER TO {sql_name(role)}",
        f"GRANT CREATE ON SCHEMA public TO {sql_name(role)}",
    )


def create_extension(node: str, name: str, extension: str) -> Remedy:
    """Makes an extension that the server has ready."""
    return Remedy(
        title=f"create the extension {extension} in {name}",
        node=node,
        database=name,
        commands=((f"CREATE EXTENSION {sql_name(extension)}",),),
        undo=((f"DROP EXTENSION IF EXISTS {sql_name(extension)}",),),
    )


def admin_name(admin: str | None, ground: AdminView | None) -> str:
    """The administrator where it must become a member of roles first; empty for a superuser."""
    return admin if admin and ground is not None and not ground.superuser else ""


def admin_connection(
    database: Database, secrets: Mapping[str, Secret], name: str
) -> ConnectionSettings | None:
    """Where the administrator logs in, to the database of that name; None where the answers name none."""
    user, password = database.admin_user, secrets.get("database.admin_password")
    if database.host is None or user is None or password is None:
        return None
    return ConnectionSettings(
        host=database.host,
        port=database.port,
        name=name,
        user=user,
        password=password,
        sslmode=database.sslmode,
    )


class StatementsFailed(OzError):
    """Not all statements were done. ``done``: how many were; ``tried``: how many may have changed something,
    one more where the connection broke before the server told how it went."""

    def __init__(self, message: str, hint: str = "", *, node: str, done: int = 0, tried: int = 0) -> None:
        super().__init__(message, hint, node=node)
        self.done, self.tried = done, tried


def run_statements(
    transport: Transport, admin: ConnectionSettings, remedy: Remedy, role_password: Secret
) -> None:
    """Carry out a remedy's statements, each by itself, in its database. ``admin`` is where the administrator
    logs in, whatever its database; the role's password goes as a verifier, so that no log has it in clear.

    A database that holds tables is not dropped. Raises StatementsFailed with PostgreSQL's own words; OzError
    when nothing was begun, ConnectError when the node is gone.
    """
    require_empty(transport, admin, remedy)
    statements = _Statements([with_password(statement, role_password) for statement, *_ in remedy.commands])
    attempt = log_in_and_query(transport, replace(admin, name=remedy.database), statements, patience=_SECONDS)
    if statements.done == len(remedy.commands):
        return
    if not statements.begun and attempt.state in ("28000", "28P01"):
        raise StatementsFailed(
            f"PostgreSQL refuses the administrator {admin.user}: {attempt.said}",
            "Check database.admin_user and database.admin_password.",
            node=remedy.node,
        )
    failed = f"«{remedy.commands[statements.done][0]}»: " if statements.begun else ""
    raise StatementsFailed(
        f"could not {remedy.title}: {failed}{_words(attempt)}",
        f"The words are PostgreSQL's own; {statements.done} of {len(remedy.commands)} statements were done.",
        node=remedy.node,
        done=statements.done,
        tried=statements.done + statements.is_unknown,
    )


class _Statements:
    """Runs statements over a connection, up to the first that fails. ``done`` are those that were done;
    ``begun``: one was sent; ``is_unknown``: the connection broke before the server told how the next went."""

    def __init__(self, statements: Sequence[str]) -> None:
        self._statements = statements
        self.done = 0
        self.begun = self.is_unknown = False

    def __call__(self, connection: Any) -> Mapping[str, Any]:
        """Fields of an attempt: none."""
        from pg8000.exceptions import DatabaseError

        for statement in self._statements:
            self.begun = True
            try:
                connection.execute_simple(statement)
            except DatabaseError:  # what PostgreSQL refuses it takes back by itself
                raise
            except Exception as error:
                self.is_unknown = True
                raise ConnectionError(f"the connection to PostgreSQL broke: {error}") from error
            self.done += 1
        return {}


def with_password(statement: str, password: Secret) -> str:
    """The statement as it is run: with a verifier of the password in the placeholder's place."""
    if not _PASSWORD.search(statement):
        return statement
    return statement.removesuffix(PLACEHOLDER) + sql(scram_verifier(password))


def scram_verifier(password: Secret, salt: bytes | None = None) -> str:
    """What PostgreSQL keeps of a password (RFC 5803, SCRAM-SHA-256). Raises OzError for one that has none."""
    from scramp import ScramException, ScramMechanism  # comes with pg8000

    try:
        mechanism = ScramMechanism("SCRAM-SHA-256")
        found, stored, server, _ = mechanism.make_auth_info(password.reveal(), _ITERATIONS, salt)
    except ScramException:
        raise OzError(
            "the role's password holds characters that PostgreSQL's logins cannot carry",
            "Use letters, digits and punctuation for database.password.",
        ) from None
    salted, kept, served = (base64.b64encode(part).decode() for part in (found, stored, server))
    return f"SCRAM-SHA-256${_ITERATIONS}:{salted}${kept}:{served}"


def _words(attempt: LoginResult) -> str:
    why = {
        "forbidden": "sshd of the node forbids tunnels",
        "no-tls": "the server takes no TLS, which database.sslmode asks for",
    }
    return why.get(attempt.outcome) or attempt.said or f"the connection ended ({attempt.outcome})"


def _membership(role: str, admin: str) -> tuple[tuple[tuple[str, ...], ...], tuple[tuple[str, ...], ...]]:
    if not admin:
        return (), ()
    mine, its = sql_name(admin), sql_name(role)
    return ((f"GRANT {its} TO {mine}",),), ((f"REVOKE {its} FROM {mine}",),)


def _is_writable(name: str) -> bool:
    try:
        sql_name(name)
    except AnswersError:
        return False
    return True
