"""``check --fix`` that ends early on lab nodes: what is half done is told, and taken back by its own list."""

from __future__ import annotations

from pathlib import Path

from oz_installer.lab.database import psql
from tests.e2e.checked_nodes import Bench, secret_file
from tests.e2e.site import Outcome, Site
from tests.e2e.test_checks_fix import Case, bare

__all__ = ["bare"]

START = "/run/dockerd 600 > /dev/null 2>&1 &"
LENT = """
SELECT 'lent=' || (SELECT count(*) FROM pg_auth_members WHERE roleid = r.oid AND inherit_option)
FROM pg_roles r WHERE rolname = 'fixed_user'
"""


def test_a_command_that_fails_is_told_with_its_words(site: Site, bare: str, tmp_path: Path) -> None:
    """It has begun to change something: that stays on the list until it is taken back."""
    case = Case(site, tmp_path, bare)
    case.init(START, 'echo "cannot: full" >&2', "exit 7")
    done = case.check("--fix", "--yes")
    assert done.status == 3
    assert "«service docker start» ended with status 7: cannot: full" in done.stderr
    assert "The failed command may have been done in part. Run oz-install check --undo, or fix" in done.stderr
    assert (
        "cannot: full; 0 of 2 commands were done, the next one maybe in part; left" in case.list.read_text()
    )
    assert case.failures()["engine"].startswith("Docker does not answer")

    again = case.check("--undo", "--yes")
    assert again.status == 3
    assert "ended with status 7" in again.stderr
    assert "run oz-install check --undo again" in again.stderr
    case.init("pkill -x dockerd")
    case.take_back()
    assert "dockerd" not in case.on("ps -eo comm")
    assert "There is nothing to undo." in case.check("--undo", "--yes").stderr


def test_a_connection_that_breaks_midway_leaves_it_on_the_list(site: Site, bare: str, tmp_path: Path) -> None:
    """The node is there again afterwards, and nobody knows what was done."""
    case = Case(site, tmp_path, bare)
    case.init(START, "pkill -9 sshd-session")
    done = case.check("--fix", "--yes")
    assert "«service docker start» was started, but its result is unknown: connection lost" in done.stderr
    assert "left to undo:\n  undo  sh -c '! pidof dockerd" in case.list.read_text()
    assert "dockerd" in case.on("ps -eo comm")
    case.init("pkill -x dockerd")
    case.take_back()
    assert "dockerd" not in case.on("ps -eo comm")


def test_a_role_is_taken_back_where_its_database_was_refused(bench: Bench) -> None:
    """By an administrator who is no superuser: he lends himself the role, and keeps it in no case."""
    bench.sql("CREATE ROLE boss LOGIN CREATEROLE CREATEDB PASSWORD 'canary-boss'")
    database = {
        **bench.site.answers("medium-2")["database"],
        "name": "fixed",
        "user": "fixed_user",
        "password": secret_file(bench, "fixed", "canary-fixed"),
        "admin_user": "boss",
        "admin_password": secret_file(bench, "boss", "canary-boss"),
    }
    answers, written = str(bench.answers(database=database)), bench.folder / "answers.undo.txt"

    def check(*flags: str) -> Outcome:
        return bench.site.run("check", "--answers", answers, "--only", "database", *flags, "--yes")

    def role() -> str:
        return psql(bench.site.lab, LENT)

    bench.sql("ALTER DATABASE template0 IS_TEMPLATE false")  # only a superuser copies it then
    try:
        done = check("--fix")
        assert done.status == 3
        assert "«CREATE DATABASE" in done.stderr
        assert "permission denied to copy database" in done.stderr
        assert 'Done before that: «GRANT "fixed_user" TO "boss"».' in done.stderr
        assert "canary" not in done.stdout + done.stderr + written.read_text()
        assert "lent=1" in role()
        back = check("--undo")
        assert back.status == 0, back.stderr
        assert "DROP DATABASE" not in back.stderr
        assert "lent" not in role()

        bench.sql("ALTER DATABASE template0 IS_TEMPLATE true")
        done = check("--fix")
        assert done.status == 0, done.stderr + done.stdout
        assert "lent=0" in role()
        back = check("--undo")
        assert back.status == 0, back.stderr
        assert "lent" not in role()
    finally:
        bench.sql("ALTER DATABASE template0 IS_TEMPLATE true")
        bench.sql("DROP DATABASE IF EXISTS fixed WITH (FORCE)")
        bench.sql("DROP ROLE IF EXISTS fixed_user")
        bench.sql("DROP ROLE IF EXISTS boss")
