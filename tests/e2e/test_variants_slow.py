"""Podman, the oldest Docker and Compose, RabbitMQ, brokers and registries elsewhere: on labs of their own."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from oz_installer.answers.local_files import write_private
from oz_installer.lab import LabOptions, down, up
from oz_installer.lab.database import psql
from oz_installer.lab.files import SMALL
from oz_installer.lab.options import LabExtra, Suite
from tests.e2e.registry import serving
from tests.e2e.site import Site, write_answers
from tests.e2e.test_variants import READERS
from tests.e2e.variant import Variant

pytestmark = pytest.mark.slow
CANARY = "rEg-Canary#7$x"  # test_images_from_a_registry looks for its beginning
REDIS = "ozforensics/oz-api-redis:6.2.14-debian-12-r23"


@contextmanager
def lab(folder: Path, name: str, nodes: int, suite: Suite, *extras: LabExtra) -> Iterator[Site]:
    """A lab for one module's tests."""

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    options = LabOptions(name=name, nodes=nodes, directory=folder, suite=suite, extras=extras, say=say)
    try:
        yield Site(up(options), nodes)
    finally:
        down(name, directory=folder, say=say)


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Docker 26 and Podman 5.4, with RabbitMQ."""
    with lab(tmp_path_factory.mktemp("new"), "e2e-new", 2, "trixie", "rabbitmq", "podman") as site:
        yield site


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Docker 20.10 with docker-compose 1.29, and a Podman that is too old."""
    with lab(tmp_path_factory.mktemp("old"), "e2e-old", 2, "bookworm") as site:
        yield site


@pytest.fixture
def podman(new: Site) -> Iterator[Site]:
    """The same nodes with what runs in Podman; nothing is left to Docker."""
    new.clean()
    site = replace(new, engine="podman")
    yield site
    site.clean()


@pytest.mark.parametrize(("layout", "workers"), [("poc-1", ["tfss"]), ("medium-2", ["tfss-1", "tfss-2"])])
def test_podman(podman: Site, tmp_path: Path, layout: str, workers: list[str]) -> None:
    variant = Variant(podman, tmp_path, podman.answers(layout))
    variant.fresh()
    variant.change_updater("node1")
    _, touched = variant.install(extra={"config": {"OZ_SESSION_TTL": 901}})
    assert touched == {f"node1/{name}" for name in READERS | {f"oz-celery-{worker}" for worker in workers}}
    variant.works()  # nginx finds the API at its new address
    for there in (False, True):
        _, touched = variant.install(components={"statistic": there}, accept=[*SMALL, "removal.services"])
        assert touched == {"node1/oz-statistic", "node1/oz-api-nginx"}
    podman.on("node1", "podman rm -f oz-webui; nohup python3 -m http.server 80 >/dev/null 2>&1 & sleep 1")
    try:
        outcome, _ = variant.install("--skip-checks", expect=4)
        assert "cannot start oz-webui" in outcome.stderr
        assert "address already in use" in outcome.stderr
    finally:
        podman.on("node1", "pkill -f 'http[.]server 80'; true")
    variant.install()
    variant.works()


def test_docker_compose_v1(old: Site, tmp_path: Path) -> None:
    old.clean()
    variant = Variant(old, tmp_path, old.answers("poc-2"))
    variant.fresh()
    variant.change_updater("node2")


def test_an_old_podman_is_refused(old: Site, tmp_path: Path) -> None:
    old.clean()
    variant = Variant(old, tmp_path, old.answers("poc-2", engine="podman"))
    outcome, _ = variant.install(expect=3)
    assert "Podman 4.3.1 is too old, 4.4 or newer is needed" in outcome.stderr
    checked = old.run("check", "--answers", str(variant.path), "--only", "engine", "--json")
    assert checked.status == 3
    found = {one["id"]: one for one in map(json.loads, checked.stdout.splitlines()) if "id" in one}
    ids = [f"engine{about}/{node}" for about in ("", ".compose") for node in ("node1", "node2")]
    assert {found[one]["level"] for one in ids} == {"failure"}
    assert "4.3.1 is too old" in found["engine/node1"]["seen"]
    docker = write_answers(tmp_path, old.answers("poc-2"))
    good = old.run("check", "--answers", str(docker), "--only", "engine")
    assert good.status == 0, good.stdout


def test_rabbitmq_and_a_changed_database_password(new: Site, tmp_path: Path) -> None:
    new.clean()
    variant = Variant(new, tmp_path, new.answers("poc-2", broker={"type": "rabbitmq"}))
    variant.fresh()
    readers = {f"node2/{name}" for name in READERS | {"oz-celery-tfss"}}
    _, touched = variant.install(broker={"type": "redis"})
    assert touched == readers | {"node2/oz-rabbitmq"}
    was = new.lab.database_password.read_text()
    try:
        psql(new.lab, "ALTER ROLE gateway_user PASSWORD 'another \"one\"'")
        write_private(tmp_path / "password", b'another "one"')
        database = {**variant.document["database"], "password": {"file": "password"}}
        _, touched = variant.install(database=database)
        assert touched == readers | {"node2/oz-statistic", "node2/oz-postgres-exporter"}
        variant.works()
    finally:
        psql(new.lab, f"ALTER ROLE gateway_user PASSWORD '{was}'")


def test_brokers_elsewhere(new: Site, tmp_path: Path) -> None:
    """A Redis of the operator's on another server, then a RabbitMQ besides."""
    new.clean()
    write_private(tmp_path / "broker", b"bro'ker#$1")
    address = str(new.lab.node(2).address)
    new.on(
        "node2",
        f'docker run -d --name own-redis -p 6390:6379 {REDIS} redis-server --requirepass "bro\'ker#\\$1"; '
        "docker run -d --name own-mq -p 5690:5672 -e RABBITMQ_DEFAULT_USER=mq "
        '-e RABBITMQ_DEFAULT_PASS="bro\'ker#\\$1" rabbitmq:3-management; '
        "until docker exec own-mq rabbitmq-diagnostics -q check_port_connectivity 2>/dev/null; "
        "do sleep 1; done",
    )
    password = {"file": "broker"}
    redis = {"type": "redis", "host": address, "port": 6390, "password": password}
    variant = Variant(new, tmp_path, new.answers("poc-1", broker=redis))
    variant.fresh()
    assert "oz-redis" not in new.containers("node1")
    rabbit = {"type": "rabbitmq", "host": address, "port": 5690, "user": "mq", "password": password}
    variant.install(broker=rabbit)
    names = set(new.containers("node1"))
    assert "oz-redis" in names
    assert "oz-rabbitmq" not in names
    variant.works()


@pytest.fixture
def registry(new: Site, tmp_path: Path) -> Iterator[str]:
    """A registry with a login on the lab's network, filled from node 1; its address."""
    new.clean()
    with serving(new.lab, tmp_path, CANARY) as address:
        folder, certificate = f"/etc/docker/certs.d/{address}", (tmp_path / "ca.crt").read_text()
        try:
            new.each(["node1", "node2"], f"mkdir -p {folder}; echo '{certificate}' > {folder}/ca.crt")
            new.on(
                "node2",
                f"echo '{CANARY}' | docker login -u puller --password-stdin {address} 2>&1; "
                "for i in $(docker image ls --filter label=com.ozforensics.stand-in=true "
                "--format '{{.Repository}}:{{.Tag}}' | grep -v rabbitmq); do "
                f"n={address}/oz/$i; docker tag $i $n && docker push -q $n && docker rmi $n || exit 1; "
                f"done; own={address}/oz/ozforensics/oz-web-ui:1.3.3; "  # a layer that node 1 has not yet
                "c=$(docker create ozforensics/oz-web-ui:1.3.3); head -c 20000000 /dev/urandom > /tmp/big; "
                "docker cp /tmp/big $c:/big && docker commit $c $own && docker push -q $own "
                "&& docker rmi $own || exit 1; "
                f"docker rm $c; rm /tmp/big; docker logout {address}; rm -rf ~/.docker",
            )
            yield f"{address}/oz"
        finally:
            listing = f"docker image ls --format '{{{{.Repository}}}}:{{{{.Tag}}}}' | grep ^{address}"
            new.clean()
            new.each(["node1", "node2"], f"rm -rf {folder}; {listing} | xargs -r docker rmi -f; true")


def test_images_from_a_registry_with_a_login(new: Site, registry: str, tmp_path: Path) -> None:
    write_private(tmp_path / "good", CANARY.encode())
    write_private(tmp_path / "bad", b"wrong")
    login = {"server": registry, "username": "puller", "password": {"file": "bad"}}
    variant = Variant(new, tmp_path, new.answers("poc-1", registry=login))
    before = new.state("node1")
    outcome, touched = variant.install("--json", expect=3)
    assert not touched
    assert "refuses the login of puller" in outcome.stdout
    outcome, touched = variant.install("--json", "--skip-checks", expect=4)
    assert not touched
    assert "cannot pull" in outcome.stdout + outcome.stderr
    assert "Correct the user name and password of the registry" in outcome.stdout + outcome.stderr
    assert new.shape("node1")
    assert before.count("/opt/oz") == new.state("node1").count("/opt/oz") == 0
    outcome, _ = variant.install("--json", registry={**login, "password": {"file": "good"}})
    assert any(e.get("unit") == "bytes" and "oz-web-ui" in e.get("text", "") for e in outcome.events)
    variant.works()
    again, touched = variant.install()
    assert "Nothing to do" in again.stdout
    assert not touched
    assert CANARY not in outcome.stdout + outcome.stderr
    places = "/opt/oz /root /etc /tmp /proc/[0-9]*/cmdline"
    assert not new.on("node1", f"grep -rl -e 'rEg-[C]anary' {places} 2>/dev/null; true").split()
