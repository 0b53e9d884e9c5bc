"""Every Compose file, read back: names, ports, mounts and order fit together, whatever the answers."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from oz_installer.answers.sections import Extra
from oz_installer.catalog.release import load_release
from oz_installer.errors import AnswersError
from oz_installer.render.compose import compose_file
from oz_installer.render.project import DIGEST_LABEL
from oz_installer.secret import Secret
from oz_installer.topology.planner import plan_topology
from tests.unit.render.bundle_cases import CASES, Composed, answers_for, bundles_of, case, composed

KEYS = {
    "image", "container_name", "hostname", "restart", "stop_grace_period", "user", "entrypoint", "command",
    "environment", "volumes", "ports", "healthcheck", "mem_limit", "depends_on", "logging", "labels",
    "security_opt", "cap_drop", "pids_limit", "ulimits",
}  # fmt: skip
LONE_DOLLAR = re.compile(r"(?<!\$)(?:\$\$)*\$(?!\$)")


@pytest.fixture(params=CASES)
def site(request: pytest.FixtureRequest) -> tuple[str, dict[str, Composed]]:
    """A case's name and its nodes."""
    return request.param, {node: composed(bundle) for node, bundle in case(request.param).items()}


def strings(value: Any) -> Iterator[str]:
    """Every string in plain data."""
    if isinstance(value, dict):
        for item in value.values():
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)
    elif isinstance(value, str):
        yield value


def published(definition: Any) -> list[int]:
    """Ports on the node, ranges told one by one."""
    found: list[int] = []
    for text in definition.get("ports", ()):
        host, container = text.split(":")
        first, _, last = host.partition("-")
        found += range(int(first), int(last or first) + 1)
        assert len(container.split("-")) == len(host.split("-"))
    return found


def test_only_what_every_compose_understands(site: tuple[str, dict[str, Composed]]) -> None:
    for node in site[1].values():
        for name, definition in node.all.items():
            assert definition.keys() <= KEYS, name
            assert {"image", "logging", "labels"} <= definition.keys()
            assert all(isinstance(value, str) for value in definition.get("environment", {}).values())


def test_names_are_unique_and_say_what_they_are(site: tuple[str, dict[str, Composed]]) -> None:
    for name, node in site[1].items():
        assert not node.running.keys() & node.jobs.keys()
        hostnames = [definition["hostname"] for definition in node.running.values()]
        assert len(set(hostnames)) == len(hostnames)
        for service, definition in node.running.items():
            assert definition["container_name"] == service
            assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,61}[a-z0-9]", definition["hostname"])
            assert definition["hostname"].startswith(f"{name}-")
        for definition in node.jobs.values():
            assert not definition.keys() & {"container_name", "restart", "ports", "healthcheck", "depends_on"}


def test_no_port_is_published_twice_on_a_node(site: tuple[str, dict[str, Composed]]) -> None:
    for node in site[1].values():
        ports = Counter(port for definition in node.all.values() for port in published(definition))
        assert [port for port, count in ports.items() if count > 1] == []


def test_every_mount_has_its_source(site: tuple[str, dict[str, Composed]]) -> None:
    answers = CASES[site[0]]
    current = f"{answers.install_dir}/current/"
    for node in site[1].values():
        files = {file.path for file in node.bundle.files}
        folders = {f"{answers.install_dir}/{folder}" for folder in node.bundle.folders}
        used = set()
        for name, definition in node.all.items():
            targets = []
            for volume in definition.get("volumes", ()):
                source, target, *mode = volume.split(":")
                targets.append(target)
                assert mode in ([], ["ro"])
                if source.startswith(current):
                    assert source.removeprefix(current) in files, f"{name}: {source}"
                    assert mode == ["ro"]
                elif source.startswith("/"):
                    assert source in folders | {answers.storage.path}, f"{name}: {source}"
                else:
                    used.add(source)
            assert len(set(targets)) == len(targets)
        assert used == node.volumes.keys()


def test_every_file_of_the_bundle_is_mounted_by_somebody(site: tuple[str, dict[str, Composed]]) -> None:
    for node in site[1].values():
        text = "\n".join(strings(node.all))
        for file in node.bundle.files:
            assert file.path.endswith((".yaml", "nodes.json")) or f"/current/{file.path}:" in text, file.path


def test_order_names_only_neighbours(site: tuple[str, dict[str, Composed]]) -> None:
    for node in site[1].values():
        order = list(node.running)
        for name, definition in node.running.items():
            for other in definition.get("depends_on", ()):
                assert other in node.running
                assert order.index(other) < order.index(name)


def test_compose_finds_nothing_to_interpolate(site: tuple[str, dict[str, Composed]]) -> None:
    for node in site[1].values():
        texts = [*strings(node.all), *strings(node.volumes)]
        assert [text for text in texts if LONE_DOLLAR.search(text)] == []
        assert not any("{" in text and "secret_" in text for text in texts)


def test_single_parts_are_single_and_workers_are_as_many_as_bios(
    site: tuple[str, dict[str, Composed]],
) -> None:
    topology = plan_topology(CASES[site[0]])
    single = {service.name for service in load_release("5.2").services if service.copies == "one"}
    everywhere = Counter(name for node in site[1].values() for name in node.all)
    assert {name: everywhere[name] for name in single if everywhere[name] > 1} == {}
    assert {"oz-celery-beat", "oz-init-db", "oz-init-user"} <= everywhere.keys()
    everyone = [name for node in site[1].values() for name in node.running]
    workers = [name for name in everyone if name.startswith("oz-celery-tfss")]
    assert len(workers) == max(len(topology.bio_nodes), len(topology.api_nodes))
    assert everywhere["oz-tfss"] == len(topology.bio_nodes)


def test_definitions_agree_with_the_bundle(site: tuple[str, dict[str, Composed]]) -> None:
    for node in site[1].values():
        for service in node.bundle.services:
            definition = (node.jobs if service.job else node.running)[service.name]
            assert definition["labels"] == {DIGEST_LABEL: service.digest}
            assert definition["image"] == service.image
            assert bool(definition.get("healthcheck")) is bool(service.health_command)
            assert service.start_timeout >= 60
            mounted = "\n".join(definition.get("volumes", ()))
            assert all(f"/current/{path}:" in mounted for path in service.config_files)
        assert list(node.running) == [service.name for service in node.bundle.long_running]
        assert [service.name for service in node.bundle.jobs] == list(node.jobs)


def test_a_comment_says_what_each_service_is(site: tuple[str, dict[str, Composed]]) -> None:
    for name, node in site[1].items():
        for file in node.bundle.files:
            if file.path.endswith(".yaml"):
                text = file.content.decode()
                assert text.startswith(f"# Made by oz-install for {name}. Do not edit")
                for service in node.bundle.services:
                    if service.job is (file.path == "jobs.yaml"):
                        assert f"\n  # {service.title}\n  {service.name}:\n" in text


# --- one by one -----------------------------------------------------------------------------------------


def one(name: str, node: str, service: str) -> Any:
    """One definition of a case."""
    return composed(case(name)[node]).all[service]


def test_the_registry_stands_before_every_image() -> None:
    for bundle in case("registry").values():
        assert all(image.startswith("registry.example.com:5000/mirror/") for image in bundle.images)


def test_an_image_of_the_operators_is_taken_as_it_is() -> None:
    assert one("other image", "n1", "oz-webui")["image"] == "example.com/webui:9"
    assert one("other image", "n1", "oz-api")["image"].startswith("ozforensics/oz-api:")


def test_podman_is_told_the_registry_and_knows_its_own_drivers() -> None:
    for name in ("podman", "podman, everything"):
        for bundle in case(name).values():
            assert all(image.startswith("docker.io/") for image in bundle.images)
            for definition in composed(bundle).all.values():
                assert definition["logging"]["driver"] == "k8s-file"
                assert "depends_on" not in definition
    rabbitmq = one("podman, everything", "n1", "oz-rabbitmq")
    assert rabbitmq["image"] == "docker.io/library/rabbitmq:3-management"


def test_logs_are_bounded() -> None:
    assert one("poc-1", "n1", "oz-api")["logging"] == {
        "driver": "json-file",
        "options": {"max-size": "512m", "max-file": "3", "compress": "true"},
    }


@pytest.mark.parametrize(
    ("name", "device", "options"),
    [
        ("medium-4", ":/srv/oz", "addr=nfs.example.com,vers=4.1,hard"),
        ("nfs over IPv6", ":/", "addr=[fd00::5],vers=4.1,hard"),
    ],
)
def test_nfs_is_one_volume_of_every_api_node(name: str, device: str, options: str) -> None:
    volumes = [composed(bundle).volumes for bundle in case(name).values()]
    media = [key for some in volumes for key in some if key.startswith("media-")]
    assert len(media) == 2
    assert len(set(media)) == 1
    expected = {"type": "nfs", "o": options, "device": device}
    assert volumes[0][media[0]] == {"driver": "local", "driver_opts": expected}


def test_another_mount_is_another_volume() -> None:
    """Engines never change the options of a volume that is there."""
    names = {
        key
        for name in ("medium-4", "nfs over IPv6")
        for key in composed(case(name)["n1"]).volumes
        if key.startswith("media-")
    }
    assert len(names) == 2


def test_a_shared_path_is_mounted_as_it_is() -> None:
    for service in ("oz-api", "oz-celery-default"):
        assert "/mnt/oz:/opt/gateway/static" in one("path", "n2", service)["volumes"]
    assert "/mnt/oz:/opt/gateway/static:ro" in one("path", "n2", "oz-api-nginx")["volumes"]


def test_a_licence_goes_only_to_the_bios() -> None:
    for node in ("n1", "n2", "n3", "n4"):
        paths = {file.path for file in case("everything")[node].files}
        assert ("licence/license.key" in paths) is (node in ("n3", "n4"))
        assert ("licence/license.json" in paths) is (node == "n1")


def test_the_second_api_node_has_no_single_parts() -> None:
    names = set(composed(case("everything")["n2"]).all)
    queues = ("default", "maintenance", "tfss", "resolution", "preview_convert", "regula")
    workers = {f"oz-celery-{queue}" for queue in queues}
    others = {"oz-api", "oz-api-nginx", "oz-bio-balancer", "oz-load-balancer", "oz-nginx-exporter"}
    assert names == workers | others


def test_ports_between_nodes_are_open_only_where_there_are_two_api_nodes() -> None:
    assert "ports" not in one("poc-2", "n2", "oz-redis")
    assert one("medium-4", "n1", "oz-redis")["ports"] == ["6379:6379"]
    assert one("rabbitmq", "n1", "oz-rabbitmq")["ports"] == ["5672:5672"]
    assert "60000-60100:60000-60100" in one("poc-2", "n2", "oz-bio-updater")["ports"]


def test_the_updater_and_who_fetches_from_it() -> None:
    assert one("poc-2", "n1", "oz-bio-init")["environment"]["FTP_SERVER_HOST"] == "10.0.0.2"
    assert one("poc-1", "n1", "oz-bio-init")["environment"]["FTP_SERVER_HOST"] == "oz-bio-updater"
    assert one("poc-1", "n1", "oz-bio-updater")["mem_limit"] == "500m"


def test_health_checks_stand_for_themselves() -> None:
    check = one("poc-1", "n1", "oz-tfss")["healthcheck"]
    assert check["test"][0] == "CMD-SHELL"
    assert "http://127.0.0.1:8501/v1/models/dummy" in check["test"][1]
    times = {key: check[key] for key in ("interval", "timeout", "retries", "start_period")}
    assert times == {"interval": "60s", "timeout": "10s", "retries": 3, "start_period": "600s"}
    assert one("medium-2", "n1", "oz-bio-balancer")["healthcheck"]["test"] == ["CMD", "nginx", "-t"]
    assert "inspect ping -d tfss@$$HOSTNAME" in one("poc-1", "n1", "oz-celery-tfss")["healthcheck"]["test"][1]


# --- values that YAML, Compose or Python may take for something else --------------------------------------

TRAPS = [
    "yes",
    "no",
    "on",
    "~",
    "null",
    "0o17",
    "017",
    "1e3",
    "1_000",
    ".inf",
    "12:30:45",
    "2024-01-01",
    ":",
    "#",
    "-",
    "--",
    "?",
    "!x",
    "&a",
    "*a",
    "|",
    ">",
    "%",
    "@",
    "`",
    "{",
    "}",
    "[",
    "]",
    ",",
    "'",
    '"',
    "''",
    '"a"',
    "\\",
    "\\n",
    "$",
    "$$",
    "${X}",
    "$X",
    "${X:-y}",
    "{queue}",
    "{secret_x}",
    "<<",
    "=",
    "🔑",
    "é",
]
TRAPS += [" # x", "- a", " lead", "trail ", "a: b", "a #b", "\u200d", "\u00a0", "\\u0041"]
VALUES = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp", "Cn"]) | st.sampled_from("'\"\\$#%`{}@:/ -!~"),
    min_size=1,
    max_size=40,
)


def check_arrives(value: str) -> None:
    secret = Secret(value)
    names = ("updater.token", "ftp.password", "database.password", "admin.password")
    extra = Extra(config={"A": value, "B": {value: [value]}})
    bundle = bundles_of(answers_for("poc-1", extra=extra), dict.fromkeys(names, secret))["n1"]
    node, doubled = composed(bundle), value.replace("$", "$$")
    updater = node.running["oz-bio-updater"]["environment"]
    assert updater["CLIENT_TOKEN"] == updater["FTP_USER_PASSWORD"] == doubled
    assert node.jobs["oz-bio-init"]["environment"]["FTP_USER_PASSWORD"] == doubled
    assert node.running["oz-statistic"]["environment"]["DB_PASS"] == doubled
    files = {file.path: file for file in bundle.files}
    names_of: dict[str, Any] = {}
    exec(compile(files["config/api/config.py"].content, "config.py", "exec"), names_of)  # noqa: S102
    assert (names_of["DB_PASS"], names_of["A"], names_of["B"]) == (value, value, {value: [value]})
    assert json.loads(files["config/api/admin.json"].content)["password"] == value


@pytest.mark.parametrize("value", TRAPS)
def test_traps_arrive(value: str) -> None:
    check_arrives(value)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(VALUES)
@example("".join(TRAPS))
def test_any_value_arrives(value: str) -> None:
    check_arrives(value)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_the_dumper_gives_back_any_text(value: str) -> None:
    """Even control characters, which no answer may hold."""
    exact = {"k": compose_file._Exact(value)}
    dumped = yaml.dump(exact, Dumper=compose_file._Dumper, allow_unicode=True, width=1 << 20)
    assert yaml.safe_load(dumped) == {"k": value}
    assert yaml.load(dumped, Loader=yaml.SafeLoader) == {"k": value}


def test_h3_every_container_of_the_database_gets_its_authorities() -> None:
    target, variable = "/opt/oz-install/database-ca.pem", "PGSSLROOTCERT"
    for bundle in case("verify-full").values():
        services = composed(bundle).all
        with_tls = {name for name, one in services.items() if "PGSSLMODE" in one.get("environment", {})}
        with_tls |= {name for name in services if name == "oz-postgres-exporter"}
        assert with_tls == {name for name, one in services.items() if variable in one.get("environment", {})}
        for name in with_tls:
            assert services[name]["environment"][variable] == target
            assert f"/opt/oz/current/config/database-ca.pem:{target}:ro" in services[name]["volumes"]
        files = {file.path: file for file in bundle.files}
        assert ("config/database-ca.pem" in files) is bool(with_tls)
        assert all(
            "config/database-ca.pem" in one.config_files
            for one in bundle.services
            if one.name in with_tls - {"oz-init-user"}  # a new authority is no new account
        )
    assert not any(
        variable in file.content.decode() for one in case("medium-4").values() for file in one.files
    )


@pytest.mark.parametrize("name", CASES)
def test_m10_containers_are_limited(name: str) -> None:
    for bundle in case(name).values():
        for one in composed(bundle).all.values():
            assert one["security_opt"] == ["no-new-privileges"]
            assert one["cap_drop"] == ["MKNOD", "NET_RAW", "SETFCAP"]
            assert one.get("pids_limit") == (None if "podman" in name else 8192), "Podman has its own"


def test_m10_a_service_can_be_left_out() -> None:
    (bundle,) = bundles_of(answers_for("poc-1", unhardened=("oz-webui",))).values()
    services = composed(bundle).all
    assert [name for name, one in services.items() if "cap_drop" not in one] == ["oz-webui"]
    assert not {"security_opt", "pids_limit"} & services["oz-webui"].keys()


def test_m10_only_services_of_the_release_are_left_out() -> None:
    with pytest.raises(AnswersError) as caught:
        plan_topology(answers_for("poc-1", unhardened=("oz-webiu",)))
    assert "the closest is oz-webui" in str(caught.value.problems[0])
