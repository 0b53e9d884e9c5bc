"""Digests: the same answers give the same bytes; one change concerns just the services that read it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from oz_installer.answers.model import Answers, Node
from oz_installer.answers.sections import Components, Database, Extra, LoadBalancer, Proxy, Storage, Updater
from oz_installer.errors import OzError
from oz_installer.render.compose.bundle import Bundle, render
from oz_installer.secret import Secret
from oz_installer.topology.planner import plan_topology
from tests.unit.render.bundle_cases import CASES, GIVEN, LICENCES, answers_for, bundles_of, case, secrets_for

BASE = answers_for("medium-4")
SETTINGS = {  # all that read config.py; the job of the tables looks at the database before the others
    "oz-api", "oz-celery-default", "oz-celery-maintenance", "oz-celery-tfss", "oz-celery-resolution",
    "oz-celery-preview_convert", "oz-celery-beat", "oz-api-flower", "oz-init-db",
}  # fmt: skip


def digests(bundles: Mapping[str, Bundle]) -> dict[str, str]:
    """Every service's digest by node and name."""
    return {
        f"{bundle.node}/{service.name}": service.digest
        for bundle in bundles.values()
        for service in bundle.services
    }


def changed(before: Mapping[str, Bundle], after: Mapping[str, Bundle]) -> tuple[set[str], set[str], set[str]]:
    """Names of services that change, come and go, on any node."""
    old, new = digests(before), digests(after)
    short = [{name.partition("/")[2] for name in names} for names in (new.keys() - old, old.keys() - new)]
    return {name.partition("/")[2] for name in old.keys() & new if old[name] != new[name]}, *short  # type: ignore[return-value]


def answer(**changes: Any) -> Callable[[], Mapping[str, Bundle]]:
    """The bundles after a change of the answers."""
    return lambda: bundles_of(replace(BASE, **changes))


def secret(slot: str) -> Callable[[], Mapping[str, Bundle]]:
    """The bundles after a change of a secret."""
    return lambda: bundles_of(BASE, {slot: Secret("another")})


def parts(**changes: Any) -> Callable[[], Mapping[str, Bundle]]:
    """The bundles after a change of the components."""
    return answer(components=Components(**changes))


DB = BASE.database
MONITORING = {"oz-api-flower", "oz-redis-exporter", "oz-postgres-exporter", "oz-nginx-exporter"}
Change = tuple[Callable[[], Mapping[str, Bundle]], set[str], set[str], set[str]]
CHANGES: Mapping[str, Change] = {
    "nothing": (answer(), set(), set(), set()),
    "extra.config": (answer(extra=Extra(config={"OZ_SESSION_TTL": 1})), SETTINGS, set(), set()),
    "public_url": (answer(public_url="https://other.example.com"), {*SETTINGS, "oz-webui"}, set(), set()),
    "database.password": (
        secret("database.password"),
        {*SETTINGS, "oz-statistic", "oz-postgres-exporter"},
        set(),
        set(),
    ),
    "database.host": (
        answer(database=replace(DB, host="other.example.com")),
        {*SETTINGS, "oz-init-user", "oz-statistic", "oz-postgres-exporter"},
        set(),
        set(),
    ),
    "database.sslmode": (
        answer(database=replace(DB, sslmode="require")),
        {*SETTINGS, "oz-postgres-exporter", "oz-statistic", "oz-init-user"},
        set(),
        set(),
    ),
    "redis.password": (secret("redis.password"), {*SETTINGS, "oz-redis", "oz-redis-exporter"}, set(), set()),
    "ftp.password": (secret("ftp.password"), {"oz-bio-updater", "oz-bio-init"}, set(), set()),
    "updater.token": (secret("updater.token"), {"oz-bio-updater"}, set(), set()),
    "updater.period": (answer(updater=Updater(token=GIVEN, period=7)), {"oz-bio-updater"}, set(), set()),
    "admin.password": (secret("admin.password"), set(), set(), set()),
    "admin.email": (answer(admin=replace(BASE.admin, email="a@b.example")), {"oz-init-user"}, set(), set()),
    "images": (answer(images={"oz-webui": "x:1"}), {"oz-webui"}, set(), set()),
    "monitoring off": (parts(monitoring=False), set(), set(), MONITORING),
    "web_ui off": (parts(web_ui=False), set(), set(), {"oz-webui"}),
    "statistic off": (parts(statistic=False), {"oz-api-nginx"}, set(), {"oz-statistic"}),
    "bio_updater off": (
        answer(components=Components(bio_updater=False), updater=Updater()),
        set(),
        set(),
        {"oz-bio-updater", "oz-bio-init"},
    ),
    "one_to_n on": (parts(one_to_n=True), SETTINGS, {"oz-o2n-pg", "oz-o2n-pg-init", "oz-api-o2n"}, set()),
    "regula on": (parts(regula="https://r.example.com"), SETTINGS, {"oz-celery-regula"}, set()),
    "load balancer": (answer(load_balancer=LoadBalancer(type="node")), set(), {"oz-load-balancer"}, set()),
    "nfs options": (
        answer(storage=replace(BASE.storage, options="vers=4.2")),
        {*SETTINGS, "oz-api-nginx"} - {"oz-api-flower", "oz-init-db"},
        set(),
        set(),
    ),
    "proxy": (answer(proxy=Proxy(url="http://proxy:3128")), {"oz-bio-updater", "oz-tfss"}, set(), set()),
    "no_proxy alone": (answer(proxy=Proxy(no_proxy=("a",))), set(), set(), set()),
    "air_gapped": (answer(air_gapped=True), set(), set(), set()),
    "login of a node": (
        answer(nodes=tuple(replace(node, user="other", port=2222) for node in BASE.nodes)),
        set(),
        set(),
        set(),
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_concerns_just_the_services_that_read_it(name: str) -> None:
    after, touched, come, gone = CHANGES[name]
    found = changed(case("medium-4"), after())
    assert found == (touched, come, gone)


def test_another_licence_concerns_the_bios_only() -> None:
    topology = plan_topology(BASE)
    other = render(BASE, topology, secrets_for(topology, BASE), {**LICENCES, "licence:bio": b"another\n"})
    after = {bundle.node: bundle for bundle in other}
    assert changed(case("medium-4"), after) == ({"oz-tfss"}, set(), set())


def test_another_bio_concerns_the_balancers_and_its_queue() -> None:
    fifth = Node(name="n5", host="10.0.0.5", roles=("bio",))
    nodes = [replace(n, roles=("api",) if n.name in ("n1", "n2") else ("bio",)) for n in BASE.nodes]
    after = bundles_of(replace(BASE, nodes=(*nodes, fifth), accept=("many-nodes",)))
    touched, come, gone = changed(case("medium-4"), after)
    assert touched == {"oz-bio-balancer"}
    assert {"oz-tfss", "oz-celery-tfss-1", "oz-celery-tfss-2"} <= come
    assert gone == {"oz-celery-tfss"}


def test_another_install_dir_concerns_all_that_mount_from_it() -> None:
    touched, _, _ = changed(case("medium-4"), answer(install_dir="/srv/oz")())
    assert {"oz-statistic", "oz-webui", "oz-nginx-exporter"} & touched == set()
    assert touched >= SETTINGS


def test_the_bundles_digest_covers_all_of_it() -> None:
    bundle = case("poc-1")["n1"]
    assert bundle.digest == bundles_of(CASES["poc-1"])["n1"].digest
    first, *others = bundle.files
    for other in (
        replace(bundle, files=(replace(first, content=b"x"), *others)),
        replace(bundle, files=(replace(first, mode=0o600), *others)),
        replace(bundle, files=(replace(first, path="x"), *others)),
        replace(bundle, files=tuple(others)),
        replace(bundle, folders=()),
    ):
        assert other.digest != bundle.digest


@pytest.mark.parametrize("name", CASES)
def test_files_are_in_order_and_safe_to_unpack(name: str) -> None:
    for bundle in case(name).values():
        paths = [file.path for file in bundle.files]
        assert paths == sorted(paths)
        assert len(set(paths)) == len(paths)
        assert not any(path.startswith(("/", ".", "-", "shown/")) or ".." in path for path in paths)
        assert not {"manifest", "record.json"} & set(paths)
        assert all(file.mode == 0o644 for file in bundle.files)


@pytest.mark.parametrize("name", CASES)
def test_files_that_hold_a_secret_say_so(name: str) -> None:
    answers = CASES[name]
    secrets = [s.reveal().encode() for s in secrets_for(plan_topology(answers), answers).values()]
    licences = [content for key, content in LICENCES.items() if key != "ca:database"]
    for bundle in case(name).values():
        for file in bundle.files:
            if any(value in file.content for value in [*secrets, *licences]):
                assert file.secret, file.path
            assert not any(value.decode() in repr(file) for value in secrets)


PRINT_DIGESTS = """
from tests.unit.render.bundle_cases import CASES, bundles_of
for name in ("everything", "podman, everything"):
    for node, bundle in bundles_of(CASES[name]).items():
        print(name, node, bundle.digest, *(s.name + s.digest for s in bundle.services))
"""


def test_same_bytes_in_every_process() -> None:
    said = {
        subprocess.run(
            [sys.executable, "-c", PRINT_DIGESTS],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": locale, "TZ": zone},
        ).stdout
        for seed, locale, zone in (("0", "C", "UTC"), ("1", "C.UTF-8", "Asia/Tokyo"), ("77", "POSIX", "UTC"))
    }
    assert len(said) == 1
    assert "n4" in said.pop()


def test_a_licence_that_was_not_read_is_our_own_fault() -> None:
    answers: Answers = CASES["poc-1"]
    topology = plan_topology(answers)
    with pytest.raises(OzError, match="file 'licence:bio' was not read"):
        render(answers, topology, secrets_for(topology, answers), {})


def test_an_external_database_changes_nothing_that_does_not_know_it() -> None:
    before = case("poc-1")
    after = bundles_of(
        replace(CASES["poc-1"], database=Database(host="db.example.com", password=GIVEN)),
    )
    touched, come, gone = changed(before, after)
    assert gone == {"oz-api-pg"}
    assert come == set()
    assert not touched & {"oz-tfss", "oz-redis", "oz-webui", "oz-bio-updater", "oz-redis-exporter"}


@pytest.mark.parametrize(
    ("changes", "data"),
    [
        (
            {"database": Database(host="db1", port=5433, name="oz", password=GIVEN)},
            {"database": "db1:5433/oz", "media": "nfs.example.com:/srv/oz"},
        ),
        (
            {"storage": Storage(type="nfs", server="nfs1", export="/srv/oz")},
            {"database": "db.example.com:5432/gateway", "media": "nfs1:/srv/oz"},
        ),
    ],
)
def test_where_the_data_lie_is_known_on_the_api_nodes(changes: dict[str, Any], data: dict[str, str]) -> None:
    bundles = answer(**changes)()
    apis = [one for one in bundles.values() if any(part.name == "oz-api" for part in one.long_running)]
    assert apis
    assert [one.data for one in bundles.values() if one.data] == [data] * len(apis)


def test_where_the_data_of_a_poc_lie() -> None:
    (one,) = case("poc-1").values()
    assert one.data == {"database": "the bundled PostgreSQL", "media": "a folder of the node"}
