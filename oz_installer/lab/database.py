"""The lab's external PostgreSQL server."""

from __future__ import annotations

import re
from importlib import resources

from oz_installer.errors import AnswersError
from oz_installer.lab.docker import docker, inspect
from oz_installer.lab.nodes import wait_until
from oz_installer.lab.options import Lab, Say
from oz_installer.secret import Secret

ROLE, DATABASE = "gateway_user", "gateway"
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")


def database_argv(lab: Lab, image: str, script: str) -> list[str]:
    """Return the docker arguments that start the database server."""
    return [
        "run", "--detach", "--init", "--name", lab.database_container, "--hostname", "db",
        "--label", lab.label, "--network", lab.network, "--ip", str(lab.database_address),
        "--env", f"OZ_LAB_ADDRESS={lab.database_address}",
        "--volume", f"{lab.database_container}:/var/lib/postgresql/data",
        "--volume", f"{lab.database_password}:/run/oz-lab/password:ro",
        image, "bash", "-c", script,
    ]  # fmt: skip


def ensure_database(lab: Lab, image: str, say: Say) -> bool:
    """Make the database server run; return whether anything had to be done. Raises DeployError."""
    found = inspect("container", lab.database_container)
    running = bool(found and found["State"]["Running"])
    if found and not running:
        say("Starting the database server again ...")
        docker("start", lab.database_container)
    elif not found:
        docker("volume", "create", "--label", lab.label, lab.database_container)
        script = (resources.files("oz_installer.lab") / "recipes" / "database.sh").read_text()
        docker(*database_argv(lab, image, script))
    wait_until(lambda: database_answers(lab), "the database server did not start")
    return not running


def database_answers(lab: Lab) -> bool:
    """Return whether PostgreSQL accepts connections at its address."""
    check = ["pg_isready", "--quiet", "--host", str(lab.database_address), "--dbname", DATABASE]
    return docker("exec", lab.database_container, *check, check=False).status == 0


def fresh_database(lab: Lab, name: str) -> Secret:
    """Replace role and database of that name by fresh ones; return the role's password.

    The database is created from template0 with UTF8, en_US.UTF-8 and pgcrypto and belongs to the role,
    as Oz requires. Raises AnswersError for an invalid name, DeployError when PostgreSQL refuses.
    """
    if not _NAME.fullmatch(name) or name in ("postgres", "template0", "template1"):
        raise AnswersError(f"invalid database name {name!r}", "use lower-case letters, digits and _")
    password = Secret.generate(24)
    script = f"""
        DROP DATABASE IF EXISTS "{name}" WITH (FORCE);
        DROP ROLE IF EXISTS "{name}";
        CREATE ROLE "{name}" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD '{password.reveal()}';
        CREATE DATABASE "{name}" OWNER "{name}" TEMPLATE template0 ENCODING 'UTF8' LOCALE 'en_US.UTF-8';
        \\connect "{name}"
        CREATE EXTENSION pgcrypto;
    """
    psql(lab, "\n".join(line.strip() for line in script.splitlines()))
    return password


def reset_gateway(lab: Lab) -> None:
    """Empty the database ``gateway``; role and password stay."""
    psql(lab, "\n".join((
        f'DROP DATABASE IF EXISTS "{DATABASE}" WITH (FORCE);',
        f"CREATE DATABASE {DATABASE} OWNER {ROLE} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'en_US.UTF-8';",
        f"\\connect {DATABASE}",
        "CREATE EXTENSION pgcrypto;",
    )))  # fmt: skip


def psql(lab: Lab, script: str) -> str:
    """Run SQL as the database superuser and return its output. Raises DeployError."""
    command = ["psql", "--username", "postgres", "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1"]
    return docker("exec", "-i", lab.database_container, *command, text=script, timeout=120).out
