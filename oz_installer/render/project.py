"""Names that every container of an installation has."""

from __future__ import annotations

PROJECT = "oz"
"""The Compose project."""

DIGEST_LABEL = "com.ozforensics.oz-install.digest"
"""Label with the digest of a service; only containers made by oz-install have it."""
