"""Any secret arrives unchanged: through the real Compose of a node, and in a real container's environment.

The bundles are those that an installation sends; nothing is installed on the node.
"""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from oz_installer.render.compose.bundle import Bundle
from oz_installer.secret import Secret
from tests.e2e.site import Site
from tests.unit.render.bundle_cases import CASES, bundles_of

FOLDER = "/srv/oz-secrets"
SLOTS = ("updater.token", "ftp.password", "database.password", "o2n.password", "redis.password")
NASTY = """-x ' " \\ \\n \\x41 $HOME ${A} ${B:-c} $$ $(id) `id` #c {{ 7*7 }} {q} пароль 🔑 \u00a0\u200d="""
TRAPS = [
    NASTY, "yes", "0o17", "1e3", "~", "null", ":", "#", "$", "$$", "$$$", "${X}", "'", '"', "\\", "-", "--",
    "!x", "&a", "*a", "|", "<<", " lead", "trail ", "a: b", "{a}", "[a]", "%", "@", "`", "=", "a=b", "🔑",
]  # fmt: skip
VALUES = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp", "Cn"]) | st.sampled_from("'\"\\$#%`{}@:/ -!~="),
    min_size=1,
    max_size=60,
)
FEW = settings(
    max_examples=2,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)


@dataclass(frozen=True)
class Shell:
    """Commands on a lab node."""

    container: str

    def run(self, script: str, *arguments: str, stdin: bytes = b"") -> bytes:
        """Run a shell script on the node; its stdout."""
        argv = ["docker", "exec", "-i", self.container, "bash", "-euc", script, "bash", *arguments]
        done = subprocess.run(argv, input=stdin, capture_output=True, check=False, timeout=600)
        assert done.returncode == 0, done.stderr.decode(errors="replace")[-2000:]
        return done.stdout

    def put(self, bundles: Sequence[Bundle]) -> None:
        """Write the bundles below FOLDER/0, FOLDER/1, ..."""
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as tar:
            for number, bundle in enumerate(bundles):
                for file in bundle.files:
                    member = tarfile.TarInfo(f"{number}/{file.path}")
                    member.size, member.mode = len(file.content), 0o600
                    tar.addfile(member, io.BytesIO(file.content))
        script = 'rm -rf "$1"; mkdir -p -m 700 "$1"; tar -xf - -C "$1"'
        self.run(script, FOLDER, stdin=out.getvalue())


@pytest.fixture(scope="module")
def node(site: Site) -> Iterator[Shell]:
    """The lab's first node, whatever is installed there."""
    shell = Shell(site.lab.node(1).container)
    yield shell
    shell.run('rm -rf "$1"', FOLDER)


def bundle_with(value: str) -> Bundle:
    """The bundle of an all-in-one in which every secret of Compose's has this value."""
    answers = replace(CASES["everything on one"], install_dir=FOLDER)
    return bundles_of(answers, dict.fromkeys(SLOTS, Secret(value)))["n1"]


CONFIG = """
for folder in "$1"/*/; do
  for file in compose jobs; do
    docker compose -p ozsecrets --project-directory "$folder" -f "$folder$file.yaml" config --format json
    printf '\\0'
  done
done
"""


def configs(node: Shell, values: Sequence[str]) -> list[dict[str, Any]]:
    """Services and jobs of each value's bundle, as the real Compose understands them."""
    node.put([bundle_with(value) for value in values])
    said = [json.loads(text) for text in node.run(CONFIG, FOLDER).split(b"\0")[:-1]]
    ordered = sorted(range(len(values)), key=str)  # the shell's order of folder names
    merged = [
        {**running["services"], **jobs["services"]}
        for running, jobs in zip(said[::2], said[1::2], strict=True)
    ]
    return [found for _, found in sorted(zip(ordered, merged, strict=True), key=lambda pair: pair[0])]


@FEW
@given(values=st.lists(VALUES, min_size=16, max_size=16, unique=True))
@example(values=TRAPS)
def test_compose_understands_every_secret(node: Shell, values: list[str]) -> None:
    for value, services in zip(values, configs(node, values), strict=True):
        # what Compose prints may be fed to it again, so each $ is doubled there
        seen = {
            f"{name} {key}": text.replace("$$", "$")
            for name, service in services.items()
            for key, text in (service.get("environment") or {}).items()
        }
        for place in (
            "oz-bio-updater CLIENT_TOKEN",
            "oz-bio-updater FTP_USER_PASSWORD",
            "oz-bio-init FTP_USER_PASSWORD",
            "oz-statistic DB_PASS",
            "oz-api-o2n DB_PASS",
            "oz-o2n-pg-init DB_PASS",
        ):
            assert seen[place] == value, place


def test_compose_sees_just_what_was_rendered(node: Shell) -> None:
    """Commands and health checks, too, after its interpolation."""
    import yaml

    bundle = bundle_with(NASTY)
    (services,) = configs(node, [NASTY])
    files = {file.path: file.content for file in bundle.files}
    for path in ("compose.yaml", "jobs.yaml"):
        for name, wanted in yaml.safe_load(files[path])["services"].items():
            found = services[name]
            assert found.get("command") == wanted.get("command"), name
            assert found["labels"] == wanted["labels"], name
            if "healthcheck" in wanted:
                assert found["healthcheck"]["test"] == wanted["healthcheck"]["test"], name


ENVIRONMENT = """
for folder in "$1"/*/; do
  docker compose -p ozsecrets --project-directory "$folder" -f "${folder}compose.yaml" \\
    run --rm --no-deps -T --entrypoint env oz-bio-updater -0 < /dev/null 2> "$folder/said" || {
      cat "$folder/said" >&2; exit 1; }
  printf '\\0'
done
docker network rm ozsecrets_default > /dev/null
"""


@settings(parent=FEW, max_examples=1)
@given(values=st.lists(VALUES, min_size=6, max_size=6, unique=True))
@example(values=[NASTY, "$", "~", " lead and trail ", "a=b"])
def test_a_real_containers_environment_holds_every_secret(node: Shell, values: list[str]) -> None:
    node.put([bundle_with(value) for value in values])
    said = node.run(ENVIRONMENT, FOLDER).split(b"\0\0")[:-1]
    assert len(said) == len(values)
    for value, text in zip(values, said, strict=True):
        seen = dict(line.split("=", 1) for line in text.decode().split("\0"))
        assert (seen["CLIENT_TOKEN"], seen["FTP_USER_PASSWORD"]) == (value, value)


READ = """
import json, runpy, sys
config = runpy.run_path("/opt/gateway/configs/config.py")
print(json.dumps([config["DB_PASS"], json.load(open("/run/oz/admin.json"))["password"]]))
"""


def test_a_real_container_reads_every_secret_from_its_files(node: Shell) -> None:
    """The image's own Python, over the mounts of the job that creates the administrator."""
    values = [NASTY, "'", '"""', "\\", "é"]
    for value in values:
        bundle = bundles_of(
            replace(CASES["everything on one"], install_dir=FOLDER),
            {"database.password": Secret(value), "admin.password": Secret(value)},
        )["n1"]
        node.put([bundle])
        script = (
            'ln -sfn 0 "$1/current"; chmod -R a+rX "$1"; cd "$1"; docker compose -p ozsecrets '
            '-f current/jobs.yaml run --rm --no-deps -T oz-init-user python3 -c "$2" < /dev/null 2> said'
            " || { cat said >&2; exit 1; }; docker network rm ozsecrets_default > /dev/null"
        )
        assert json.loads(node.run(script, FOLDER, READ)) == [value, value]
