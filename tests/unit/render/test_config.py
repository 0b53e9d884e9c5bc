"""The configuration files of every layout agree with each other and carry every secret unchanged."""

from __future__ import annotations

import ast
import dataclasses
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

import pytest
from hypothesis import HealthCheck, example, given, settings

from oz_installer.answers.model import Answers, SecretRef
from oz_installer.answers.node import Node
from oz_installer.answers.sections import (
    Broker,
    Components,
    Database,
    Extra,
    License,
    LoadBalancer,
    Storage,
    Updater,
)
from oz_installer.catalog.release import load_release
from oz_installer.catalog.service import Mount
from oz_installer.errors import AnswersError, OzError
from oz_installer.render import environment
from oz_installer.render.config import ConfigFile, config_files
from oz_installer.secret import MASK, Secret
from oz_installer.topology.model import Topology, TopologyNode
from oz_installer.topology.planner import plan_topology
from oz_installer.topology.secret_slots import secret_slots
from oz_installer.topology.wiring import wiring_for
from tests.unit.render.test_filters import NASTY, PRINTABLE, read_sql, split_redis_arguments

Files = Mapping[str, ConfigFile]
GIVEN = SecretRef(kind="env", where="OZ")
SECRETS = {
    name: Secret(f"{NASTY} {name}")
    for name in (
        "redis.password",
        "rabbitmq.password",
        "database.password",
        "api_pg.password",
        "o2n.password",
        "o2n_pg.password",
        "ftp.password",
        "admin.password",
    )
}
SECRETS["rabbitmq.password"] = Secret("-Rab:bit/1%20@?")  # all that its conf can carry: see the definitions
EVERYTHING = Components(
    one_to_n=True, regula="https://regula.example.com", web_adapter="https://sdk.example.com"
)
LAYOUTS = [("poc", 1), ("poc", 2), ("medium", 2), ("medium", 3), ("medium", 4)]
BROKERS = {
    "redis": Broker(),
    "rabbitmq": Broker(type="rabbitmq"),
    "external redis": Broker(host="redis.example.com", port=6390, password=GIVEN),
    "external rabbitmq": Broker(type="rabbitmq", host="mq.example.com", user="queue", password=GIVEN),
}
HEADER = "Made by oz-install. Do not edit: change answers.yml"
WITHOUT_COMMENTS = (".json", "/password")


def answers_for(scenario: str, count: int, **changes: Any) -> Answers:
    """Answers of a standard layout that switch everything on."""
    defaults: dict[str, Any] = {
        "scenario": scenario,
        "public_url": "https://oz.example.com",
        "nodes": tuple(Node(name=f"n{i}", host=f"10.0.0.{i}") for i in range(1, count + 1)),
        "database": Database() if scenario == "poc" else Database(host="db.example.com", password=GIVEN),
        "storage": Storage(type="path", path="/mnt/oz") if count == 4 else Storage(),
        "components": EVERYTHING,
        "license": License(web_adapter=Path("license.json")),
        "updater": Updater(token=GIVEN),
        "load_balancer": LoadBalancer(type="node") if count == 4 else LoadBalancer(),
    }
    return Answers(**{**defaults, **changes})


def secrets_for(topology: Topology, answers: Answers) -> dict[str, Secret]:
    """Just what the topology needs, and what the operator gave."""
    found = {slot: SECRETS[slot] for slot in secret_slots(topology)}
    found.setdefault("database.password", SECRETS["database.password"])
    if answers.broker.password:
        found["broker.password"] = Secret(f"{NASTY} broker")
    return found


def render(answers: Answers, secrets: Mapping[str, Secret] | None = None) -> dict[str, Files]:
    """Every node's files."""
    topology = plan_topology(answers)
    chosen = secrets_for(topology, answers) if secrets is None else secrets
    return {
        node.name: config_files(node, wiring_for(answers, topology, node), chosen, topology)
        for node in topology.nodes
    }


def python(file: ConfigFile) -> dict[str, Any]:
    """What Python reads in a config.py."""
    names: dict[str, Any] = {}
    exec(compile(file.text, "config.py", "exec"), names)  # noqa: S102 - what the vendor's image does
    return names


def redis_conf(file: ConfigFile) -> dict[str, str]:
    """What Redis reads in a redis.conf."""
    lines = [split_redis_arguments(line) for line in file.text.splitlines() if line and line[0] != "#"]
    return {name.decode(): value.decode() for name, value in lines}


def password_in(url: SplitResult) -> str:
    """The password of a URL, decoded."""
    return unquote(url.password or "")


@pytest.fixture(
    params=[
        pytest.param((scenario, count, broker), id=f"{scenario}-{count} {broker}")
        for scenario, count in LAYOUTS
        for broker in BROKERS
    ]
)
def case(request: pytest.FixtureRequest) -> tuple[Answers, Topology, dict[str, Files]]:
    """Answers, topology and files of one layout with one broker."""
    scenario, count, broker = request.param
    answers = answers_for(scenario, count, broker=BROKERS[broker])
    return answers, plan_topology(answers), render(answers)


def test_files_agree_with_each_other(case: tuple[Answers, Topology, dict[str, Files]]) -> None:
    answers, topology, rendered = case
    secrets = secrets_for(topology, answers)
    for node in topology.api_nodes:
        config = python(rendered[node.name]["config/api/config.py"])
        check_redis(answers, topology, node, rendered, config, secrets)
        check_broker(answers, topology, node, config, secrets)
        check_bio(topology, node, rendered[node.name], config)
        check_queues(topology, config)
        assert config["DB_PASS"] == secrets["database.password"].reveal()
        assert config["OZ_SERVICE_REGULA_HOST"] == "https://regula.example.com"
        here = node.has("oz-api-o2n")
        assert config["OZ_SERVICE_O2N_HOST"] == ("http://oz-api-o2n:8010" if here else "http://10.0.0.1:8010")


def check_redis(
    answers: Answers,
    topology: Topology,
    node: TopologyNode,
    rendered: Mapping[str, Files],
    config: Mapping[str, Any],
    secrets: Mapping[str, Secret],
) -> None:
    names = ["CELERY_RESULT_BACKEND", "OZ_REDIS_ANALYZES_NODE", "OZ_REDIS_THROTTLING_NODE"]
    urls = [urlsplit(config[name]) for name in names]
    assert [url.path for url in urls] == ["/0", "/2", "/3"]
    homes = topology.nodes_with("oz-redis")
    if not homes:
        expected = ("redis.example.com", 6390, secrets["broker.password"].reveal())
    else:
        files = rendered[homes[0].name]
        read = redis_conf(files["config/redis/redis.conf"])
        assert files["config/redis/password"].text == read["requirepass"]
        assert int(read["databases"]) == 4
        host = "oz-redis" if node == homes[0] else homes[0].address
        expected = (host, int(read["port"]), read["requirepass"])
        assert expected[2] == secrets["redis.password"].reveal()
    assert {(url.hostname, url.port, password_in(url)) for url in urls} == {expected}
    if node.has("oz-redis-exporter"):
        passwords = json.loads(rendered[node.name]["config/redis-exporter/passwords.json"].text)
        variables = load_release(answers.release).service("oz-redis-exporter").environment
        address = variables["REDIS_ADDR"].format_map(wiring_for(answers, topology, node).values)
        assert passwords == {address: expected[2]}


def check_broker(
    answers: Answers,
    topology: Topology,
    node: TopologyNode,
    config: Mapping[str, Any],
    secrets: Mapping[str, Secret],
) -> None:
    url = urlsplit(config["CELERY_BROKER_URL"])
    if answers.broker.type == "redis":
        assert config["CELERY_BROKER_URL"] == config["CELERY_RESULT_BACKEND"][:-1] + "1"
        return
    homes = topology.nodes_with("oz-rabbitmq")
    if homes:
        host = "oz-rabbitmq" if node == homes[0] else homes[0].address
        expected = ("oz", host, secrets["rabbitmq.password"].reveal())
    else:
        expected = ("queue", "mq.example.com", secrets["broker.password"].reveal())
    assert (url.username, url.hostname, password_in(url)) == expected
    assert (url.scheme, url.port, url.path) == ("amqp", 5672, "//")


def check_bio(topology: Topology, node: TopologyNode, files: Files, config: Mapping[str, Any]) -> None:
    assert config["OZ_SERVICE_TFSS_HOST"] == config["OZ_BUNDLE_TFSS_HOST"]
    if len(topology.bio_nodes) == 1:
        host = "oz-tfss" if node.has("oz-tfss") else topology.bio_nodes[0].address
        assert config["OZ_SERVICE_TFSS_HOST"] == f"http://{host}:8501/v1/"
        assert "config/bio-balancer/nginx.conf" not in files
        return
    assert config["OZ_SERVICE_TFSS_HOST"] == "http://oz-bio-balancer:9501/v1/"
    text = files["config/bio-balancer/nginx.conf"].text
    servers = re.findall(r'^ +server "?([^\s"]+?)"? max_fails=2 fail_timeout=2m;', text, re.MULTILINE)
    other = [f"{bio.address}:8501" for bio in topology.bio_nodes if bio != node]
    own = ["127.0.0.1:9502"] if node.has("oz-tfss") else []
    assert servers == own + other
    assert ("listen 127.0.0.1:9502;" in text and "oz-tfss:8501;" in text) is bool(own)
    assert "listen 9501 " in text
    assert "client_max_body_size 500m;" in text


def check_queues(topology: Topology, config: Mapping[str, Any]) -> None:
    running = {p.service.queue for node in topology.nodes for p in node.services if p.service.queue}
    queues = config["OZ_CELERY_HEALTH_CHECK_QUEUES"]
    assert isinstance(queues, list)
    assert len(queues) == len(set(queues))
    assert set(queues) == running


def test_exactly_the_mounted_files_are_rendered(case: tuple[Answers, Topology, dict[str, Files]]) -> None:
    _, topology, rendered = case
    for node in topology.nodes:
        mounted = {
            m.source for p in node.services for m in p.service.mounts if m.source.startswith("config/")
        }
        assert list(rendered[node.name]) == sorted(mounted)


def test_every_file_is_well_formed(case: tuple[Answers, Topology, dict[str, Files]]) -> None:
    for files in case[2].values():
        for path, file in files.items():
            if path.endswith(".py"):
                ast.parse(file.text, feature_version=(3, 8))
                compile(file.text, path, "exec")
            if path.endswith(".json"):
                json.loads(file.text)
            if not path.endswith(WITHOUT_COMMENTS):
                assert HEADER in file.text.splitlines()[0], path
                assert file.text.endswith("\n")


def test_files_with_secrets_say_so(case: tuple[Answers, Topology, dict[str, Files]]) -> None:
    plain = (
        "gunicorn.conf.py",
        "init_db.py",
        "init_user.py",
        "nginx.conf",
        "prometheus.conf",
        "app_config.json",
        "rabbitmq/oz.conf",
    )
    for files in case[2].values():
        for path, file in files.items():
            assert file.secret is not path.endswith(plain), path
            assert "7*7" not in file.text or file.secret, path
            assert MASK not in file.text, path
            assert "7*7" not in repr(file)


def test_same_answers_same_bytes(case: tuple[Answers, Topology, dict[str, Files]]) -> None:
    environment.environment.cache_clear()
    assert render(case[0]) == case[2]


def test_nginx_accepts_every_configuration(
    case: tuple[Answers, Topology, dict[str, Files]], tmp_path: Path
) -> None:
    for files in case[2].values():
        for path, file in files.items():
            if path.endswith("nginx.conf"):
                check_nginx(file.text, tmp_path)


def test_nginx_accepts_what_podman_gets(tmp_path: Path) -> None:
    """The same as Docker: every container's own resolv.conf says where its engine's DNS is."""
    for scenario, count in LAYOUTS:
        podman, docker = (render(answers_for(scenario, count, engine=e)) for e in ("podman", "docker"))
        for node, files in podman.items():
            for path, file in files.items():
                if path.endswith("nginx.conf"):
                    assert file.text == docker[node][path].text
                    check_nginx(file.text, tmp_path)


def check_nginx(text: str, folder: Path) -> None:
    """By nginx itself where there is one; its structure always."""
    bare = re.sub(r"(^|\s)#.*", "", re.sub(r'"(?:[^"\\]|\\.)*"', "x", text))
    assert bare.count("{") == bare.count("}")
    for line in bare.splitlines():
        assert not line.strip() or line.rstrip()[-1] in ";{}", line
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if nginx is None:
        return
    file = folder / "nginx.conf"
    (folder / "resolver.conf").write_text("resolver 127.0.0.11 valid=5s ipv6=off;\n")
    (folder / "mime.types").write_text("types { text/html html; }\n")
    text = text.replace("/tmp/", f"{folder}/").replace("/etc/nginx/mime.types", f"{folder}/mime.types")
    file.write_text(text)
    done = subprocess.run([nginx, "-t", "-c", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(PRINTABLE)
@example(NASTY)
def test_every_secret_arrives_through_the_files(value: str) -> None:
    answers = answers_for("poc", 1, broker=BROKERS["redis"])
    files = render(answers, dict.fromkeys(SECRETS, Secret(value)))["n1"]
    config = python(files["config/api/config.py"])
    assert config["DB_PASS"] == value
    assert password_in(urlsplit(config["CELERY_BROKER_URL"])) == value
    assert redis_conf(files["config/redis/redis.conf"])["requirepass"] == value
    assert json.loads(files["config/api/admin.json"].text)["password"] == value
    assert list(json.loads(files["config/redis-exporter/passwords.json"].text).values()) == [value]
    for path in ("redis", "api-pg", "o2n-pg", "postgres-exporter"):
        assert files[f"config/{path}/password"].text == value
    for path, role in (("api-pg", "gateway_user"), ("o2n-pg", "o2n_user")):
        text = files[f"config/{path}/init.sql"].text
        found = re.search(rf'CREATE ROLE "{role}" .* PASSWORD (\'.*\');\nCREATE DATABASE', text)
        assert found is not None
        assert read_sql(found[1]) == value


def test_one_missing_secret_is_named() -> None:
    answers = answers_for("poc", 1)
    for name in secret_slots(plan_topology(answers)):
        if name != "ftp.password":  # no file has it: it stands in the Compose file
            with pytest.raises(OzError, match=re.escape(f"secret {name} is missing")):
                render(answers, {key: value for key, value in SECRETS.items() if key != name})


@pytest.mark.parametrize("bad", ["line\nbreak", "tab\t", "nul\0", "escape\x1b"])
def test_a_secret_with_control_characters_is_named_and_not_shown(bad: str) -> None:
    with pytest.raises(
        AnswersError, match=r"config/.*: the secret redis\.password has a line break"
    ) as caught:
        render(answers_for("poc", 1), {**SECRETS, "redis.password": Secret(bad)})
    assert bad not in f"{caught.value}{caught.value.hint}"


def test_external_redis_without_a_password() -> None:
    answers = answers_for("medium", 2, broker=Broker(host="fd00::5"))
    files = render(answers)["n1"]
    assert python(files["config/api/config.py"])["CELERY_BROKER_URL"] == "redis://[fd00::5]:6379/1"
    passwords = json.loads(files["config/redis-exporter/passwords.json"].text)
    assert passwords == {"redis://[fd00::5]:6379": ""}


def rabbitmq_files(secret: str, with_definitions: bool) -> Files:
    """The files of poc-1 with RabbitMQ, whose catalogue entry may mount definitions.json too."""
    answers = answers_for("poc", 1, broker=Broker(type="rabbitmq"))
    topology = plan_topology(answers)
    node = topology.nodes[0]
    plain = [m for p in node.services for m in p.service.mounts if m.source == "config/rabbitmq/oz.conf"]
    mounts = [*plain, Mount(source="config/rabbitmq/definitions.json", target="/etc/rabbitmq/oz.json")]
    services = tuple(
        dataclasses.replace(
            p, service=dataclasses.replace(p.service, mounts=tuple(mounts if with_definitions else plain))
        )
        for p in node.services
        if p.service.name == "oz-rabbitmq"
    )
    only = dataclasses.replace(node, services=services)
    return config_files(
        only, wiring_for(answers, topology, node), {"rabbitmq.password": Secret(secret)}, topology
    )


def test_rabbitmq_without_definitions_has_the_user_in_its_conf() -> None:
    text = rabbitmq_files("Pass-word_1", with_definitions=False)["config/rabbitmq/oz.conf"].text
    settings = dict(line.split(" = ") for line in text.splitlines() if " = " in line)
    assert settings == {"listeners.tcp.default": "5672", "default_user": "oz", "default_pass": "Pass-word_1"}
    with pytest.raises(AnswersError, match=r"rabbitmq/oz\.conf: .*cannot read there"):
        rabbitmq_files("a#b", with_definitions=False)


def test_rabbitmq_with_definitions_takes_any_password() -> None:
    files = rabbitmq_files(NASTY, with_definitions=True)
    assert "load_definitions = /etc/rabbitmq/oz.json\n" in files["config/rabbitmq/oz.conf"].text
    assert not files["config/rabbitmq/oz.conf"].secret
    definitions = files["config/rabbitmq/definitions.json"]
    assert definitions.secret
    assert json.loads(definitions.text)["users"][0]["name"] == "oz"
    assert NASTY not in definitions.text


def test_secret_slots_are_just_what_is_needed() -> None:
    everything = secret_slots(plan_topology(answers_for("poc", 1, broker=Broker(type="rabbitmq"))))
    assert everything == (
        "redis.password",
        "rabbitmq.password",
        "database.password",
        "api_pg.password",
        "o2n.password",
        "o2n_pg.password",
        "ftp.password",
        "admin.password",
    )
    little = answers_for(
        "medium", 4, broker=BROKERS["external redis"], components=Components(bio_updater=False)
    )
    assert secret_slots(plan_topology(little)) == ("admin.password",)


def test_extra_settings_win_and_are_data() -> None:
    extra = {
        "OZ_SESSION_TTL": 60,
        "A_TEXT": "{{ 7*7 }} ${HOME} \\ ' \n é",
        "A_MAP": {"deep": [None, True, 1.5]},
    }
    files = render(answers_for("medium", 2, extra=Extra(config=extra)))["n1"]
    config = python(files["config/api/config.py"])
    assert {name: config[name] for name in extra} == extra
    assert files["config/api/config.py"].text.count("OZ_SESSION_TTL") == 1


def test_links_and_names() -> None:
    config = python(render(answers_for("medium", 4))["n2"]["config/api/config.py"])
    assert (config["SCHEME"], config["HOST"], config["PORT"]) == ("https", "oz.example.com", 443)
    names = ["oz.example.com", "oz-api", "oz-api-nginx", "localhost", "127.0.0.1", "10.0.0.1", "10.0.0.2"]
    assert config["ALLOWED_HOSTS"] == names


def test_optional_settings_stand_only_where_used() -> None:
    few = answers_for("medium", 2, components=Components(statistic=False))
    files = render(few)["n1"]
    config = python(files["config/api/config.py"])
    assert not {"OZ_SERVICE_REGULA_HOST", "OZ_SERVICE_O2N_HOST", "DB_OPTIONS"} & config.keys()
    assert "statistic" not in files["config/nginx/nginx.conf"].text


@pytest.mark.parametrize("mode", ["disable", "allow", "require"])
def test_tls_mode_of_the_database(mode: str) -> None:
    database = Database(host="db.example.com", password=GIVEN, sslmode=mode)  # type: ignore[arg-type]
    config = python(render(answers_for("medium", 2, database=database))["n1"]["config/api/config.py"])
    assert config["DB_OPTIONS"] == {"sslmode": mode}


def test_statistics_and_load_of_two_api_nodes() -> None:
    rendered = render(answers_for("medium", 4))
    first, second = (rendered[name]["config/nginx/nginx.conf"].text for name in ("n1", "n2"))
    assert "set $statistic oz-statistic:80;" in first
    assert 'proxy_pass "http://10.0.0.1:8880";' in second
    balancer = rendered["n1"]["config/load-balancer/nginx.conf"].text
    assert "server 127.0.0.1:8089 max_fails" in balancer
    assert 'server "10.0.0.2:8880" max_fails' in balancer
    for text in (first, balancer):
        assert "client_max_body_size 50m;" in text


def change_of(answers: Answers, change: Callable[[Answers], Answers]) -> set[str]:
    """Paths that differ on the first node after a change of the answers."""
    before, after = (render(some)["n1"] for some in (answers, change(answers)))
    return {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}


def test_one_setting_changes_one_file() -> None:
    extra = Extra(config={"OZ_SESSION_TTL": 1})
    changed = change_of(answers_for("medium", 2), lambda some: dataclasses.replace(some, extra=extra))
    assert changed == {"config/api/config.py"}
