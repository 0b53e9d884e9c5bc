"""A certificate authority of our own, servers that it vouches for, a proxy that tells what it was asked."""

from __future__ import annotations

import datetime
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def write_certificate(folder: Path, names: Sequence[str]) -> Path:
    """``tls.pem``: key and certificate for these names, signed by the authority of ``ca.pem`` beside it."""
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority of the tests")])
    now = datetime.datetime.now(datetime.UTC)

    def begun(subject: x509.Name, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(ca_name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
        )

    ca = begun(ca_name, ca_key.public_key()).add_extension(x509.BasicConstraints(True, None), critical=True)
    ca_id = x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key())
    signed_ca = ca.add_extension(ca_id, critical=False).sign(ca_key, hashes.SHA256())
    own = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    leaf = begun(own, key.public_key())
    leaf = leaf.add_extension(
        x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False
    )
    issuer = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(ca_id)
    signed = leaf.add_extension(issuer, critical=False).sign(ca_key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "ca.pem").write_bytes(signed_ca.public_bytes(pem))
    (folder / "tls.pem").write_bytes(private + signed.public_bytes(pem))
    return folder / "tls.pem"


@contextmanager
def tls_server(certificate: Path, address: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """A server that shakes hands and hangs up; its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def serve(sock: socket.socket) -> None:
        with suppress(OSError), context.wrap_socket(sock, server_side=True) as wrapped:
            wrapped.recv(1)

    with socket.create_server((address, port)) as server:
        _accepting(server, serve)
        yield server.getsockname()[1]


@dataclass
class ConnectProxy:
    """Answers CONNECT with one line; with ``200`` it hands on to ``target``, whatever was asked."""

    answer: str
    target: tuple[str, int]
    asked: list[str] = field(default_factory=list)
    port: int = 0

    def serve(self, sock: socket.socket) -> None:
        """One connection."""
        with suppress(OSError), sock:
            request = b""
            while b"\r\n\r\n" not in request and (data := sock.recv(1024)):
                request += data
            self.asked.append(request.decode().splitlines()[0])
            sock.sendall(f"{self.answer}\r\n\r\n".encode())
            if " 200" in self.answer:
                with socket.create_connection(self.target) as other:
                    threading.Thread(target=_copy, args=(other, sock), daemon=True).start()
                    _copy(sock, other)


@contextmanager
def connect_proxy(
    target: tuple[str, int], answer: str = "HTTP/1.1 200 OK", address: str = "127.0.0.1"
) -> Iterator[ConnectProxy]:
    """One that runs."""
    proxy = ConnectProxy(answer=answer, target=target)
    with socket.create_server((address, 0)) as server:
        proxy.port = server.getsockname()[1]
        _accepting(server, proxy.serve)
        yield proxy


def _accepting(server: socket.socket, serve: Callable[[socket.socket], None]) -> None:
    def loop() -> None:
        with suppress(OSError):
            while True:
                sock, _ = server.accept()
                threading.Thread(target=serve, args=(sock,), daemon=True).start()

    threading.Thread(target=loop, daemon=True).start()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
