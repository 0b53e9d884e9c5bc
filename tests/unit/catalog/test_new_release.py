"""A release is one new file: other ports, another image, one more component, and no code changes."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from oz_installer.answers.file import read
from oz_installer.catalog import release, scenario, yaml_files
from oz_installer.cli.main import run
from oz_installer.topology.drawing.diagram import draw
from oz_installer.topology.planner import plan_topology
from oz_installer.topology.probes import probes_from
from oz_installer.topology.summary import summary_of
from tests.unit.render.golden_cases import ENVIRONMENT, prepare, tree

OLD_PORTS = ("8000", "8880", "8501", "9501", "6379", "9117", "9187", "9113", "5555")
IMAGE = "ozforensics/oz-api:5.9.0-systemd"
MORE = """
  - name: oz-watcher
    title: Watches what nobody has thought of yet
    image: watcher
    role: api
    copies: one
    when: monitoring
    stage: edge
    environment: {API: "http://oz-api:8005", WATCHED: "{db_host}", KEY: "{secret_watcher_key}"}
    secrets: [watcher.key]
    ports:
      - {host: 7777, container: 7070, purpose: watching, clients: [monitoring]}
    verify: {path: /watched}
    needs: [oz-api]
"""


def new_release() -> str:
    """The YAML of 5.2 as the vendor might change it."""
    text = (yaml_files.HERE / "releases/5.2.yml").read_text(encoding="utf-8")
    for old, new in (
        ('name: "5.2"', 'name: "5.9"'),
        ("title: Oz API 5.2", "title: Oz API 5.9"),
        ("ozforensics/oz-api:5.2.0-systemd", IMAGE),
        ("8000", "8005"),
        ("8880", "8890"),
        ("8501", "8511"),
        ("9501", "9511"),
        ("6379", "6380"),
        ("9117", "9127"),
        ("9187", "9197"),
        ("9113", "9123"),
        ("5555", "5565"),
        ('docker: {engine: "19.03"', 'docker: {engine: "25.0"'),
        ("\nimages:\n", "\nimages:\n  watcher: example/watcher:1\n"),
        (
            "\nendpoints:\n",
            "\nendpoints:\n  - {label: Watcher, service: oz-watcher, path: /watched}\n",
        ),
    ):
        assert old in text
        text = text.replace(old, new)
    return text + MORE


@pytest.fixture
def catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The catalogue with one more file in it."""
    shutil.copytree(yaml_files.HERE, tmp_path / "catalog")
    (tmp_path / "catalog/releases/5.9.yml").write_text(new_release(), encoding="utf-8")
    caches = (release.releases, release.load_release, scenario.load_scenarios)
    monkeypatch.setattr(yaml_files, "HERE", tmp_path / "catalog")
    for cached in caches:
        cached.cache_clear()
    yield
    for cached in caches:
        cached.cache_clear()


def answers(layout: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Golden answers that ask for the new release."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    path = prepare(layout, folder)
    text = path.read_text(encoding="utf-8")
    assert 'release: "5.2"' in text
    text = text.replace('release: "5.2"', 'release: "5.9"').replace(":8880", ":8890")
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.usefixtures("catalogue")
def test_it_is_planned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    topology = plan_topology(read(answers("medium-3", tmp_path, monkeypatch)).answers)
    [home] = topology.nodes_with("oz-watcher")
    assert home.name == topology.api_nodes[0].name
    urls = dict(summary_of(topology, {}).urls)
    assert urls["Watcher"] == f"http://{home.address}:7777/watched"
    assert urls["API"] == f"http://{home.address}:8890/api/version"
    asked = {probe.url for probe in probes_from(topology, home.name)}
    assert f"http://{home.address}:7777/watched" in asked
    assert f"http://{topology.bio_nodes[0].address}:8511/v1/models/dummy" in asked
    assert "Oz API 5.9" in draw(topology)
    assert "7777" in draw(topology)


@pytest.mark.usefixtures("catalogue")
@pytest.mark.parametrize("layout", ["poc-1", "poc-2", "medium-2", "medium-3", "medium-4"])
def test_it_is_rendered(layout: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = answers(layout, tmp_path, monkeypatch)
    assert run(["render", "--answers", str(path), "--out", str(tmp_path / "out")]) == 0
    files = {name: content.decode() for name, content in tree(tmp_path / "out").items()}
    elsewhere = read(path).answers.broker.host is not None  # a Redis of the operator's keeps its port
    ports = "|".join(port for port in OLD_PORTS if port != "6379" or not elsewhere)
    old = re.compile(rf"(?<![0-9A-Za-z])({ports})(?![0-9A-Za-z])")
    for text in files.values():  # no port of the older release is left anywhere
        assert not old.search(text)
        assert "5.2.0-systemd" not in text
    for name in files:
        if name.endswith("/nginx/nginx.conf"):
            assert "listen 8890 default_server;" in files[name]
            assert "set $api oz-api:8005;" in files[name]
    services: dict[str, Any] = {}
    for name in files:
        if name.endswith("/compose.yaml"):
            services |= yaml.safe_load(files[name])["services"]
    assert services["oz-api"]["image"].endswith(IMAGE)
    if "oz-nginx-exporter" in services:  # the layout has monitoring
        assert services["oz-watcher"]["ports"] == ["7777:7070"]
        assert services["oz-watcher"]["environment"]["KEY"]
        assert "watcher.key" in (tmp_path / "answers.secrets.json").read_text(encoding="utf-8")
