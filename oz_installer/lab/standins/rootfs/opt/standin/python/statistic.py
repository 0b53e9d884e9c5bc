"""Stands in for the statistics service: opens PostgreSQL and asks the API at each request."""

import psycopg2
from standin import Cached, die, http_get, needed, serve

host, port, user, password, name, api = needed("DB_HOST", "DB_PORT", "DB_USER", "DB_PASS", "DB_NAME", "OZ_API_URL")
if not api.startswith(("http://", "https://")):
    die(f"OZ_API_URL is {api!r}, which is no URL")


def ask_database():
    with psycopg2.connect(
        host=host, port=port, user=user, password=password, dbname=name, connect_timeout=5
    ) as connection, connection.cursor() as cursor:
        cursor.execute('SELECT count(*) FROM analysis')
        counted["analyses"] = cursor.fetchone()[0]
    connection.close()


counted = {"analyses": 0}
database = Cached(ask_database, 0)
version = Cached(lambda: http_get(api.rstrip("/") + "/api/version"), 0)


def routes(method, path, body):
    if not path.startswith("/statistic"):
        return 404, {"error": f"no such path: {path}"}
    reasons = {part: reason for part, reason in (("database", database()), ("api", version())) if reason}
    return (503, {"error": reasons}) if reasons else (200, {"analyses": counted["analyses"]})


serve(80, routes)
