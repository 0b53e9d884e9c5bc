"""Stands in for the API's manage.py: alchemy_create and oz_create_admin, against the real database."""

import argparse
import sys

from oz_gateway import database
from oz_gateway.settings import SettingsError, load


def main():
    parser = argparse.ArgumentParser(description=f"STAND-IN of the oz-install lab. {__doc__}")
    commands = parser.add_subparsers(dest="command", required=True)
    create = commands.add_parser("alchemy_create")
    create.add_argument("modules", nargs="+")
    admin = commands.add_parser("oz_create_admin")
    admin.add_argument("--email", required=True)
    admin.add_argument("--password", required=True)
    options = parser.parse_args()
    try:
        settings = load()
        if options.command == "alchemy_create":
            print("STAND-IN: tables are there:", ", ".join(database.create_tables(settings, options.modules)))
        else:
            database.create_admin(settings, options.email, options.password)
            print("STAND-IN: administrator created:", options.email)
    except (SettingsError, database.DatabaseError) as error:
        sys.exit(f"STAND-IN: {error}")


main()
