"""The catalogue: what the vendor publishes, as data that fits together; and what is said of a broken one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from oz_installer.answers.model import Answers, Node
from oz_installer.catalog import yaml_files
from oz_installer.catalog.release import Release, load_release, releases
from oz_installer.catalog.scenario import load_scenarios
from oz_installer.catalog.service import STAGES
from oz_installer.errors import OzError
from oz_installer.render.environment import templates_folder
from oz_installer.topology.planner import active_conditions

FACTS = {  # FACTS.md, section 3: image, published port
    "oz-api": ("ozforensics/oz-api:5.2.0-systemd", 8000),
    "oz-celery-tfss": ("ozforensics/oz-api:5.2.0-systemd", None),
    "oz-celery-beat": ("ozforensics/oz-api:5.2.0-systemd", None),
    "oz-redis": ("ozforensics/oz-api-redis:6.2.14-debian-12-r23", 6379),
    "oz-api-nginx": ("nginxinc/nginx-unprivileged:1.24", 8880),
    "oz-webui": ("ozforensics/oz-web-ui:1.3.3", 80),
    "oz-statistic": ("ozforensics/oz-api-stat:0.1.43", None),
    "oz-api-o2n": ("ozforensics/oz-api:o2n-0.3.2-7", 8010),
    "oz-o2n-pg": ("ankane/pgvector:v0.5.1", None),
    "oz-tfss": ("ozforensics/tensorflow-serving:2.5_lic_1.1.4-4_opt", 8501),
    "oz-bio-init": ("ozforensics/oz-bio-init:1.0.10", None),
    "oz-bio-updater": ("ozforensics/oz-bio-deploy:2.0.8", 8521),
    "oz-bio-balancer": ("nginx:1.27.3", 9501),
    "oz-api-pg": ("postgres:15.5-bullseye", None),
    "oz-api-flower": ("ozforensics/oz-api:5.1.1-k8s-unprivileged", 5555),
    "oz-redis-exporter": ("ozforensics/prometheus-exporters:redis-1.58.0", 9117),
    "oz-postgres-exporter": ("ozforensics/prometheus-exporters:postgres-exporter-0.15.0", 9187),
    "oz-nginx-exporter": ("ozforensics/prometheus-exporters:nginx-1.1.0", 9113),
    "oz-web-adapter": ("ozforensics/oz-webliveness:1.6.16", 8080),
    "oz-rabbitmq": ("rabbitmq:3-management", 5672),
}


@pytest.fixture(params=releases())
def release(request: pytest.FixtureRequest) -> Release:
    return load_release(request.param)


@pytest.mark.parametrize("name", FACTS)
def test_images_and_ports_are_the_vendors(name: str) -> None:
    catalogue = load_release("5.2")
    service = catalogue.service(name)
    image, port = FACTS[name]
    assert catalogue.images[service.image] == image
    assert (service.ports[0].host if service.ports else None) == port


def test_health_checks_have_the_vendors_times() -> None:
    for service in load_release("5.2").services:
        if service.health:
            seen = (service.health.interval, service.health.retries)
            assert seen == (60, 3), service.name
            slow = service.queue or service.name == "oz-rabbitmq"
            assert service.health.timeout == (20 if slow else 10), service.name
            assert service.health.start_period == (600 if service.name == "oz-tfss" else 40)


def test_services_fit_together(release: Release) -> None:
    names = [service.name for service in release.services]
    assert len(set(names)) == len(names)
    known = active_conditions(
        Answers(scenario="poc", public_url="http://x", nodes=(Node(name="n", host="h"),))
    )
    for index, service in enumerate(release.services):
        assert service.image in release.images, service.name
        assert service.when in known, service.name
        assert all(port.when in known for port in service.ports), service.name
        stages = STAGES.index(service.stage)
        for need in service.needs:
            assert need in names[:index], f"{service.name} starts before {need}, which it needs"
            assert STAGES.index(release.service(need).stage) <= stages
        if service.health:
            ways = [service.health.get, service.health.shell, service.health.argv]
            assert sum(bool(way) for way in ways) == 1, service.name
        if service.part:
            assert service.container_port, service.name
    parts = [service.part for service in release.services if service.part]
    assert len(set(parts)) == len(parts)
    assert {door.service for door in release.endpoints} <= set(names)
    assert all(note.when in known for note in release.notes)
    assert set(release.images) == {service.image for service in release.services}


def test_stages_come_in_the_order_of_the_start(release: Release) -> None:
    stages = [STAGES.index(service.stage) for service in release.services]
    assert stages == sorted(stages)


def test_every_mounted_file_has_a_template(release: Release) -> None:
    for service in release.services:
        for mount in service.mounts:
            kind, colon, _ = mount.source.partition(":")
            assert colon or kind == "media" or (templates_folder() / f"{mount.source}.j2").is_file()
            assert mount.target.startswith("/")


def test_scenarios_have_the_figures_of_the_source_document() -> None:
    found = {
        name: [[(place.needs.cpu, place.needs.memory) for place in layout.nodes] for layout in one.layouts]
        for name, one in load_scenarios().items()
    }
    assert found == {
        "poc": [[(16, 32)], [(16, 32), (8, 16)]],
        "medium": [[(24, 32)] * 2, [(16, 24)] * 3, [(8, 16), (8, 16), (16, 24), (16, 24)]],
        "high-load": [],
    }


def test_an_unknown_service_is_no_service(release: Release) -> None:
    with pytest.raises(KeyError):
        release.service("oz-nothing")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("stage: foundation", "stage: cellar", "'cellar' is not one of foundation, bio, app, edge"),
        ("title: Oz API 5.2", "colour: red", "unknown colour"),
        ("config: {}", "config: hot", "should be a mapping, not 'hot'"),
        ("brokers: [redis, rabbitmq]", "brokers: redis", "should be a list, not 'redis'"),
        ('{engine: "4.4", ', "{", "engine"),
        ('{engine: "4.4", ', "{engine: 4.10, ", "engine: should be text (in quotes), not 4.1"),
        ('{engine: "4.4", ', '{engine: "new", ', "engines.podman: 'new' is not a version"),
        ('max-file: "3"', "max-file: 3", "log_options.max-file: should be text (in quotes), not 3"),
        ("container: 6379", "container: six", "container: should be a whole number, not 'six'"),
        ("container: 6379", "container: true", "container: should be a whole number, not True"),
        ("    listens: 5432\n", "", "a service with the part database needs listens or ports"),
        ("service: oz-webui}", "service: oz-web}", "endpoints: Web UI: there is no service oz-web"),
        (
            "service: oz-webui}",
            "service: oz-redis}",
            "endpoints: Web UI: oz-redis has no port that is always open",
        ),
        ("service: oz-webui}", "service: oz-tfss-x}", "there is no service oz-tfss-x"),
        ("    image: oz-redis\n", "", "image"),
    ],
)
def test_a_broken_release_says_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, said: str
) -> None:
    (tmp_path / "releases").mkdir()
    text = (yaml_files.HERE / "releases/5.2.yml").read_text()
    assert old in text
    (tmp_path / "releases/9.9.yml").write_text(text.replace(old, new, 1))
    monkeypatch.setattr(yaml_files, "HERE", tmp_path)
    with pytest.raises(OzError, match=r"the catalogue's 9\.9\.yml is broken") as caught:
        load_release.__wrapped__("9.9")
    assert said in str(caught.value)


def test_a_new_release_is_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(yaml_files.HERE / "releases", tmp_path / "releases")
    text = (yaml_files.HERE / "releases/5.2.yml").read_text().replace('name: "5.2"', 'name: "5.10"')
    (tmp_path / "releases/5.10.yml").write_text(text)
    monkeypatch.setattr(yaml_files, "HERE", tmp_path)
    assert releases.__wrapped__()[-1] == "5.10"  # by number, not by letter
    assert load_release.__wrapped__("5.10").name == "5.10"
