"""A client for image registries: HTTPS through a node's tunnel, with the registry's login.

Source: OCI Distribution Specification 1.1; token authentication as Docker's registry describes it.
"""

from __future__ import annotations

import base64
import http.client
import json
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from email.message import Message
from typing import Any
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import parse_http_list, parse_keqv_list

from oz_installer.checks.network.tcp import tunnel_error
from oz_installer.checks.registry.facts import LookupResult
from oz_installer.checks.viewpoint import Viewpoint
from oz_installer.image_reference import ImageReference
from oz_installer.remote.docker_engine import RegistryAuth
from oz_installer.remote.transport import ForwardingForbidden
from oz_installer.text import safe_line

SECONDS = 4.0
_LARGEST = 4 * 1024 * 1024
_TAGS_ASKED = 1000
_ACCEPT = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
_NO_ACCESS = (401, 403)


@dataclass(frozen=True, kw_only=True)
class _Reply:
    status: int
    headers: Message
    body: bytes = field(repr=False)

    @property
    def message(self) -> str:
        """The registry's own error message, otherwise the HTTP status."""
        try:
            errors = json.loads(self.body)["errors"]
            return safe_line("; ".join(str(one.get("message") or one.get("code")) for one in errors))
        except (ValueError, KeyError, TypeError, AttributeError):
            return f"HTTP status {self.status}"


class _Refused(Exception):
    """The registry refuses the login."""


class _Connection(http.client.HTTPConnection):
    """An HTTPS connection through a tunnel of the node."""

    default_port = 443

    def __init__(self, viewpoint: Viewpoint, host: str, port: int, context: ssl.SSLContext) -> None:
        super().__init__(host, port)
        self._viewpoint, self._context = viewpoint, context

    def connect(self) -> None:
        """Open the tunnel, then TLS. Raises OSError, ForwardingForbidden."""
        sock = self._viewpoint.tunnel(self.host, self.port, timeout=SECONDS)
        try:
            sock.settimeout(SECONDS)
            self.sock = self._context.wrap_socket(sock, server_hostname=self.host)
        except BaseException:
            sock.close()
            raise


class RegistryClient:
    """A client of one registry; not thread-safe.

    As with the engine, the password goes only to the registry and to its token server, always encrypted."""

    def __init__(
        self,
        viewpoint: Viewpoint,
        address: tuple[str, int],
        login: RegistryAuth | None,
        context: ssl.SSLContext,
    ) -> None:
        self._viewpoint, self._address, self._login, self._context = viewpoint, address, login, context
        self._basic = False
        self._tokens: dict[str, str] = {}
        self._connections: dict[tuple[str, int], _Connection] = {}

    def authenticate(self) -> LookupResult:
        """Return whether this is a registry that grants access.

        Raises ConnectError when the node is lost."""
        return _as_result(self._authenticate)

    def manifest(self, name: ImageReference, platform: str, *, sizes: bool) -> LookupResult:
        """Return whether the registry has the image for this platform.

        Without ``sizes`` it only checks that the image exists: reading a manifest may count as a pull."""
        return _as_result(lambda: self._image(name, platform, sizes=sizes))

    def close(self) -> None:
        """Close the connections."""
        for connection in self._connections.values():
            connection.close()

    def _authenticate(self) -> LookupResult:
        reply = self._send(self._address, "GET", "/v2/", {})
        if reply.status == 401:
            challenges = _challenges(reply.headers)
            if self._login is None:
                # Only a request for an image shows whether anonymous users may pull.
                return LookupResult(
                    outcome="in" if "bearer" in challenges else "refused", message="it requires a login"
                )
            if "bearer" in challenges:
                self._token(challenges["bearer"], "")  # a token proves that the login is valid
                return LookupResult(outcome="in")
            reply = self._ask("GET", "/v2/", "")
        if reply.status in _NO_ACCESS:
            return LookupResult(outcome="refused", message=reply.message)
        if reply.status != 200:
            return LookupResult(
                outcome="stranger", message=f"HTTP status {reply.status} instead of a registry's /v2/ answer"
            )
        return LookupResult(outcome="in")

    def _image(self, name: ImageReference, platform: str, *, sizes: bool) -> LookupResult:
        scope = f"repository:{name.repository}:pull"
        reply = self._manifest(name, name.tag, scope, "GET" if sizes else "HEAD")
        if reply.status == 404:
            return self._absent(name, scope)
        if reply.status == 200 and sizes:
            document = json.loads(reply.body)
            if "manifests" in document:
                digest, others = _chosen(document["manifests"], platform)
                if digest is None:
                    return LookupResult(outcome="platform", others=others)
                reply = self._manifest(name, digest, scope, "GET")
                document = json.loads(reply.body) if reply.status == 200 else {}
            layers = {str(layer["digest"]): int(layer["size"]) for layer in document.get("layers", ())}
            if reply.status == 200:
                return LookupResult(outcome="in", layers=layers or None)
        if reply.status in _NO_ACCESS:
            return LookupResult(outcome="refused", message=reply.message)
        if reply.status != 200:
            return LookupResult(outcome="error", message=reply.message)
        return LookupResult(outcome="in")

    def _manifest(self, name: ImageReference, tag: str, scope: str, method: str) -> _Reply:
        return self._ask(
            method,
            f"/v2/{quote(name.repository)}/manifests/{quote(tag, safe=':')}",
            scope,
            {"Accept": _ACCEPT},
        )

    def _absent(self, name: ImageReference, scope: str) -> LookupResult:
        """Return whether the repository or only the tag is missing, with the existing tags."""
        reply = self._ask("GET", f"/v2/{quote(name.repository)}/tags/list?n={_TAGS_ASKED}", scope)
        tags = json.loads(reply.body).get("tags") if reply.status == 200 else None
        if not tags:
            return LookupResult(outcome="missing")
        return LookupResult(outcome="no-tag", others=tuple(safe_line(tag) for tag in tags))

    def _ask(self, method: str, path: str, scope: str, headers: Mapping[str, str] | None = None) -> _Reply:
        """Send a request; repeat it with the credentials that the registry asks for."""
        reply = self._send(self._address, method, path, {**(headers or {}), **self._authorization(scope)})
        if reply.status == 401 and self._learn(_challenges(reply.headers), scope):
            reply = self._send(self._address, method, path, {**(headers or {}), **self._authorization(scope)})
        return reply

    def _authorization(self, scope: str) -> dict[str, str]:
        if scope in self._tokens:
            return {"Authorization": f"Bearer {self._tokens[scope]}"}
        return _basic(self._login) if self._basic and self._login else {}

    def _learn(self, challenges: Mapping[str, Mapping[str, str]], scope: str) -> bool:
        """Prepare the credentials of a challenge; return False when all were tried."""
        if "bearer" in challenges and scope not in self._tokens:
            self._tokens[scope] = self._token(challenges["bearer"], scope)
            return True
        if "basic" in challenges and self._login and not self._basic:
            self._basic = True
            return True
        return False

    def _token(self, challenge: Mapping[str, str], scope: str) -> str:
        """Get a token from the registry's token server. Raises _Refused, ValueError, OSError."""
        realm = urlsplit(challenge["realm"])
        if realm.scheme != "https" or not realm.hostname:
            raise ValueError("it wants the login sent unencrypted")
        fields = {"service": challenge.get("service", ""), "scope": scope}
        if self._login:
            fields["account"] = self._login.username
        query = urlencode({key: value for key, value in fields.items() if value})
        path = f"{realm.path or '/'}?{'&'.join(part for part in (realm.query, query) if part)}"
        address = (realm.hostname, realm.port or 443)
        reply = self._send(address, "GET", path, _basic(self._login) if self._login else {})
        if reply.status in (400, *_NO_ACCESS):
            raise _Refused(reply.message)
        if reply.status != 200:
            raise ValueError(f"its token server {realm.hostname} answers with {reply.message}")
        document = json.loads(reply.body)
        return str(document.get("token") or document["access_token"])

    def _send(self, address: tuple[str, int], method: str, path: str, headers: Mapping[str, str]) -> _Reply:
        """Send a request over a kept connection; reopen one that was closed in the meantime."""
        connection = self._connections.get(address)
        kept = connection is not None and connection.sock is not None
        if connection is None:
            connection = self._connections[address] = _Connection(self._viewpoint, *address, self._context)
        try:
            return _exchange(connection, method, path, headers)
        except ConnectionError:
            connection.close()
            if not kept:
                raise
            return _exchange(connection, method, path, headers)


def _exchange(connection: _Connection, method: str, path: str, headers: Mapping[str, str]) -> _Reply:
    try:
        connection.request(method, path, headers={"User-Agent": "oz-install", **headers})
        response = connection.getresponse()
        body = response.read(_LARGEST + 1)
    except BaseException:
        connection.close()
        raise
    if len(body) > _LARGEST:
        connection.close()
        raise ValueError(f"its answer is larger than {_LARGEST // 1024**2} MB")
    return _Reply(status=response.status, headers=response.headers, body=body)


def _as_result(request: Callable[[], LookupResult]) -> LookupResult:
    """Turn every error of a request into a result."""
    try:
        return request()
    except _Refused as refused:
        return LookupResult(outcome="refused", message=str(refused))
    except ForwardingForbidden:
        return LookupResult(outcome="forbidden")
    except ssl.SSLCertVerificationError as error:
        return LookupResult(outcome="untrusted", message=safe_line(error.verify_message))
    except ssl.SSLError as error:
        return LookupResult(outcome="stranger", message=safe_line(f"no TLS: {error.reason}"))
    except TimeoutError:
        return LookupResult(outcome="unreachable", message=f"no answer within {SECONDS:.0f} s")
    except OSError as error:
        return LookupResult(outcome="unreachable", message=tunnel_error(error) or type(error).__name__)
    except (http.client.HTTPException, ValueError, LookupError, TypeError, AttributeError) as error:
        return LookupResult(outcome="stranger", message=safe_line(error) or type(error).__name__)


def _challenges(headers: Message) -> dict[str, Mapping[str, str]]:
    """Parse the accepted kinds of login: ``bearer`` and ``basic`` with their parameters."""
    challenges: dict[str, Mapping[str, str]] = {}
    for line in headers.get_all("WWW-Authenticate") or ():
        scheme, _, rest = str(line).partition(" ")
        challenges[scheme.lower()] = parse_keqv_list([one for one in parse_http_list(rest) if "=" in one])
    return challenges


def _basic(login: RegistryAuth) -> dict[str, str]:
    pair = f"{login.username}:{login.password.reveal()}".encode()
    return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}


def _chosen(manifests: Sequence[Any], platform: str) -> tuple[str | None, tuple[str, ...]]:
    """Return the digest of this platform's manifest, and all platforms."""
    listed = {
        f"{one['platform']['os']}/{one['platform']['architecture']}": str(one["digest"]) for one in manifests
    }
    return listed.get(platform), tuple(safe_line(name) for name in listed if "unknown" not in name)
