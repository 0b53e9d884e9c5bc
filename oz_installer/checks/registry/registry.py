"""The check of images: on the node or in a registry, for its platform, with enough disk."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from oz_installer.catalog.engine import ENGINES
from oz_installer.checks.base import ProbeCheck
from oz_installer.checks.context import CheckContext, CheckedNode, Finding, FindingLevel
from oz_installer.checks.registry.facts import (
    CERTIFICATES,
    LookupResult,
    RegistryFacts,
    image_query,
    images_of,
    main_registry,
    parse,
)
from oz_installer.image_reference import DOCKER_HUB, parse_reference, registry_host
from oz_installer.text import format_kib, join_and, plural

UNPACKED = 3
"""Ratio of the unpacked to the compressed size of images; inferred."""

_SECONDS = 20.0
_SHOWN = 3


class RegistryCheck(ProbeCheck[RegistryFacts]):
    """Look for the images on the node, and for the missing ones in their registries."""

    name = "registry"
    title = "Images"

    def nodes(self, context: CheckContext) -> tuple[CheckedNode, ...]:
        """Return the nodes that need images; without a topology none."""
        return tuple(node for node in context.nodes if images_of(context, node))

    def probe(self, context: CheckContext, node: CheckedNode) -> RegistryFacts:
        """List the node's images and look up the missing ones in their registries."""
        images = images_of(context, node)
        result = context.transport(node.name).run(
            image_query(context.answers.engine, images), timeout=_SECONDS
        )
        facts = parse(result.text, images)
        missing = [
            image for image in images if image not in facts.present and not must_be_loaded(context, image)
        ]
        if not facts.known or not missing:
            return facts
        from oz_installer.checks.registry.image_lookup import look_up_images

        return look_up_images(context, node, facts, missing)

    def judge(self, context: CheckContext, node: CheckedNode, facts: RegistryFacts) -> Iterator[Finding]:
        """Judge images and registries. A silent engine is a finding of the engine's own check."""
        if not facts.known:
            return
        images = images_of(context, node)
        faults = [*self._present(node, facts, images), *self._missing(context, node, facts, images)]
        if not faults and not any(access.outcome != "in" for access in facts.registries.values()):
            yield self.finding(node, "ok", _summary(facts, images))
        for registry, access in facts.registries.items():
            missing = [one for one in images if one not in facts.present and registry_host(one) == registry]
            yield self._access(context, node, registry, access, missing)
        yield from faults
        yield from self._size(context.answers.engine, node, facts)

    def _present(self, node: CheckedNode, facts: RegistryFacts, images: dict[str, str]) -> Iterator[Finding]:
        """Report images on the node that are built for another platform."""
        for image, platform in facts.present.items():
            if platform.strip("/") and facts.platform and platform != facts.platform:
                yield self._wrong_platform(node, images[image], image, platform, facts.platform)

    def _wrong_platform(self, node: CheckedNode, key: str, image: str, seen: str, needed: str) -> Finding:
        return self.finding(
            node,
            "failure",
            f"{image} is built for {seen}",
            about=key,
            subject=f"Image {key}",
            needed=f"{needed}, the platform of this node",
            why="A container of this image does not start on this node.",
            hint=f"Provide the image for {needed}, or set another image (answers: images).",
        )

    def _missing(
        self, context: CheckContext, node: CheckedNode, facts: RegistryFacts, images: dict[str, str]
    ) -> Iterator[Finding]:
        """Report images that are neither on the node nor available from a registry."""
        for image, key in images.items():
            if image in facts.present:
                continue
            if must_be_loaded(context, image):
                yield self._not_loaded(context, node, key, image)
            elif (result := facts.found.get(image)) and result.outcome != "in":
                yield self._not_found(context, node, key, image, result, facts)

    def _not_loaded(self, context: CheckContext, node: CheckedNode, key: str, image: str) -> Finding:
        return self.finding(
            node,
            "failure",
            f"{image} is not on the node",
            about=key,
            subject=f"Image {key}",
            needed="every image on the node, because air_gapped is set without a registry of your own",
            why="oz-install downloads nothing when air_gapped is set, so the service cannot start.",
            hint=f"Load it on the node: {context.answers.engine} load -i FILE; or set registry.server.",
        )

    def _not_found(
        self,
        context: CheckContext,
        node: CheckedNode,
        key: str,
        image: str,
        result: LookupResult,
        facts: RegistryFacts,
    ) -> Finding:
        name = parse_reference(image)
        if result.outcome == "platform":
            return self._wrong_platform(node, key, image, join_and(result.others), facts.platform)
        level: FindingLevel = "failure"
        why = "The installation cannot pull the image, so its service does not start."
        hint = "Correct the image's name (answers: images), "
        hint += f"or load it on the node: {context.answers.engine} load -i FILE"
        if result.outcome == "no-tag":
            seen = f"{name.registry} has {name.repository}, but no {name.tag}"
            close = get_close_matches(name.tag, result.others, n=3, cutoff=0.3)
            hint = (
                f"Correct the tag (answers: images); the registry has {join_and(close)}." if close else hint
            )
        elif result.outcome == "missing":
            seen = f"{name.registry} has no {name.repository}:{name.tag}"
        elif result.outcome == "refused":
            user = _user(context, name.registry)
            seen = f"{name.registry} has no {name.repository}, or {user} may not read it: {result.message}"
            hint = (
                "Correct the image's name (answers: images), or ask the registry's administrator for access."
            )
        else:
            level, why = "warning", "If the image is missing, the installation stops when it pulls it."
            seen = f"unknown whether {name.registry} has {name.repository}:{name.tag}: {result.message}"
            hint = "Check again; or accept this: the installation pulls the image itself."
        return self.finding(node, level, seen, about=key, subject=f"Image {key}", why=why, hint=hint)

    def _access(
        self, context: CheckContext, node: CheckedNode, registry: str, access: LookupResult, images: list[str]
    ) -> Finding:
        about = "login" if registry == main_registry(context) else f"login-{registry}"
        user = _user(context, registry)
        if access.outcome == "in":
            seen = f"{registry} answers" if user == _ANONYMOUS else f"{registry} accepts the login of {user}"
            return self.finding(node, "ok", seen, about=about, subject="Registry")
        seen, hint = _no_access(context, registry, user, access)
        unsure = access.outcome == "error" and not ENGINES[context.answers.engine].lookup_shows_login
        hint += " Or accept this: the installation pulls the images itself." if unsure else ""
        return self.finding(
            node,
            "warning" if unsure else "failure",
            seen,
            about=about,
            subject="Registry",
            needed=f"{join_and(images, _SHOWN)}, not on this node yet" if images else "",
            why="The node cannot pull these images, so their services do not start." if images else "",
            hint=hint,
        )

    def _size(self, engine: str, node: CheckedNode, facts: RegistryFacts) -> Iterator[Finding]:
        """Judge the disk. Layers that images share count once."""
        layers: dict[str, int] = {}
        for result in facts.found.values():
            layers |= result.layers or {}
        if not layers or facts.free is None:
            return
        packed = sum(layers.values()) // 1024
        unpacked, free = UNPACKED * packed, facts.free
        level: FindingLevel = "failure" if packed > free else "warning" if unpacked > free else "ok"
        yield self.finding(
            node,
            level,
            f"{format_kib(free)} free for {format_kib(packed)} of compressed images",
            about="size",
            subject="Space for images",
            needed=f"about {format_kib(unpacked)}: about three times the compressed size (inferred)",
            why="A full disk stops the engine and its containers.",
            hint=f"Enlarge the disk behind the engine, or remove old images on it ({engine} image prune).",
        )


_ANONYMOUS = "an anonymous user"


def must_be_loaded(context: CheckContext, image: str) -> bool:
    """Return whether an image must be loaded on the node.

    An air-gapped installation uses only the operator's own registries, which appear in an image's name."""
    return bool(getattr(context.answers, "air_gapped", False)) and registry_host(image) == DOCKER_HUB


def _summary(facts: RegistryFacts, images: dict[str, str]) -> str:
    present, missing = len(facts.present), len(images) - len(facts.present)
    if not missing:
        return f"{plural(present, 'image')} on the node"
    registries = join_and(dict.fromkeys(parse_reference(image).registry for image in facts.found))
    text = f"{plural(present, 'image')} on the node, {missing}" if present else plural(missing, "image")
    text += f" to pull from {registries}"
    if all(result.layers is None for result in facts.found.values()):
        text += "; size unknown"
    return text


def _user(context: CheckContext, registry: str) -> str:
    user = context.answers.registry.username
    return user if user and registry == main_registry(context) else _ANONYMOUS


def _no_access(context: CheckContext, registry: str, user: str, access: LookupResult) -> tuple[str, str]:
    """Return why a registry cannot be used, and the hint."""
    reason = f": {access.message}" if access.message else ""
    load = f"or load the images on the node: {context.answers.engine} load -i FILE"
    if access.outcome == "refused":
        if user == _ANONYMOUS:
            key = "registry" if registry == main_registry(context) else "registry.server, if it is yours"
            return f"{registry} requires a login{reason}", f"Set user name and password (answers: {key})."
        return (
            f"{registry} refuses the login of {user}{reason}",
            "Correct user name and password or token (answers: registry).",
        )
    if access.outcome == "untrusted":
        folder = CERTIFICATES[context.answers.engine][0]
        return (
            f"the certificate of {registry} is not trusted{reason}",
            f"Copy the certificate of its authority to {folder}/{registry}/ca.crt on the node.",
        )
    if access.outcome == "stranger":
        return (
            f"the server at {registry} is not a registry{reason}",
            "Correct the address (answers: registry.server, images), in the form host[:port][/path].",
        )
    if access.outcome == "error":
        return (
            f"{registry} cannot be used{reason}",
            "Fix the engine's error quoted here: correct the registry's address and login "
            f"(answers: registry), {load}",
        )
    mirror = " or configure a mirror or a proxy for the engine," if registry == DOCKER_HUB else ""
    return (
        f"{registry} cannot be reached{reason}",
        f"Check that the address is right for this node and that no firewall blocks it,{mirror} {load}",
    )
