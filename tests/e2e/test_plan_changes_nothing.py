"""What only looks changes nothing, on nodes in whatever state, and says what would change.

Every command that promises to change nothing is run against the same nodes; then each file of the nodes
with its times, each container, volume, network and image, and the database are exactly as they were.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from oz_installer.answers.secrets.store import SecretStore
from oz_installer.lab.database import psql
from tests.e2e.ground import FRESH, INSTALLED, Document, Ground
from tests.e2e.site import Outcome

CONTENTS = (
    "find /opt /mnt /srv -type f ! -path '/opt/oz/data/*' -exec sha256sum {} + 2>/dev/null | sort; "
    "find /tmp /opt/oz/data -printf '%p %y %m %u\\n' 2>/dev/null | sort"
)
DATABASE = """
SELECT rolname, rolsuper, rolcanlogin FROM pg_roles ORDER BY 1;
SELECT datname, datdba, encoding FROM pg_database ORDER BY 1;
\\connect gateway
SELECT extname FROM pg_extension ORDER BY 1;
SELECT relname, relkind, relowner, relfilenode FROM pg_class
  WHERE relnamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname LIKE 'pg_%') ORDER BY 1, 2, 4;
SELECT count(*) FROM pg_tables WHERE schemaname = 'public';
"""
NGINX, CONFIG, GUNICORN = "config/nginx/nginx.conf", "config/api/config.py", "config/api/gunicorn.conf.py"
SETTING = "A_SETTING_OF_THIS_TEST"


def state(ground: Ground) -> dict[str, str]:
    """Both nodes and the database, as they are to the last file."""
    found = {node: ground.site.state(node) + ground.site.on(node, CONTENTS) for node in (INSTALLED, FRESH)}
    found["database"] = psql(ground.site.lab, DATABASE)
    return found


def secrets_of(ground: Ground, path: Path) -> set[str]:
    """Every secret that a run with these answers knows."""
    lab = ground.site.lab
    kept = SecretStore(path.with_suffix(".secrets.json")).read().values()
    files = (lab.database_password, lab.updater_token)
    return {secret.reveal() for secret in kept} | {file.read_text().strip() for file in files}


@dataclass(frozen=True)
class Looked:
    """What every command that only looks said."""

    said: Mapping[str, Outcome]
    svg: str
    rendered: Mapping[str, str]

    @property
    def plan(self) -> Mapping[str, Any]:
        """The plan of the only node, as data."""
        events = self.said["plan --json"].events
        (node,) = next(event for event in events if event["event"] == "Plan")["nodes"]
        return dict(node)

    def files(self) -> dict[str, str]:
        """What the plan says of each file."""
        return {file["path"]: file["kind"] for file in self.plan["files"]}

    def services(self) -> dict[str, str]:
        """What the plan says of each service; not of those that were only started a moment ago."""
        found = {service["name"]: service["action"] for service in self.plan["services"]}
        return {name: action for name, action in found.items() if action != "wait"}


def look(ground: Ground, path: Path, folder: Path) -> Looked:
    """Run every command that only looks."""
    answers, svg, out = ("--answers", str(path)), folder / "topology.svg", folder / "rendered"
    commands = {
        "plan": ("plan", *answers),
        "plan --json": ("plan", *answers, "--json"),
        "plan --svg": ("plan", *answers, "--svg", str(svg)),
        "--dry-run": (*answers, "--yes", "--dry-run"),
        "--dry-run --json": (*answers, "--yes", "--dry-run", "--json"),
        "status": ("status", *answers),
        "logs": ("logs", *answers, "oz-api"),
        "render": ("render", *answers, "--out", str(out)),
    }
    said = {name: ground.site.run(*arguments) for name, arguments in commands.items()}
    rendered = {
        str(file.relative_to(out)): file.read_text() for file in sorted(out.rglob("*")) if file.is_file()
    }
    return Looked(said=said, svg=svg.read_text(), rendered=rendered)


def looked_at(ground: Ground, document: Document, name: str, folder: Path) -> Looked:
    """Look, and prove that nothing was changed and no secret told."""
    path = ground.write(document, name)
    before = state(ground)
    looked = look(ground, path, folder)
    assert state(ground) == before
    secrets = secrets_of(ground, path)
    assert len(secrets) > 3
    for command, one in looked.said.items():
        bare = name == FRESH and command in ("status", "logs")
        assert one.status == (3 if bare else 0), (command, one.stderr)
        assert "Traceback" not in one.stderr, command
        for text in (one.stdout, one.stderr, looked.svg):
            assert not [secret for secret in secrets if secret in text], command
    rendered = "".join(looked.rendered.values())
    assert any(secret in rendered for secret in secrets)  # render is for carrying by hand, and must have them
    return looked


def test_nothing_is_installed(ground: Ground, tmp_path: Path) -> None:
    looked = looked_at(ground, ground.document(FRESH), FRESH, tmp_path)
    assert set(looked.files().values()) == {"new"}
    assert {f"{FRESH}/{path}" for path in looked.files()} == set(looked.rendered)
    assert set(looked.services().values()) == {"start"}
    assert {"oz-api", "oz-redis", "oz-tfss", "oz-api-nginx"} <= set(looked.services())
    assert {"oz-init-db", "oz-init-user"} <= set(looked.plan["jobs"])
    for command in ("plan", "plan --svg", "--dry-run"):
        text = looked.said[command].stdout
        assert f"+ {CONFIG}  new" in text
        assert "services start" in text
    dry = looked.said["--dry-run"].stderr
    assert "lock" not in dry
    assert "finished" not in dry
    assert "\nNothing was changed. The preflight was not run" in dry
    assert "would run oz-init-db" in looked.said["--dry-run"].stderr
    assert FRESH in looked.svg


def test_an_answer_has_changed(ground: Ground, tmp_path: Path) -> None:
    document = ground.document(INSTALLED, extra={"config": {SETTING: 7}})
    document["updater"]["period"] = 7123
    looked = looked_at(ground, document, INSTALLED, tmp_path)
    # jobs.yaml, too: the tables are looked after again with every config.py
    assert looked.files() == {"compose.yaml": "changed", "jobs.yaml": "changed", CONFIG: "changed"}
    services = looked.services()
    assert set(services.values()) == {"recreate"}
    assert {"oz-bio-updater", "oz-api", "oz-celery-default", "oz-celery-beat"} <= set(services)
    assert not {"oz-redis", "oz-tfss", "oz-api-nginx"} & set(services)
    for command in ("plan", "plan --svg", "--dry-run"):
        text = looked.said[command].stdout
        assert f"~ {CONFIG}  changes" in text
        assert f"\n  +{SETTING} = 7\n" in text
        assert "\n  @@ -" in text
        assert any(line.startswith("  -") and "6000" in line for line in text.splitlines())
        assert any(line.startswith("  +") and "7123" in line for line in text.splitlines())
        assert "oz-bio-updater" in text
    (diff,) = (file["diff"] for file in looked.plan["files"] if file["path"] == CONFIG)
    assert diff.startswith(f"--- installed/{CONFIG}\n+++ new/{CONFIG}\n@@ -")
    assert "would switch to the new files" in looked.said["--dry-run"].stderr
    assert f"{SETTING} = 7\n" in looked.rendered[f"{INSTALLED}/{CONFIG}"]
    assert "STAND-IN" in looked.said["logs"].stdout


@pytest.fixture
def drifted(ground: Ground) -> Iterator[Ground]:
    """Two files changed by hand: one that may be shown, one with secrets; and the mode of a third."""
    folder = "/opt/oz/current"
    keep = f"mkdir /root/kept && cd {folder} && cp -a --parents {NGINX} {CONFIG} {GUNICORN} /root/kept"
    ground.site.on(
        INSTALLED, f"{keep} && echo '# by hand' | tee -a {NGINX} >> {CONFIG}; chmod 640 {GUNICORN}"
    )
    yield ground
    ground.site.on(INSTALLED, f"cp -a /root/kept/. {folder}/ && rm -r /root/kept")


def test_a_file_was_changed_by_hand(drifted: Ground, tmp_path: Path) -> None:
    looked = looked_at(drifted, drifted.document(INSTALLED), INSTALLED, tmp_path)
    assert looked.files() == {NGINX: "drifted", CONFIG: "drifted", GUNICORN: "drifted"}
    services = looked.services()
    assert set(services.values()) == {"restart"}
    assert {"oz-api-nginx", "oz-api", "oz-celery-default"} <= set(services)
    assert not {"oz-redis", "oz-tfss", "oz-bio-updater"} & set(services)
    for command in ("plan", "--dry-run"):
        text = looked.said[command].stdout
        assert f"! {NGINX}  was changed on the node, is reset" in text
        assert "\n  -# by hand\n" in text
        assert f"{NGINX}, which it reads, was changed by hand" in text
        assert "(differs from what was installed; not shown, because it holds secrets)" in text
        assert "(only its mode differs)" in text


# --- the check itself ----------------------------------------------------------------------------------

TRACES: Mapping[str, str] = {
    "a line in the journal": "echo x >> /opt/oz/journal",
    "a lock": "mkdir /opt/oz/lock",
    "a lock that was given back": "mkdir /opt/oz/lock; rmdir /opt/oz/lock",
    "a file written anew with what it held": "cd /opt/oz/current && cp compose.yaml x && mv x compose.yaml",
    "a mode": "chmod 640 /opt/oz/current/compose.yaml",
    "a container": "docker create --name xyz ozforensics/oz-web-ui:1.3.3",
    "a network": "docker network create xyz",
    "a volume": "docker volume create xyz",
    "a name of an image": "docker tag ozforensics/oz-web-ui:1.3.3 x:1",
    "a file in a home": "touch /root/.x",
}

NO_TRACES = (
    "rmdir /opt/oz/lock; chmod 644 /opt/oz/current/compose.yaml; docker rm xyz; docker network rm xyz; "
    "docker volume rm xyz; docker rmi x:1; rm -f /root/.x; true"
)


@pytest.mark.parametrize("trace", TRACES)
def test_the_check_notices(ground: Ground, trace: str) -> None:
    before = ground.site.state(INSTALLED)
    ground.site.on(INSTALLED, TRACES[trace])
    try:
        assert ground.site.state(INSTALLED) != before
    finally:
        ground.site.on(INSTALLED, NO_TRACES)


def test_the_check_notices_a_database_that_changes(ground: Ground) -> None:
    changes: tuple[Callable[[], str], ...] = (
        lambda: psql(ground.site.lab, "CREATE ROLE x;"),
        lambda: psql(ground.site.lab, "\\connect gateway\nCREATE TABLE x (a int);"),
    )
    try:
        for change in changes:
            before = psql(ground.site.lab, DATABASE)
            change()
            assert psql(ground.site.lab, DATABASE) != before
    finally:
        psql(ground.site.lab, "DROP ROLE IF EXISTS x;\n\\connect gateway\nDROP TABLE IF EXISTS x;")


def test_what_is_printed_as_data_is_data(ground: Ground) -> None:
    path = ground.write(ground.document(INSTALLED), INSTALLED)
    for arguments in (("plan",), ("status",)):
        said = ground.site.run(*arguments, "--answers", str(path), "--json")
        assert said.status == 0, said.stderr
        assert [json.loads(line) for line in said.stdout.splitlines()]


def test_check_compares_the_passwords_that_are_installed(ground: Ground) -> None:
    path = ground.write(ground.document(INSTALLED), INSTALLED)
    kept = path.with_suffix(".secrets.json")
    there = kept.read_text()
    before = state(ground)

    def told() -> tuple[int, str, str]:
        ended = ground.site.run("check", "--answers", str(path), "--only", "passwords", "--json")
        (one,) = (event for event in ended.events if event["event"] == "Finding")
        return ended.status, one["level"], one["seen"]

    try:
        assert told() == (0, "ok", f"the same as in {kept.name}")
        kept.unlink()
        assert told() == (3, "failure", f"{kept} is missing")
        assert not kept.exists()
        other = json.loads(there)
        other["secrets"]["redis.password"] = "x" * 40
        kept.write_text(json.dumps(other))
        kept.chmod(0o600)
        assert told() == (3, "failure", f"{kept} has another redis.password")
    finally:
        kept.write_text(there)
        kept.chmod(0o600)
    assert state(ground) == before
