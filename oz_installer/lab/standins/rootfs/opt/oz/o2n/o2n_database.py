"""The 1:N service's own PostgreSQL, from its environment."""


import psycopg2

from standin import needed


def connect():
    host, port, user, password, name = needed("DB_HOST", "DB_PORT", "DB_USER", "DB_PASS", "DB_NAME")
    return psycopg2.connect(host=host, port=port, user=user, password=password, dbname=name, connect_timeout=5)
