"""Every judge, around its limits: facts in, findings out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from oz_installer.checks.context import CheckedNode
from oz_installer.checks.database.database import DatabaseCheck, DatabaseFacts
from oz_installer.checks.database.postgres import LoginResult, Server
from oz_installer.checks.engine.engine import EngineCheck, EngineCheckFacts
from oz_installer.checks.engine.ports import PortFacts, PortsCheck
from oz_installer.checks.host.facts import HostFacts
from oz_installer.checks.host.host import HostCheck
from oz_installer.checks.network.tcp import TcpResult
from oz_installer.checks.storage.probe import StorageFacts
from oz_installer.checks.storage.storage import StorageCheck
from oz_installer.remote.engine_requirements import EngineFacts
from tests.unit.checks.checks_support import API, BIO, judged, levels, site

GIB = 1024 * 1024
FLAGS = frozenset({"avx", "avx2", "fma", "sse4_1", "sse4_2", "fpu"})
HOST = HostFacts(
    cores=16,
    memory=24 * GIB,
    flags=FLAGS,
    machine="x86_64",
    os="Debian GNU/Linux 13",
    python="Python 3.13.5",
    place="/opt",
    disk_size=100 * GIB,
    disk_free=60 * GIB,
)
SEEN = EngineCheckFacts(engine=EngineFacts(answers=True, version="26.1.5+dfsg1", compose_plugin="2.26.1"))
SERVER = Server(
    number=170012,
    version="17.12",
    encoding="UTF8",
    locale="en_US.UTF-8",
    owner="gateway_user",
    superuser=False,
    may_create=True,
    may_create_tables=True,
    installed=frozenset({"plpgsql", "pgcrypto"}),
    available=frozenset({"plpgsql", "pgcrypto"}),
    trusted=frozenset({"pgcrypto"}),
)


# ---- the machine


@pytest.mark.parametrize(
    ("changes", "bad"),
    [
        ({}, {}),
        ({"cores": 15}, {"host.cpu": "warning"}),
        ({"cores": None}, {"host.cpu": "warning"}),
        ({"memory": int(24 * GIB * 0.9) + 1}, {}),
        ({"memory": int(24 * GIB * 0.9) - 1024}, {"host.memory": "warning"}),
        ({"memory": None}, {"host.memory": "warning"}),
        ({"disk_free": 44 * GIB}, {"host.disk": "warning"}),
        ({"disk_free": None}, {"host.disk": "warning"}),
        ({"disk_free": 44 * GIB, "installed": True}, {}),
        ({"disk_free": 44 * GIB, "disk_size": 44 * GIB, "installed": True}, {"host.disk": "warning"}),
        ({"disk_free": 512 * 1024, "installed": True}, {}),
        ({"disk_free": 512 * 1024 - 1, "installed": True}, {"host.disk": "failure"}),
        ({"flags": FLAGS - {"fma"}}, {"host.flags": "warning"}),
        ({"flags": frozenset(), "machine": "aarch64"}, {"host.flags": "warning"}),
        ({"python": "Python 3.4.0"}, {}),
        ({"python": "Python 3.3.7"}, {"host.python": "warning"}),
        ({"python": "sh: 1: python3: not found"}, {"host.python": "warning"}),
        ({"access": "denied /opt"}, {"host.folder": "failure"}),
        ({"access": "read-only /opt"}, {"host.folder": "failure"}),
    ],
)
def test_host(changes: dict[str, Any], bad: dict[str, str]) -> None:
    assert levels(judged(HostCheck(), replace(HOST, **changes))) == bad


def test_a_shortfall_says_what_was_seen_what_is_needed_and_who_says_so() -> None:
    found = judged(HostCheck(), replace(HOST, cores=2, memory=2 * GIB, flags=frozenset({"avx"})))
    cpu = found["host.cpu"]
    assert (cpu.id, cpu.seen, cpu.needed) == ("host.cpu/n2", "2 cores", "16 cores (layout medium-4)")
    assert "analyses per minute" in cpu.why
    assert found["host.memory"].seen == "2.0 GB"
    assert "without avx2 fma sse4_1 sse4_2" in found["host.flags"].seen
    assert "vendor" in found["host.flags"].needed


def test_only_bio_nodes_need_flags_and_a_node_without_figures_falls_short_of_none() -> None:
    assert "host.flags" not in judged(HostCheck(), HOST, API)
    nowhere = CheckedNode(name="n3", roles=())
    assert levels(judged(HostCheck(), replace(HOST, cores=1, memory=1024, disk_free=GIB), nowhere)) == {}


def test_the_faster_image_is_advice() -> None:
    assert (
        "With avx512f the vendor's faster image could be used."
        in judged(HostCheck(), HOST)["host.flags"].hint
    )
    fast = judged(HostCheck(), replace(HOST, flags=FLAGS | {"avx512f"}))["host.flags"]
    assert (fast.seen, fast.hint) == ("all required flags, and avx512f", "")


# ---- the engine


def engine(**changes: Any) -> EngineCheckFacts:
    return replace(SEEN, engine=replace(SEEN.engine, **changes))


@pytest.mark.parametrize(
    ("seen", "bad", "words"),
    [
        (SEEN, {}, ""),
        (engine(version="18.09.9"), {"engine": "failure"}, "18.09.9 is too old"),
        (engine(version=""), {"engine": "failure"}, "the version of Docker is unknown"),
        (engine(answers=False, message="docker: not found"), {"engine": "failure"}, "not installed"),
        (engine(answers=False, message="permission denied"), {"engine": "failure"}, "may not use Docker"),
        (engine(answers=False, message="Cannot connect"), {"engine": "failure"}, "does not answer"),
        (engine(compose_plugin=""), {"engine.compose": "failure"}, "not installed"),
        (engine(compose_plugin="", compose_v1="1.26.2"), {"engine.compose": "failure"}, "too old"),
        (engine(compose_plugin="", compose_v1="1.29.2"), {}, ""),
        (replace(SEEN, foreign=("a", "b")), {"engine.project": "failure"}, "a, b"),
        (replace(SEEN, ours=("oz-api",)), {"engine.project": "failure"}, "another folder"),
        (replace(SEEN, ours=("oz-api",), recorded=True), {}, ""),
    ],
)
def test_engine(seen: EngineCheckFacts, bad: dict[str, str], words: str) -> None:
    found = judged(EngineCheck(), seen)
    assert levels(found) == bad
    assert words in " ".join(one.seen for one in found.values())
    assert ("engine.compose" in found) == seen.engine.answers


def test_podman_has_its_own_figures() -> None:
    seen = EngineCheckFacts(
        engine=EngineFacts(answers=True, version="4.3.1", podman_compose="podman-compose version 1.0.6")
    )
    found = judged(EngineCheck(), seen, at=site(engine="podman"))
    assert levels(found) == {"engine": "failure", "engine.compose": "failure"}
    assert "4.4" in found["engine"].needed
    assert "1.2.0" in found["engine.compose"].needed


# ---- ports


@pytest.mark.parametrize(
    ("facts", "bad", "words"),
    [
        (PortFacts(), {}, "2 ports free"),
        (PortFacts(listening=frozenset({22, 9999})), {}, "2 ports free"),
        (
            PortFacts(listening=frozenset({8880}), holders={8880: "nginx"}),
            {"ports.8880": "failure"},
            "taken by nginx",
        ),
        (
            PortFacts(listening=frozenset({8880}), holders={8880: "docker-proxy"}),
            {"ports.8880": "failure"},
            "taken by docker-proxy, for no container",
        ),
        (PortFacts(listening=frozenset({8880})), {"ports.8880": "failure"}, "taken by another program"),
        (PortFacts(containers={8880: "other"}), {"ports.8880": "failure"}, "taken by the container other"),
        (
            PortFacts(listening=frozenset({8880}), containers={8880: "oz"}, ours=frozenset({8880})),
            {},
            "2 ports free, 1 already used by Oz",
        ),
        (
            PortFacts(ours=frozenset({8880, 60000}), listening=frozenset({8880})),
            {},
            "2 ports already used by Oz",
        ),
        (PortFacts(listening=frozenset({60003})), {"ports.60000": "failure"}, "another program"),
        (PortFacts(listening=frozenset({8880}), complete=False), {"ports.8880": "warning"}, "another"),
    ],
)
def test_ports(facts: PortFacts, bad: dict[str, str], words: str) -> None:
    found = judged(PortsCheck(), facts, API)
    assert levels(found) == bad
    assert words in " ".join(one.seen for one in found.values())


def test_a_taken_port_of_a_range_is_named_itself() -> None:
    one = judged(PortsCheck(), PortFacts(listening=frozenset({60003})), API)["ports.60000"]
    assert (one.subject, one.needed) == ("Port 60003", "free, for FTP")
    assert "60003 of n1" in one.hint


@pytest.mark.parametrize(
    ("facts", "hint"),
    [
        ({}, "Restart Docker on n1"),
        ({"containers": {8880: "other"}}, "Stop the program"),  # the proxy serves a container
        ({"complete": False}, "Stop the program"),  # it may serve one that was not listed
    ],
)
def test_a_proxy_that_serves_no_container_is_ended_by_its_docker(facts: dict[str, Any], hint: str) -> None:
    """OWN-RESTART-LOOP: the engine's fault; nothing else can be stopped there."""
    left = PortFacts(listening=frozenset({8880}), holders={8880: "docker-proxy"}, **facts)
    assert judged(PortsCheck(), left, API)["ports.8880"].hint.startswith(hint)


def test_nodes_that_publish_nothing_are_not_asked() -> None:
    assert PortsCheck().nodes(site()) == (API,)


# ---- the database


@pytest.mark.parametrize(
    ("attempt", "bad", "words"),
    [
        (
            LoginResult(outcome="unreachable", message="refused"),
            {"database": "failure"},
            "cannot be reached: refused",
        ),
        (
            LoginResult(outcome="unreachable", message="Name or service not known"),
            {"database": "failure"},
            "not known",
        ),
        (
            LoginResult(outcome="stranger", message="x"),
            {"database": "failure"},
            "does not speak PostgreSQL: x",
        ),
        (LoginResult(outcome="no-tls"), {"database.tls": "failure"}, "does not support TLS"),
        (LoginResult(outcome="untrusted", message="self-signed"), {"database.tls": "failure"}, "self-signed"),
        (
            LoginResult(
                outcome="refused", message="password authentication failed", state="28P01", tls="TLSv1.3"
            ),
            {"database.login": "failure"},
            "password authentication failed",
        ),
        (
            LoginResult(outcome="error", message="no", state="3D000", tls="TLSv1.3"),
            {"database.login": "failure"},
            "there is no database gateway",
        ),
        (
            LoginResult(outcome="error", message="too many clients", state="53300", tls="TLSv1.3"),
            {"database.login": "failure"},
            "too many",
        ),
        (LoginResult(outcome="in", tls="TLSv1.3", server=SERVER), {}, "gateway_user can log in to gateway"),
    ],
)
def test_database_from_outside(attempt: LoginResult, bad: dict[str, str], words: str) -> None:
    found = judged(DatabaseCheck(), DatabaseFacts(attempt=attempt))
    assert levels(found) == bad
    assert words in " ".join(one.seen for one in found.values())


@pytest.mark.parametrize(
    ("changes", "bad"),
    [
        ({"number": 150000}, {}),
        ({"number": 140011}, {"database.version": "warning"}),
        ({"encoding": "LATIN1"}, {"database.encoding": "failure"}),
        ({"locale": "C"}, {"database.encoding": "warning"}),
        ({"locale": "en_US.utf8"}, {}),
        ({"owner": "postgres"}, {}),
        ({"standby": True, "read_only": True}, {"database.writes": "failure"}),
        ({"read_only": True}, {"database.writes": "failure"}),
        ({"may_create_tables": False}, {"database.rights": "failure"}),
        ({"may_create_tables": False, "superuser": True}, {}),
        ({"installed": frozenset()}, {}),
        ({"installed": frozenset(), "trusted": frozenset()}, {"database.pgcrypto": "failure"}),
        ({"installed": frozenset(), "trusted": frozenset(), "superuser": True}, {}),
        ({"installed": frozenset(), "may_create": False}, {"database.pgcrypto": "failure"}),
        ({"installed": frozenset(), "available": frozenset()}, {"database.pgcrypto": "failure"}),
    ],
)
def test_database_from_inside(changes: dict[str, Any], bad: dict[str, str]) -> None:
    attempt = LoginResult(outcome="in", tls="TLSv1.3", server=replace(SERVER, **changes))
    assert levels(judged(DatabaseCheck(), DatabaseFacts(attempt=attempt))) == bad


@pytest.mark.parametrize(
    ("sslmode", "tls", "level"),
    [("prefer", "", "warning"), ("prefer", "TLSv1.3", "ok"), ("allow", "", "ok"), ("disable", "", "ok")],
)
def test_database_encryption(sslmode: str, tls: str, level: str) -> None:
    facts = DatabaseFacts(attempt=LoginResult(outcome="in", tls=tls, server=SERVER))
    assert judged(DatabaseCheck(), facts, at=site(sslmode=sslmode))["database.tls"].level == level


def test_what_the_administrator_must_run_is_told_as_sql() -> None:
    no_database = DatabaseFacts(attempt=LoginResult(outcome="error", state="3D000", message="no"))
    hint = judged(DatabaseCheck(), no_database)["database.login"].hint
    assert 'CREATE DATABASE "gateway" OWNER "gateway_user" TEMPLATE template0' in hint
    bare = replace(SERVER, installed=frozenset(), trusted=frozenset())
    facts = DatabaseFacts(attempt=LoginResult(outcome="in", tls="T", server=bare))
    assert 'CREATE EXTENSION "pgcrypto"' in judged(DatabaseCheck(), facts)["database.pgcrypto"].hint


def test_forbidden_tunnels_are_told_and_only_the_port_is_judged() -> None:
    forbidden = LoginResult(outcome="forbidden")
    found = judged(DatabaseCheck(), DatabaseFacts(attempt=forbidden, tcp=TcpResult(open=True, tunnel=False)))
    assert levels(found) == {"database": "warning"}
    assert "forbids tunnels" in found["database"].why
    shut = DatabaseFacts(attempt=forbidden, tcp=TcpResult(open=False, message="timed out", tunnel=False))
    assert levels(judged(DatabaseCheck(), shut)) == {"database": "failure"}


def test_a_bundled_database_is_there_by_itself() -> None:
    assert levels(judged(DatabaseCheck(), DatabaseFacts())) == {}


# ---- the storage


@pytest.mark.parametrize(
    ("facts", "bad", "words"),
    [
        (StorageFacts(shared=True, free=9 * GIB), {}, "9.0 GB free"),
        (StorageFacts(folder="missing"), {"storage.folder": "failure"}, "there is no folder /mnt/oz"),
        (StorageFacts(folder="Permission denied"), {"storage.folder": "failure"}, "Permission denied"),
        (StorageFacts(shared=False), {"storage.shared": "failure"}, "the file is not there"),
        (StorageFacts(shared=False, message="stale handle"), {"storage.shared": "failure"}, "stale handle"),
        (StorageFacts(held=False), {"storage.shared": "warning"}, "n1 cannot write"),
    ],
)
def test_a_shared_path(facts: StorageFacts, bad: dict[str, str], words: str) -> None:
    found = judged(StorageCheck(), facts, BIO)
    assert levels(found) == bad
    assert words in " ".join(one.seen for one in found.values())


@pytest.mark.parametrize(
    ("free", "level"), [(600 * 10**9 // 1024 + 1, "ok"), (600 * 10**9 // 1024 - 1, "warning"), (None, None)]
)
@pytest.mark.parametrize("storage", ["{type: local}", "{type: path, path: /mnt/oz}"])
def test_room_for_media(free: int | None, level: str | None, storage: str) -> None:
    """1 MB x 2 x 10,000 a day x 30 days."""
    at = site(storage=storage)
    workload = replace(at.answers.workload, media_mb=1.0, analyses_per_day=10_000.0, archive_days=30)
    at = replace(at, answers=replace(at.answers, workload=workload))
    found = judged(StorageCheck(), StorageFacts(free=free), API, at).get("storage.room")
    assert (found.level if found else None) == level
    assert found is None or found.needed.startswith("600 GB")


def test_the_first_api_node_needs_no_other() -> None:
    assert set(judged(StorageCheck(), StorageFacts(), API)) == {"storage.folder"}


def test_local_storage() -> None:
    local = judged(StorageCheck(), StorageFacts(free=GIB), at=site(storage="{type: local}"))
    assert "/opt/oz/data/media on the node itself, 1.0 GB free" in local["storage"].seen
