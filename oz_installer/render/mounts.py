"""Mount options of the media, for an engine or a cluster."""

from __future__ import annotations

from oz_installer.answers.sections import Storage
from oz_installer.topology.wiring import url_host


def nfs_options(storage: Storage) -> dict[str, str]:
    """Return the options of an engine's local volume driver for the NFS share of the answers."""
    options = f"addr={url_host(storage.server or '')},{storage.options}"
    return {"type": "nfs", "o": options, "device": f":{storage.export}"}
