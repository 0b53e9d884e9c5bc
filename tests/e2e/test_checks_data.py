"""PostgreSQL on lab nodes: made to fail for real, named, mended, seen to pass."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from oz_installer.answers.file import read
from oz_installer.answers.secrets.resolve import Secrets, resolve_secrets
from oz_installer.checks.context import CheckContext, Remedy
from oz_installer.checks.database.database import admin_connection_for
from oz_installer.checks.database.postgres_admin import run_statements
from oz_installer.checks.viewpoint import NodeViewpoint
from oz_installer.installation.check import check_context
from oz_installer.lab.database import database_answers, psql
from oz_installer.lab.docker import docker
from oz_installer.lab.nodes import wait_until
from oz_installer.remote.transport import Transport
from oz_installer.secret import Secret
from tests.e2e.checked_nodes import Bench, bad, both, of, secret_file


@contextmanager
def idle_sessions(bench: Bench, count: int) -> Iterator[None]:
    """So many sessions of another role that do nothing; they end with the block."""
    from pg8000.native import Connection

    password, lab = Secret.generate().reveal(), bench.site.lab
    bench.sql(f"CREATE ROLE idler LOGIN PASSWORD '{password}'")
    sessions = []
    try:
        for _ in range(count):
            one = Connection("idler", host=str(lab.database_address), database="postgres", password=password)
            sessions.append(one)
        yield
    finally:
        for one in sessions:
            one.close()
        until = time.monotonic() + 60
        while _sessions(bench) and time.monotonic() < until:
            time.sleep(0.05)
        bench.sql("DROP ROLE idler")


def _sessions(bench: Bench) -> int:
    query = "SELECT 'n=' || count(*) FROM pg_stat_activity WHERE usename = 'idler'"
    return int(psql(bench.site.lab, query).partition("n=")[2].split()[0])


@contextmanager
def max_connections(bench: Bench, count: int) -> Iterator[None]:
    """PostgreSQL with so many, which it takes at a start only."""
    bench.sql(f"ALTER SYSTEM SET max_connections = {count}")
    _restart(bench)
    try:
        yield
    finally:
        bench.sql("ALTER SYSTEM RESET max_connections")
        _restart(bench)


def _restart(bench: Bench) -> None:
    container = bench.site.lab.database_container
    docker("kill", "--signal", "INT", container)  # a fast shutdown
    docker("wait", container)
    docker("start", container)
    wait_until(lambda: database_answers(bench.site.lab), "PostgreSQL did not start again")


@contextmanager
def limited(bench: Bench, statement: str, mend: str) -> Iterator[None]:
    bench.sql(statement)
    try:
        yield
    finally:
        bench.sql(mend)


def test_too_few_connections_and_none_at_all(bench: Bench) -> None:
    found = of(bench.check(), "database")
    free = int(found["database.connections/node1"].seen.split()[0])
    needed = int(found["database.connections/node1"].needed.split()[0])
    assert found["database.connections/node1"].seen.startswith(f"{free} free for Oz of 400 (max_connections)")
    assert free > needed
    with limited(
        bench, f"ALTER ROLE gateway_user CONNECTION LIMIT {needed - 1}",
        "ALTER ROLE gateway_user CONNECTION LIMIT -1",
    ):  # fmt: skip
        found = bench.check()
        assert bad(found) == both("database.connections", "warning")
        assert f"{needed - 1} free for Oz" in found["database.connections/node1"].seen
        assert "CONNECTION LIMIT" in found["database.connections/node1"].hint
    with max_connections(bench, 60):
        assert bad(bench.check()) == {}
        with idle_sessions(bench, 50):  # 3 are the superuser's
            found = bench.check()
            assert bad(found) == both("database.connections", "warning")
            assert "7 free for Oz of 60 (max_connections), 3 of them reserved, 50 in use" in (
                found["database.connections/node1"].seen
            )
        with idle_sessions(bench, 57):
            found = bench.database()
            assert bad(found) == both("database.login", "failure")
            assert "remaining connection slots are reserved" in found["database.login/node1"].seen
            assert "max_connections" in found["database.login/node1"].hint
        assert bad(bench.check()) == {}


@pytest.mark.parametrize("superuser", [True, False])
def test_what_an_administrator_can_create_is_told_and_done(bench: Bench, superuser: bool) -> None:
    """Role and database are missing; the statements that are shown make them, with the role's password."""
    document = bench.site.answers("medium-2")["database"]
    rights = "SUPERUSER" if superuser else "CREATEDB CREATEROLE"
    bench.sql(f"CREATE ROLE boss LOGIN {rights} PASSWORD 'canary-boss'")
    asked = {
        **document,
        "name": "made",
        "user": "made_user",
        "password": secret_file(bench, "made", "canary-made-'$1\"é"),
        "admin_user": "boss",
        "admin_password": secret_file(bench, "boss", "canary-boss"),
    }
    try:
        found = bench.database(database=asked)
        assert bad(found) == {**both("database.login", "failure"), **both("database.exists", "failure")}
        assert found["database.login/node1"].seen == "there is no role made_user"
        assert "canary" not in repr(found)
        remedies = [one.remedy for one in found.values() if one.remedy]
        assert [one.title for one in remedies] == ["create the role made_user", "create the database made"]
        with connected(bench, asked) as (site, transport):
            for remedy in remedies:
                carry_out(site, transport, remedy)
        found = bench.database(database=asked)
        assert bad(found) == {}
        assert found["database.rights/node1"].seen == "owned by made_user; made_user may create tables"
        logged = psql(bench.site.lab, "SELECT 'v=' || rolpassword FROM pg_authid WHERE rolname = 'made_user'")
        assert "SCRAM-SHA-256$" in logged
    finally:
        bench.sql("DROP DATABASE IF EXISTS made WITH (FORCE)")
        bench.sql("DROP ROLE IF EXISTS made_user")
        bench.sql("DROP ROLE IF EXISTS boss")


def test_rights_and_extensions_that_an_administrator_gives(bench: Bench) -> None:
    document = bench.site.answers("medium-2")["database"]
    bench.sql(
        "CREATE ROLE boss LOGIN SUPERUSER PASSWORD 'canary-boss';\n"
        "CREATE DATABASE given TEMPLATE template0 ENCODING 'UTF8' LOCALE 'en_US.UTF-8';\n"
        "\\connect given\nREVOKE ALL ON SCHEMA public FROM PUBLIC;"
    )
    asked = {
        **document,
        "name": "given",
        "admin_user": "boss",
        "admin_password": secret_file(bench, "boss", "canary-boss"),
    }
    try:
        found = bench.database(database=asked)
        assert bad(found) == {**both("database.rights", "failure"), **both("database.pgcrypto", "failure")}
        remedies = [one.remedy for one in found.values() if one.remedy]
        assert {one.database for one in remedies} == {"given"}
        with connected(bench, asked) as (site, transport):
            for remedy in remedies:
                carry_out(site, transport, remedy)
        assert bad(bench.database(database=asked)) == {}
        wrong = {**asked, "admin_password": secret_file(bench, "wrong", "not-it")}
        assert bad(bench.database(database=wrong)) == {}  # nobody asks the administrator while all is there
        bench.sql("\\connect given\nDROP EXTENSION pgcrypto; ALTER DATABASE given OWNER TO postgres;")
        found = bench.database(database=wrong)
        assert both("database.admin", "warning").items() <= bad(found).items()
    finally:
        bench.sql("DROP DATABASE IF EXISTS given WITH (FORCE)")
        bench.sql("DROP ROLE IF EXISTS boss")


def test_names_with_signs_and_a_database_that_takes_no_writes(bench: Bench) -> None:
    document = bench.site.answers("medium-2")["database"]
    role, name = "gateway@server1", "oz-Gateway"
    asked = {**document, "name": name, "user": role, "password": secret_file(bench, "signs", "canary-signs")}
    bench.sql(
        f"CREATE ROLE \"{role}\" LOGIN PASSWORD 'canary-signs';\n"
        f'CREATE DATABASE "{name}" OWNER "{role}" TEMPLATE template0 '
        "ENCODING 'UTF8' LOCALE 'en_US.UTF-8';"
    )
    try:
        found = bench.database(database=asked)
        assert bad(found) == {}
        assert found["database.writes/node1"].seen == "PostgreSQL takes writes"
        bench.sql(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
        found = bench.database(database=asked)
        assert bad(found) == both("database.writes", "failure")
        told = found["database.writes/node1"].hint
        statement = told.partition("run: ")[2]
        assert statement.startswith(f'ALTER ROLE "{role}" IN DATABASE "{name}" SET')
        bench.sql(statement)
        assert bad(bench.database(database=asked)) == {}
    finally:
        bench.sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        bench.sql(f'DROP ROLE IF EXISTS "{role}"')


@contextmanager
def connected(bench: Bench, database: dict[str, Any]) -> Iterator[tuple[CheckContext, Transport]]:
    """node1 as a remedy is carried out through it."""
    path = bench.answers(database=database)
    answers = read(path).answers
    secrets = resolve_secrets(answers, base=path.parent, wanted=lambda slot: slot.startswith("database."))
    transport = bench.opener(path)(answers.nodes[0], Secrets({}))
    try:
        yield check_context(answers, lambda _: transport, secrets), transport
    finally:
        transport.close()


def carry_out(site: CheckContext, transport: Transport, remedy: Remedy) -> None:
    admin = admin_connection_for(site)
    assert admin
    run_statements(NodeViewpoint(transport), admin, remedy, site.secrets.get("database.password", Secret("")))
