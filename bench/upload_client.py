"""Sends a file by oz-install's own upload path.

``python -m bench.upload_client FILE DEST INVENTORY NODE ...``
"""

from __future__ import annotations

import sys
from pathlib import Path

from oz_installer.remote.ssh.transport import SshTarget, connect
from oz_installer.remote.ssh.upload_many import UploadJob, upload_many


def main(source: str, dest: str, inventory: str, names: list[str]) -> None:
    """Connect to all nodes, send to all of them at once."""
    rows = {line.split()[0]: line.split()[1:] for line in Path(inventory).read_text().splitlines()}
    transports = []
    try:
        for name in names:
            host, port, user, key, known = rows[name]
            transports.append(
                connect(
                    SshTarget(
                        name=name,
                        host=host,
                        port=int(port),
                        user=user,
                        key_file=Path(key),
                        known_hosts=Path(known),
                    )
                )
            )
        upload_many([UploadJob(transport=one, source=Path(source), dest=dest) for one in transports])
    finally:
        for transport in transports:
            transport.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:])
