"""Images and their registry, licences, the updater's token and the public URL: made wrong, named, mended."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from oz_installer.answers.local_files import write_private
from oz_installer.catalog.release import load_release
from tests.e2e import registry
from tests.e2e.checked_nodes import Bench, bad
from tests.e2e.site import RELOAD_SSHD, Site

PASSWORD = "rEg-Canary#7$x"
NODES = ("node1", "node2")
TINY = "tar -c -C /etc hostname | docker import -"
OWN = dict(load_release("5.2").images)
"""Every image by its name on the nodes, so that none comes from a registry."""


@dataclass
class Store:
    """A registry that has oz/small:1."""

    address: str
    authority: Path

    @property
    def folder(self) -> str:
        """Where Docker keeps whom it trusts."""
        return f"/etc/docker/certs.d/{self.address}"


@pytest.fixture(scope="module")
def store(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Trusted by the engines of both nodes, not by this machine."""
    folder = tmp_path_factory.mktemp("registry")
    with registry.serving(site.lab, folder, PASSWORD) as address:
        made = Store(address=address, authority=folder / "ca.crt")
        name, certificate = f"{address}/oz/small:1", made.authority.read_text()
        try:
            site.each(NODES, f"mkdir -p {made.folder}; echo '{certificate}' > {made.folder}/ca.crt")
            site.on(
                "node1",
                f"echo '{PASSWORD}' | docker login -u {registry.USER} --password-stdin {address} 2>&1 && "
                f"{TINY} {name} && docker push -q {name} && docker rmi {name}; status=$?; "
                f"docker logout {address}; rm -rf ~/.docker; exit $status",
            )
            yield made
        finally:
            site.each(NODES, f"rm -rf {made.folder}")


def behind(bench: Bench, store: Store, image: str = "oz/small:1", password: str = PASSWORD) -> dict[str, Any]:
    """Answers in which one image, which only the first api node needs, comes from the registry."""
    file = bench.folder / f"password-{len(password)}"
    write_private(file, password.encode())
    login = {"server": store.address, "username": registry.USER, "password": {"file": str(file)}}
    return {"registry": login, "images": {**OWN, "oz-webui": f"{store.address}/{image}"}}


def test_images_that_are_there_ask_nobody(bench: Bench) -> None:
    found = bench.check()
    assert bad(found) == {}
    assert found["registry/node1"].seen.endswith("images on the node")
    assert not [name for name in found if name.startswith("registry.")]


def test_an_image_that_is_gone_is_named_and_loaded_again(bench: Bench) -> None:
    """Nothing leads from the lab to Docker's own registry."""
    image, file = "own/ui:1", "/var/tmp/ui.tar"
    changes = {"images": {"oz-webui": image}}
    make = f"{TINY} {image} && docker save {image} > {file} && docker rmi {image}"
    with bench.during("node1", make, f"docker rmi {image}; rm {file}"):
        found = bench.check(**changes)
        if bench.site.answers("medium-2").get("air_gapped"):
            assert bad(found) == {"registry.oz-webui/node1": "failure"}
            assert found["registry.oz-webui/node1"].seen == f"{image} is not on the node"
        else:
            assert bad(found) == {"registry.login/node1": "failure"}
            assert image in found["registry.login/node1"].needed
            assert "cannot be reached" in found["registry.login/node1"].seen
        bench.site.on("node1", f"docker load -i {file}")
        assert bad(bench.check(**changes)) == {}


def test_a_registry_whose_authority_only_the_node_knows(bench: Bench, store: Store) -> None:
    found = bench.check(**behind(bench, store))
    assert bad(found) == {}
    assert found["registry.login/node1"].seen == f"{store.address} accepts the login of {registry.USER}"
    assert found["registry/node1"].seen.endswith(f"1 to pull from {store.address}")
    assert "MB of compressed images" in found["registry.size/node1"].seen
    hide = (
        f"touch -r {store.folder} /var/tmp/was; mv {store.folder}/ca.crt /var/tmp/ca.was",
        f"mv /var/tmp/ca.was {store.folder}/ca.crt; touch -r /var/tmp/was {store.folder}; rm /var/tmp/was",
    )
    with bench.during("node1", *hide):
        found = bench.check(**behind(bench, store))
    assert bad(found) == {"registry.login/node1": "failure"}
    assert "is not trusted" in found["registry.login/node1"].seen
    assert f"{store.folder}/ca.crt" in found["registry.login/node1"].hint


def test_a_wrong_password_a_wrong_name_a_wrong_tag(bench: Bench, store: Store) -> None:
    found = bench.check(**behind(bench, store, password="wrong"))
    assert bad(found) == {"registry.login/node1": "failure"}
    assert f"refuses the login of {registry.USER}" in found["registry.login/node1"].seen
    for image, words in (
        ("oz/none:1", "has no oz/none:1"),
        ("oz/small:9", "has oz/small, but no 9"),
    ):
        found = bench.check(**behind(bench, store, image))
        assert bad(found) == {"registry.oz-webui/node1": "failure"}
        assert words in found["registry.oz-webui/node1"].seen
        assert PASSWORD not in repr(found)


@pytest.mark.slow
def test_tunnels_that_are_forbidden_leave_the_engine(bench: Bench, store: Store) -> None:
    file, reload = "/etc/ssh/sshd_config.d/00-registry.conf", RELOAD_SSHD
    narrow = f"printf 'AllowTcpForwarding no\\nMaxSessions 1\\n' > {file}; {reload}"
    with bench.during("node1", narrow, f"rm -f {file}; {reload}"):
        found = bench.check(**behind(bench, store))
        assert bad(found) == {"database/node1": "warning"}
        assert "size unknown" in found["registry/node1"].seen
        found = bench.check(**behind(bench, store, password="wrong"))
        assert bad(found) == {"database/node1": "warning", "registry.login/node1": "failure"}
        assert f"refuses the login of {registry.USER}" in found["registry.login/node1"].seen
        found = bench.check(**behind(bench, store, "oz/small:9"))
        assert found["registry.oz-webui/node1"].seen == f"{store.address} has no oz/small:9"


def test_a_licence_that_is_missing_empty_or_open(bench: Bench) -> None:
    folder = Path(tempfile.mkdtemp(dir="/var/tmp"))
    licence = folder / "own.key"
    changes = {"license": {"bio": str(licence)}}
    path = bench.answers(**changes)
    for words in ("cannot be read: No such file or directory", "is empty"):
        done = bench.site.run("check", "--answers", str(path))
        assert done.status == 2
        assert f"license.bio: {licence} {words}" in done.stderr
        licence.touch(mode=0o600)
    licence.write_text("a licence")
    found = bench.check(**changes)
    assert bad(found) == {}
    assert found["licence.bio"].seen == "9 bytes, sent only to node2"
    folder.chmod(0o755)
    licence.chmod(0o644)
    assert bad(bench.check(**changes)) == {"licence.bio-mode": "warning"}
    shutil.rmtree(folder)


def test_a_token_of_two_lines_and_a_placeholder(bench: Bench) -> None:
    file = bench.folder / "token"
    changes = {"updater": {"token": {"file": str(file)}}}
    write_private(file, b"first-line\nsecond-line")
    done = bench.site.run("check", "--answers", str(bench.answers(**changes)))
    assert done.status == 2
    assert "updater.token" in done.stderr
    assert "one line" in done.stderr
    assert "second-line" not in done.stderr
    write_private(file, b"changeme")
    found = bench.check(**changes)
    assert bad(found) == {"updater.token": "failure"}
    write_private(file, b"0b5f6c1e-3a53-4c0e")
    assert bad(bench.check(**changes)) == {}


def test_a_public_url_that_nobody_resolves(bench: Bench) -> None:
    changes = {"public_url": "http://oz.invalid:8880"}
    here = {"public-url-here.name": "warning"}
    assert bad(bench.check(**changes)) == here | {f"public-url.name/{node}": "warning" for node in NODES}
    enter = "cp -a /etc/hosts /var/tmp/hosts; echo '10.9.8.7 oz.invalid' >> /etc/hosts"
    leave = "cat /var/tmp/hosts > /etc/hosts; touch -r /var/tmp/hosts /etc/hosts; rm /var/tmp/hosts"
    with bench.during("node1", enter, leave):
        found = bench.check(**changes)
        assert bad(found) == here | {"public-url.name/node2": "warning"}
        assert found["public-url.name/node1"].seen == "oz.invalid is 10.9.8.7"


@pytest.mark.slow
def test_podman_asks_with_the_login_and_leaves_none(bench: Bench, store: Store) -> None:
    """Everything comes from the registry; through the tunnel, and by Podman itself."""
    changes = behind(bench, store)
    changes |= {"engine": "podman", "images": dict.fromkeys(OWN, f"{store.address}/oz/small:1")}
    file, reload = "/etc/ssh/sshd_config.d/00-registry.conf", RELOAD_SSHD
    narrow = f"printf 'AllowTcpForwarding no\\n' > {file}; {reload}"
    with bench.during("node1", narrow, f"rm -f {file}; {reload}"):
        found = bench.check(**changes)
        wrong = bench.check(**changes | {"registry": behind(bench, store, password="wrong")["registry"]})
    for node, level in zip(NODES, ("warning", "failure"), strict=True):
        assert found[f"registry/{node}"].seen.startswith("1 image to pull from")
        assert wrong[f"registry.login/{node}"].level == level
    assert "authentication required" in wrong["registry.login/node1"].seen
    assert f"refuses the login of {registry.USER}" in wrong["registry.login/node2"].seen
    assert "auth" not in bench.site.on("node1", "cat /run/containers/0/auth.json 2>/dev/null; true")


@pytest.mark.slow
def test_a_registry_that_hangs_holds_nobody_up(bench: Bench) -> None:
    """It takes connections and says nothing, neither to us nor to the engine."""
    hang = (
        "import socket; s = socket.create_server(('127.0.0.1', 5999)); kept = []; print('up', flush=True)\n"
        "while True: kept.append(s.accept())"
    )
    start = (
        f'setsid python3 -c "{hang}" > /run/hanging 2>&1 & echo $! > /run/hang; '
        "until grep -q up /run/hanging; do sleep 0.05; done"
    )
    with bench.during("node1", start, "kill $(cat /run/hang); rm /run/hang /run/hanging"):
        began = time.monotonic()
        found = bench.check(images={"oz-webui": "127.0.0.1:5999/own/ui:1"})
        assert time.monotonic() - began < 14
    assert bad(found) == {"registry.login-127.0.0.1:5999/node1": "failure"}
    assert "no answer" in found["registry.login-127.0.0.1:5999/node1"].seen
