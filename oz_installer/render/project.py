"""Names that every container of an installation bears."""

from __future__ import annotations

PROJECT = "oz"
"""The Compose project."""

DIGEST_LABEL = "com.ozforensics.oz-install.digest"
"""Label with the digest of a service; only containers that oz-install made have it."""
