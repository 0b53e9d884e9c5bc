"""Read files of certificate authorities on this machine."""

from __future__ import annotations

from pathlib import Path

from oz_installer.answers.local_files import UnreadableFile, read_file

LARGEST = 1024 * 1024
"""Maximum size of such a file, in bytes."""


def read_authorities(file: Path) -> bytes:
    """Return the certificates of a PEM file. Raises UnreadableFile."""
    import ssl  # only where answers name such a file

    content = read_file(file, LARGEST + 1)
    if len(content) > LARGEST:
        raise UnreadableFile("is larger than 1 MB, so it holds no authorities")
    if b"PRIVATE KEY-----" in content:
        raise UnreadableFile("holds a private key, which must not go to the nodes")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=content.decode("ascii"))
    except (ssl.SSLError, ValueError) as error:
        raise UnreadableFile("holds no certificate in PEM form") from error
    return content
