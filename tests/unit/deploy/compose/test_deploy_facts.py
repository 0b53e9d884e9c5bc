"""What nodes answer to a look, as recorded from several engines."""

from __future__ import annotations

from typing import Any

import pytest

from oz_installer.deploy.compose.facts import parse_containers, parse_facts
from oz_installer.deploy.record import Record

DIGEST = "c" * 64
HEAD = {
    "containers": "",
    "engine-status": "0",
    "link": "",
    "record": "",
    "lock": "",
    "holder": "",
    "partial": "",
    "journal": "",
    "good": "",
    "verified": "",
    "jobs": "",
    "files": "",
}
DETAILS = {
    "user": "0",
    "os": "Linux 6.1.0-18-amd64\nDebian GNU/Linux 12 (bookworm)",
    "engine-version": "26.1.5+dfsg1",
    "compose-plugin": "2.26.1",
    "compose-v1": "",
    "podman-compose": "",
    "images": "",
    "volumes": "",
    "generations": "",
    "folders": "",
    "disk": "/dev/vda1  41152736 9216000 30120736  24% /",
    "access": "ok",
}


def output(**parts: str) -> str:
    """What node.sh prints, by section; underscores stand for hyphens."""
    named = {name.replace("_", "-"): text for name, text in parts.items()}
    return "".join(f"\n@{name}\n{text}\n" for name, text in {**HEAD, **named, "end": ""}.items())


def looked(**parts: str) -> Any:
    """The facts of it."""
    return parse_facts("n1", output(**parts))


DOCKER_26 = (
    f"oz-tfss\tUp 3 minutes (healthy)\t{DIGEST}\tozforensics/tensorflow-serving:2.5_lic_1.1.4-4_opt\n"
    f"oz-api\tUp 12 seconds (health: starting)\t{DIGEST}\tozforensics/oz-api:5.2.0-systemd\n"
    f"oz-redis\tUp 2 hours (unhealthy)\t{DIGEST}\tozforensics/oz-api-redis:6.2.14\n"
    f"oz-celery-beat\tUp About an hour\t{DIGEST}\tozforensics/oz-api:5.2.0-systemd\n"
    f"oz-webui\tRestarting (1) 5 seconds ago\t{DIGEST}\tozforensics/oz-web-ui:1.3.3\n"
    f"oz-statistic\tExited (137) 4 minutes ago\t{DIGEST}\tozforensics/oz-api-stat:0.1.43\n"
    f"oz-api-nginx\tCreated\t{DIGEST}\tnginx\n"
    f"oz-api-flower\tUp 4 minutes (Paused)\t{DIGEST}\tflower\n"
    f"oz-api-pg\tRemoval In Progress\t{DIGEST}\tpostgres\n"
    f"oz-o2n-pg\tDead\t{DIGEST}\tpg\n"
    "oz-oz-init-db-run-2f1c\tExited (0) 2 days ago\t\tozforensics/oz-api:5.2.0-systemd\n"
)


@pytest.mark.parametrize(
    ("name", "running", "health", "well"),
    [
        ("oz-tfss", True, "healthy", True),
        ("oz-api", True, "starting", False),
        ("oz-redis", True, "unhealthy", False),
        ("oz-celery-beat", True, "", True),
        ("oz-webui", False, "", False),
        ("oz-statistic", False, "", False),
        ("oz-api-nginx", False, "", False),
        ("oz-api-flower", False, "", False),
        ("oz-api-pg", False, "", False),
        ("oz-o2n-pg", False, "", False),
        ("oz-oz-init-db-run-2f1c", False, "", False),
    ],
)
def test_containers_as_docker_prints_them(name: str, running: bool, health: str, well: bool) -> None:
    fact = looked(containers=DOCKER_26).containers[name]
    assert (fact.running, fact.health, fact.is_healthy) == (running, health, well)
    assert fact.digest == ("" if "run" in name else DIGEST)


def test_podman_prints_starting_and_no_value_of_its_own_way() -> None:
    text = (
        "oz-api\tUp 5 seconds (starting)\tabc\tdocker.io/ozforensics/oz-api:5.2.0-systemd\n"
        "oz-redis\tUp 5 minutes (healthy)\tabc\tdocker.io/ozforensics/redis:1\n"
        "oz-webui\tExited (1) 5 minutes ago (unhealthy)\tabc\tlocalhost/x:1\n"
        "oz-other\tUp 5 minutes ago\t<no value>\tlocalhost/x:1\n"
    )
    found = parse_containers(text)
    assert (found["oz-api"].running, found["oz-api"].health) == (True, "starting")
    assert found["oz-redis"].is_healthy
    assert not found["oz-webui"].running
    assert not found["oz-webui"].is_healthy
    assert found["oz-other"].running


def test_lines_that_are_no_containers_are_passed_over() -> None:
    text = "WARNING: Error loading config file: /root/.docker/config.json\n" + DOCKER_26
    assert len(looked(containers=text).containers) == DOCKER_26.count("\n")


@pytest.mark.parametrize(
    "said",
    [
        "sh: 1: docker: not found",
        "sh: docker: command not found",
        "Got permission denied while trying to connect to the Docker daemon socket at "
        "unix:///var/run/docker.sock: dial unix /var/run/docker.sock: connect: permission denied",
        "permission denied while trying to connect to the Docker daemon socket",
        "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
    ],
)
def test_an_engine_that_does_not_answer_keeps_its_words(said: str) -> None:
    facts = looked(containers=said, engine_status="127", **DETAILS)
    assert not facts.engine_ok
    assert facts.engine_message == said
    assert facts.containers == {}


def test_an_empty_node() -> None:
    facts = looked()
    assert facts.engine_ok
    assert facts.record is None
    assert (facts.generation, facts.lock, facts.verified) == ("", "", "")
    assert not facts.files
    assert not facts.jobs
    assert not facts.containers
    assert facts.details is None


def test_an_installed_node() -> None:
    record = Record(node="n1", release="5.2", generation="000003", digest="d", files={"a": "b"})
    facts = looked(
        link="generations/000003",
        record=record.dumps(),
        lock="root@ws (process 7)",
        verified="d",
        jobs=f"oz-init-db {DIGEST}\noz-init-user {DIGEST}",
        files=f"{DIGEST}  ./config/api/config.py\n{DIGEST}  ./a file\nmode ./config/redis/password\nmode ./a",
    )
    assert facts.generation == "000003"
    assert facts.record == record
    assert facts.lock == "root@ws (process 7)"
    assert facts.verified == "d"
    assert facts.jobs == {"oz-init-db": DIGEST, "oz-init-user": DIGEST}
    assert facts.files == {"config/api/config.py": DIGEST, "a file": DIGEST}
    assert facts.wrong_modes == ("a", "config/redis/password")


def test_details() -> None:
    parts = {
        **DETAILS,
        "images": "nginx:1.27.3 nginx@sha256:aa\nozforensics/oz-api:5.2.0-systemd ",
        "volumes": "oz_redis\noz_api-pg",
        "generations": "000001\n000002",
    }
    found = looked(**parts).details
    assert found is not None
    assert found.uid == 0
    assert found.os == "Linux 6.1.0-18-amd64 · Debian GNU/Linux 12 (bookworm)"
    assert (found.engine_version, found.compose_plugin) == ("26.1.5+dfsg1", "2.26.1")
    assert found.images == {"nginx:1.27.3", "nginx@sha256:aa", "ozforensics/oz-api:5.2.0-systemd"}
    assert found.volumes == {"oz_redis", "oz_api-pg"}
    assert found.generations == ("000001", "000002")
    assert found.disk_free == 30120736


def test_a_disk_that_df_cannot_tell_is_not_taken_for_full() -> None:
    found = looked(**{**DETAILS, "disk": ""}).details
    assert found is not None
    assert found.disk_free == -1


def test_half_an_answer_is_no_answer() -> None:
    whole = output(containers=DOCKER_26, link="generations/000001", **DETAILS)
    for length in range(0, len(whole) - 1, 37):
        with pytest.raises(ValueError, match="the output of the node is incomplete"):
            parse_facts("n1", whole[:length])


def test_talk_of_a_login_shell_before_the_answer_does_no_harm() -> None:
    facts = parse_facts("n1", "Welcome to the jungle\n@ noon\n" + output(link="generations/000002"))
    assert facts.generation == "000002"


def test_a_broken_record_is_no_record() -> None:
    for text in ("{", "[]", "null", '"x"', '{"node": "n1"}', '{"files": []}'):
        assert looked(record=text).record is None
