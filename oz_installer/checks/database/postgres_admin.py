"""Statements by which a PostgreSQL administrator fixes a finding; shown before they run."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from oz_installer.answers.authorities_file import read_authorities
from oz_installer.answers.local_files import UnreadableFile, resolve_path
from oz_installer.answers.sections import Database
from oz_installer.catalog.release import DatabaseRequirements
from oz_installer.checks.context import Remedy
from oz_installer.checks.database.connection_settings import ConnectionSettings
from oz_installer.checks.database.postgres import AdminView, LoginResult, log_in_and_query
from oz_installer.checks.database.postgres_content import require_empty
from oz_installer.checks.viewpoint import Viewpoint
from oz_installer.errors import AnswersError, OzError
from oz_installer.render.filters import sql, sql_name
from oz_installer.secret import Secret

SCRAM_HINT = (
    "Set password_encryption = 'scram-sha-256', set the password again and use scram-sha-256 in pg_hba.conf; "
    "or set database.ca_file and sslmode verify-full."
)
HOME = "postgres"
"""The database for statements that create roles and databases; every server has it."""
PLACEHOLDER = "$1"
"""The role's password in statements that are shown."""

_PASSWORD = re.compile(r" PASSWORD \$1\Z")
_PLAIN = "NOSUPERUSER NOCREATEDB NOCREATEROLE"  # the vendor's requirement
_ITERATIONS = 4096  # PostgreSQL's default
_SECONDS = 60.0  # a database is copied file by file


def create_role(node: str, role: str) -> Remedy:
    """Create the role that Oz logs in as; it owns its database and has no other right."""
    return Remedy(
        title=f"create the role {role}",
        node=node,
        database=HOME,
        commands=((f"CREATE ROLE {sql_name(role)} LOGIN {_PLAIN} PASSWORD {PLACEHOLDER}",),),
        undo=((f"DROP ROLE IF EXISTS {sql_name(role)}",),),
    )


def create_database(node: str, name: str, role: str, wanted: DatabaseRequirements, admin: str = "") -> Remedy:
    """Create the database that the vendor requires.

    ``admin`` is an administrator without superuser rights: only a member of a role may make it an owner."""
    grant, revoke = _membership(role, admin)
    return Remedy(
        title=f"create the database {name}",
        node=node,
        database=HOME,
        commands=(*grant, (create_database_sql(name, role, wanted),), *revoke),
        undo=(*grant, (f"DROP DATABASE IF EXISTS {sql_name(name)}",), *revoke),
        undo_of=(*(1 for _ in grant), len(grant), *(0 for _ in revoke)),
    )


def create_database_sql(name: str, role: str, wanted: DatabaseRequirements) -> str:
    """Return the statement that creates the database."""
    locale = sql(wanted.locale)
    return (
        f"CREATE DATABASE {sql_name(name)} OWNER {sql_name(role)} TEMPLATE template0 "
        f"ENCODING {sql(wanted.encoding)} LC_COLLATE {locale} LC_CTYPE {locale}"
    )


def change_owner(node: str, name: str, role: str, owner: str, admin: str = "") -> Remedy:
    """Make the role the owner of the database, with the right to create tables."""
    grant, revoke = _membership(role, admin)
    commands = tuple((statement,) for statement in owner_sql(name, role))
    first = len(grant)
    undo: tuple[tuple[str, ...], ...] = revoke
    undo_of: tuple[int, ...] = tuple(0 for _ in revoke)
    if _is_writable(owner):
        undo = (
            *grant,
            (f"REVOKE CREATE ON SCHEMA public FROM {sql_name(role)}",),
            (f"ALTER DATABASE {sql_name(name)} OWNER TO {sql_name(owner)}",),
            *revoke,
        )
        undo_of = (*(first for _ in grant), first + 1, first, *undo_of)
    return Remedy(
        title=f"make {role} the owner of {name}",
        node=node,
        database=name,
        commands=(*grant, *commands, *revoke),
        undo=undo,
        undo_of=undo_of,
    )


def owner_sql(name: str, role: str) -> tuple[str, ...]:
    """Return the statements that make the role the owner; they run in that database."""
    return (
        f"ALTER DATABASE {sql_name(name)} OWNER TO {sql_name(role)}",
        f"GRANT CREATE ON SCHEMA public TO {sql_name(role)}",
    )


def create_extension(node: str, name: str, extension: str) -> Remedy:
    """Create an extension that is installed on the server."""
    return Remedy(
        title=f"create the extension {extension} in {name}",
        node=node,
        database=name,
        commands=((f"CREATE EXTENSION {sql_name(extension)}",),),
        undo=((f"DROP EXTENSION IF EXISTS {sql_name(extension)}",),),
    )


def admin_name(admin: str | None, admin_view: AdminView | None) -> str:
    """Return the administrator who must first join the role; empty for a superuser."""
    return admin if admin and admin_view is not None and not admin_view.superuser else ""


def admin_connection(
    database: Database, secrets: Mapping[str, Secret], name: str, base: Path
) -> ConnectionSettings | None:
    """Return the administrator's login to a database; None without an administrator.

    ``base`` is the folder of the answers file. Raises OzError when its authorities cannot be read.
    """
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
        authorities=database_authorities(database, base),
    )


def database_authorities(database: Database, base: Path) -> str:
    """Return the certificates of ``ca_file``; empty without one. Raises OzError."""
    if database.ca_file is None:
        return ""
    file = resolve_path(database.ca_file, base)
    try:
        return read_authorities(file).decode("ascii")
    except UnreadableFile as fault:
        raise OzError(f"{file} {fault}", "Correct database.ca_file.") from None


class StatementsFailed(OzError):
    """A remedy whose statements were not all executed. ``done`` is the number of executed ones.

    ``tried`` is the number that may have changed something: one more when the connection broke before the
    server reported a result."""

    def __init__(self, message: str, hint: str = "", *, node: str, done: int = 0, tried: int = 0) -> None:
        super().__init__(message, hint, node=node)
        self.done, self.tried = done, tried


def run_statements(
    viewpoint: Viewpoint, admin: ConnectionSettings, remedy: Remedy, role_password: Secret
) -> None:
    """Run the statements of a remedy one by one in its database.

    ``admin`` is the administrator's login; its database is replaced. The role's password is sent as a
    verifier, so that no log holds it in clear text. A database with content is not dropped. Raises
    StatementsFailed with PostgreSQL's message; OzError before anything was executed, ConnectError when the
    node is lost.
    """
    require_empty(viewpoint, admin, remedy)
    statements = _Statements([with_password(statement, role_password) for statement, *_ in remedy.commands])
    attempt = log_in_and_query(viewpoint, replace(admin, name=remedy.database), statements, timeout=_SECONDS)
    if statements.done == len(remedy.commands):
        return
    if not statements.begun and attempt.state in ("28000", "28P01"):
        raise StatementsFailed(
            f"PostgreSQL refuses the administrator {admin.user}: {attempt.message}",
            "Check database.admin_user and database.admin_password.",
            node=remedy.node,
        )
    failed = f"«{remedy.commands[statements.done][0]}»: " if statements.begun else ""
    raise StatementsFailed(
        f"could not {remedy.title}: {failed}{_reason(attempt)}",
        f"Fix the reported problem, then try again; {statements.done} of {len(remedy.commands)} statements "
        "were executed.",
        node=remedy.node,
        done=statements.done,
        tried=statements.done + statements.is_unknown,
    )


class _Statements:
    """A callable that runs statements over a connection up to the first that fails.

    ``done`` is the number of executed ones; ``begun``: one was sent; ``is_unknown``: the connection broke
    before the server reported the result of the next one."""

    def __init__(self, statements: Sequence[str]) -> None:
        self._statements = statements
        self.done = 0
        self.begun = self.is_unknown = False

    def __call__(self, connection: Any) -> Mapping[str, Any]:
        """Run the statements; they add no fields to the login's result."""
        from pg8000.exceptions import DatabaseError

        for statement in self._statements:
            self.begun = True
            try:
                connection.execute_simple(statement)
            except DatabaseError:  # PostgreSQL rolls back a refused statement by itself
                raise
            except Exception as error:
                self.is_unknown = True
                raise ConnectionError(f"the connection to PostgreSQL broke: {error}") from error
            self.done += 1
        return {}


def with_password(statement: str, password: Secret) -> str:
    """Return the statement with a verifier of the password in place of the placeholder."""
    if not _PASSWORD.search(statement):
        return statement
    return statement.removesuffix(PLACEHOLDER) + sql(scram_verifier(password))


def scram_verifier(password: Secret, salt: bytes | None = None) -> str:
    """Compute the SCRAM-SHA-256 verifier of a password (RFC 5803).

    Raises OzError if there is none."""
    from scramp import ScramException, ScramMechanism  # comes with pg8000

    try:
        mechanism = ScramMechanism("SCRAM-SHA-256")
        used_salt, stored, server, _ = mechanism.make_auth_info(password.reveal(), _ITERATIONS, salt)
    except ScramException:
        raise OzError(
            "the role's password contains characters that a PostgreSQL login cannot use",
            "Use letters, digits and punctuation for database.password.",
        ) from None
    parts = [base64.b64encode(part).decode() for part in (used_salt, stored, server)]
    return f"SCRAM-SHA-256${_ITERATIONS}:{parts[0]}${parts[1]}:{parts[2]}"


def _reason(attempt: LoginResult) -> str:
    reasons = {
        "forbidden": "sshd on the node forbids tunnels",
        "insecure": f"{attempt.message}. {SCRAM_HINT}",
        "no-tls": "the server does not support TLS, which database.sslmode requires",
    }
    return reasons.get(attempt.outcome) or attempt.message or f"the connection ended ({attempt.outcome})"


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
