"""Names that every installation has on its nodes."""

from __future__ import annotations

PROJECT = "oz"
"""The Compose project."""

DIGEST_LABEL = "com.ozforensics.oz-install.digest"
"""Label with the digest of a service; only containers made by oz-install have it."""

RECORD_FILE = "record.json"
"""The record, in the folder of a generation; node.sh has the same name."""

NODES_FILE = "nodes.json"
"""Names and hosts of all nodes, in every bundle: a later run sees which of them have left."""

INSTALLED_NODES = f"current/{NODES_FILE}"
"""The nodes of what is installed, below the install folder."""

INSTALLED_RECORD = f"current/{RECORD_FILE}"
"""The record of what is installed, below the install folder."""
