"""Facts about a node's images: those on it, and the registries' answers for missing ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from oz_installer.catalog.engine import ENGINES
from oz_installer.checks.context import CheckContext, CheckedNode
from oz_installer.image_reference import DOCKER_HUB, has_image
from oz_installer.text import parse_int, safe_line

RegistryOutcome = Literal[
    "in",
    "refused",
    "missing",
    "no-tag",
    "platform",
    "forbidden",
    "unreachable",
    "untrusted",
    "stranger",
    "error",
]
CERTIFICATES = {
    "docker": ("/etc/docker/certs.d",),
    "podman": ("/etc/containers/certs.d", "/etc/docker/certs.d"),
}
"""Folders where an engine looks for the CA certificates of a registry."""
MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True, kw_only=True)
class LookupResult:
    """The result of a request to a registry. ``layers`` are bytes by digest, None when unknown.

    ``others`` are the tags or platforms that exist instead of the wanted one."""

    outcome: RegistryOutcome
    message: str = ""
    layers: Mapping[str, int] | None = None
    others: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RegistryFacts:
    """Images of a node. ``known``: the engine listed them.

    ``present``: their platforms, by image.

    ``platform`` is the node's own, as linux/amd64; ``free`` is in KiB, of the disk behind the engine.
    ``registries`` holds whether each registry grants access, ``found`` its answer for each missing image.
    """

    known: bool = True
    platform: str = ""
    present: Mapping[str, str] = field(default_factory=dict)
    free: int | None = None
    proxy: bool = False
    registries: Mapping[str, LookupResult] = field(default_factory=dict)
    found: Mapping[str, LookupResult] = field(default_factory=dict)


# $1 engine, $2 format of its images, $3 format of its information, then images. Inspect fails when an image
# is missing or the engine does not answer; only then the information is read. Docker without its daemon fills
# the format with nothing, sometimes with status 0. The address of a proxy may hold secrets.
SCRIPT = """
engine=$1 form=$2 more=$3; shift 3
command -v "$engine" > /dev/null || exit 0
machine=$(uname -m)
echo "machine $machine"
timeout 5 "$engine" image inspect --format "image $form" "$@" 2> /dev/null
status=$?
case $status in 124 | 143) exit 0 ;; esac  # it hangs; 143: busybox's status
[ $status -ne 0 ] || { echo "all yes"; exit; }
info=$(timeout 5 "$engine" info --format "$more") && [ -n "${info#* }" ] || exit 0  # it does not answer
echo "proxy ${info%% *}"
echo "free $(timeout 5 df -Pk "${info#* }" | awk 'END { print $4 }')"
[ "$engine" = docker ] || [ -z "$HTTPS_PROXY$https_proxy" ] || echo "proxy yes"
"""
_IMAGE_FORM = '{{.Os}}/{{.Architecture}} {{join .RepoTags " "}} {{join .RepoDigests " "}}'
_INFO_FORMS = {
    "docker": "{{if .HTTPSProxy}}yes{{else}}no{{end}} {{.DockerRootDir}}",
    "podman": "no {{.Store.GraphRoot}}",
}


def image_query(engine: str, images: Mapping[str, str]) -> tuple[str, ...]:
    """Return the command that lists which of these images are on a node."""
    return ("sh", "-c", SCRIPT, "oz-install-images", engine, _IMAGE_FORM, _INFO_FORMS[engine], *images)


def parse(text: str, images: Mapping[str, str]) -> RegistryFacts:
    """Parse the output of ``image_query``."""
    values: dict[str, str] = {}
    listed: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        key, _, value = line.partition(" ")
        if key == "image":
            platform, _, names = value.partition(" ")
            listed.append((safe_line(platform), names.split()))
        else:
            values[key] = value.strip()
    machine = values.get("machine", "")
    return RegistryFacts(
        known="all" in values or "free" in values,
        platform=f"linux/{MACHINES.get(machine, machine)}" if machine else "",
        present={
            image: platform for image in images for platform, names in listed if has_image(names, image)
        },
        free=parse_int(values.get("free", "")),
        proxy=values.get("proxy") == "yes",
    )


def images_of(context: CheckContext, node: CheckedNode) -> dict[str, str]:
    """Return the images of a node as its engine names them, in order of first use.

    The values are their keys in the answers' ``images``."""
    if context.topology is None:
        return {}
    found: dict[str, str] = {}
    for placed in context.topology.node(node.name).services:
        found.setdefault(ENGINES[context.answers.engine].image_name(placed.image), placed.service.image)
    return found


def main_registry(context: CheckContext) -> str:
    """Return the registry that the login of the answers belongs to."""
    return (context.answers.registry.server or "").partition("/")[0] or DOCKER_HUB
