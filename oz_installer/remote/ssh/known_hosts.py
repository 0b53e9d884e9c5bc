"""Reading known_hosts files and matching host keys. Pure except for ``read_...``.

Format: sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT". paramiko's own reader compares every line with every other
line, supports neither wildcards nor @revoked, and prints warnings; hence this one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable
from enum import Enum
from fnmatch import fnmatchcase
from pathlib import Path

from oz_installer.errors import ConnectError
from oz_installer.frozen import dataclass

_MARKERS = frozenset({"", "@revoked", "@cert-authority"})


@dataclass(frozen=True, kw_only=True)
class KnownKey:
    """A line of known_hosts: a key of the hosts that match ``pattern``.

    ``authority``: it signs the certificates of these hosts. ``without_port``: the line names the host only,
    and sshd's port is another than 22: such a key may prove the host, but not that its key has changed.
    ``where`` is ``file:line``.
    """

    pattern: str
    key_type: str
    blob: bytes
    revoked: bool = False
    authority: bool = False
    without_port: bool = False
    where: str = ""


class HostKeyStatus(Enum):
    """The status of a server's key, compared with the known keys."""

    KNOWN = "known"
    UNKNOWN = "unknown"
    CHANGED = "changed"
    REVOKED = "revoked"


def fingerprint(blob: bytes) -> str:
    """Compute OpenSSH's fingerprint of a public key: ``SHA256:`` and unpadded base64."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def lookup_name(host: str, port: int) -> str:
    """Return the name of a host in known_hosts: ``host``, or ``[host]:port`` if not 22."""
    return host.lower() if port == 22 else f"[{host.lower()}]:{port}"


def parse_known_hosts(text: str, source: str = "") -> list[KnownKey]:
    """Parse the lines with a usable key of a host; others are skipped, as OpenSSH does."""
    return [key for key in parse_host_keys(text, source) if not key.authority]


def parse_host_keys(text: str, source: str = "") -> list[KnownKey]:
    """Parse the lines with a usable key of a host or of a certificate authority."""
    keys = []
    for number, line in enumerate(text.splitlines(), 1):
        fields = line.split()
        marker = fields.pop(0) if fields and fields[0].startswith("@") else ""
        if len(fields) < 3 or fields[0].startswith("#") or marker not in _MARKERS:
            continue
        try:
            blob = base64.b64decode(fields[2], validate=True)
        except (binascii.Error, ValueError):
            continue
        keys.append(
            KnownKey(
                pattern=fields[0],
                key_type=fields[1],
                blob=blob,
                revoked=marker == "@revoked",
                authority=marker == "@cert-authority",
                where=f"{source}:{number}" if source else "",
            )
        )
    return keys


def read_host_keys(paths: Iterable[Path]) -> list[KnownKey]:
    """Read several files; missing or unreadable ones are skipped."""
    keys: list[KnownKey] = []
    for path in paths:
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        keys.extend(parse_host_keys(text, str(path)))
    return keys


def read_revoked(path: Path) -> list[KnownKey]:
    """Read the public keys in a file of RevokedHostKeys.

    Raises ConnectError for one that cannot be read, with which ``ssh`` connects to nothing, too."""
    hint = "Correct RevokedHostKeys in the SSH configuration: a readable list of public keys, one per line."
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConnectError(f"RevokedHostKeys {path} cannot be read: {error.strerror}", hint) from None
    if data.startswith(b"SSHKRL"):
        raise ConnectError(f"RevokedHostKeys {path} is a binary list, which oz-install cannot read", hint)
    lines = data.decode("utf-8", "replace").splitlines()
    return parse_host_keys("\n".join(f"@revoked * {line}" for line in lines), str(path))


def _matches(pattern: str, name: str) -> bool:
    if pattern.startswith("|1|"):
        try:
            salt, digest = (base64.b64decode(part) for part in pattern[3:].split("|"))
        except (ValueError, binascii.Error):
            return False
        return hmac.compare_digest(hmac.new(salt, name.encode(), "sha1").digest(), digest)
    named = False
    for part in pattern.lower().split(","):
        # fnmatch would read the brackets of [host]:port as a character class
        wanted = part.removeprefix("!").replace("[", "[[]")
        if fnmatchcase(name, wanted):
            if part.startswith("!"):
                return False
            named = True
    return named


def keys_for(keys: Iterable[KnownKey], host: str, port: int) -> list[KnownKey]:
    """Return the known keys of a host at a port."""
    return keys_named(keys, lookup_name(host, port))


def keys_named(keys: Iterable[KnownKey], name: str) -> list[KnownKey]:
    """Return the known keys of a name, as it stands in known_hosts."""
    return [key for key in keys if _matches(key.pattern, name)]


def match_host_key(known: list[KnownKey], blob: bytes) -> HostKeyStatus:
    """Compare a server's key with the known keys of the host.

    A key of another type than the known ones counts as changed: servers are asked for the known types
    first, so a server that shows another type has lost the known key.
    """
    if any(key.revoked and key.blob == blob for key in known):
        return HostKeyStatus.REVOKED
    valid = [key for key in known if not key.revoked and not key.authority]
    if any(key.blob == blob for key in valid):
        return HostKeyStatus.KNOWN
    certain = any(not key.without_port for key in valid)
    return HostKeyStatus.CHANGED if certain else HostKeyStatus.UNKNOWN


def pinned_fingerprint(host_key: str) -> str | None:
    """Return the fingerprint of an answer ``host_key``, a fingerprint or key; None for neither."""
    words = host_key.split()
    for word in words:
        if word.startswith("SHA256:"):
            return word.rstrip("=")
    for word in words:
        if word.startswith("AAAA"):
            try:
                return fingerprint(base64.b64decode(word, validate=True))
            except (binascii.Error, ValueError):
                return None
    return None


def preferred_key_types(known: list[KnownKey], offered: tuple[str, ...]) -> tuple[str, ...]:
    """Sort the ``offered`` host key algorithms: those of the known keys first."""
    types = {key.key_type for key in known if not key.revoked and not key.authority}
    if "ssh-rsa" in types:
        types |= {"rsa-sha2-256", "rsa-sha2-512"}
    return tuple(sorted(offered, key=lambda name: name not in types))
