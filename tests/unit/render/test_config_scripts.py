"""What the two run-once scripts do inside the API's image, with stand-ins for what they find there."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from oz_installer.render.environment import render_template
from oz_installer.secret import Secret
from tests.unit.render.test_filters import NASTY

ADMIN = {"email": "admin@oz.local", "password": NASTY}
MANAGE = """
import json, os, pathlib, sys
here = pathlib.Path.cwd()
(here / "argv.json").write_text(json.dumps(sys.argv))
(here / "cmdline").write_bytes(pathlib.Path("/proc/self/cmdline").read_bytes())
sys.exit(int((here / "status").read_text()))
"""
PSYCOPG2 = """
import json, pathlib
HERE = pathlib.Path(__file__).parent
class Error(Exception): pass
class OperationalError(Error): pass
class Cursor:
    def __enter__(self): return self
    def __exit__(self, *rest): pass
    def execute(self, sql):
        with (HERE / "sql").open("a") as file: file.write(sql + chr(10))
        state = json.loads((HERE / "database.json").read_text())
        if sql.startswith("CREATE EXTENSION") and state["forbidden"]: raise Error("permission denied")
        self.row = (state["tables"],) if "pg_tables" in sql else (1,) if state["pgcrypto"] else None
    def fetchone(self): return self.row
class Connection:
    autocommit = False
    def cursor(self): return Cursor()
    def close(self): pass
def connect(**options):
    state = json.loads((HERE / "database.json").read_text())
    (HERE / "options.json").write_text(json.dumps(options))
    if state["refuse"]:
        (HERE / "database.json").write_text(json.dumps({**state, "refuse": state["refuse"] - 1}))
        raise OperationalError("the database system is starting up")
    return Connection()
"""
DATABASE = {"tables": 0, "pgcrypto": False, "forbidden": False, "refuse": 0}


@pytest.fixture
def gateway(tmp_path: Path) -> Path:
    """A folder like the image's /opt/gateway."""
    (tmp_path / "manage.py").write_text(MANAGE)
    (tmp_path / "psycopg2.py").write_text(PSYCOPG2)
    (tmp_path / "status").write_text("0")
    (tmp_path / "configs").mkdir()
    config = (
        "DB_HOST = 'db'\nDB_PORT = 5433\nDB_NAME = 'gateway'\nDB_USER = 'gateway_user'\n"
        f"DB_PASS = {NASTY!r}\nDB_OPTIONS = {{'sslmode': 'require'}}\n"
    )
    (tmp_path / "configs" / "config.py").write_text(config)
    return tmp_path


def run(gateway: Path, script: str, **replace: str) -> subprocess.CompletedProcess[str]:
    """Run a rendered script in a process of its own, its constants pointing at the stand-ins."""
    text = render_template(f"config/api/{script}.j2", {"inside": {"api": "oz-api:8000"}})
    for old, new in {"/opt/gateway": str(gateway), **replace}.items():
        assert old in text
        text = text.replace(old, new)
    file = gateway / script
    file.write_text(text)
    return subprocess.run(
        [sys.executable, str(file)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={"PYTHONPATH": str(gateway), "PATH": "/usr/bin:/bin", "http_proxy": "http://127.0.0.1:9"},
    )


def argv(gateway: Path) -> list[str] | None:
    """What manage.py was called with; None when it was not."""
    file = gateway / "argv.json"
    return json.loads(file.read_text()) if file.exists() else None


def run_init_db(gateway: Path, **state: Any) -> subprocess.CompletedProcess[str]:
    (gateway / "database.json").write_text(json.dumps({**DATABASE, **state}))
    return run(gateway, "init_db.py")


def test_tables_are_created_once_the_database_answers(gateway: Path) -> None:
    done = run_init_db(gateway, refuse=1)
    assert (done.returncode, done.stderr) == (0, "")
    assert "waiting for the database: the database system is starting up\n" in done.stdout
    assert (argv(gateway) or [])[1:] == ["alchemy_create", "api", "lamb.execution_time"]
    assert "CREATE EXTENSION IF NOT EXISTS pgcrypto" in (gateway / "sql").read_text()
    options = json.loads((gateway / "options.json").read_text())
    assert (options["host"], options["port"], options["sslmode"]) == ("db", 5433, "require")
    assert options["password"] == NASTY


def test_tables_that_exist_are_left_alone(gateway: Path) -> None:
    done = run_init_db(gateway, tables=7, pgcrypto=True)
    assert done.returncode == 0
    assert "7 tables already" in done.stdout
    assert argv(gateway) is None
    assert "CREATE" not in (gateway / "sql").read_text()


def test_an_extension_that_may_not_be_created_is_told(gateway: Path) -> None:
    done = run_init_db(gateway, forbidden=True)
    assert done.returncode == 0
    assert "CREATE EXTENSION pgcrypto: permission denied" in done.stderr
    assert argv(gateway) is not None


def test_tables_that_cannot_be_created_fail_the_job(gateway: Path) -> None:
    (gateway / "status").write_text("3")
    assert run_init_db(gateway).returncode == 3


def test_a_database_that_never_answers_fails_the_job(gateway: Path) -> None:
    (gateway / "database.json").write_text(json.dumps({**DATABASE, "refuse": 1000}))
    done = run(gateway, "init_db.py", **{"WAIT_SECONDS = 120": "WAIT_SECONDS = 0"})
    assert done.returncode == 1
    assert "could not be reached" in done.stderr
    assert "Traceback" not in done.stderr
    assert NASTY not in done.stdout + done.stderr


def test_a_database_that_answers_and_refuses_is_not_waited_for(gateway: Path) -> None:
    """One that starts up does so within half a minute; a wrong password does not mend itself."""
    (gateway / "database.json").write_text(json.dumps({**DATABASE, "refuse": 1000}))
    with socket.create_server(("127.0.0.1", 0)) as server:
        config = gateway / "configs" / "config.py"
        address = f"DB_HOST = '127.0.0.1'\nDB_PORT = {server.getsockname()[1]}\n"
        config.write_text(config.read_text().replace("DB_HOST = 'db'\nDB_PORT = 5433\n", address))
        done = run(gateway, "init_db.py", **{"REFUSED_SECONDS = 30": "REFUSED_SECONDS = 0"})
    assert done.returncode == 1
    assert "the database refuses us: the database system is starting up" in done.stderr
    assert "Traceback" not in done.stderr
    assert NASTY not in done.stdout + done.stderr


def test_a_database_that_starts_up_is_waited_for(gateway: Path) -> None:
    (gateway / "database.json").write_text(json.dumps({**DATABASE, "refuse": 1}))
    with socket.create_server(("127.0.0.1", 0)) as server:
        config = gateway / "configs" / "config.py"
        address = f"DB_HOST = '127.0.0.1'\nDB_PORT = {server.getsockname()[1]}\n"
        config.write_text(config.read_text().replace("DB_HOST = 'db'\nDB_PORT = 5433\n", address))
        done = run(gateway, "init_db.py")
    assert done.returncode == 0, done.stderr
    assert "waiting for the database: the database system is starting up" in done.stdout
    assert "Traceback" not in done.stderr
    assert NASTY not in done.stdout + done.stderr


class Api(ThreadingHTTPServer):
    """The API as init_user.py sees it; ``good`` when the login works, at once or after manage.py ran."""

    daemon_threads = True

    def __init__(self, gateway: Path) -> None:
        super().__init__(("127.0.0.1", 0), ApiHandler)
        self.gateway = gateway
        self.known = False
        self.creation_works = True

    @property
    def url(self) -> str:
        """Base URL."""
        return f"http://127.0.0.1:{self.server_port}"


class ApiHandler(BaseHTTPRequestHandler):
    """Two paths of the API."""

    def do_GET(self) -> None:
        """The version."""
        self._answer(200 if self.path == "/api/version" else 404)

    def do_POST(self) -> None:
        """The login."""
        assert isinstance(self.server, Api)
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        created = argv(self.server.gateway) is not None and self.server.creation_works
        known = (self.server.known or created) and body == {"credentials": ADMIN}
        self._answer(200 if known and self.path == "/api/authorize/auth" else 401)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing on the screen."""


@pytest.fixture
def api(gateway: Path) -> Iterator[Api]:
    """A running API."""
    with Api(gateway) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()


def run_init_user(gateway: Path, url: str, **replace: str) -> subprocess.CompletedProcess[str]:
    context = {"admin_email": ADMIN["email"], "secret": lambda _name: Secret(ADMIN["password"])}
    (gateway / "admin.json").write_text(render_template("config/api/admin.json.j2", context))
    pointed = {"/run/oz/admin.json": str(gateway / "admin.json"), "http://oz-api:8000": url}
    return run(gateway, "init_user.py", **pointed, **replace)


def test_the_administrator_is_created_and_the_password_never_in_argv(gateway: Path, api: Api) -> None:
    done = run_init_user(gateway, api.url)
    assert (done.returncode, done.stderr) == (0, "")
    assert "admin@oz.local was created" in done.stdout
    called = (argv(gateway) or [])[1:]
    assert called == ["oz_create_admin", "--email=admin@oz.local", f"--password={NASTY}"]
    assert NASTY.encode() not in (gateway / "cmdline").read_bytes()
    assert NASTY not in done.stdout


def test_an_administrator_that_can_log_in_is_left_alone(gateway: Path, api: Api) -> None:
    api.known = True
    done = run_init_user(gateway, api.url)
    assert done.returncode == 0
    assert "exists already" in done.stdout
    assert argv(gateway) is None


def test_an_administrator_that_cannot_log_in_fails_the_job(gateway: Path, api: Api) -> None:
    api.creation_works = False
    done = run_init_user(gateway, api.url)
    assert done.returncode == 1
    assert "cannot log in: status 401" in done.stderr
    assert NASTY not in done.stdout + done.stderr


def test_a_failed_creation_fails_the_job(gateway: Path, api: Api) -> None:
    (gateway / "status").write_text("4")
    assert run_init_user(gateway, api.url).returncode == 1


def test_an_api_that_never_answers_fails_the_job(gateway: Path) -> None:
    done = run_init_user(gateway, "http://127.0.0.1:9", **{"WAIT_SECONDS = 120": "WAIT_SECONDS = 0"})
    assert done.returncode == 1
    assert "was not ready within 0 s: no answer" in done.stderr


def test_an_account_with_another_password_is_told_with_what_to_do(gateway: Path, api: Api) -> None:
    """The vendor's command fails on an account that is there; its own last words help nobody."""
    (gateway / "manage.py").write_text("import sys; sys.exit('vendor says: no')")
    done = run_init_user(gateway, api.url)
    assert done.returncode == 1
    assert "vendor says: no" in done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert "admin@oz.local cannot log in and could not be created" in last
    assert "give the account's own as admin.password, or another admin.email" in last
    assert NASTY not in done.stdout + done.stderr
