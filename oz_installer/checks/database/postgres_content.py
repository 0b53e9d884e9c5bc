"""The guard that keeps a database with content from being dropped."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from oz_installer.checks.context import Remedy
from oz_installer.checks.database.connection_settings import ConnectionSettings
from oz_installer.checks.database.postgres import log_in_and_query
from oz_installer.checks.viewpoint import Viewpoint
from oz_installer.errors import OzError

# Objects of extensions do not count: they came with `check --fix`.
_COUNT = """
SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm', 'v', 'f', 'S')
AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
"""
_DROP = re.compile(r'DROP DATABASE (?:IF EXISTS )?"((?:[^"]|"")+)"\Z')
_MISSING = "3D000"


def require_empty(viewpoint: Viewpoint, admin: ConnectionSettings, remedy: Remedy) -> None:
    """Refuse a remedy that drops a database with content; nothing is executed before.

    Raises OzError for such a database or an unknown content, ConnectError when the node is lost."""
    for statement, *_ in remedy.commands:
        if match := _DROP.fullmatch(statement):
            _require_empty(viewpoint, admin, match[1].replace('""', '"'), statement, remedy.node)


def _require_empty(
    viewpoint: Viewpoint, admin: ConnectionSettings, name: str, statement: str, node: str
) -> None:
    attempt = log_in_and_query(viewpoint, replace(admin, name=name), _count)
    if attempt.state == _MISSING:
        return
    if attempt.tables is None:
        raise OzError(
            f"cannot tell whether the database {name} is empty: {attempt.message or attempt.outcome}",
            "The database was not dropped. Fix the reported problem, then try again.",
            node=node,
        )
    if attempt.tables:
        raise OzError(
            f"the database {name} holds {attempt.tables} tables, views and sequences: it is not dropped",
            f"If its content is no longer needed, ask its administrator to run: {statement}",
            node=node,
        )


def _count(connection: Any) -> Mapping[str, Any]:
    rows = connection.run(_COUNT)
    return {"tables": int(rows[0][0])} if rows else {}
