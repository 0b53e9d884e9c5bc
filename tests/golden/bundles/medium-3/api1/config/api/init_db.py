# Made by oz-install. Do not edit: change answers.yml and run oz-install again.
"""Creates the API's tables where there are none. Runs inside the API's image."""

import os
import runpy
import socket
import sys
import time

import psycopg2

GATEWAY = "/opt/gateway"
WAIT_SECONDS = 120
REFUSED_SECONDS = 30


def connect(config):
    """Wait until the database lets us in: WAIT_SECONDS at most, REFUSED_SECONDS once something listens."""
    options = dict(config.get("DB_OPTIONS") or {})
    deadline = time.monotonic() + WAIT_SECONDS
    said, refused = "", False
    while True:
        try:
            return psycopg2.connect(
                host=config["DB_HOST"],
                port=config["DB_PORT"],
                dbname=config["DB_NAME"],
                user=config["DB_USER"],
                password=config["DB_PASS"],
                connect_timeout=5,
                **options
            )
        except psycopg2.OperationalError as error:
            reason = " ".join(str(error).split())
        if not refused and listens(config["DB_HOST"], config["DB_PORT"]):
            refused = True
            deadline = min(deadline, time.monotonic() + REFUSED_SECONDS)
        if time.monotonic() > deadline:
            what = "refuses us" if refused else "could not be reached within %d s" % WAIT_SECONDS
            sys.exit("the database %s: %s" % (what, reason))
        if reason != said:
            print("waiting for the database: " + reason, flush=True)
            said = reason
        time.sleep(1)


def listens(host, port):
    """Whether something takes connections there."""
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except OSError:
        return False
    return True


def ensure_pgcrypto(connection):
    """Create the extension where it is missing; only a database that forbids it is told so."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_extension WHERE extname = 'pgcrypto'")
        if cursor.fetchone():
            return
        try:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pgcrypto")
            print("extension pgcrypto created", flush=True)
        except psycopg2.Error as error:
            print(
                "extension pgcrypto is missing and could not be created; let the database's "
                "administrator run CREATE EXTENSION pgcrypto: " + str(error).strip(),
                file=sys.stderr,
                flush=True,
            )


def tables(connection):
    """Number of tables in the schema public."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        return cursor.fetchone()[0]


def main():
    os.chdir(GATEWAY)
    sys.path.insert(0, GATEWAY)
    connection = connect(runpy.run_path(GATEWAY + "/configs/config.py"))
    connection.autocommit = True
    try:
        ensure_pgcrypto(connection)
        found = tables(connection)
    finally:
        connection.close()
    if found:
        print("the database has %d tables already: nothing to create" % found, flush=True)
        return
    print("creating the API's tables", flush=True)
    sys.argv = ["manage.py", "alchemy_create", "api", "lamb.execution_time"]
    runpy.run_path(GATEWAY + "/manage.py", run_name="__main__")


if __name__ == "__main__":
    main()
