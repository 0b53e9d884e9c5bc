"""Images: on the node, for its kind of machine, or to be had from their registry, with room for them."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from oz_installer.checks.base import ProbeCheck
from oz_installer.checks.context import CheckContext, CheckedNode, Finding, Level
from oz_installer.checks.registry.facts import (
    CERTIFICATES,
    LookupResult,
    RegistryFacts,
    image_query,
    images_of,
    main_registry,
    parse,
)
from oz_installer.remote.image_reference import DOCKER_HUB, parse_reference, registry_host
from oz_installer.text import format_kib, join_and, plural

UNPACKED = 3
"""Inferred: images take about so many times their compressed size."""

_SECONDS = 20.0
_SHOWN = 3


class RegistryCheck(ProbeCheck[RegistryFacts]):
    """No registry is asked for what is on the node."""

    name = "registry"
    title = "Images"

    def nodes(self, context: CheckContext) -> tuple[CheckedNode, ...]:
        """All, once it is known what runs where."""
        return tuple(node for node in context.nodes if images_of(context, node))

    def probe(self, context: CheckContext, node: CheckedNode) -> RegistryFacts:
        """What the node has; what it lacks is asked for."""
        images = images_of(context, node)
        result = context.transport(node.name).run(
            image_query(context.answers.engine, images), timeout=_SECONDS
        )
        facts = parse(result.text, images)
        missing = [
            image for image in images if image not in facts.there and not must_be_loaded(context, image)
        ]
        if not facts.known or not missing:
            return facts
        from oz_installer.checks.registry.image_lookup import look_up_images

        return look_up_images(context, node, facts, missing)

    def judge(self, context: CheckContext, node: CheckedNode, facts: RegistryFacts) -> Iterator[Finding]:
        """Nothing where the engine does not answer: that is the engine's own finding."""
        if not facts.known:
            return
        images = images_of(context, node)
        bad = [*self._there(node, facts, images), *self._lacking(context, node, facts, images)]
        if not bad and not any(door.outcome != "in" for door in facts.doors.values()):
            yield self.finding(node, "ok", _sum(facts, images))
        for registry, door in facts.doors.items():
            lacking = [one for one in images if one not in facts.there and registry_host(one) == registry]
            yield self._door(context, node, registry, door, lacking)
        yield from bad
        yield from self._size(node, facts)

    def _there(self, node: CheckedNode, facts: RegistryFacts, images: dict[str, str]) -> Iterator[Finding]:
        """Images of another kind of machine."""
        for image, platform in facts.there.items():
            if platform.strip("/") and facts.platform and platform != facts.platform:
                yield self._wrong_platform(node, images[image], image, platform, facts.platform)

    def _wrong_platform(self, node: CheckedNode, key: str, image: str, seen: str, needed: str) -> Finding:
        return self.finding(
            node,
            "failure",
            f"{image} is made for {seen}",
            about=key,
            subject=f"Image {key}",
            needed=f"{needed}, as this node is",
            why="It would not start here.",
            hint=f"Bring the image for {needed}, or name another one (answers: images).",
        )

    def _lacking(
        self, context: CheckContext, node: CheckedNode, facts: RegistryFacts, images: dict[str, str]
    ) -> Iterator[Finding]:
        """What is not on the node and cannot be had."""
        for image, key in images.items():
            if image in facts.there:
                continue
            if must_be_loaded(context, image):
                yield self._not_loaded(context, node, key, image)
            elif (answer := facts.found.get(image)) and answer.outcome != "in":
                yield self._not_found(context, node, key, image, answer, facts)

    def _not_loaded(self, context: CheckContext, node: CheckedNode, key: str, image: str) -> Finding:
        return self.finding(
            node,
            "failure",
            f"{image} is not on the node",
            about=key,
            subject=f"Image {key}",
            needed="every image on the node: the answers are air-gapped and name no registry of yours for it",
            why="Nothing is fetched from outside.",
            hint=f"Load it there: {context.answers.engine} load -i FILE; or set registry.server.",
        )

    def _not_found(
        self,
        context: CheckContext,
        node: CheckedNode,
        key: str,
        image: str,
        answer: LookupResult,
        facts: RegistryFacts,
    ) -> Finding:
        name = parse_reference(image)
        if answer.outcome == "platform":
            return self._wrong_platform(node, key, image, join_and(answer.others), facts.platform)
        level: Level = "failure"
        hint = f"Is its name right (answers: images)? Or load it there: {context.answers.engine} load -i FILE"
        if answer.outcome == "no-tag":
            seen = f"{name.registry} has {name.repository}, but no {name.tag}"
            close = get_close_matches(name.tag, answer.others, n=3, cutoff=0.3)
            hint = f"It has {', '.join(close)}. Correct the tag (answers: images)." if close else hint
        elif answer.outcome == "missing":
            seen = f"{name.registry} has no {name.repository}:{name.tag}"
        elif answer.outcome == "refused":
            who = _who(context, name.registry)
            seen = f"{name.registry} has no {name.repository}, or lets {who} not read it: {answer.said}"
            hint = "Correct its name (answers: images), or let the registry's administrator open it."
        else:
            level = "warning"
            seen = (
                f"whether {name.registry} has {name.repository}:{name.tag} could not be told: {answer.said}"
            )
            hint = "Try again; or accept this: the installation pulls it itself."
        return self.finding(node, level, seen, about=key, subject=f"Image {key}", hint=hint)

    def _door(
        self, context: CheckContext, node: CheckedNode, registry: str, door: LookupResult, images: list[str]
    ) -> Finding:
        about = "login" if registry == main_registry(context) else f"login-{registry}"
        who = _who(context, registry)
        if door.outcome == "in":
            seen = f"{registry} answers" if who == _NOBODY else f"{registry} lets {who} in"
            return self.finding(node, "ok", seen, about=about, subject="Registry")
        seen, hint = _closed(context, registry, who, door)
        # older Podmans ask without the login that they are given: then only a pull can tell
        unsure = door.outcome == "error" and context.answers.engine == "podman"
        hint += " Or accept this: the installation pulls them itself." if unsure else ""
        return self.finding(
            node,
            "warning" if unsure else "failure",
            seen,
            about=about,
            subject="Registry",
            needed=f"{join_and(images, _SHOWN)}, which this node has not yet" if images else "",
            hint=hint,
        )

    def _size(self, node: CheckedNode, facts: RegistryFacts) -> Iterator[Finding]:
        """Layers that several images share count once."""
        layers: dict[str, int] = {}
        for answer in facts.found.values():
            layers |= answer.layers or {}
        if not layers or facts.free is None:
            return
        packed = sum(layers.values()) // 1024
        unpacked, free = UNPACKED * packed, facts.free
        level: Level = "failure" if packed > free else "warning" if unpacked > free else "ok"
        yield self.finding(
            node,
            level,
            f"{format_kib(free)} free for {format_kib(packed)} of compressed images",
            about="size",
            subject="Room for images",
            needed=f"about {format_kib(unpacked)}: about three times the compressed size (inferred)",
            why="A full disk stops the engine and what runs in it.",
            hint="Enlarge the disk behind the engine, or remove old images there (image prune).",
        )


_NOBODY = "nobody in particular"


def must_be_loaded(context: CheckContext, image: str) -> bool:
    """Whether an image must be loaded on the node: without a way out only the operator's own registries are
    asked, and an image of those has their name."""
    return bool(getattr(context.answers, "air_gapped", False)) and registry_host(image) == DOCKER_HUB


def _sum(facts: RegistryFacts, images: dict[str, str]) -> str:
    there, coming = len(facts.there), len(images) - len(facts.there)
    verb = "is" if there == 1 else "are"
    if not coming:
        return f"{plural(there, 'image')} {verb} there"
    registries = join_and(dict.fromkeys(parse_reference(image).registry for image in facts.found))
    text = f"{plural(there, 'image')} {verb} there, {coming}" if there else plural(coming, "image")
    text += f" will come from {registries}"
    if all(answer.layers is None for answer in facts.found.values()):
        text += f"; how large {'it is' if coming == 1 else 'they are'} was not asked"
    return text


def _who(context: CheckContext, registry: str) -> str:
    user = context.answers.registry.username
    return user if user and registry == main_registry(context) else _NOBODY


def _closed(context: CheckContext, registry: str, who: str, door: LookupResult) -> tuple[str, str]:
    """Why a registry cannot be used, and what to do."""
    because = f": {door.said}" if door.said else ""
    if door.outcome == "refused":
        if who == _NOBODY:
            key = "registry" if registry == main_registry(context) else "registry.server, if it is yours"
            return f"{registry} wants a login{because}", f"Give user name and password (answers: {key})."
        return (
            f"{registry} refuses the login of {who}{because}",
            "Correct user name and password or token (answers: registry).",
        )
    if door.outcome == "untrusted":
        folder = CERTIFICATES[context.answers.engine][0]
        return (
            f"the certificate of {registry} is not trusted{because}",
            f"Put the certificate of its authority into {folder}/{registry}/ca.crt on the node.",
        )
    if door.outcome == "stranger":
        return (
            f"what answers at {registry} is no registry{because}",
            "Correct the address (answers: registry.server, images); it is host[:port][/path].",
        )
    if door.outcome == "error":
        return (
            f"{registry} cannot be used{because}",
            "The words are the engine's own. Correct the registry's address and login (answers: registry), "
            f"or load the images there: {context.answers.engine} load -i FILE",
        )
    outside = " Is there a mirror or a proxy for the engine to use?" if registry == DOCKER_HUB else ""
    return (
        f"{registry} cannot be reached{because}",
        f"Is the address right as this node sees it, and does no firewall stand between?{outside} "
        f"Or load the images there: {context.answers.engine} load -i FILE",
    )
