"""Text with meaning to shells, templates, YAML, SQL, Python, Compose and HTML is refused or stays text.

Every field that an operator may fill in is tried: those with a rule are refused, and named; all others carry
a canary through a whole installation, which must work with them.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from oz_installer.lab import fresh_database
from oz_installer.lab.database import psql
from oz_installer.lab.nodes import wait_until
from tests.e2e.canaries import (
    LOOSE,
    REFUSED,
    STRICT,
    TRACE,
    canary,
    fields,
    file_name,
    mark,
    overheard,
    refused_document,
)
from tests.e2e.site import Outcome, Site, write_answers
from tests.e2e.works import assert_all_well, post

EMAIL = "a+b.C_d-e@oz.local"
INSTALL_DIR = "/opt/oz.canaries@+_-"
KEPT = ("redis.password", "ftp.password", "o2n.password", "o2n_pg.password")
SETTINGS: dict[str, Any] = {
    "SONG": canary("extra.config").replace("Sang", "Song"),
    "SONGS": [{canary("k").replace("Sang", "Song"): [canary("v").replace("Sang", "Song"), None, True, 1.5]}],
    "OPEN": "{{ 7*7 }}",
}
NOT_TRIED = {
    "broker.password": "of a broker elsewhere: test_variants_slow.py",
    "registry.password": "goes to a registry only: test_variants_slow.py",
    "database.ca_file": "of a server whose certificate is verified: tests/unit/checks/database",
    "database.admin_password": "of an administrator of the database: test_checks_data.py",
}


@pytest.mark.parametrize("value", REFUSED)
def test_fields_with_a_rule_refuse_it(site: Site, tmp_path: Path, value: str) -> None:
    path = write_answers(tmp_path, refused_document(value))
    ended = site.run("render", "--answers", str(path), "--out", str(tmp_path / "out"))
    assert ended.status == 2, ended.stderr
    assert "Traceback" not in ended.stderr
    keys = [one.key.replace("[]", "[0]") for one in STRICT]
    missing = [key for key in (*keys, "extra.config") if f": {key}" not in ended.stderr]
    assert not missing, ended.stderr
    assert not (tmp_path / "out").exists()
    assert_silent(tmp_path)


def assert_silent(*folders: Path) -> None:
    """Nothing was run on this machine."""
    for folder in (Path("/tmp"), Path.cwd(), Path.home(), *folders):
        assert not list(folder.glob("oz-sang-*")), folder


# --- what takes any text -------------------------------------------------------------------------------


def private(path: Path, text: str) -> Path:
    """A file that only its owner reads."""
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
    return path


def documents(site: Site, folder: Path) -> dict[str, Any]:
    """Answers that hold a canary wherever one may be."""
    lab, files = (
        site.lab,
        {name: folder / file_name(name) for name in ("key", "hosts", "bio", "web", "token")},
    )
    for name, source in (("key", lab.key), ("hosts", lab.known_hosts), ("bio", lab.license)):
        shutil.copy(source, files[name])
    private(files["web"], '{"stand-in": true}')
    private(files["token"], canary("updater.token"))
    private(folder / "sudo", canary("nodes[].become_password"))
    change = [
        "ssh-keygen",
        "-q",
        "-p",
        "-P",
        "",
        "-N",
        canary("nodes[].key_passphrase"),
        "-f",
        str(files["key"]),
    ]
    files["key"].chmod(0o600)
    subprocess.run(change, check=True)
    document = site.answers("poc-2", install_dir=INSTALL_DIR, known_hosts=files["hosts"].name)
    first, second = document["nodes"]
    first.update(user="ozpw", become="sudo", become_password={"file": "sudo"}, key_file=files["key"].name)
    first["key_passphrase"] = canary("nodes[].key_passphrase")
    del second["key_file"]
    second.update(user="ozadmin", become="sudo", password=canary("nodes[].password"))
    document["database"].update(name="canaries", user="canaries", password=canary("database.password"))
    document["license"] = {"bio": files["bio"].name, "web_adapter": files["web"].name}
    document["updater"] = {"token": {"file": files["token"].name}}
    document["accept"] = [*document["accept"], "updater.token", "database.login"]
    document["components"] = {"one_to_n": True, "web_adapter": "https://web.example.com"}
    document["admin"] = {"email": EMAIL, "password": {"env": "OZ_CANARY"}}
    document["extra"] = {"config": SETTINGS}
    return document


@pytest.fixture
def ready(clean: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Nodes, database and files that know the canaries; the answers."""
    site, nodes = clean, ("node1", "node2")
    fresh_database(site.lab, "canaries")
    quoted = canary("database.password").replace("'", "''")
    psql(site.lab, f"ALTER ROLE canaries PASSWORD '{quoted}';")
    monkeypatch.setenv("OZ_CANARY", canary("admin.password"))
    kept = {"version": 1, "note": "", "secrets": {slot: canary(slot) for slot in KEPT}}
    private(tmp_path / "answers.secrets.json", json.dumps(kept))
    site.each(nodes, "cp -a /etc/shadow /root/shadow")
    try:
        for user, field in (("ozpw", "nodes[].become_password"), ("ozadmin", "nodes[].password")):
            line = private(tmp_path / "line", f"{user}:{canary(field)}\n").read_bytes()
            for node in nodes:
                container = f"{site.lab.prefix}-{node}"
                subprocess.run(["docker", "exec", "-i", container, "chpasswd"], input=line, check=True)
        yield write_answers(tmp_path, documents(site, tmp_path))
    finally:
        site.each(nodes, "mv /root/shadow /etc/shadow")
        site.clean()
        site.each(nodes, f"rm -rf {INSTALL_DIR}")


@pytest.mark.slow
def test_canaries_go_through_a_whole_installation(clean: Site, ready: Path) -> None:
    given = fields(yaml.safe_load(ready.read_text()))
    assert {one.key for one in LOOSE} - given == {*NOT_TRIED}
    said = []
    with overheard("Sang") as heard:
        for arguments in (("plan", "--svg", str(ready.with_name("x.svg"))), ("--yes",), ("status", "--json")):
            said.append(run(clean, ready, *arguments))
            assert said[-1].status == 0, said[-1].stderr
        assert_all_well(clean, ready)
        said += [
            run(clean, ready, "logs", name) for name in ("oz-api", "oz-redis", "oz-bio-updater", "oz-tfss")
        ]
        said.append(fails(clean, ready))
    assert not heard
    for ended in said:
        assert "Sang" not in ended.stdout + ended.stderr
    ElementTree.fromstring(ready.with_name("x.svg").read_text())  # noqa: S314 - our own
    assert_verbatim(clean)
    assert_login(clean)
    assert_nothing_sang(clean, ready.parent)


def run(site: Site, path: Path, *arguments: str) -> Outcome:
    """A command with these answers; of an installation the flags only."""
    command, rest = (arguments[:1], arguments[1:]) if arguments[0][0] != "-" else ((), arguments)
    return site.run(*command, "--answers", str(path), *rest)


def fails(site: Site, path: Path) -> Outcome:
    """A change that cannot work: what is kept of that holds no canary either."""
    text = path.read_text()
    with path.open("a") as out:
        out.write("images: {oz-tfss: 'ozforensics/oz-bio-init:1.0.10'}\n")
    ended = run(site, path, "--yes", "--json", "--health-timeout", "3")
    path.write_text(text)
    assert ended.status == 4, ended.stderr
    report = path.with_suffix(".failure.log").read_text()
    assert "oz-tfss" in report
    assert "Sang" not in report
    return ended


def assert_verbatim(site: Site) -> None:
    """What the vendor's programs read is what was written, to the last character."""
    read = (
        "import json, runpy; c = runpy.run_path('/opt/gateway/configs/config.py'); "
        "print(json.dumps([c['DB_PASS'], {key: c[key] for key in c if key in ('SONG', 'SONGS', 'OPEN')}]))"
    )
    config = json.loads(site.on("node2", f'docker exec oz-api python3 -c "{read}"'))
    assert config == [canary("database.password"), SETTINGS]
    for node, service, key, field in (
        ("node1", "oz-bio-updater", "CLIENT_TOKEN", "updater.token"),
        ("node1", "oz-bio-updater", "FTP_USER_PASSWORD", "ftp.password"),
        ("node2", "oz-statistic", "DB_PASS", "database.password"),
        ("node2", "oz-api-o2n", "DB_PASS", "o2n.password"),
    ):
        home = node if service in site.containers(node) else {"node1": "node2", "node2": "node1"}[node]
        lines = site.on(home, f"docker exec {service} env -0").split("\0")
        assert f"{key}={canary(field)}" in lines, (service, key)


def assert_login(site: Site) -> None:
    """The administrator logs in with the canary, and with nothing else."""
    url = f"http://{site.lab.node(2).address}:8880/api/authorize/auth"
    for password, status in ((canary("admin.password"), 200), (canary("admin.password")[:-1], 401)):
        assert post(url, {"credentials": {"email": EMAIL, "password": password}})[0] == status


def traces(site: Site) -> str:
    """Traces on the nodes, in their containers, and in the database server."""
    name = TRACE.rpartition("/")[2]
    find = f"find / \\( -path /proc -o -path /sys \\) -prune -o -name '{name}*' -print 2>/dev/null; true"
    places = [f"{site.lab.prefix}-node1", f"{site.lab.prefix}-node2", site.lab.database_container]
    command = ("docker", "exec")
    found = [
        subprocess.run([*command, place, "sh", "-c", find], capture_output=True, text=True)
        for place in places
    ]
    return "".join(one.stdout for one in found)


def assert_nothing_sang(site: Site, folder: Path) -> None:
    """Neither here nor there; and no table is gone."""
    assert_silent(folder)
    assert not traces(site)
    assert "user" in psql(site.lab, "\\connect canaries\nSELECT tablename FROM pg_tables;")


def test_a_trace_would_be_noticed(site: Site, tmp_path: Path) -> None:
    """On this machine, on a node, in a container of it, in the database server, and among arguments."""
    (tmp_path / f"{TRACE.rpartition('/')[2]}x").touch()
    with pytest.raises(AssertionError):
        assert_silent(tmp_path)
    inner = (
        "docker rm -f sang 2>/dev/null; docker run --name sang --entrypoint touch ozforensics/oz-web-ui:1.3.3"
    )
    for place, make, mend in (
        (f"{site.lab.prefix}-node1", f"touch {TRACE}x", f"rm {TRACE}x"),
        (f"{site.lab.prefix}-node2", f"{inner} {TRACE}x", "docker rm -f sang"),
        (site.lab.database_container, f"touch {TRACE}x", f"rm {TRACE}x"),
    ):
        subprocess.run(["docker", "exec", place, "sh", "-c", make], check=True, capture_output=True)
        assert traces(site), place
        subprocess.run(["docker", "exec", place, "sh", "-c", mend], check=True, capture_output=True)
    assert not traces(site)
    with overheard("SangOfThisTest") as heard:
        sleep = "import sys; sys.stdin.read()"
        with subprocess.Popen(
            [sys.executable, "-c", sleep, "SangOfThisTest"], stdin=subprocess.PIPE
        ) as process:
            wait_until(lambda: bool(heard), "nothing was heard")
            process.communicate()


def test_every_canary_has_a_name_of_its_own() -> None:
    names = [mark(one.key) for one in LOOSE]
    assert len(set(names)) == len(names)
    for one in LOOSE:
        assert mark(one.key) in canary(one.key)


def test_fields_are_those_that_are_set() -> None:
    document = {
        "nodes": [{"name": "a"}, {"name": "b", "password": {"env": "X"}}],
        "known_hosts": None,
        "database": {"host": "password"},
        "extra": {"config": {"A": 1}},
    }
    found = fields(document)
    assert {"nodes[].name", "nodes[].password", "database.host", "extra.config"} <= found
    assert not found & {"known_hosts", "database.password", "password"}
