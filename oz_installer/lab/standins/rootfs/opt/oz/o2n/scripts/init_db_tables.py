"""Makes the tables of the 1:N service; the extensions vector and pgcrypto must be there."""

import sys

from o2n_database import connect


def main():
    connection = connect()
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT extname FROM pg_extension")
        missing = {"vector", "pgcrypto"} - {row[0] for row in cursor}
        if missing:
            sys.exit(f"STAND-IN o2n: the database lacks the extensions {', '.join(sorted(missing))}")
        cursor.execute(
            "CREATE TABLE IF NOT EXISTS o2n_collection (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text);"
            "CREATE TABLE IF NOT EXISTS o2n_face (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), template vector(3))"
        )
    print("STAND-IN o2n: tables are there")


main()
