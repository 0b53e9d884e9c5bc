"""What a node has of its images, and what registries said of those that it lacks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from oz_installer.checks.context import CheckContext, CheckedNode
from oz_installer.remote.image_reference import DOCKER_HUB, has_image
from oz_installer.render.compose.compose_file import image_for
from oz_installer.text import parse_int, safe_line

Ended = Literal[
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
"""Where an engine looks for the authority of one registry."""
MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True, kw_only=True)
class LookupResult:
    """How asking a registry, or for one of its images, ended. ``layers`` are bytes by digest, None where they
    are not known; ``others`` the tags or platforms that there are instead."""

    outcome: Ended
    said: str = ""
    layers: Mapping[str, int] | None = None
    others: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RegistryFacts:
    """``known``: the engine told what it has. ``there``: platforms of the images that are on the node, by
    image; ``platform`` the node's own, as linux/amd64; ``free`` in KiB, of the disk behind the engine.

    ``doors`` tell whether a registry lets us in, ``found`` what it said of an image.
    """

    known: bool = True
    platform: str = ""
    there: Mapping[str, str] = field(default_factory=dict)
    free: int | None = None
    proxy: bool = False
    doors: Mapping[str, LookupResult] = field(default_factory=dict)
    found: Mapping[str, LookupResult] = field(default_factory=dict)


# $1 engine, $2 form of its images, $3 form of its information, then images. Inspecting fails where one is
# missing and where the engine does not answer: only then more is asked; Docker without its daemon fills the
# form with nothing, at times as a success. A proxy's address may hold secrets.
SCRIPT = """
engine=$1 form=$2 more=$3; shift 3
command -v "$engine" > /dev/null || exit 0
machine=$(uname -m)
echo "machine $machine"
timeout 5 "$engine" image inspect --format "image $form" "$@" 2> /dev/null
status=$?
case $status in 124 | 143) exit 0 ;; esac  # it hangs; 143: so does busybox call it
[ $status -ne 0 ] || { echo "all yes"; exit; }
told=$(timeout 5 "$engine" info --format "$more") && [ -n "${told#* }" ] || exit 0  # else it cannot be asked
echo "proxy ${told%% *}"
echo "free $(timeout 5 df -Pk "${told#* }" | awk 'END { print $4 }')"
[ "$engine" = docker ] || [ -z "$HTTPS_PROXY$https_proxy" ] || echo "proxy yes"
"""
_IMAGE_FORM = '{{.Os}}/{{.Architecture}} {{join .RepoTags " "}} {{join .RepoDigests " "}}'
_INFO_FORMS = {
    "docker": "{{if .HTTPSProxy}}yes{{else}}no{{end}} {{.DockerRootDir}}",
    "podman": "no {{.Store.GraphRoot}}",
}


def image_query(engine: str, images: Mapping[str, str]) -> tuple[str, ...]:
    """The command that asks a node for these images."""
    return ("sh", "-c", SCRIPT, "oz-install-images", engine, _IMAGE_FORM, _INFO_FORMS[engine], *images)


def parse(text: str, images: Mapping[str, str]) -> RegistryFacts:
    """Facts from what it printed."""
    told: dict[str, str] = {}
    listed: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        key, _, value = line.partition(" ")
        if key == "image":
            platform, _, names = value.partition(" ")
            listed.append((safe_line(platform), names.split()))
        else:
            told[key] = value.strip()
    machine = told.get("machine", "")
    return RegistryFacts(
        known="all" in told or "free" in told,
        platform=f"linux/{MACHINES.get(machine, machine)}" if machine else "",
        there={image: platform for image in images for platform, names in listed if has_image(names, image)},
        free=parse_int(told.get("free", "")),
        proxy=told.get("proxy") == "yes",
    )


def images_of(context: CheckContext, node: CheckedNode) -> dict[str, str]:
    """The images of a node as its engine will call them, each with its key in the answers' ``images``, in the
    order of first use."""
    if context.topology is None:
        return {}
    found: dict[str, str] = {}
    for placed in context.topology.node(node.name).services:
        found.setdefault(image_for(placed.image, context.answers.engine), placed.service.image)
    return found


def main_registry(context: CheckContext) -> str:
    """The registry that the answers' login is for."""
    return (context.answers.registry.server or "").partition("/")[0] or DOCKER_HUB
