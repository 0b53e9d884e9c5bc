"""What an administrator could create for us: as a remedy where credentials are given, else as words. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from oz_installer.checks.base import NodeCheck
from oz_installer.checks.context import CheckContext, CheckedNode, Finding, Remedy
from oz_installer.checks.database.postgres import AdminView, LoginResult
from oz_installer.checks.database.postgres_admin import (
    admin_name,
    change_owner,
    create_database,
    create_database_sql,
    create_extension,
    create_role,
    owner_sql,
)
from oz_installer.text import safe_line

NO_DATABASE = "3D000"
REFUSED = ("28000", "28P01")

Offer = tuple[Remedy | None, str]
"""A remedy, or None; and the hint."""


def is_role_missing(attempt: LoginResult, ground: AdminView | None) -> bool:
    """A wrong password and a role that is not there are told alike; the administrator knows."""
    return attempt.state in REFUSED and ground is not None and not ground.role


def role_remedy(context: CheckContext, node: CheckedNode, ground: AdminView | None) -> Offer:
    """The role."""
    remedy = create_role(node.name, context.answers.database.user)
    return _offer(context, node, remedy, ground is not None and ground.may_create_roles)


def database_remedy(context: CheckContext, node: CheckedNode, ground: AdminView | None) -> Offer:
    """The database."""
    database, wanted = context.answers.database, context.release.database
    if ground is None:
        return None, manual_statements(create_database_sql(database.name, database.user, wanted))
    able = ground.may_create_databases and ground.may_lend
    member = admin_name(database.admin_user, ground) if able else ""
    remedy = create_database(node.name, database.name, database.user, wanted, member)
    return _offer(context, node, remedy, able)


def owner_remedy(context: CheckContext, node: CheckedNode, ground: AdminView | None) -> Offer:
    """The database for our role."""
    database = context.answers.database
    if ground is None:
        return None, manual_statements(*owner_sql(database.name, database.user), where=database.name)
    able = ground.superuser or (ground.owner == database.admin_user and ground.may_lend)
    member = admin_name(database.admin_user, ground) if able else ""
    remedy = change_owner(node.name, database.name, database.user, ground.owner, member)
    return _offer(context, node, remedy, able)


def extension_remedy(
    context: CheckContext, node: CheckedNode, ground: AdminView | None, extension: str
) -> Offer:
    """An extension; not every administrator is a superuser, and clouds let theirs create some."""
    remedy = create_extension(node.name, context.answers.database.name, extension)
    if ground is None:
        return None, manual_statements(remedy.commands[0][0], where=remedy.database)
    return _offer(context, node, remedy, True)


def findings_from_admin(
    check: NodeCheck[Any], context: CheckContext, node: CheckedNode, attempt: LoginResult, ground: AdminView
) -> Iterator[Finding]:
    """What the administrator saw while our role cannot get in: the database and its extensions."""
    database = context.answers.database
    if ground.owner:
        return
    if attempt.state != NO_DATABASE:
        remedy, hint = database_remedy(context, node, ground)
        seen, about = f"there is no database {database.name}", "exists"
        yield check.finding(node, "failure", seen, about=about, subject="Database", hint=hint, remedy=remedy)
    for extension in context.release.database.extensions:
        subject, needed = "Database extension", f"{extension} (the vendor's requirement)"
        if extension not in ground.available:
            seen, hint = f"{extension} is not installed on the database server", INSTALL_HINT
            yield check.finding(
                node, "failure", seen, about=extension, subject=subject, needed=needed, hint=hint
            )
        elif extension not in ground.trusted:
            remedy, hint = extension_remedy(context, node, ground, extension)
            seen = f"{extension} is to be created by an administrator"
            yield check.finding(
                node,
                "failure",
                seen,
                about=extension,
                subject=subject,
                needed=needed,
                hint=hint,
                remedy=remedy,
            )


INSTALL_HINT = "Install PostgreSQL's contrib package on that server."


def admin_login_finding(
    check: NodeCheck[Any], context: CheckContext, node: CheckedNode, attempt: LoginResult
) -> Finding:
    """The credentials are given and do not do."""
    return check.finding(
        node,
        "warning",
        f"{context.answers.database.admin_user} does not get in: {attempt.said or attempt.outcome}",
        about="admin",
        subject="Database administrator",
        why="What is missing cannot be created by check --fix.",
        hint="Check database.admin_user and database.admin_password, or leave them out.",
    )


def manual_statements(*statements: str, where: str = "") -> str:
    """Statements for an administrator's own hands."""
    place = f" in {safe_line(where)}" if where else ""
    return f"Let the database's administrator run{place}: {' '.join(f'{one};' for one in statements)}"


def _offer(context: CheckContext, node: CheckedNode, remedy: Remedy, able: bool) -> Offer:
    """One node offers, so that it is done once."""
    statements = [statement for statement, *_ in remedy.commands]
    where = remedy.database if remedy.database == context.answers.database.name else ""
    if not able:
        return (
            None,
            f"{context.answers.database.admin_user} may not do it. "
            f"{manual_statements(*statements, where=where)}",
        )
    if node != context.api_nodes[0]:
        return None, f"oz-install check --fix does it through {context.api_nodes[0].name}."
    return (
        remedy,
        f"oz-install check --fix runs as {context.answers.database.admin_user}: {'; '.join(statements)}",
    )
