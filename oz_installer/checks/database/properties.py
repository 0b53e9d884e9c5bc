"""Findings about a database after a login: version, encoding, rights, extensions. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from oz_installer.checks.base import AnyNodeCheck
from oz_installer.checks.context import CheckContext, CheckedNode, Finding, FindingLevel, Remedy
from oz_installer.checks.database.postgres import AdminView, Server
from oz_installer.checks.database.postgres_admin import create_database_sql
from oz_installer.checks.database.remedies import (
    INSTALL_HINT,
    extension_remedy,
    manual_statements,
    owner_remedy,
)
from oz_installer.checks.network.service import version_finding
from oz_installer.remote.docker_commands import parse_version
from oz_installer.render.filters import sql_name
from oz_installer.text import safe_line


def needs_admin(context: CheckContext, server: Server) -> bool:
    """Return whether something is missing that an administrator can provide."""
    return not _has_rights(server) or any(
        name not in server.installed and not _may_create(server, name)
        for name in context.release.database.extensions
    )


def property_findings(
    check: AnyNodeCheck,
    context: CheckContext,
    node: CheckedNode,
    server: Server,
    admin_view: AdminView | None,
) -> Iterator[Finding]:
    """Yield the findings, each after those it depends on."""
    yield _version(check, context, node, server)
    yield _encoding(check, context, node, server)
    yield _writes(check, context, node, server)
    yield _rights(check, context, node, server, admin_view)
    for extension in context.release.database.extensions:
        yield _extension(check, context, node, server, admin_view, extension)


def _version(check: AnyNodeCheck, context: CheckContext, node: CheckedNode, server: Server) -> Finding:
    bundled = _bundled_major(context)
    old = bundled is not None and server.number // 10_000 < bundled
    seen = f"PostgreSQL {safe_line(server.version)}"
    return version_finding(check, node, "Database version", seen, str(bundled or ""), old=old)


def _encoding(check: AnyNodeCheck, context: CheckContext, node: CheckedNode, server: Server) -> Finding:
    wanted, database = context.release.database, context.answers.database
    same_locale = server.locale.lower().replace("-", "") == wanted.locale.lower().replace("-", "")
    level: FindingLevel = "ok"
    why = hint = ""
    if server.encoding != wanted.encoding:
        level, why = "failure", "Text in other alphabets cannot be stored."
        statement = create_database_sql(database.name, database.user, wanted)
        hint = f"Create the database again. {manual_statements(statement)}"
    elif not same_locale:
        level, why = "warning", "Sorting and letter case may differ from what the vendor tests."
        hint = "Create the database again with that locale, or accept this."
    return check.finding(
        node,
        level,
        f"{safe_line(server.encoding)}, {safe_line(server.locale)}",
        about="encoding",
        subject="Database encoding",
        needed=f"{wanted.encoding}, {wanted.locale} (the vendor's requirement)",
        why=why,
        hint=hint,
    )


def _writes(check: AnyNodeCheck, context: CheckContext, node: CheckedNode, server: Server) -> Finding:
    seen, hint = "takes writes", ""
    if server.standby:
        seen = "is a standby server, which takes no writes"
        hint = "Set database.host to the primary server, or to an address that always leads to it."
    elif server.read_only:
        database = context.answers.database
        role, name = sql_name(database.user), sql_name(database.name)
        seen = "begins every transaction read-only (default_transaction_read_only)"
        hint = (
            "Ask the database administrator why, then to run: "
            f"ALTER ROLE {role} IN DATABASE {name} SET default_transaction_read_only = off;"
        )
    return check.finding(
        node,
        "failure" if server.standby or server.read_only else "ok",
        f"PostgreSQL {seen}",
        about="writes",
        subject="Database writes",
        why="Oz cannot create its tables or store anything.",
        hint=hint,
    )


def same_server_findings(
    check: AnyNodeCheck, context: CheckContext, servers: Mapping[str, Server]
) -> Iterator[Finding]:
    """Warn of nodes that reach another server than the first node, by when each server started."""
    seen_by = [(node, servers[node.name]) for node in context.api_nodes if node.name in servers]
    for node, server in seen_by:
        first, its = seen_by[0]
        if server.started != its.started:
            yield check.finding(
                node,
                "warning",
                f"the address leads to another server here than from {first.name}",
                about="server",
                subject="Database server",
                why="Two servers hold two sets of data, unless one is a standby of the other.",
                hint="Compare the addresses with: getent hosts HOST on both nodes. Set database.host to the "
                "primary server's own address, or accept this after a failover.",
            )


def _rights(
    check: AnyNodeCheck,
    context: CheckContext,
    node: CheckedNode,
    server: Server,
    admin_view: AdminView | None,
) -> Finding:
    user, enough = context.answers.database.user, _has_rights(server)
    remedy: Remedy | None = None
    hint = ""
    if not enough:
        remedy, hint = owner_remedy(context, node, admin_view)
    return check.finding(
        node,
        "ok" if enough else "failure",
        f"owned by {safe_line(server.owner)}; {user} may {'' if enough else 'not '}create tables",
        about="rights",
        subject="Database rights",
        needed=f"owned by {user} (the vendor's requirement)",
        why="Oz cannot create its tables.",
        hint=hint,
        remedy=remedy,
    )


def _extension(
    check: AnyNodeCheck,
    context: CheckContext,
    node: CheckedNode,
    server: Server,
    admin_view: AdminView | None,
    name: str,
) -> Finding:
    level: FindingLevel = "ok"
    remedy: Remedy | None = None
    seen, hint = "is installed", ""
    if name not in server.installed:
        if name not in server.available:
            level, seen, hint = "failure", "is not installed on the database server", INSTALL_HINT
        elif _may_create(server, name):
            seen = "will be created"
        else:
            level, seen = "failure", f"is missing, and {context.answers.database.user} may not create it"
            remedy, hint = extension_remedy(context, node, admin_view, name)
    return check.finding(
        node,
        level,
        f"{name} {seen}",
        about=name,
        subject="Database extension",
        needed=f"{name} (the vendor's requirement)",
        why="Oz cannot create its tables without this extension.",
        hint=hint,
        remedy=remedy,
    )


def _has_rights(server: Server) -> bool:
    return server.superuser or server.may_create_tables


def _may_create(server: Server, extension: str) -> bool:
    """Return whether this role can create the extension without an administrator."""
    return server.superuser or (extension in server.trusted and server.may_create)


def _bundled_major(context: CheckContext) -> int | None:
    """Return the major version of the release's own PostgreSQL, from its image's tag."""
    service = next((one for one in context.release.services if one.part == "database"), None)
    tag = context.release.images[service.image].rpartition(":")[2] if service else ""
    version = parse_version(tag)
    return version[0] if version else None
