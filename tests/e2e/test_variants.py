"""Other logins, optional parts and later changes of the answers, on the lab that all tests share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from oz_installer.lab.files import SMALL
from tests.e2e.site import RELOAD_SSHD, Site
from tests.e2e.variant import Variant

READERS = {  # of config.py on an api node
    "oz-api", "oz-celery-beat", "oz-celery-default", "oz-celery-maintenance", "oz-celery-preview_convert",
    "oz-celery-resolution", "oz-api-flower",
}  # fmt: skip
WORKERS = {"oz-celery-tfss-1", "oz-celery-tfss-2"}
TFSS = "ozforensics/tensorflow-serving:2.5_lic_1.1.4-4_opt"


@contextmanager
def sshd(site: Site, node: str, settings: str) -> Iterator[None]:
    """Other settings of a node's sshd for a while."""
    file, reload = "/etc/ssh/sshd_config.d/00-variant.conf", RELOAD_SSHD
    try:
        site.on(node, f"printf '{settings}' > {file}; sshd -t; {reload}")
        yield
    finally:
        site.on(node, f"rm -f {file}; {reload}")


def test_sudo_with_and_without_password_through_narrow_sshds(clean: Site, tmp_path: Path) -> None:
    lab, variant = clean.lab, Variant(clean, tmp_path, clean.answers("poc-2"))
    lines, there = lab.known_hosts.read_text(), f"{lab.node(1).address} "
    own = [line for line in lines.splitlines() if line.startswith(there)]
    ports = "".join(line.replace(there, f"[{there.strip()}]:2222 ") + "\n" for line in own)
    (tmp_path / "known_hosts").write_text(lines + ports)
    variant.document["known_hosts"] = "known_hosts"
    # without tunnels only the port can be tried
    variant.document["accept"] = [*SMALL, "database/node2"]
    password = {"file": str(lab.sudo_password)}
    variant.document["nodes"] = variant.nodes_with(
        node1={"user": "ozadmin", "become": "sudo", "port": 2222},
        node2={"user": "ozpw", "become": "sudo", "become_password": password},
    )
    narrow = "MaxSessions 1\nAllowTcpForwarding no\n"
    with sshd(clean, "node1", f"Port 22\nPort 2222\n{narrow}"), sshd(clean, "node2", narrow):
        variant.fresh()
        variant.change_updater("node2")
    assert lab.sudo_password.read_text() not in clean.on(
        "node2", "grep -rh . /opt/oz /proc/[0-9]*/environ; true"
    )


def test_a_login_of_the_docker_group_installs_into_its_own_folder(clean: Site, tmp_path: Path) -> None:
    variant = Variant(clean, tmp_path, clean.answers("poc-1", install_dir="/home/ozadmin/oz"))
    variant.document["nodes"] = variant.nodes_with(node1={"user": "ozadmin"})
    try:
        variant.fresh()
        variant.change_updater("node1")
        assert clean.on("node1", "stat -c %U /home/ozadmin/oz/current/compose.yaml").strip() == "ozadmin"
    finally:
        clean.on("node1", "docker ps -aq | xargs -r docker rm -f >/dev/null; rm -rf /home/ozadmin/oz")


def test_optional_parts(clean: Site, tmp_path: Path) -> None:
    """1:N, Regula's queue and the web adapter; no monitoring, no updater; an image of another name."""
    models = "/opt/oz/data/models"
    clean.on(
        "node1",
        f"for name in dummy liveness; do mkdir -p {models}/$name/1; "
        f"echo STAND-IN > {models}/$name/1/saved_model.txt; done; "
        "docker tag ozforensics/oz-web-ui:1.3.3 own/ui:7",
    )
    (tmp_path / "license.json").write_text('{"stand-in": true}')
    parts = {
        "one_to_n": True, "regula": f"http://{clean.lab.node(2).address}:9000", "monitoring": False,
        "web_adapter": "https://web.example.com", "bio_updater": False,
    }  # fmt: skip
    document = clean.answers("poc-1", components=parts, images={"oz-webui": "own/ui:7"})
    del document["updater"]
    document["license"]["web_adapter"] = "license.json"
    variant = Variant(clean, tmp_path, document)
    variant.fresh()
    names = set(clean.containers("node1"))
    assert {"oz-api-o2n", "oz-o2n-pg", "oz-celery-regula", "oz-web-adapter"} <= names
    assert not names & {"oz-bio-updater", "oz-api-flower", "oz-nginx-exporter"}
    assert clean.on("node1", "docker inspect -f '{{.Config.Image}}' oz-webui").strip() == "own/ui:7"
    fewer = {**parts, "web_ui": False, "statistic": False}
    outcome, _ = variant.install(components=fewer, expect=3)
    assert "oz-webui" in outcome.stderr
    _, touched = variant.install(components=fewer, accept=[*SMALL, "removal.services"])
    assert touched == {"node1/oz-webui", "node1/oz-statistic", "node1/oz-api-nginx"}
    variant.works()


def test_later_changes_touch_only_what_they_concern(clean: Site, tmp_path: Path) -> None:
    variant = Variant(clean, tmp_path, clean.answers("medium-3"))
    variant.fresh()

    accept = [*SMALL, "public-url.name", "public-url-here.name"]  # no DNS knows that name
    _, touched = variant.install(public_url="https://oz.example.com", accept=accept)
    assert touched == {f"node1/{name}" for name in READERS | WORKERS | {"oz-webui"}}

    for there in (False, True):
        _, touched = variant.install(components={"web_ui": there}, accept=[*accept, "removal.services"])
        assert touched == {"node1/oz-webui"}

    clean.each(["node1", "node2", "node3"], f"docker tag {TFSS} own/tfss:1")
    _, touched = variant.install("--limit", "node2", images={"oz-tfss": "own/tfss:1"})
    assert touched == {"node2/oz-tfss"}
    _, touched = variant.install()
    assert touched == {"node3/oz-tfss"}

    moved = variant.nodes_with(node1={"roles": ["bio"]}, node2={"roles": ["api"]}, node3={"roles": ["bio"]})
    to_node2 = {"nodes": moved, "public_url": f"http://{clean.lab.node(2).address}:8880"}
    outcome, _ = variant.install(expect=3, **to_node2)
    assert "removal.media" in outcome.stderr
    variant.install(accept=[*accept, "removal.services", "removal.media"])
    assert set(clean.containers("node1")) == {"oz-tfss"}
    assert "oz-tfss" not in clean.containers("node2")
    variant.works()

    outcome, _ = variant.install(expect=3, nodes=moved[:2])
    assert "removal.node-node3" in outcome.stderr
    left = ("removal.services", "removal.media", "removal.node-node3")
    _, touched = variant.install(accept=[*accept, *left])
    gone = {f"node2/{name}" for name in WORKERS | {"oz-bio-balancer"}}
    assert touched == {f"node2/{name}" for name in READERS | {"oz-celery-tfss"}} | gone
    variant.works()
