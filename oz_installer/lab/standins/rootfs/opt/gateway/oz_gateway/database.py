"""The stand-in's tables in the real PostgreSQL."""

import hashlib
import hmac
import os
import secrets

import psycopg2

DatabaseError = psycopg2.Error
_TABLES = {
    "user": 'CREATE TABLE IF NOT EXISTS "user" (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), '
    "email text UNIQUE NOT NULL, password text NOT NULL, is_admin boolean NOT NULL DEFAULT false)",
    "access_token": "CREATE TABLE IF NOT EXISTS access_token (token text PRIMARY KEY, "
    'user_id uuid NOT NULL REFERENCES "user"(id), created timestamptz NOT NULL DEFAULT now())',
    "analysis": "CREATE TABLE IF NOT EXISTS analysis (id uuid PRIMARY KEY, worker text NOT NULL, "
    "result jsonb NOT NULL, created timestamptz NOT NULL DEFAULT now())",
}
_TIMES = "CREATE TABLE IF NOT EXISTS lamb_execution_time_metric (id bigserial PRIMARY KEY, name text, elapsed_ms real)"


def connect(settings):
    """A new connection with the DB_* of config.py; PGSSLMODE and DB_OPTIONS are honoured."""
    return psycopg2.connect(
        host=settings["DB_HOST"], port=settings["DB_PORT"], user=settings["DB_USER"], password=settings["DB_PASS"],
        dbname=settings["DB_NAME"], connect_timeout=5, application_name="oz-api-stand-in",
        **settings.get("DB_OPTIONS", {}),
    )


class session:
    """``with session(settings) as cursor``: one transaction on a connection of its own."""

    def __init__(self, settings):
        self.settings = settings

    def __enter__(self):
        self.connection = connect(self.settings)
        return self.connection.cursor()

    def __exit__(self, kind, value, trace):
        self.connection.rollback() if kind else self.connection.commit()
        self.connection.close()


def create_tables(settings, modules):
    """Make what is missing; names of the tables. Raises DatabaseError without the extension pgcrypto."""
    wanted = dict(_TABLES) if "api" in modules else {}
    if "lamb.execution_time" in modules:
        wanted["lamb_execution_time_metric"] = _TIMES
    with session(settings) as cursor:
        cursor.execute("SELECT 1 FROM pg_extension WHERE extname = 'pgcrypto'")
        if not cursor.fetchone():
            raise psycopg2.ProgrammingError("the extension pgcrypto is missing in the database")
        for statement in wanted.values():
            cursor.execute(statement)
    return sorted(wanted)


def _hash(password, salt):
    return hashlib.scrypt(password.encode(), salt=salt, n=2**12, r=8, p=1).hex()


def create_admin(settings, email, password):
    """Store an administrator. Raises DatabaseError when there is one of that e-mail."""
    salt = os.urandom(16)
    with session(settings) as cursor:
        cursor.execute(
            'INSERT INTO "user" (email, password, is_admin) VALUES (%s, %s, true)',
            (email, f"{salt.hex()}${_hash(password, salt)}"),
        )


def login(settings, email, password):
    """A new access token, or None when e-mail or password is wrong."""
    with session(settings) as cursor:
        cursor.execute('SELECT id, password FROM "user" WHERE email = %s', (email,))
        row = cursor.fetchone()
        if not row:
            return None
        salt, stored = row[1].split("$")
        if not hmac.compare_digest(_hash(password, bytes.fromhex(salt)), stored):
            return None
        token = secrets.token_urlsafe(32)
        cursor.execute("INSERT INTO access_token (token, user_id) VALUES (%s, %s)", (token, row[0]))
        return token


def known_token(settings, token):
    with session(settings) as cursor:
        cursor.execute("SELECT 1 FROM access_token WHERE token = %s", (token,))
        return cursor.fetchone() is not None
