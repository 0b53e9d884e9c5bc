"""The keys and certificates to offer a server, in OpenSSH's order.

1. `key_file` of the answers, which ``ssh`` would try later: an operator who names it expects it to be used
2. certificates of CertificateFile
3. keys in the agent that belong to an IdentityFile
4. other keys in the agent, unless IdentitiesOnly
5. the other IdentityFiles

The certificate beside a key file, KEY-cert.pub, follows its key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from oz_installer.errors import ConnectError
from oz_installer.frozen import dataclass
from oz_installer.remote.ssh.config import SshEndpoint
from oz_installer.remote.ssh.login.key_files import (
    CERTIFICATE,
    certificate_of,
    certified_key,
    key_type,
    load_key,
    open_to_others,
    public_key_of,
)
from oz_installer.remote.ssh.paramiko_import import paramiko
from oz_installer.remote.ssh.target import AskSecret
from oz_installer.secret import Secret
from oz_installer.text import safe_line

if TYPE_CHECKING:
    from oz_installer.remote.ssh.login.agent import AgentIdentity, SshAgent

Sign = Callable[[bytes, str], bytes]
"""Returns the signature of data by an algorithm. Raises AgentFailure."""

LONGEST_COMMENT = 60


@dataclass(frozen=True, kw_only=True)
class KeyOffer:
    """A key or certificate to offer.

    One without ``sign`` cannot be used, for the reason in its ``label``. ``ask_first``: signing may need the
    operator, so the server is asked first whether the key would do.
    """

    label: str
    blob: bytes = b""
    sign: Sign | None = None
    ask_first: bool = False


class KeyRing:
    """The keys at hand for one server."""

    def __init__(
        self,
        endpoint: SshEndpoint,
        key_file: Path | None,
        passphrase: Secret | None,
        ask_secret: AskSecret | None,
    ) -> None:
        self._given = key_file
        self._passphrase = passphrase
        self._ask_secret = ask_secret
        self._endpoint = endpoint
        self._files = [path for path in dict.fromkeys(endpoint.key_files) if path != key_file]
        self._agent: SshAgent | None = None
        self._held: dict[bytes, AgentIdentity] = {}
        if endpoint.agent:
            from oz_installer.remote.ssh.login.agent import SshAgent

            self._agent = SshAgent(endpoint.agent)
            self._held = {identity.blob: identity for identity in self._agent.identities()}
        self._used: set[bytes] = set()

    def offers(self) -> Iterator[KeyOffer]:
        """Yield the keys in the order in which to offer them, each once."""
        if self._given is not None:
            yield from self._of_given(self._given)
        for path in self._endpoint.certificate_files:
            yield from self._of_certificate(path)
        named = {blob: path for path in self._files if self._held for blob in self._blobs(path)}
        for blob in self._held:
            if blob in named:
                yield from self._by_agent(blob, str(named[blob]))
        if not self._endpoint.identities_only:
            for blob, identity in self._held.items():
                yield from self._by_agent(blob, identity.comment)
        for path in self._files:
            yield from self._of_file(path)

    def _of_given(self, path: Path) -> Iterator[KeyOffer]:
        public = public_key_of(path) if self._held else None
        if public is not None and public in self._held:
            yield from self._by_agent(public, str(path))
            yield from self._beside(path, self._agent_sign(public))
            return
        key = load_key(path, self._passphrase)
        if key is None and self._ask_secret is not None:
            key = load_key(path, self._ask_secret(f"Passphrase of {path}"))
        if key is None:
            yield KeyOffer(label=f"key {path} (encrypted, no passphrase given)")
        else:
            yield from self._by_key(path, key)

    def _of_file(self, path: Path) -> Iterator[KeyOffer]:
        public = public_key_of(path) if self._held else None
        if public is not None and public in self._held:
            yield from self._by_agent(public, str(path))
            yield from self._beside(path, self._agent_sign(public))
        elif mode := open_to_others(path) if path.suffix != ".pub" else "":
            yield KeyOffer(label=f"key {path} (not used: open to other users, mode {mode}; chmod 600)")
        elif path.is_file():
            yield from self._from_disk(path)

    def _from_disk(self, path: Path) -> Iterator[KeyOffer]:
        try:
            key = load_key(path, None)
        except ConnectError:
            blob = public_key_of(path)
            if path.suffix == ".pub" or (blob and key_type(blob).startswith("sk-")):
                yield KeyOffer(label=f"key {path} (its private key is not in ssh-agent)")
            return
        if key is None:
            yield KeyOffer(label=f"key {path} (encrypted, and not in ssh-agent)")
        else:
            yield from self._by_key(path, key)

    def _by_key(self, path: Path, key: paramiko.PKey) -> Iterator[KeyOffer]:
        sign = partial(_sign, key)
        blob = key.asbytes()
        if blob not in self._used:
            self._used.add(blob)
            yield KeyOffer(label=f"key {path}", blob=blob, sign=sign)
        yield from self._beside(path, sign)

    def _beside(self, path: Path, sign: Sign) -> Iterator[KeyOffer]:
        """Yield the certificate beside a key file; CertificateFile replaces it, as in OpenSSH."""
        if self._endpoint.certificate_files:
            return
        certificate = certificate_of(path.with_name(f"{path.name}-cert.pub"))
        if certificate is not None and certificate not in self._used:
            self._used.add(certificate)
            yield KeyOffer(label=f"certificate {path}-cert.pub", blob=certificate, sign=sign)

    def _of_certificate(self, path: Path) -> Iterator[KeyOffer]:
        certificate = certificate_of(path)
        if certificate is None:
            yield KeyOffer(label=f"certificate {path} (cannot be read)")
            return
        sign = self._signer_of(certified_key(certificate))
        if sign is None:
            yield KeyOffer(label=f"certificate {path} (its private key is not at hand)")
        elif certificate not in self._used:
            self._used.add(certificate)
            yield KeyOffer(label=f"certificate {path}", blob=certificate, sign=sign)

    def _signer_of(self, public: bytes | None) -> Sign | None:
        """Return what signs with a public key's private one: the agent, else a key file."""
        if public is None:
            return None
        if public in self._held:
            return self._agent_sign(public)
        for path in [*([self._given] if self._given else []), *self._files]:
            if public_key_of(path) == public:
                try:
                    key = load_key(path, self._passphrase if path == self._given else None)
                except ConnectError:
                    continue
                if key is not None:
                    return partial(_sign, key)
        return None

    def _blobs(self, path: Path) -> list[bytes]:
        """Return the public key and the certificate of a key file."""
        found = [public_key_of(path), certificate_of(path.with_name(f"{path.name}-cert.pub"))]
        return [blob for blob in found if blob is not None]

    def _by_agent(self, blob: bytes, comment: str) -> Iterator[KeyOffer]:
        if blob in self._used:
            return
        self._used.add(blob)
        told = f" ({safe_line(comment, LONGEST_COMMENT)})" if comment else ""
        many = len(self._held) > 1
        label = f"agent key {safe_line(key_type(blob), LONGEST_COMMENT)}{told}"
        yield KeyOffer(label=label, blob=blob, sign=self._agent_sign(blob), ask_first=many)

    def _agent_sign(self, blob: bytes) -> Sign:
        agent = self._agent
        assert agent is not None  # noqa: S101 - the blob comes from it
        return lambda data, algorithm: agent.sign(blob, data, algorithm)


def _sign(key: paramiko.PKey, data: bytes, algorithm: str) -> bytes:
    return key.sign_ssh_data(data, algorithm).asbytes()


def signature_algorithm(blob: bytes, offered: tuple[str, ...]) -> str | None:
    """Return the algorithm to sign with, without the suffix of a certificate.

    None for an RSA key and a server that takes SHA-1 only. ``offered``: what the server named."""
    kind = key_type(blob).removesuffix(CERTIFICATE)
    if kind.startswith("sk-") and not kind.endswith("@openssh.com"):
        kind += "@openssh.com"
    if kind != "ssh-rsa":
        return kind
    wanted = ("rsa-sha2-512", "rsa-sha2-256")
    return next((name for name in wanted if not offered or name in offered), None)


def key_algorithm(blob: bytes, algorithm: str) -> str:
    """Return the algorithm that a request names: for a certificate that of certificates."""
    kind = key_type(blob)
    if not kind.endswith(CERTIFICATE):
        return algorithm
    return f"{algorithm}{CERTIFICATE}" if algorithm.startswith("rsa-") else kind
