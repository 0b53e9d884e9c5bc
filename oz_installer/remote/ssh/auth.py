"""Logging in: key file, agent, the usual keys, password; in that order."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from oz_installer.errors import ConnectError
from oz_installer.remote.ssh.config import Endpoint
from oz_installer.remote.ssh.paramiko_import import paramiko
from oz_installer.remote.ssh.target import AskSecret
from oz_installer.secret import Secret

USUAL_KEYS = ("id_ed25519", "id_ecdsa", "id_rsa")
# sshd's MaxAuthTries is 6: leave one for the password
MOST_KEYS = 5


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """What the operator gave to get in; ``key_file`` is tried first."""

    key_file: Path | None = None
    key_passphrase: Secret | None = None
    password: Secret | None = None
    ask_secret: AskSecret | None = None


@dataclass
class _Login:
    """One login in progress: what was tried, and what the server says it takes."""

    transport: paramiko.Transport
    user: str
    tried: list[str] = field(default_factory=list)
    takes: list[str] = field(default_factory=list)

    def by_key(self, label: str, key: paramiko.PKey | None) -> bool:
        self.tried.append(label)
        if key is None:
            return False
        return self._judge(lambda: self.transport.auth_publickey(self.user, key))

    def by_password(self, password: Secret) -> bool:
        self.tried.append("password")
        return self._judge(lambda: self.transport.auth_password(self.user, password.reveal()))

    def _judge(self, login: Callable[[], list[str]]) -> bool:
        try:
            self.takes = list(login())
        except paramiko.BadAuthenticationType as error:
            self.takes = list(error.allowed_types)
            return False
        except paramiko.AuthenticationException:
            if not self.transport.is_active():
                raise
            return False
        return bool(self.transport.is_authenticated())

    def may(self, method: str) -> bool:
        return not self.takes or method in self.takes


def load_key(path: Path, passphrase: Secret | None) -> paramiko.PKey | None:
    """Read a private key; None when it is encrypted and no passphrase was given.

    Raises ConnectError for a missing file, a wrong passphrase, or what is no private key.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConnectError(
            f"key file {path} cannot be read: {error.strerror}", "Correct `key_file` of the node."
        ) from None
    word = passphrase.reveal().encode() if passphrase else None
    try:
        return _parse_key(data, word)
    except TypeError:  # cryptography: encrypted and no passphrase, or a passphrase and not encrypted
        return None if word is None else load_key(path, None)
    except Exception:  # noqa: BLE001 - a dozen kinds, and none tells a wrong passphrase from damage
        if word is not None:
            raise ConnectError(
                f"the passphrase of key file {path} is wrong",
                "Correct `key_passphrase`; try `ssh-keygen -y -f` on the file.",
            ) from None
        raise ConnectError(
            f"{path} holds no private key that can be used",
            "Give the private key (Ed25519, ECDSA or RSA), not the .pub file.",
        ) from None


def _parse_key(data: bytes, passphrase: bytes | None) -> paramiko.PKey:
    """paramiko decrypts a key twice, 150 ms each time; so it gets it decrypted, in memory."""
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


def _given_key(path: Path, credentials: Credentials) -> paramiko.PKey | None:
    key = load_key(path, credentials.key_passphrase)
    if key is None and credentials.ask_secret is not None:
        key = load_key(path, credentials.ask_secret(f"Passphrase of {path}"))
    return key


def _agent_keys() -> Iterator[tuple[str, paramiko.PKey]]:
    try:
        keys = paramiko.Agent().get_keys()
    except (paramiko.SSHException, OSError):
        return
    for key in keys:
        yield f"agent key {key.get_name()}", key


def _keys(endpoint: Endpoint, credentials: Credentials) -> Iterator[tuple[str, paramiko.PKey | None]]:
    """Keys in the order of trying, None for one that cannot be tried: it may still be in the agent."""
    if credentials.key_file is not None:
        key = _given_key(credentials.key_file, credentials)
        if key is None:
            yield f"key {credentials.key_file} (encrypted, no passphrase given)", None
        else:
            yield f"key {credentials.key_file}", key
    if not endpoint.identities_only:
        yield from _agent_keys()
    usual = [Path.home() / ".ssh" / name for name in USUAL_KEYS]
    for path in endpoint.key_files or usual:
        if path == credentials.key_file or not path.is_file():
            continue
        try:
            key = load_key(path, None)
        except ConnectError:
            continue
        if key is not None:
            yield f"key {path}", key


def authenticate(transport: paramiko.Transport, endpoint: Endpoint, credentials: Credentials) -> None:
    """Log in, or raise ConnectError that says what was tried and what the server takes."""
    attempt = _Login(transport, endpoint.user)
    try:
        if _try_all(attempt, endpoint, credentials):
            return
    except paramiko.AuthenticationException:
        raise _refused(endpoint, attempt, "the server hung up (too many attempts?)") from None
    except (paramiko.SSHException, EOFError, OSError) as error:
        if isinstance(error, ConnectError):
            raise
        raise _refused(endpoint, attempt, f"the server hung up ({type(error).__name__})") from None
    raise _refused(endpoint, attempt, "")


def _try_all(attempt: _Login, endpoint: Endpoint, credentials: Credentials) -> bool:
    for number, (label, key) in enumerate(_keys(endpoint, credentials)):
        if not attempt.may("publickey") or number == MOST_KEYS:
            break
        if attempt.by_key(label, key):
            return True
    password = credentials.password
    if not (attempt.may("password") or attempt.may("keyboard-interactive")):
        return False
    if password is None and credentials.ask_secret is not None:
        if not attempt.takes:
            _ask_methods(attempt)
        if attempt.may("password") or attempt.may("keyboard-interactive"):
            password = credentials.ask_secret(f"Password of {endpoint.label}")
    if password is not None and attempt.by_password(password):
        return True
    if not attempt.takes:
        _ask_methods(attempt)
    return False


def _ask_methods(attempt: _Login) -> None:
    """Learn what the server takes when nothing was tried yet."""
    try:
        attempt.transport.auth_none(attempt.user)
    except paramiko.BadAuthenticationType as error:
        attempt.takes = list(error.allowed_types)
    except paramiko.AuthenticationException:
        return


def _refused(endpoint: Endpoint, attempt: _Login, why: str) -> ConnectError:
    tried = ", ".join(attempt.tried) or "nothing (no key and no password at hand)"
    takes = f"; the server offers {', '.join(attempt.takes)}" if attempt.takes else ""
    cause = f"; {why}" if why else ""
    if "password" in attempt.tried:
        hint = f"Check the password of {endpoint.user}, and that sshd lets this user in."
    elif any("encrypted" in label for label in attempt.tried):
        hint = "Give the node its `key_passphrase`, or load the key into ssh-agent."
    elif attempt.takes and "publickey" not in attempt.takes:
        hint = "Give the node a `password`: this server takes no keys."
    else:
        hint = (
            f"Add the public key to ~{endpoint.user}/.ssh/authorized_keys there, "
            "or give `key_file` or `password`."
        )
    return ConnectError(f"{endpoint.label} refused the login; tried: {tried}{takes}{cause}", hint)
