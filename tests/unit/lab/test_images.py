"""The archive of stand-ins, the recipes and the arguments that start nodes; no engine is asked."""

from __future__ import annotations

import io
import json
import tarfile
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from oz_installer.lab.archive import Archive, name_in_full
from oz_installer.lab.database import database_argv
from oz_installer.lab.images import node_image, recipe_digest, recipe_text
from oz_installer.lab.nodes import node_argv
from oz_installer.lab.options import Lab
from oz_installer.lab.standin_images import RABBITMQ, STAND_INS, image_config

LAB = Lab(name="default", directory=Path("/labs/default"), subnet=IPv4Network("172.30.77.0/24"))


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    base = tmp_path / "layer.tar"
    base.write_bytes(b"x" * 10240)
    return Archive((*STAND_INS, RABBITMQ), base, "ab" * 32)


def written(archive: Archive, *, with_base: bool = True) -> dict[str, bytes]:
    buffer = io.BytesIO()
    archive.write(buffer, with_base=with_base)
    with tarfile.open(fileobj=io.BytesIO(buffer.getvalue())) as tar:
        return {entry.name: file.read() for entry in tar if (file := tar.extractfile(entry))}


def test_every_image_is_in_the_archive_and_the_layers_once(archive: Archive) -> None:
    files = written(archive)
    manifest = json.loads(files["manifest.json"])
    assert [tag for image in manifest for tag in image["RepoTags"]] == list(archive.full_names)
    assert sum(name.endswith("layer.tar") for name in files) == 2
    for image in manifest:
        assert set(image["Layers"]) <= set(files)
        assert json.loads(files[image["Config"]])["os"] == "linux"


def test_without_the_base_only_our_layer_is_sent(archive: Archive) -> None:
    assert sum(name.endswith("layer.tar") for name in written(archive, with_base=False)) == 1


def test_the_same_sources_give_the_same_digest(archive: Archive) -> None:
    again = Archive(archive.images, archive.base, archive.base_digest)
    assert (again.digest, again.own_digest) == (archive.digest, archive.own_digest)
    assert Archive(STAND_INS[:1], archive.base, archive.base_digest).digest != archive.digest


def test_start_scripts_are_executable_and_no_byte_code_is_shipped(archive: Archive) -> None:
    with tarfile.open(fileobj=io.BytesIO(archive.own_layer)) as tar:
        entries = tar.getmembers()
    scripts = [entry for entry in entries if entry.name.startswith("opt/standin/bin/")]
    assert scripts
    assert all(entry.mode == 0o755 for entry in scripts)
    assert not [entry.name for entry in entries if "__pycache__" in entry.name]


@pytest.mark.parametrize("image", [*STAND_INS, RABBITMQ], ids=lambda image: image.name)
def test_every_image_says_that_it_is_a_stand_in(image: object) -> None:
    chosen = next(one for one in (*STAND_INS, RABBITMQ) if one is image)
    config = image_config(chosen, ("sha256:1",))["config"]
    assert config["Labels"]["com.ozforensics.stand-in"] == "true"
    assert f"OZ_STANDIN_FOR={chosen.name}" in config["Env"]
    assert config["Entrypoint"] or config["Cmd"]


def test_names_are_unique_and_in_full_for_podman() -> None:
    assert len({image.name for image in STAND_INS}) == len(STAND_INS)
    assert name_in_full("nginx:1") == "docker.io/library/nginx:1"
    assert name_in_full("a/b:1") == "docker.io/a/b:1"


def test_image_names_follow_their_recipe() -> None:
    assert node_image("trixie") == f"oz-lab-node:trixie-{recipe_digest('node', 'trixie')}"
    assert node_image("trixie") != node_image("bookworm")
    assert recipe_text("node").index("set -euo pipefail") < recipe_text("node").index("openssh-server")


def test_everything_that_is_started_carries_the_label_and_a_fixed_address() -> None:
    node = node_argv(LAB, LAB.node(1), "image", "ssh-ed25519 KEY")
    database = database_argv(LAB, "image", "script")
    for argv, address in ((node, "172.30.77.11"), (database, "172.30.77.5")):
        assert argv[argv.index("--label") + 1] == LAB.label
        assert argv[argv.index("--ip") + 1] == address
    assert node[-2:] == ["image", "oz-lab-node"]
    assert "--privileged" not in node
    assert not any("db_password:" in part and not part.endswith(":ro") for part in database)
