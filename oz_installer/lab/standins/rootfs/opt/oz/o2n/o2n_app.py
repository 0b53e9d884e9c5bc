"""Stands in for the 1:N service: GET /api/ping/ works when its tables and pgvector do."""

from o2n_database import connect
from standin import Cached, serve


def ask():
    connection = connect()
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM o2n_face WHERE template <-> '[1,2,3]' < 1")
    connection.close()


database = Cached(ask, 2)


def routes(method, path, body):
    if path != "/api/ping/":
        return 404, {"error": f"no such path: {path}"}
    reason = database()
    return (503, {"error": {"database": reason}}) if reason else (200, {"ping": "pong"})


serve(8010, routes)
