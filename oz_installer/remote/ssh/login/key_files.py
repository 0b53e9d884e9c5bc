"""Key files: private keys, public keys and certificates."""

from __future__ import annotations

import base64
import binascii
import io
import os
import struct
from pathlib import Path

from oz_installer.errors import ConnectError
from oz_installer.remote.ssh.paramiko_import import paramiko
from oz_installer.secret import Secret

CERTIFICATE = "-cert-v01@openssh.com"
MOST_BYTES = 1 << 20
_PRIVATE = b"-----BEGIN OPENSSH PRIVATE KEY-----"
_MAGIC = b"openssh-key-v1\0"


class AgentFailure(Exception):
    """The agent does not answer, or refuses."""


def key_type(blob: bytes) -> str:
    """Return the type of a public key or certificate; empty for garbage."""
    try:
        return _string(blob, 0)[0].decode("ascii")
    except (ValueError, UnicodeDecodeError):
        return ""


def _string(data: bytes, start: int) -> tuple[bytes, int]:
    """Return a string of the SSH protocol and where it ends. Raises ValueError."""
    if start + 4 > len(data):
        raise ValueError("cut off")
    end = start + 4 + struct.unpack_from(">I", data, start)[0]
    if end > len(data):
        raise ValueError("cut off")
    return data[start + 4 : end], end


def read_key_file(path: Path) -> bytes | None:
    """Return the content of a key file; None when it cannot be read."""
    try:
        with path.open("rb") as stream:
            return stream.read(MOST_BYTES)
    except OSError:
        return None


def public_blob(data: bytes) -> bytes | None:
    """Return the public key in a line ``type base64``, or in a private key of OpenSSH's format."""
    if _PRIVATE in data:
        return _public_of_private(data)
    for line in data.splitlines():
        words = line.split()
        if len(words) >= 2 and not line.startswith((b"#", b"-")):
            try:
                blob = base64.b64decode(words[1], validate=True)
            except (binascii.Error, ValueError):
                return None
            return blob if key_type(blob).encode() == words[0] else None
    return None


def _public_of_private(data: bytes) -> bytes | None:
    """Read the public part, which is not encrypted."""
    lines = data.partition(_PRIVATE)[2].partition(b"-----END")[0]
    try:
        raw = base64.b64decode(b"".join(lines.split()), validate=True)
        if not raw.startswith(_MAGIC):
            return None
        position = len(_MAGIC)
        for _ in range(3):  # cipher, key derivation, its options
            _, position = _string(raw, position)
        return _string(raw, position + 4)[0]
    except (ValueError, binascii.Error):
        return None


def public_key_of(path: Path) -> bytes | None:
    """Return the public key of a key file, from itself or from the .pub file beside it."""
    for candidate in (path, path.with_name(f"{path.name}.pub")):
        data = read_key_file(candidate)
        blob = public_blob(data) if data else None
        if blob is not None:
            return blob
    return None


def certificate_of(path: Path) -> bytes | None:
    """Return the certificate in a file; None for a file without one."""
    data = read_key_file(path)
    blob = public_blob(data) if data else None
    return blob if blob is not None and key_type(blob).endswith(CERTIFICATE) else None


def certified_key(certificate: bytes) -> bytes | None:
    """Return the public key that a certificate is for, as a key blob; None for an unknown type."""
    kind = key_type(certificate).removesuffix(CERTIFICATE)
    counts = {"ssh-ed25519": 1, "ssh-rsa": 2, "sk-ssh-ed25519": 2}
    count = counts.get(kind, 3 if kind.startswith("sk-ecdsa") else 2 if kind.startswith("ecdsa") else 0)
    if not count:
        return None
    name = f"{kind}@openssh.com" if kind.startswith("sk-") else kind
    try:
        position = _string(certificate, _string(certificate, 0)[1])[1]  # behind type and nonce
        end = position
        for _ in range(count):
            end = _string(certificate, end)[1]
    except ValueError:
        return None
    return struct.pack(">I", len(name)) + name.encode() + certificate[position:end]


def open_to_others(path: Path) -> str:
    """Return the mode of a private key that others may read; empty for a safe one."""
    try:
        status = path.stat()
    except OSError:
        return ""
    return f"{status.st_mode & 0o7777:04o}" if status.st_uid == os.getuid() and status.st_mode & 0o077 else ""


def load_key(path: Path, passphrase: Secret | None) -> paramiko.PKey | None:
    """Read a private key; None when it is encrypted and no passphrase was given.

    Raises ConnectError for a missing file, one that others may read, a wrong passphrase, or a file without a
    private key.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConnectError(
            f"key file {path} cannot be read: {error.strerror}", "Correct `key_file` of the node."
        ) from None
    if b"PRIVATE KEY" in data and (mode := open_to_others(path)):
        raise ConnectError(
            f"key file {path} is open to other users (mode {mode}), so it is not used, as ssh does",
            f"Close it: chmod 600 {path}. Where modes cannot be changed, as on /mnt/c, copy it to ~/.ssh.",
        )
    secret = passphrase.reveal().encode() if passphrase else None
    try:
        return _parse_key(data, secret)
    except TypeError:  # cryptography: encrypted and no passphrase, or a passphrase and not encrypted
        return None if secret is None else load_key(path, None)
    except Exception:  # noqa: BLE001 - a dozen types, none of which distinguishes a wrong passphrase
        if secret is not None:
            raise ConnectError(
                f"the passphrase of key file {path} is wrong",
                "Correct `key_passphrase`; try `ssh-keygen -y -f` on the file.",
            ) from None
        raise ConnectError(
            f"{path} holds no usable private key",
            "Set the private key (Ed25519, ECDSA or RSA), not the .pub file, or load it into ssh-agent.",
        ) from None


def _parse_key(data: bytes, passphrase: bytes | None) -> paramiko.PKey:
    """Decrypt a key once, in memory: paramiko itself does it twice, 150 ms each."""
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    load = form.load_ssh_private_key if b"BEGIN OPENSSH" in data else form.load_pem_private_key
    loaded = load(data, passphrase)
    plain = loaded.private_bytes(form.Encoding.PEM, form.PrivateFormat.OpenSSH, form.NoEncryption())
    kind: type[paramiko.PKey] = paramiko.Ed25519Key
    if isinstance(loaded, rsa.RSAPrivateKey):
        kind = paramiko.RSAKey
    elif isinstance(loaded, ec.EllipticCurvePrivateKey):
        kind = paramiko.ECDSAKey
    return kind.from_private_key(io.StringIO(plain.decode()))
