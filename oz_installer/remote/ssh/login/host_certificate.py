"""Certificates of host keys (@cert-authority in known_hosts)."""

from __future__ import annotations

import base64
import time
from collections.abc import Collection
from fnmatch import fnmatchcase

from oz_installer.remote.ssh.login.key_files import key_type
from oz_installer.text import safe_line

_HOST = 2


def certificate_problem(blob: bytes, host: str, authorities: Collection[bytes]) -> str | None:
    """Return why a host certificate does not prove a host; empty when it does.

    None when it is signed by none of the ``authorities``: the key itself decides then."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    from cryptography.hazmat.primitives.serialization.ssh import SSHCertificate, load_ssh_public_identity

    try:
        line = f"{key_type(blob)} {base64.b64encode(blob).decode()}"
        certificate = load_ssh_public_identity(line.encode())
        if not isinstance(certificate, SSHCertificate):
            return None
        signer = certificate.signature_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
        if base64.b64decode(signer.split()[1]) not in authorities:
            return None
        certificate.verify_cert_signature()
    except InvalidSignature:
        return "its signature is wrong"
    except Exception as error:  # noqa: BLE001 - what a server sends may fail in any way
        return f"it cannot be read ({safe_line(error, 80)})"
    if certificate.type.value != _HOST:
        return "it is a certificate of a user"
    if certificate.critical_options:
        return "it has critical options, which host certificates must not have"
    now = time.time()
    if not certificate.valid_after <= now < certificate.valid_before:
        return f"it is valid from {_date(certificate.valid_after)} to {_date(certificate.valid_before)} only"
    names = [name.decode("utf-8", "replace") for name in certificate.valid_principals]
    if not any(fnmatchcase(host.lower(), name.lower().replace("[", "[[]")) for name in names):
        return f"it is for {safe_line(', '.join(names), 120) or 'no host'}, not for {host}"
    return ""


def _date(seconds: int) -> str:
    try:
        return time.strftime("%Y-%m-%d %H:%M", time.gmtime(seconds))
    except (OverflowError, ValueError, OSError):
        return "ever"
