"""Remedies that a database administrator can run, or hints with the statements. Pure."""

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

RemedyAndHint = tuple[Remedy | None, str]
"""A remedy or None, and the hint."""


def is_role_missing(attempt: LoginResult, admin_view: AdminView | None) -> bool:
    """Return whether the role is missing, which PostgreSQL reports like a wrong password."""
    return attempt.state in REFUSED and admin_view is not None and not admin_view.role


def role_remedy(context: CheckContext, node: CheckedNode, admin_view: AdminView | None) -> RemedyAndHint:
    """Return the remedy that creates the role."""
    remedy = create_role(node.name, context.answers.database.user)
    return _remedy_and_hint(context, node, remedy, admin_view is not None and admin_view.may_create_roles)


def database_remedy(context: CheckContext, node: CheckedNode, admin_view: AdminView | None) -> RemedyAndHint:
    """Return the remedy that creates the database."""
    database, wanted = context.answers.database, context.release.database
    if admin_view is None:
        return None, manual_statements(create_database_sql(database.name, database.user, wanted))
    able = admin_view.may_create_databases and admin_view.may_lend
    member = admin_name(database.admin_user, admin_view) if able else ""
    remedy = create_database(node.name, database.name, database.user, wanted, member)
    return _remedy_and_hint(context, node, remedy, able)


def owner_remedy(context: CheckContext, node: CheckedNode, admin_view: AdminView | None) -> RemedyAndHint:
    """Return the remedy that makes the role the owner of the database."""
    database = context.answers.database
    if admin_view is None:
        return None, manual_statements(*owner_sql(database.name, database.user), where=database.name)
    able = admin_view.superuser or (admin_view.owner == database.admin_user and admin_view.may_lend)
    member = admin_name(database.admin_user, admin_view) if able else ""
    remedy = change_owner(node.name, database.name, database.user, admin_view.owner, member)
    return _remedy_and_hint(context, node, remedy, able)


def extension_remedy(
    context: CheckContext, node: CheckedNode, admin_view: AdminView | None, extension: str
) -> RemedyAndHint:
    """Return the remedy that creates an extension; even an administrator may lack the right to."""
    remedy = create_extension(node.name, context.answers.database.name, extension)
    if admin_view is None:
        return None, manual_statements(remedy.commands[0][0], where=remedy.database)
    return _remedy_and_hint(context, node, remedy, True)


def findings_from_admin(
    check: NodeCheck[Any],
    context: CheckContext,
    node: CheckedNode,
    attempt: LoginResult,
    admin_view: AdminView,
) -> Iterator[Finding]:
    """Yield the administrator's findings while the role cannot log in: database, extensions."""
    database = context.answers.database
    if admin_view.owner:
        return
    if attempt.state != NO_DATABASE:
        remedy, hint = database_remedy(context, node, admin_view)
        seen, about = f"there is no database {database.name}", "exists"
        why = "The API cannot start without its database."
        yield check.finding(
            node, "failure", seen, about=about, subject="Database", why=why, hint=hint, remedy=remedy
        )
    for extension in context.release.database.extensions:
        subject, needed = "Database extension", f"{extension} (the vendor's requirement)"
        why = "Oz cannot create its tables without this extension."
        if extension not in admin_view.available:
            seen, hint = f"{extension} is not installed on the database server", INSTALL_HINT
            yield check.finding(
                node, "failure", seen, about=extension, subject=subject, needed=needed, why=why, hint=hint
            )
        elif extension not in admin_view.trusted:
            remedy, hint = extension_remedy(context, node, admin_view, extension)
            seen = f"{extension} must be created by an administrator"
            yield check.finding(
                node,
                "failure",
                seen,
                about=extension,
                subject=subject,
                needed=needed,
                why=why,
                hint=hint,
                remedy=remedy,
            )


INSTALL_HINT = "Install PostgreSQL's contrib package on the database server."


def admin_login_finding(
    check: NodeCheck[Any], context: CheckContext, node: CheckedNode, attempt: LoginResult
) -> Finding:
    """Return the finding for administrator credentials that do not work."""
    return check.finding(
        node,
        "warning",
        f"{context.answers.database.admin_user} cannot log in: {attempt.message or attempt.outcome}",
        about="admin",
        subject="Database administrator",
        why="check --fix cannot create what is missing.",
        hint="Check database.admin_user and database.admin_password, or leave them out.",
    )


def manual_statements(*statements: str, where: str = "") -> str:
    """Return a hint with statements for the administrator to run."""
    database = f" in {safe_line(where)}" if where else ""
    return f"Ask the database administrator to run{database}: {' '.join(f'{one};' for one in statements)}"


def _remedy_and_hint(context: CheckContext, node: CheckedNode, remedy: Remedy, able: bool) -> RemedyAndHint:
    """Offer the remedy on one node only, so that it runs once."""
    statements = [statement for statement, *_ in remedy.commands]
    where = remedy.database if remedy.database == context.answers.database.name else ""
    if not able:
        return (
            None,
            f"{context.answers.database.admin_user} lacks the rights to do it. "
            f"{manual_statements(*statements, where=where)}",
        )
    if node != context.api_nodes[0]:
        return None, f"Run oz-install check --fix; it fixes this through {context.api_nodes[0].name}."
    return (
        remedy,
        f"Run oz-install check --fix; as {context.answers.database.admin_user} it runs: "
        f"{'; '.join(statements)}",
    )
