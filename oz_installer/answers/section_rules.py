"""Rules across the values of a section; ``topology/constraints.py`` has those of the layout."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

Problems = Iterator[tuple[str, str]]
"""Pairs of a key below the section and its problem (``problem; hint``)."""

SectionValues = Mapping[str, Any]
"""A section's valid values, defaults included."""


def _storage(values: SectionValues) -> Problems:
    kind = values.get("type")
    needs = {"nfs": ("server", "export"), "path": ("path",), "local": ()}.get(str(kind), ())
    for key in needs:
        if key in values and values[key] is None:
            yield key, f"is needed for storage of type {kind}"
    for key, owner in (("server", "nfs"), ("export", "nfs"), ("path", "path")):
        if values.get(key) is not None and kind not in (None, owner):
            yield key, f"is not used by storage of type {kind}; write type: {owner} or leave it out"


def _registry(values: SectionValues) -> Problems:
    if values.get("password") and "username" in values and values["username"] is None:
        yield "username", "is needed with a password"
    if values.get("username") and "password" in values and values["password"] is None:
        yield "password", "is needed with a user name; write {env: NAME}, {file: PATH} or {prompt: true}"


def _database(values: SectionValues) -> Problems:
    if values.get("host") and "password" in values and values["password"] is None:
        yield (
            "password",
            "is needed for an external database; write {env: NAME}, {file: PATH} or {prompt: true}",
        )
    if values.get("ca_file") and values.get("sslmode") in ("disable", "allow", "prefer"):
        yield "ca_file", f"is not used with sslmode {values['sslmode']}; set sslmode to verify-full"
    for key in ("admin_user", "admin_password", "ca_file"):
        if values.get(key) and "host" in values and values["host"] is None:
            yield key, "is not used by the bundled database; set host or leave it out"
    for key, other, text in (
        ("admin_user", "admin_password", "is needed with an administrator's password"),
        (
            "admin_password",
            "admin_user",
            "is needed with an administrator; write {env: NAME} or {prompt: true}",
        ),
    ):
        if values.get(other) and key in values and values[key] is None and values.get("host"):
            yield key, text


def _load_balancer(values: SectionValues) -> Problems:
    if values.get("node") and values.get("type") == "external":
        yield "node", "is not used by an external load balancer; write type: node or leave it out"


def _broker(values: SectionValues) -> Problems:
    if values.get("user") and values.get("type") == "redis":
        yield "user", "is not used by Redis; write type: rabbitmq or leave it out"
    external = values.get("type") == "rabbitmq" and values.get("host")
    if external and "password" in values and values["password"] is None:
        yield "password", "is needed for an external RabbitMQ"


def _nodes(values: Sequence[SectionValues]) -> Problems:
    seen: dict[str, int] = {}
    for index, node in enumerate(values):
        name, host = node.get("name"), node.get("host")
        endpoint = f"{str(host).lower().rstrip('.')}:{node.get('port') or 22}"
        for what, mark in (("name", name and f"name {name}"), ("host", host and f"host {endpoint}")):
            if mark and (first := seen.setdefault(mark, index)) != index:
                yield f"[{index}].{what}", f"is the same as that of nodes[{first}]; give each node its own"


RULES: Mapping[str, Callable[[Any], Problems]] = {
    "nodes": _nodes,
    "database": _database,
    "storage": _storage,
    "broker": _broker,
    "registry": _registry,
    "load_balancer": _load_balancer,
}


def check_section(name: str, values: Any, path: str) -> Problems:
    """Yield whole dotted key and problem of each value that breaks a rule of its section."""
    for below, text in RULES[name](values) if name in RULES else ():
        yield (f"{path}{below}" if below.startswith("[") else f"{path}.{below}"), text
