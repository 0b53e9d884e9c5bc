"""Look up missing images in their registries: through a tunnel, else by the engine."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Sequence
from concurrent.futures import wait
from dataclasses import dataclass, field, replace
from functools import cached_property

from oz_installer.checks.context import CheckContext, CheckedNode
from oz_installer.checks.registry.engine_lookup import look_up_by_engine
from oz_installer.checks.registry.facts import CERTIFICATES, LookupResult, RegistryFacts, main_registry
from oz_installer.checks.registry.http_client import RegistryClient
from oz_installer.checks.viewpoint import Viewpoint
from oz_installer.image_reference import DOCKER_HUB, api_address_of, parse_reference, registry_host
from oz_installer.remote.docker_engine import RegistryAuth
from oz_installer.remote.parallel import start_all
from oz_installer.remote.transport import Transport

TIME_LIMIT_SECONDS = 9.0
_AUTHORITIES = """
system=/etc/ssl/certs/ca-certificates.crt
[ -f "$system" ] || system=/etc/pki/tls/certs/ca-bundle.crt
for folder in "$@"; do cat "$folder"/*.crt; done 2> /dev/null
cat "$system" 2> /dev/null
"""
_CERTIFICATE = re.compile("-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----")
_CONNECTIONS = 4
"""Parallel connections to one registry."""

Lookup = Callable[[str], LookupResult]


def look_up_images(
    context: CheckContext, node: CheckedNode, facts: RegistryFacts, images: Sequence[str]
) -> RegistryFacts:
    """Look up images in all registries in parallel, as far as they grant access.

    Raises ConnectError."""
    transport, groups = context.transport(node.name), dict[str, list[str]]()
    for image in images:
        groups.setdefault(registry_host(image), []).append(image)
    sessions = {
        registry: _RegistrySession(
            transport=transport,
            viewpoint=context.viewpoint(node.name),
            registry=registry,
            engine=context.answers.engine,
            login=credentials_for(context, registry),
            platform=facts.platform,
            context=_context(),
        )
        for registry in groups
    }
    futures = start_all(
        groups, lambda name: sessions[name].all_of(groups[name], proxy=facts.proxy), name="registry"
    )
    wait(futures.values(), timeout=TIME_LIMIT_SECONDS)
    for future in futures.values():
        if future.done():
            future.result()
    registries = {
        name: session.access or LookupResult(outcome="unreachable", message="no answer in time")
        for name, session in sessions.items()
    }
    found = {image: result for session in sessions.values() for image, result in dict(session.found).items()}
    late = {
        image: LookupResult(outcome="error", message="no answer in time")
        for name, group in groups.items()
        for image in group
        if registries[name].outcome == "in" and image not in found
    }
    return replace(facts, registries=registries, found={**found, **late})


def credentials_for(context: CheckContext, registry: str) -> RegistryAuth | None:
    """Return the login of the answers, for its own registry only: no other one may see it."""
    user = context.answers.registry.username
    if not user or "registry.password" not in context.secrets or registry != main_registry(context):
        return None
    return RegistryAuth(username=user, password=context.secrets["registry.password"])


def _context() -> ssl.SSLContext:
    """Return a TLS context that trusts the authorities of this workstation."""
    return ssl.create_default_context()


def trusted_cas(transport: Transport, engine: str, registry: str) -> ssl.SSLContext | None:
    """Return a TLS context that trusts the authorities of the node's engine; None without any."""
    folders = (f"{folder}/{registry}" for folder in CERTIFICATES[engine])
    result = transport.run(("sh", "-c", _AUTHORITIES, "oz-install-authorities", *folders), timeout=10.0)
    found = _CERTIFICATE.findall(result.stdout.decode("ascii", "ignore"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cadata="\n".join(found))
    except (ssl.SSLError, ValueError):
        return None
    return context


@dataclass(kw_only=True)
class _RegistrySession:
    """The lookups in one registry; ``access`` and ``found`` fill while it runs."""

    transport: Transport
    viewpoint: Viewpoint
    registry: str
    engine: str
    login: RegistryAuth | None
    platform: str
    context: ssl.SSLContext
    access: LookupResult | None = None
    found: dict[str, LookupResult] = field(default_factory=dict)

    @cached_property
    def sizes(self) -> bool:
        """Whether sizes are read: at Docker Hub each manifest counts for the anonymous pull limit."""
        return self.registry != DOCKER_HUB or self.login is not None

    def all_of(self, images: Sequence[str], *, proxy: bool) -> None:
        """Log in, then look up the images."""
        answer = LookupResult(outcome="forbidden") if proxy else self._authenticate()
        if answer.outcome == "untrusted" and (
            known := trusted_cas(self.transport, self.engine, self.registry)
        ):
            self.context = known
            answer = self._authenticate()
        if answer.outcome == "in":
            self.access = answer
            self._each(images, self._each_by_tunnel)
            return
        first = self._engine(images[0])
        if first.outcome in ("in", "missing", "platform"):
            self.access = LookupResult(outcome="in")
            self.found[images[0]] = first
            self._each(images[1:], self._each_by_engine)
            return
        # for a refused login the engine's message counts, otherwise the tunnel's, which says more
        self.access = first if first.outcome == "refused" or answer.outcome == "forbidden" else answer

    def _each(self, images: Sequence[str], work: Callable[[Sequence[str]], None]) -> None:
        """Do the work on a few parts of the images in parallel."""
        parts = {
            str(number): images[number::_CONNECTIONS] for number in range(min(_CONNECTIONS, len(images)))
        }
        for future in start_all(
            parts, lambda key: work(parts[key]), name=f"registry-{self.registry}"
        ).values():
            future.result()

    def _each_by_tunnel(self, images: Sequence[str]) -> None:
        client = self._client()
        try:
            for image in images:
                answer = client.manifest(parse_reference(image), self.platform, sizes=self.sizes)
                if answer.outcome != "in":  # a mirror may have it, or the node's own login may work
                    by_engine = self._engine(image)
                    answer = by_engine if by_engine.outcome == "in" else answer
                self.found[image] = answer
        finally:
            client.close()

    def _each_by_engine(self, images: Sequence[str]) -> None:
        for image in images:
            self.found[image] = self._engine(image)

    def _authenticate(self) -> LookupResult:
        client = self._client()
        try:
            return client.authenticate()
        finally:
            client.close()

    def _client(self) -> RegistryClient:
        return RegistryClient(self.viewpoint, api_address_of(self.registry), self.login, self.context)

    def _engine(self, image: str) -> LookupResult:
        return look_up_by_engine(self.transport, self.engine, image, self.login, self.platform)
