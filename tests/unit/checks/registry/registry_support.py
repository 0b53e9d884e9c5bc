"""A registry for tests: HTTPS, a login or tokens, a few images; this machine as a node that reaches it."""

from __future__ import annotations

import base64
import datetime
import json
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.local_transport import LocalTransport
from tests.unit.checks.checks_support import CANARY, Elsewhere

HOST = "images.example.com"
USER = "puller"
INDEX = "application/vnd.oci.image.index.v1+json"
PLAIN = {"layers": [{"digest": "sha256:a", "size": 1000}, {"digest": "sha256:b", "size": 24}]}
BOTH = {
    "manifests": [
        {"digest": "sha256:arm", "platform": {"os": "linux", "architecture": "arm64"}},
        {"digest": "sha256:amd", "platform": {"os": "linux", "architecture": "amd64"}},
        {"digest": "sha256:proof", "platform": {"os": "unknown", "architecture": "unknown"}},
    ]
}
IMAGES: Mapping[str, Mapping[str, Any]] = {
    "oz/plain": {"1": PLAIN},
    "oz/both": {"1": BOTH, "sha256:amd": PLAIN, "sha256:arm": {"layers": []}},
    "oz/foreign": {"1": {"manifests": BOTH["manifests"][:1]}},
    "oz/odd": {"1": ["no manifest"]},
}


def certificate(folder: Path, host: str = HOST) -> tuple[Path, Path]:
    """A certificate that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "ca.crt", folder / "key.pem"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return paths


@dataclass
class FakeRegistry:
    """``login`` is basic, bearer or none; ``asked`` are its requests, ``told`` the logins that came."""

    login: str = "none"
    port: int = 0
    realm: str = f"https://{HOST}/token"
    asked: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def answer(self, method: str, path: str, authorization: str) -> tuple[int, dict[str, str], Any]:
        """Status, headers and document."""
        self.asked.append(f"{method} {path}")
        if authorization:
            self.told.append(authorization)
        url = urlsplit(path)
        right = "Basic " + base64.b64encode(f"{USER}:{CANARY}".encode()).decode()
        if url.path == "/token":
            scope = parse_qs(url.query).get("scope", [""])[0]
            if authorization and authorization != right:
                return 401, {}, {"errors": [{"code": "UNAUTHORIZED", "message": "wrong password"}]}
            return 200, {}, {"token": f"for {scope}" if authorization else "nobody"}
        if challenge := self._challenge(authorization, right, url.path):
            return 401, {"WWW-Authenticate": challenge}, {"errors": [{"code": "UNAUTHORIZED"}]}
        return self._content(url.path)

    def _challenge(self, authorization: str, right: str, path: str) -> str:
        if self.login == "basic" and authorization != right:
            return 'Basic realm="lab"'
        name = path.removeprefix("/v2/").partition("/manifests/")[0].partition("/tags/")[0]
        if self.login == "bearer" and authorization != f"Bearer for repository:{name}:pull":
            return f'Bearer realm="{self.realm}",service="lab, and more"'
        return ""

    def _content(self, path: str) -> tuple[int, dict[str, str], Any]:
        if path == "/v2/":
            return 200, {}, {}
        name, _, tag = path.removeprefix("/v2/").partition("/manifests/")
        if path.endswith("/tags/list"):
            name = path.removeprefix("/v2/").removesuffix("/tags/list")
            if name in IMAGES:
                return 200, {}, {"name": name, "tags": sorted(IMAGES[name])}
        elif tag in IMAGES.get(name, {}):
            return 200, {"Content-Type": INDEX}, IMAGES[name][tag]
        return 404, {}, {"errors": [{"code": "NAME_UNKNOWN", "message": "unknown"}]}


@contextmanager
def serving(fake: FakeRegistry, folder: Path | None) -> Iterator[ssl.SSLContext]:
    """The registry on a port of this machine, without TLS where there is no folder; who trusts it."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, headers, document = fake.answer(
                self.command, self.path, self.headers.get("Authorization", "")
            )
            body = json.dumps(document).encode()
            self.send_response(status)
            for key, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(key, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        do_HEAD = do_GET

        def log_message(self, *_: Any) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    trust = ssl.create_default_context()
    if folder:
        public, private = certificate(folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(public, private)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        trust = ssl.create_default_context(cafile=str(public))
    fake.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield trust
    finally:
        server.shutdown()
        server.server_close()


class Node(Elsewhere):
    """This machine, without sudo, whose tunnels lead to the registry."""

    def __init__(self, *, port: int | None = None) -> None:
        super().__init__("n1", port=port)
        self._become = LocalTransport(become="none")._become
