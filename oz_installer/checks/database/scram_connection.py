"""A pg8000 connection that gives its password to nobody.

As libpq with ``require_auth=scram-sha-256``.
"""

from __future__ import annotations

from typing import Any

from pg8000.native import Connection

_PASSWORD_FORMS = {3: "in clear text", 5: "as an MD5 hash"}
_MOST_ITERATIONS = 1_000_000
"""SCRAM iterations that a server may ask for; PostgreSQL's default is 4096."""
_SASL_CONTINUE = 11


class PasswordRefused(Exception):
    """The server asks for the password in a form that can be used elsewhere."""


class ScramConnection(Connection):  # type: ignore[misc]
    """Logs in by SCRAM only, unless the server's certificate was ``verified``."""

    def __init__(self, *arguments: Any, verified: bool, **options: Any) -> None:
        self._verified = verified
        super().__init__(*arguments, **options)

    def handle_AUTHENTICATION_REQUEST(self, data: bytes, context: Any) -> None:
        """Answer the server's request. Raises PasswordRefused."""
        kind = int.from_bytes(data[:4], "big")
        if kind in _PASSWORD_FORMS and not self._verified:
            raise PasswordRefused(_PASSWORD_FORMS[kind])
        if kind == _SASL_CONTINUE and _iterations(data[4:]) > _MOST_ITERATIONS:
            raise PasswordRefused("by a computation without end")
        super().handle_AUTHENTICATION_REQUEST(data, context)


def _iterations(message: bytes) -> int:
    """Return the iterations of a SCRAM message ``r=...,s=...,i=4096``; 0 if it has none."""
    fields = dict(part.split(b"=", 1) for part in message.split(b",") if b"=" in part)
    count = fields.get(b"i", b"")
    return int(count[:20]) if count[:20].isdigit() else 0
