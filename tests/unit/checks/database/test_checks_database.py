"""PostgreSQL: room for connections, the clock, what an administrator can create and how it is done."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from typing import Any

import pytest

from oz_installer.checks.context import CheckContext, CheckedNode, Finding, Remedy
from oz_installer.checks.database import postgres_admin
from oz_installer.checks.database.capacity import connections_needed, free_connections
from oz_installer.checks.database.connection_settings import ConnectionSettings
from oz_installer.checks.database.database import DatabaseCheck, DatabaseFacts, admin_connection_for
from oz_installer.checks.database.postgres import AdminView, LoginResult, Server, _ahead
from oz_installer.checks.database.postgres_admin import (
    change_owner,
    create_database,
    create_extension,
    create_role,
    run_statements,
    scram_verifier,
    with_password,
)
from oz_installer.checks.viewpoint import NodeViewpoint
from oz_installer.errors import AnswersError, OzError
from oz_installer.secret import Secret
from oz_installer.topology.planner import plan_topology
from tests.unit.checks.checks_support import API, BIO, CANARY, Elsewhere, judged, levels, site
from tests.unit.checks.database.test_checks_postgres import error_response, server
from tests.unit.checks.test_checks_judges import SERVER

GROUND = AdminView(
    superuser=True,
    may_create_roles=True,
    may_create_databases=True,
    role=True,
    owner="gateway_user",
    available=frozenset({"pgcrypto"}),
    trusted=frozenset({"pgcrypto"}),
)
LOST = GROUND.__class__(**{**GROUND.__dict__, "role": False, "owner": ""})
WRONG = LoginResult(outcome="refused", message="password authentication failed", state="28P01", tls="T")
ADMIN = "canary-admin-password"
HOSTILE = ('a"b', 'a"; DROP DATABASE x; --', "a' PASSWORD $1", "ж$1\\", ":name")


def with_topology() -> CheckContext:
    """Two api nodes, one of them with the BIO."""
    at = site()
    return replace(at, topology=plan_topology(at.answers))


def with_admin(name: str = "boss") -> CheckContext:
    """An administrator is given."""
    at = site()
    database = replace(at.answers.database, admin_user=name)
    return replace(
        at,
        answers=replace(at.answers, database=database),
        secrets={**at.secrets, "database.admin_password": Secret(ADMIN)},
    )


def seen(
    server: Server, at: CheckContext, spot: CheckedNode = API, ground: AdminView | None = None
) -> dict[str, Finding]:
    admin = LoginResult(outcome="in", admin_view=ground) if ground else None
    facts = DatabaseFacts(attempt=LoginResult(outcome="in", tls="T", server=server), admin=admin)
    return judged(DatabaseCheck(), facts, spot, at)


# ---- room for connections


def test_the_connections_of_a_topology() -> None:
    """6 workers on each of two api nodes, 2 for each of the queues, and beat, statistics, exporter."""
    at = with_topology()
    assert at.topology
    queues = sum(bool(one.service.queue) for node in at.topology.nodes for one in node.services)
    assert connections_needed(at.topology) == 2 * 6 + 2 * queues + 3
    assert queues == 5 * 2


@pytest.mark.parametrize(
    ("changes", "needed", "expected"),
    [
        ({}, 20, (97, "max_connections")),
        ({"used": 90}, 20, (7, "max_connections")),
        ({"used": 97}, 20, (0, "max_connections")),
        ({"used": 90, "used_by_us": 20}, 20, (27, "max_connections")),
        ({"used": 90, "used_by_us": 80}, 20, (27, "max_connections")),  # more than ours is a leak
        ({"role_limit": 10}, 20, (10, "the role's CONNECTION LIMIT")),
        ({"role_limit": 10, "used_by_role": 4}, 20, (6, "the role's CONNECTION LIMIT")),
        ({"role_limit": 10, "superuser": True}, 20, (97, "max_connections")),
        ({"database_limit": 5, "used_in_database": 5}, 20, (0, "the database's CONNECTION LIMIT")),
        ({"database_limit": 0}, 20, (0, "the database's CONNECTION LIMIT")),
    ],
)
def test_connections_that_are_free(changes: dict[str, Any], needed: int, expected: tuple[int, str]) -> None:
    assert free_connections(replace(SERVER, **changes), needed) == expected


@pytest.mark.parametrize(
    ("used", "level"), [(0, "ok"), (62, "ok"), (63, "warning"), (96, "warning"), (97, "failure")]
)
def test_room_for_connections(used: int, level: str) -> None:
    one = seen(replace(SERVER, used=used), with_topology())["database.connections"]
    assert one.level == level
    assert f"{97 - used} free for Oz of 100 (max_connections), 3 of them reserved, {used} in use" in one.seen
    assert one.needed == "35 (6 gunicorn workers per node, 2 per queue: the vendor's start commands)"


def test_without_a_topology_only_what_is_used_up_is_told() -> None:
    assert "database.connections" not in seen(SERVER, site())
    full = seen(replace(SERVER, used=97), site())
    assert levels(full) == {"database.connections": "failure"}


# ---- the clock


@pytest.mark.parametrize(
    ("ahead", "level", "words"),
    [
        ((0.0, 0.0), "ok", "within 2 s"),
        ((2.0, 2.0), "ok", "within 2 s"),
        ((2.1, 2.1), "warning", "2.1 s ahead of this workstation's"),
        ((-300.0, -300.2), "warning", "300.1 s behind this workstation's"),
    ],
)
def test_the_servers_clock(ahead: tuple[float, float], level: str, words: str) -> None:
    facts = {
        name: DatabaseFacts(attempt=LoginResult(outcome="in", server=replace(SERVER, ahead=one)))
        for name, one in zip(("n1", "n2"), ahead, strict=True)
    }
    (found,) = DatabaseCheck().across(site(), facts)
    assert (found.id, found.node, found.level) == ("database.clock", None, level)
    assert words in found.seen
    assert found.hint or level == "ok"


@pytest.mark.parametrize(("started", "differs"), [((5.5, 5.5), False), ((5.5, 7.25), True)])
def test_nodes_that_reach_different_servers(started: tuple[float, float], differs: bool) -> None:
    at = site()
    facts = {
        node.name: DatabaseFacts(attempt=LoginResult(outcome="in", server=replace(SERVER, started=one)))
        for node, one in zip(at.api_nodes, started, strict=True)
    }
    found = {one.id: one for one in DatabaseCheck().across(at, facts)}
    second = at.api_nodes[1].name
    assert (f"database.server/{second}" in found) is differs
    if differs:
        warning = found[f"database.server/{second}"]
        assert (warning.level, warning.node) == ("warning", second)
        assert at.api_nodes[0].name in warning.seen


def test_nothing_is_said_of_a_clock_that_nobody_saw() -> None:
    facts = {"n1": DatabaseFacts(attempt=WRONG), "n2": DatabaseFacts()}
    assert list(DatabaseCheck().across(site(), facts)) == []


class Slow:
    """A server whose answer takes a while; its clock is off by so much."""

    def __init__(self, off: float) -> None:
        self.off = off

    def run(self, _: str) -> list[list[float]]:
        there = time.time() + self.off
        time.sleep(0.05)
        return [[there]]


@pytest.mark.parametrize("off", [-10.0, 0.0, 10.0])
def test_the_way_there_and_back_is_no_skew(off: float) -> None:
    assert abs(_ahead(Slow(off)) - off) < 0.2
    assert off or _ahead(Slow(off)) == 0.0


# ---- what can be created


@pytest.mark.parametrize(
    ("attempt", "ground", "bad", "remedies"),
    [
        (WRONG, LOST, {"login", "exists"}, ["create the role gateway_user", "create the database gateway"]),
        (WRONG, replace(LOST, role=True), {"login", "exists"}, ["create the database gateway"]),
        (WRONG, replace(LOST, owner="x"), {"login"}, ["create the role gateway_user"]),
        (WRONG, GROUND, {"login"}, []),
        (
            replace(WRONG, state="3D000", outcome="error"),
            replace(LOST, role=True),
            {"login"},
            ["create the database gateway"],
        ),
        (
            WRONG,
            replace(LOST, trusted=frozenset()),
            {"login", "exists", "pgcrypto"},
            ["create the role gateway_user", "create the database gateway",
             "create the extension pgcrypto in gateway"],
        ),
        (
            WRONG,
            replace(LOST, available=frozenset()),
            {"login", "exists", "pgcrypto"},
            ["create the role gateway_user", "create the database gateway"],
        ),
        (
            WRONG,
            replace(LOST, superuser=False, may_create_roles=False),
            {"login", "exists"},
            ["create the database gateway"],
        ),
        (
            WRONG,
            replace(LOST, superuser=False, may_create_databases=False),
            {"login", "exists"},
            ["create the role gateway_user"],
        ),
    ],
)  # fmt: skip
def test_what_an_administrator_can_create(
    attempt: LoginResult, ground: AdminView, bad: set[str], remedies: list[str]
) -> None:
    facts = DatabaseFacts(attempt=attempt, admin=LoginResult(outcome="in", admin_view=ground))
    found = judged(DatabaseCheck(), facts, API, with_admin())
    assert levels(found) == {f"database.{name}": "failure" for name in bad}
    assert [one.remedy.title for one in found.values() if one.remedy] == remedies
    other = judged(DatabaseCheck(), facts, BIO, with_admin())
    assert levels(other) == levels(found)
    assert not [one for one in other.values() if one.remedy]


def test_a_role_that_is_there_has_another_password() -> None:
    facts = DatabaseFacts(attempt=WRONG, admin=LoginResult(outcome="in", admin_view=GROUND))
    hint = judged(DatabaseCheck(), facts, API, with_admin())["database.login"].hint
    assert "The role gateway_user exists. Check its password" in hint
    unknown = judged(DatabaseCheck(), DatabaseFacts(attempt=WRONG), API)["database.login"].hint
    assert "may also be missing" in unknown
    assert '(host "gateway" "gateway_user" ADDRESS scram-sha-256)' in unknown


def test_rights_and_extensions_inside() -> None:
    bare = replace(SERVER, may_create_tables=False, may_create=False, installed=frozenset(), owner="postgres")
    found = seen(bare, with_admin(), API, replace(GROUND, owner="postgres"))
    rights, extension = found["database.rights"].remedy, found["database.pgcrypto"].remedy
    assert rights
    assert extension
    assert [one for one, *_ in rights.commands] == [
        'ALTER DATABASE "gateway" OWNER TO "gateway_user"',
        'GRANT CREATE ON SCHEMA public TO "gateway_user"',
    ]
    assert rights.database == extension.database == "gateway"
    assert rights.undo[-1] == ('ALTER DATABASE "gateway" OWNER TO "postgres"',)
    assert extension.commands == (('CREATE EXTENSION "pgcrypto"',),)
    alone = seen(bare, site())
    assert not [one for one in alone.values() if one.remedy]
    assert 'ALTER DATABASE "gateway" OWNER TO "gateway_user";' in alone["database.rights"].hint


def test_an_administrator_who_is_refused_is_a_warning() -> None:
    refused = LoginResult(
        outcome="refused", message="password authentication failed for user boss", state="28P01"
    )
    found = judged(DatabaseCheck(), DatabaseFacts(attempt=WRONG, admin=refused), API, with_admin())
    assert levels(found) == {"database.login": "failure", "database.admin": "warning"}
    assert "boss cannot log in: password authentication failed" in found["database.admin"].seen


def test_right_to_connect() -> None:
    attempt = LoginResult(outcome="error", state="42501", message="permission denied for database", tls="T")
    hint = judged(DatabaseCheck(), DatabaseFacts(attempt=attempt))["database.login"].hint
    assert 'GRANT CONNECT ON DATABASE "gateway" TO "gateway_user";' in hint


# ---- statements


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_names(name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    wanted = site().release.database
    (made,) = create_role("n", name).commands[0]
    assert made == f"CREATE ROLE {quoted} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD $1"
    lent, created, back = (one for one, *_ in create_database("n", name, name, wanted, name).commands)
    assert lent == f"GRANT {quoted} TO {quoted}"
    assert created == (
        f"CREATE DATABASE {quoted} OWNER {quoted} TEMPLATE template0 ENCODING 'UTF8' "
        "LC_COLLATE 'en_US.UTF-8' LC_CTYPE 'en_US.UTF-8'"
    )
    assert back == f"REVOKE {quoted} FROM {quoted}"
    assert change_owner("n", name, name, name).undo[1] == (f"ALTER DATABASE {quoted} OWNER TO {quoted}",)
    assert create_extension("n", name, name).commands == ((f"CREATE EXTENSION {quoted}",),)
    full = with_password(made, Secret("pw"))
    assert full.startswith(made.removesuffix("$1"))
    assert re.fullmatch(r"'SCRAM-SHA-256\$4096:[^']+'", full.removeprefix(made.removesuffix("$1")))
    assert with_password(created, Secret("pw")) == created


def test_an_owner_whose_name_cannot_be_written_is_not_given_back() -> None:
    assert change_owner("n", "gateway", "oz", "a\nb").undo == ()
    with pytest.raises(AnswersError):
        create_role("n", "a\nb")


def test_the_verifier_is_that_of_the_standard() -> None:
    """RFC 7677's example: user, pencil; its keys computed from it."""
    import base64
    import hashlib
    import hmac

    salt = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
    salted = hashlib.pbkdf2_hmac("sha256", b"pencil", salt, 4096)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    served = hmac.digest(salted, b"Server Key", "sha256")
    expected = f"{base64.b64encode(stored).decode()}:{base64.b64encode(served).decode()}"
    assert scram_verifier(Secret("pencil"), salt) == f"SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==${expected}"
    assert scram_verifier(Secret("pencil")) != scram_verifier(Secret("pencil"))
    with pytest.raises(OzError) as caught:
        scram_verifier(Secret("a\u200e\u0007"))
    assert "letters, digits" in caught.value.hint


def door() -> ConnectionSettings:
    found = admin_connection_for(with_admin())
    assert found
    return replace(found, sslmode="disable")


def test_the_administrators_door() -> None:
    assert admin_connection_for(site()) is None
    assert (door().name, door().user) == ("postgres", "boss")
    assert ADMIN not in repr(door())


def test_an_administrator_who_is_refused_is_told_without_any_secret() -> None:
    remedy = create_role("n1", "gateway_user")
    answer = error_response("28P01", "password authentication failed")
    with server(lambda peer, _: peer.sendall(answer)) as port, pytest.raises(OzError) as caught:
        run_statements(NodeViewpoint(Elsewhere(port=port)), door(), remedy, Secret(CANARY))
    assert "refuses the administrator boss: password authentication failed" in caught.value.message
    assert CANARY not in repr(caught.value) + str(caught.value)
    assert ADMIN not in repr(caught.value) + str(caught.value)


@pytest.mark.parametrize(
    ("port", "words"), [(None, "sshd on the node forbids tunnels"), (1, "Connection refused")]
)
def test_what_cannot_be_reached_is_told(port: int | None, words: str) -> None:
    remedy: Remedy = create_role("n1", "gateway_user")
    with pytest.raises(OzError) as caught:
        run_statements(NodeViewpoint(Elsewhere(port=port)), door(), remedy, Secret(CANARY))
    assert "could not create the role gateway_user" in caught.value.message
    assert words in caught.value.message
    assert postgres_admin.PLACEHOLDER in remedy.commands[0][0]


def test_a_password_that_cannot_be_prepared_is_a_warning() -> None:
    found = judged(DatabaseCheck(), DatabaseFacts(attempt=LoginResult(outcome="untried", tls="TLSv1.3")))
    assert levels(found) == {"database.login": "warning"}
    assert "SASLprep" in found["database.login"].why
