"""Images and registries: a registry that is really asked, and every judgement."""

from __future__ import annotations

import copy
import os
import ssl
import stat
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from oz_installer.catalog.release import load_release
from oz_installer.checks.context import CheckContext, Finding
from oz_installer.checks.registry import http_client, image_lookup
from oz_installer.checks.registry.facts import LookupResult, RegistryFacts, images_of, parse
from oz_installer.checks.registry.http_client import RegistryClient
from oz_installer.checks.registry.registry import RegistryCheck
from oz_installer.checks.viewpoint import NodeViewpoint
from oz_installer.image_reference import (
    DOCKER_HUB,
    ImageReference,
    api_address_of,
    has_image,
    parse_reference,
)
from oz_installer.remote.docker_engine import RegistryAuth
from oz_installer.secret import Secret
from oz_installer.topology.planner import plan_topology
from tests.unit.checks.checks_support import API, CANARY, judged, levels, site
from tests.unit.checks.registry.registry_support import HOST, USER, FakeRegistry, Node, serving

AMD = "linux/amd64"
LOGIN = RegistryAuth(username=USER, password=Secret(CANARY))
WRONG = RegistryAuth(username=USER, password=Secret("not-the-password"))
LAYERS = {"sha256:a": 1000, "sha256:b": 24}


# ---- names


@pytest.mark.parametrize(
    ("image", "registry", "repository", "tag"),
    [
        ("nginx", DOCKER_HUB, "library/nginx", "latest"),
        ("nginx:1.27.3", DOCKER_HUB, "library/nginx", "1.27.3"),
        (f"{DOCKER_HUB}/library/nginx:1", DOCKER_HUB, "library/nginx", "1"),
        ("oz/api:5", DOCKER_HUB, "oz/api", "5"),
        ("host:5000/a/b:1", "host:5000", "a/b", "1"),
        ("host:5000/a", "host:5000", "a", "latest"),
        ("localhost/a:1", "localhost", "a", "1"),
        ("a.example.com/x/y@sha256:00", "a.example.com", "x/y", "sha256:00"),
        ("a.example.com/x/y:1@sha256:00", "a.example.com", "x/y", "sha256:00"),
        ("[::1]:5000/a:1", "[::1]:5000", "a", "1"),
    ],
)
def test_names_of_images(image: str, registry: str, repository: str, tag: str) -> None:
    assert parse_reference(image) == ImageReference(registry=registry, repository=repository, tag=tag)


@pytest.mark.parametrize(
    ("registry", "door"),
    [
        ("a.example.com", ("a.example.com", 443)),
        ("a.example.com:5000", ("a.example.com", 5000)),
        ("10.0.0.1:5000", ("10.0.0.1", 5000)),
        ("[::1]:5000", ("::1", 5000)),
        ("[::1]", ("::1", 443)),
    ],
)
def test_where_a_registry_is_asked(registry: str, door: tuple[str, int]) -> None:
    assert api_address_of(registry) == door


def test_dockers_own_registry_is_asked_at_another_host() -> None:
    host, port = api_address_of(DOCKER_HUB)
    assert host != DOCKER_HUB
    assert host.endswith(f".{DOCKER_HUB}")
    assert port == 443


# ---- the conversation


def client(fake: FakeRegistry, trust: ssl.SSLContext, login: RegistryAuth | None) -> RegistryClient:
    return RegistryClient(NodeViewpoint(Node(port=fake.port)), (HOST, 443), login, trust)


@pytest.mark.parametrize(
    ("kind", "login", "ended"),
    [
        ("none", None, "in"),
        ("none", LOGIN, "in"),
        ("basic", LOGIN, "in"),
        ("basic", WRONG, "refused"),
        ("basic", None, "refused"),
        ("bearer", LOGIN, "in"),
        ("bearer", WRONG, "refused"),
        ("bearer", None, "in"),
    ],
)
def test_being_let_in(tmp_path: Path, kind: str, login: RegistryAuth | None, ended: str) -> None:
    fake = FakeRegistry(login=kind)
    with serving(fake, tmp_path) as trust:
        talk = client(fake, trust, login)
        answer = talk.authenticate()
        talk.close()
    assert answer.outcome == ended
    assert CANARY not in repr(answer)
    if kind == "none":
        assert fake.told == [], "nobody asked for the password"


@pytest.mark.parametrize("kind", ["none", "basic", "bearer"])
@pytest.mark.parametrize(
    ("image", "answer"),
    [
        ("oz/plain:1", LookupResult(outcome="in", layers=LAYERS)),
        ("oz/both:1", LookupResult(outcome="in", layers=LAYERS)),
        ("oz/both@sha256:amd", LookupResult(outcome="in", layers=LAYERS)),
        ("oz/foreign:1", LookupResult(outcome="platform", others=("linux/arm64",))),
        ("oz/plain:2", LookupResult(outcome="no-tag", others=("1",))),
        ("oz/nothing:1", LookupResult(outcome="missing")),
    ],
)
def test_an_image(tmp_path: Path, kind: str, image: str, answer: LookupResult) -> None:
    fake = FakeRegistry(login=kind)
    with serving(fake, tmp_path) as trust:
        talk = client(fake, trust, LOGIN)
        assert talk.manifest(parse_reference(f"{HOST}/{image}"), AMD, sizes=True) == answer
        talk.close()


def test_what_is_no_manifest_is_told_and_ends_nothing(tmp_path: Path) -> None:
    fake = FakeRegistry()
    with serving(fake, tmp_path) as trust:
        assert (
            client(fake, trust, None).manifest(parse_reference("h.x/oz/odd:1"), AMD, sizes=True).outcome
            == "stranger"
        )


def test_without_sizes_no_manifest_is_fetched(tmp_path: Path) -> None:
    fake = FakeRegistry()
    with serving(fake, tmp_path) as trust:
        talk = client(fake, trust, None)
        assert talk.manifest(parse_reference("h.x/oz/both:1"), AMD, sizes=False) == LookupResult(outcome="in")
        assert talk.manifest(parse_reference("h.x/oz/both:9"), AMD, sizes=False).outcome == "no-tag"
        talk.close()
    assert fake.asked[0] == "HEAD /v2/oz/both/manifests/1"
    assert not [one for one in fake.asked if one.startswith("GET") and "manifests" in one]


def test_the_token_of_another_may_read_nothing(tmp_path: Path) -> None:
    """Let in as nobody, refused at the image."""
    fake = FakeRegistry(login="bearer")
    with serving(fake, tmp_path) as trust:
        assert (
            client(fake, trust, None).manifest(parse_reference("h.x/oz/plain:1"), AMD, sizes=True).outcome
            == "refused"
        )


def test_a_password_is_never_sent_unencrypted(tmp_path: Path) -> None:
    fake = FakeRegistry(login="bearer", realm=f"http://{HOST}/token")
    with serving(fake, tmp_path) as trust:
        assert client(fake, trust, LOGIN).authenticate().outcome == "stranger"
    plain = FakeRegistry(login="basic")
    with serving(plain, None) as trust:
        assert client(plain, trust, LOGIN).authenticate().outcome == "stranger"
    assert fake.told == plain.told == []


def test_an_authority_that_nobody_here_knows(tmp_path: Path) -> None:
    fake = FakeRegistry(login="basic")
    with serving(fake, tmp_path):
        answer = client(fake, ssl.create_default_context(), LOGIN).authenticate()
    assert (answer.outcome, fake.told) == ("untrusted", [])
    assert "certificate" in answer.message


def test_a_closed_port_and_forbidden_tunnels(tmp_path: Path) -> None:
    fake = FakeRegistry()
    with serving(fake, tmp_path) as trust:
        pass
    assert client(fake, trust, None).authenticate().outcome == "unreachable"
    forbidden = RegistryClient(NodeViewpoint(Node()), (HOST, 443), None, trust)
    assert forbidden.authenticate().outcome == "forbidden"


# ---- a whole probe

DOCKER = """#!/bin/sh
case "$1 $2" in
  "image inspect")
    cat {there}
    exit 1 ;;
  "info "*) echo "no /" ;;
  "system dial-stdio") exit 1 ;;
  "manifest inspect") exit 1 ;;
esac
"""


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Says what images the engine has; it reaches no registry."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "there").write_text("")
    program = tools / "docker"
    program.write_text(DOCKER.format(there=tools / "there"))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")

    def has(text: str) -> None:
        (tools / "there").write_text(text)

    return has


def planned(
    node: Node | None = None, images: dict[str, str] | None = None, server: str | None = f"{HOST}/oz"
) -> CheckContext:
    """A site whose topology is known, with a login at its registry."""
    at = site((lambda _: node) if node else None or site().transport)
    registry = replace(at.answers.registry, server=server, username=USER)
    answers = replace(at.answers, registry=registry, images=images or {})
    secrets = {**at.secrets, "registry.password": Secret(CANARY)}
    return replace(at, answers=answers, topology=plan_topology(answers), secrets=secrets)


def test_what_is_missing_is_asked_for(
    tmp_path: Path, docker: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeRegistry(login="basic")
    with serving(fake, tmp_path) as trust:
        monkeypatch.setattr(image_lookup, "_context", lambda: trust)
        at = planned(Node(port=fake.port))
        own = dict.fromkeys(images_of(at, API).values(), f"{HOST}/oz/plain:1")
        own["oz-redis"], own["oz-api"], own["oz-webui"] = (
            "there:1",
            f"{HOST}/oz/nothing:1",
            f"{HOST}/oz/both:2",
        )
        at = planned(Node(port=fake.port), own)
        docker("image linux/amd64 there:1 there:2 \n")
        began = time.monotonic()
        facts = RegistryCheck().probe(at, API)
        assert time.monotonic() - began < 5
    assert facts.present == {"there:1": AMD}
    assert facts.registries == {HOST: LookupResult(outcome="in")}
    assert facts.free
    assert CANARY not in repr(facts)
    found = judged(RegistryCheck(), facts, API, at)
    assert levels(found) == {"registry.oz-api": "failure", "registry.oz-webui": "failure"}
    assert found["registry.oz-api"].seen == f"{HOST} has no oz/nothing:1"
    assert found["registry.oz-webui"].seen == f"{HOST} has oz/both, but no 2"


def air_gapped(at: CheckContext) -> CheckContext:
    """The same without a way out."""
    answers = copy.copy(at.answers)
    object.__setattr__(answers, "air_gapped", True)
    return replace(at, answers=answers)


def test_without_a_way_out_the_operators_own_registry_is_asked(
    tmp_path: Path, docker: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeRegistry(login="basic")
    with serving(fake, tmp_path) as trust:
        monkeypatch.setattr(image_lookup, "_context", lambda: trust)
        at = planned(Node(port=fake.port), dict.fromkeys(load_release("5.2").images, f"{HOST}/oz/plain:1"))
        found = judged(RegistryCheck(), RegistryCheck().probe(air_gapped(at), API), API, air_gapped(at))
    assert levels(found) == {}
    assert found["registry.login"].seen == f"{HOST} accepts the login of {USER}"


def test_nothing_is_asked_where_nothing_is_missing_or_nothing_may_be_fetched(
    docker: Callable[[str], None],
) -> None:
    """The node has no way to any registry: a tunnel would raise AssertionError."""

    class Closed(Node):
        def tunnel(self, host: str, port: int, *, timeout: float = 10.0) -> Any:
            raise AssertionError("a registry was asked")

    at = planned(Closed())
    images = images_of(at, API)
    docker("".join(f"image linux/amd64 {image} \n" for image in images))
    facts = RegistryCheck().probe(at, API)
    assert levels(judged(RegistryCheck(), facts, API, at)) == {}
    docker("")
    at = air_gapped(planned(Closed(), server=None))
    images = images_of(at, API)
    found = judged(RegistryCheck(), RegistryCheck().probe(at, API), API, at)
    assert set(found.values()) == {one for one in found.values() if one.level == "failure"}
    assert set(found) == {f"registry.{key}" for key in images.values()}
    assert "docker load" in found["registry.oz-api"].hint


def test_a_wrong_login_is_told_once(
    tmp_path: Path, docker: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeRegistry(login="basic")
    with serving(fake, tmp_path) as trust:
        monkeypatch.setattr(image_lookup, "_context", lambda: trust)
        at = planned(Node(port=fake.port))
        at = replace(at, secrets={"registry.password": Secret("wrong")})
        found = judged(RegistryCheck(), RegistryCheck().probe(at, API), API, at)
    assert levels(found) == {"registry.login": "failure"}
    assert found["registry.login"].seen.startswith(f"{HOST} refuses the login of {USER}")


def test_a_registry_that_says_nothing_is_left_in_time(
    docker: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket

    monkeypatch.setattr(http_client, "SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        at = planned(Node(port=silent.getsockname()[1]))
        began = time.monotonic()
        found = judged(RegistryCheck(), RegistryCheck().probe(at, API), API, at)
    assert time.monotonic() - began < 5
    assert levels(found) == {"registry.login": "failure"}
    assert "no answer within" in found["registry.login"].seen


# ---- judgements


def facts_of(at: CheckContext, **changes: Any) -> RegistryFacts:
    """A node that has all images."""
    return replace(RegistryFacts(platform=AMD, present=dict.fromkeys(images_of(at, API), AMD)), **changes)


def told(at: CheckContext, **changes: Any) -> dict[str, Finding]:
    return judged(RegistryCheck(), facts_of(at, **changes), API, at)


def lacking(at: CheckContext, **answers: LookupResult) -> dict[str, Any]:
    """All there but the images of these keys, with what the registry said of them."""
    images = images_of(at, API)
    keys = {name.replace("_", "-"): answer for name, answer in answers.items()}
    there = {image: AMD for image, key in images.items() if key not in keys}
    return {
        "present": there,
        "found": {image: keys[key] for image, key in images.items() if key in keys},
        "registries": {HOST: LookupResult(outcome="in")},
    }


@pytest.mark.parametrize(
    ("answer", "level", "seen", "hint"),
    [
        (LookupResult(outcome="in"), "", "", ""),
        (
            LookupResult(outcome="missing"),
            "failure",
            f"{HOST} has no oz/ozforensics/oz-api:5.2.0-systemd",
            "images",
        ),
        (
            LookupResult(outcome="no-tag", others=("5.2.0", "5.3.0")),
            "failure",
            "but no 5.2.0-systemd",
            "5.2.0",
        ),
        (LookupResult(outcome="no-tag", others=("zzz",)), "failure", "but no 5.2.0-systemd", "docker load"),
        (
            LookupResult(outcome="refused", message="denied"),
            "failure",
            f"or {USER} may not read it: denied",
            "administrator for access",
        ),
        (
            LookupResult(outcome="platform", others=("linux/arm64",)),
            "failure",
            "is built for linux/arm64",
            AMD,
        ),
        (
            LookupResult(outcome="error", message="status 500"),
            "warning",
            f"unknown whether {HOST} has oz/ozforensics/oz-api:5.2.0-systemd: status 500",
            "accept",
        ),
    ],
)
def test_an_image_that_is_not_on_the_node(answer: LookupResult, level: str, seen: str, hint: str) -> None:
    at = planned()
    found = told(at, **lacking(at, oz_api=answer))
    assert levels(found) == ({"registry.oz-api": level} if level else {})
    assert found["registry.login"].seen == f"{HOST} accepts the login of {USER}"
    if level:
        assert seen in found["registry.oz-api"].seen
        assert hint in found["registry.oz-api"].hint
    else:
        assert f"1 to pull from {HOST}; size unknown" in found["registry"].seen


def test_all_there_is_one_finding() -> None:
    at = planned()
    found = told(at)
    assert list(found) == ["registry"]
    assert found["registry"].seen == f"{len(images_of(at, API))} images on the node"
    assert told(at, known=False) == {}


def test_an_image_of_another_machine() -> None:
    at = planned()
    images = {key: image for image, key in images_of(at, API).items()}
    there = {**facts_of(at).present, images["oz-redis"]: "linux/arm64", images["oz-webui"]: "/"}
    found = told(at, present=there)
    assert levels(found) == {"registry.oz-redis": "failure"}
    assert found["registry.oz-redis"].needed == f"{AMD}, the platform of this node"


@pytest.mark.parametrize(
    ("ended", "seen", "hint"),
    [
        ("refused", f"refuses the login of {USER}: because", "answers: registry"),
        ("untrusted", "is not trusted: because", f"certs.d/{HOST}/ca.crt"),
        ("stranger", "is not a registry: because", "registry.server"),
        ("unreachable", "cannot be reached: because", "firewall"),
        ("error", "cannot be used: because", "docker load"),
    ],
)
def test_a_registry_that_is_closed(ended: Any, seen: str, hint: str) -> None:
    at = planned()
    found = told(at, present={}, registries={HOST: LookupResult(outcome=ended, message="because")})
    assert levels(found) == {"registry.login": "failure"}
    assert seen in found["registry.login"].seen
    assert hint in found["registry.login"].hint
    other = told(at, present={}, registries={"other.example.com:5000": LookupResult(outcome="refused")})
    assert levels(other) == {"registry.login-other.example.com:5000": "failure"}
    assert "requires a login" in other["registry.login-other.example.com:5000"].seen


@pytest.mark.parametrize(
    ("free", "level"), [(2999, "warning"), (3000, "ok"), (1000, "warning"), (999, "failure"), (None, "")]
)
def test_room(free: int | None, level: str) -> None:
    """Layers that two images share count once: 1000 KiB here."""
    at = planned()
    shared = LookupResult(outcome="in", layers={"sha256:a": 1000 * 1024})
    found = told(at, **lacking(at, oz_api=shared, oz_webui=shared), free=free)
    assert (found["registry.size"].level if "registry.size" in found else "") == level


def test_what_podman_says_of_a_registry_is_no_proof() -> None:
    at = planned()
    at = replace(at, answers=replace(at.answers, engine="podman"))
    found = told(
        at, present={}, registries={HOST: LookupResult(outcome="error", message="authentication required")}
    )
    assert levels(found) == {"registry.login": "warning"}


def test_without_a_topology_there_is_nothing_to_ask() -> None:
    assert RegistryCheck().nodes(site()) == ()
    assert {spot.name for spot in RegistryCheck().nodes(planned())} == {"n1", "n2"}


@pytest.mark.parametrize(
    ("text", "known", "there"),
    [
        ("", False, {}),
        ("machine x86_64\n", False, {}),
        ("machine x86_64\nimage linux/amd64 a:1 h/a@sha256:0\nall yes\n", True, {"a:1": AMD}),
        (
            f"machine x86_64\nimage linux/amd64 {DOCKER_HUB}/library/a:1 \nproxy yes\nfree 9\n",
            True,
            {"a:1": AMD},
        ),
        ("machine x86_64\nproxy no\nfree 9\n", True, {}),
        ("machine x86_64\nproxy no\nfree \n", True, {}),
    ],
)
def test_what_a_node_says(text: str, known: bool, there: dict[str, str]) -> None:
    facts = parse(text, {"a:1": "a", "b:1": "b"})
    assert (facts.known, facts.present) == (known, there)
    assert facts.proxy is ("proxy yes" in text)


def test_an_image_by_digest() -> None:
    assert has_image(["a@sha256:0"], "a:1@sha256:0")
