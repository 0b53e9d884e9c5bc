"""What the peers run on a node says the same as oz-install's bundle."""

from __future__ import annotations

import subprocess

import pytest

from bench.nodes import parse, wanted
from bench.proxy import Turns
from bench.proxy import parse as parse_routes
from bench.starting import by_package
from bench.workload import steps_of
from oz_installer.render.compose.bundle import Bundle, BundleService
from oz_installer.render.rendering import RenderedFile


def _service(name: str, stage: str, *, job: bool = False, check: str = "") -> BundleService:
    return BundleService(
        name=name, kind=name, title=name, image="i", stage=stage,  # type: ignore[arg-type]
        job=job, health_command=check, start_timeout=1, digest=f"d-{name}",
    )  # fmt: skip


BUNDLE = Bundle(
    node="node1",
    release="5.2",
    files=(RenderedFile(path="compose.yaml", content=b"x"),),
    services=(
        _service("redis", "foundation", check="it's 'quoted' \"$HOME\""),
        _service("init", "app", job=True),
        _service("api", "app", check="true"),
        _service("beat", "app"),
    ),
    folders=("data/models",),
)


def test_steps_follow_the_stages_jobs_before_services() -> None:
    steps = steps_of(BUNDLE)
    assert sorted(steps) == ["02-foundation.sh", "21-app.sh", "22-app.sh", "all.sh"]
    assert "up --detach --no-build --no-color redis" in steps["02-foundation.sh"]
    assert "data/models" in steps["02-foundation.sh"]
    assert "data/models" not in steps["22-app.sh"]
    assert "run --rm --no-deps -T init" in steps["21-app.sh"]
    assert "redis api beat" in steps["all.sh"]


@pytest.mark.parametrize("name", ["02-foundation.sh", "21-app.sh", "22-app.sh", "all.sh"])
def test_steps_are_shell(name: str) -> None:
    assert (
        subprocess.run(["bash", "-n"], input=steps_of(BUNDLE)[name], text=True, check=False).returncode == 0
    )


def test_a_node_is_held_against_its_bundle() -> None:
    digest = BUNDLE.files[0].digest
    text = f"@files\n644 {digest}  ./compose.yaml\n@containers\n"
    text += "".join(f"{name} running d-{name} id-{name}\n" for name in ("redis", "api", "beat"))
    seen = parse(f"{text}@jobs\ninit d-init\n")
    assert seen.lines == wanted(BUNDLE)
    assert seen.ids["api"] == "id-api"
    assert parse(text.replace("api running", "api exited")).lines != wanted(BUNDLE)


def test_a_round_trip_is_counted_when_the_client_speaks_after_the_node() -> None:
    turns = Turns()
    for speaker in (turns.client, turns.client, turns.node, turns.node, turns.client):
        speaker()
    assert turns.trips == 3  # TCP's handshake, the first words, the answer to the node


def test_a_route_is_read_from_the_command_line() -> None:
    [route] = parse_routes(["/tmp/r", "20", "10.0.0.1:22022=127.0.0.1:22"])
    assert (route.listen, route.target, route.rtt) == (("10.0.0.1", 22022), ("127.0.0.1", 22), 0.02)


def test_imports_are_summed_by_package() -> None:
    lines = ["import time: self [us] | cumulative | imported package"]
    lines += ["import time:       100 |        100 |   yaml.a", "import time:      2000 |       2100 | yaml"]
    lines += ["import time:        10 |         10 | os", "something else"]
    assert by_package("\n".join(lines)) == {"yaml": 2.1, "os": 0.01}
