"""Where and how to log in to PostgreSQL, and which server may be trusted."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field

from oz_installer.secret import Secret


@dataclass(frozen=True, kw_only=True)
class ConnectionSettings:
    """The server, database and role of a login."""

    host: str
    port: int
    name: str
    user: str
    password: Secret = field(repr=False)
    sslmode: str
    authorities: str = field(default="", repr=False)
    """PEM certificates of authorities that vouch for the server; empty: the workstation's."""

    @property
    def verifies(self) -> bool:
        """Whether TLS proves that the server is the one that is meant."""
        if self.authorities:
            return self.sslmode in ("require", "verify-ca", "verify-full")
        return self.sslmode == "verify-full"


def tls_context(settings: ConnectionSettings) -> ssl.SSLContext:
    """Return a TLS context for libpq's mode.

    With authorities ``require`` verifies as ``verify-ca``, as in libpq.
    """
    if settings.verifies or settings.sslmode == "verify-ca":
        context = ssl.create_default_context(cadata=settings.authorities or None)
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # which libpq does not ask for
        context.check_hostname = settings.sslmode == "verify-full"
        return context
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # without authorities: reading all takes 20 ms
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
