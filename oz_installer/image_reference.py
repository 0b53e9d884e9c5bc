"""References of images: registry, repository and tag, and whether an engine has the image.

Pure.
"""

from __future__ import annotations

from collections.abc import Collection

from oz_installer.frozen import dataclass

DOCKER_HUB = "docker.io"
_API_HOSTS = {DOCKER_HUB: f"registry-1.{DOCKER_HUB}"}  # as in the docker client
_HTTPS = 443


@dataclass(frozen=True, kw_only=True)
class ImageReference:
    """A reference: ``registry`` as in a login, ``repository`` in it; ``tag`` may be a digest."""

    registry: str
    repository: str
    tag: str

    @property
    def api_address(self) -> tuple[str, int]:
        """The host and port of the registry's API; an IPv6 address has no brackets."""
        return api_address_of(self.registry)


def api_address_of(registry: str) -> tuple[str, int]:
    """Return the host and port of a registry's API."""
    address = _API_HOSTS.get(registry, registry)
    head, colon, port = address.rpartition(":")
    host, number = (head, int(port)) if colon and port.isdigit() and head else (address, _HTTPS)
    return host.removeprefix("[").removesuffix("]"), number


def registry_host(image: str) -> str:
    """Return the registry of an image; Docker Hub for a name without one."""
    return _named_registry(image) or DOCKER_HUB


def full_name(image: str) -> str:
    """Return the image name with its registry: Docker Hub if it names none."""
    if _named_registry(image):
        return image
    return f"{DOCKER_HUB}/{image}" if "/" in image else f"{DOCKER_HUB}/library/{image}"


def _named_registry(image: str) -> str:
    first, slash, _ = image.partition("/")
    return first if slash and ("." in first or ":" in first or first == "localhost") else ""


def parse_reference(image: str) -> ImageReference:
    """Parse a reference. A digest takes precedence over a tag."""
    registry = registry_host(image)
    rest = image.removeprefix(f"{registry}/")
    rest, at, digest = rest.partition("@")
    folder, slash, last = rest.rpartition("/")
    name, _, tag = last.partition(":")
    repository = f"{folder}{slash}{name}"
    if registry == DOCKER_HUB and "/" not in repository:
        repository = f"library/{repository}"
    return ImageReference(registry=registry, repository=repository, tag=digest if at else tag or "latest")


def has_image(present: Collection[str], image: str) -> bool:
    """Return whether an image is on a node, whichever of its names the engine prints."""
    short = image.removeprefix("docker.io/").removeprefix("library/")
    name, at, digest = short.partition("@")
    folder, slash, last = name.rpartition("/")
    if at:  # engines list an image that was pulled by its digest without its tag
        tagged = f"{folder}{slash}{last.partition(':')[0]}@{digest}"
    else:
        tagged = name if ":" in last else f"{name}:latest"
    return any(name.removeprefix("docker.io/").removeprefix("library/") == tagged for name in present)
