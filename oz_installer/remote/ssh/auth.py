"""SSH login by key file, agent, the usual keys and password, in this order."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from oz_installer.errors import ConnectError
from oz_installer.remote.ssh.config import SshEndpoint
from oz_installer.remote.ssh.paramiko_import import paramiko
from oz_installer.remote.ssh.target import AskSecret
from oz_installer.secret import Secret
from oz_installer.text import safe_line

USUAL_KEYS = ("id_ed25519", "id_ecdsa", "id_rsa")
# sshd's MaxAuthTries is 6: leave one for the password
MOST_KEYS = 5
LONGEST_REASON = 600


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """The operator's credentials; ``key_file`` is tried first."""

    key_file: Path | None = None
    key_passphrase: Secret | None = None
    password: Secret | None = None
    ask_secret: AskSecret | None = None


@dataclass
class _Login:
    """A login in progress: what was ``tried``, and the methods that the server ``offers``."""

    transport: paramiko.Transport
    user: str
    tried: list[str] = field(default_factory=list)
    offers: list[str] = field(default_factory=list)

    def by_key(self, label: str, key: paramiko.PKey | None) -> bool:
        self.tried.append(label)
        if key is None:
            return False
        return self._succeeds(lambda: self.transport.auth_publickey(self.user, key))

    def by_password(self, password: Secret) -> bool:
        self.tried.append("password")
        return self._succeeds(lambda: self.transport.auth_password(self.user, password.reveal()))

    def _succeeds(self, login: Callable[[], list[str]]) -> bool:
        try:
            self.offers = list(login())
        except paramiko.BadAuthenticationType as error:
            self.offers = list(error.allowed_types)
            return False
        except paramiko.AuthenticationException:
            if not self.transport.is_active():
                raise
            return False
        return bool(self.transport.is_authenticated())

    def allows(self, method: str) -> bool:
        return not self.offers or method in self.offers


def load_key(path: Path, passphrase: Secret | None) -> paramiko.PKey | None:
    """Read a private key; None when it is encrypted and no passphrase was given.

    Raises ConnectError for a missing file, a wrong passphrase, or a file without a private key.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConnectError(
            f"key file {path} cannot be read: {error.strerror}", "Correct `key_file` of the node."
        ) from None
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
            "Set the private key (Ed25519, ECDSA or RSA), not the .pub file.",
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


def _keys(endpoint: SshEndpoint, credentials: Credentials) -> Iterator[tuple[str, paramiko.PKey | None]]:
    """Yield the keys to try in order; None for one that cannot be read, but may be in the agent."""
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


def authenticate(transport: paramiko.Transport, endpoint: SshEndpoint, credentials: Credentials) -> None:
    """Log in. Raises ConnectError with what was tried and what the server offers."""
    attempt = _Login(transport, endpoint.user)
    try:
        if _try_all(attempt, endpoint, credentials):
            return
    except paramiko.AuthenticationException:
        raise _closed(endpoint, attempt, "") from None
    except (paramiko.SSHException, EOFError, OSError) as error:
        if isinstance(error, ConnectError):
            raise
        raise _closed(endpoint, attempt, f" ({type(error).__name__})") from None
    raise _refused(endpoint, attempt)


def _try_all(attempt: _Login, endpoint: SshEndpoint, credentials: Credentials) -> bool:
    for number, (label, key) in enumerate(_keys(endpoint, credentials)):
        if not attempt.allows("publickey") or number == MOST_KEYS:
            break
        if attempt.by_key(label, key):
            return True
    password = credentials.password
    if not (attempt.allows("password") or attempt.allows("keyboard-interactive")):
        return False
    if password is None and credentials.ask_secret is not None:
        if not attempt.offers:
            _query_methods(attempt)
        if attempt.allows("password") or attempt.allows("keyboard-interactive"):
            password = credentials.ask_secret(f"Password of {endpoint.label}")
    if password is not None and attempt.by_password(password):
        return True
    if not attempt.offers:
        _query_methods(attempt)
    return False


def _query_methods(attempt: _Login) -> None:
    """Ask the server which methods it offers."""
    try:
        attempt.transport.auth_none(attempt.user)
    except paramiko.BadAuthenticationType as error:
        attempt.offers = list(error.allowed_types)
    except paramiko.AuthenticationException:
        return


def _closed(endpoint: SshEndpoint, attempt: _Login, kind: str) -> ConnectError:
    """Return the error for a server that closes the connection during the login.

    What PAM says against the account comes as a banner, behind any banner of sshd's own.
    """
    from oz_installer.remote.ssh.refusals import known_refusal

    handler = attempt.transport.auth_handler
    banner = (handler.banner if handler else None) or b""
    text = banner.decode("utf-8", "replace") if isinstance(banner, bytes) else str(banner)
    told = f"; it said: {safe_line(text, LONGEST_REASON)}" if text.strip() else ""
    tried = f"tried: {', '.join(attempt.tried) or 'nothing'}"
    if known := known_refusal(text, endpoint.user):
        return ConnectError(f"{endpoint.label}: {known[0]}{told}; {tried}", known[1])
    hint = "As root there, `journalctl -t sshd -t sshd-session` or /var/log/auth.log gives the reason."
    if len(attempt.tried) > 1:
        hint += " If it is too many attempts, set `key_file` of the node: it is tried first."
    return ConnectError(f"{endpoint.label} closed the connection during the login{kind}{told}; {tried}", hint)


def _refused(endpoint: SshEndpoint, attempt: _Login) -> ConnectError:
    tried = ", ".join(attempt.tried) or "nothing (no key and no password available)"
    offers = f"; the server offers {', '.join(attempt.offers)}" if attempt.offers else ""
    if "password" in attempt.tried:
        hint = f"Check the password of {endpoint.user}, and that sshd allows this user to log in."
    elif any("encrypted" in label for label in attempt.tried):
        hint = "Set `key_passphrase` of the node, or load the key into ssh-agent."
    elif attempt.offers and "publickey" not in attempt.offers:
        hint = "Set `password` of the node: this server accepts no keys."
    else:
        hint = (
            f"Add the public key to ~{endpoint.user}/.ssh/authorized_keys there, "
            "or set `key_file` or `password`."
        )
    return ConnectError(f"{endpoint.label} refused the login; tried: {tried}{offers}", hint)
