"""What a node's own engine says of an image, and whom it trusts: programs that stand in for engines."""

from __future__ import annotations

import base64
import json
import os
import stat
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from oz_installer.checks.registry.engine_lookup import look_up_by_engine
from oz_installer.checks.registry.facts import CERTIFICATES, LookupResult, image_query, parse
from oz_installer.checks.registry.image_lookup import trusted_cas
from oz_installer.checks.registry.registry import RegistryCheck
from oz_installer.remote.docker_engine import RegistryAuth
from oz_installer.remote.transport import CommandResult
from oz_installer.secret import Secret
from tests.unit.checks.checks_support import API, CANARY, judged, levels
from tests.unit.checks.registry.registry_support import HOST, USER, FakeRegistry, Node, certificate, serving
from tests.unit.checks.registry.test_checks_registry import air_gapped, planned
from tests.unit.deploy.compose.deploy_support import FakeTransport

IMAGE = f"{HOST}/oz/plain:1"
LOGIN = RegistryAuth(username=USER, password=Secret(CANARY))
BOTH = {"Platforms": [{"os": "linux", "architecture": "arm64"}, {"os": "linux", "architecture": "amd64"}]}

# Behind «docker system dial-stdio» is the engine's HTTP.
DOCKER = """#!{python}
import json, pathlib, sys
folder = pathlib.Path({folder!r})
words = sys.argv[1:3]
if words == ["image", "inspect"]:
    sys.exit(1)
if words[:1] == ["info"]:
    print((folder / "info").read_text())
    sys.exit()
if words == ["manifest", "inspect"]:
    sys.exit(0 if (folder / "own").exists() else 1)
status, body = json.loads((folder / "answer").read_text())
while line := sys.stdin.buffer.readline():
    path, login = line.split()[1].decode(), ""
    while (header := sys.stdin.buffer.readline()).strip():
        name, _, value = header.decode().partition(":")
        login = value.strip() if name.lower() == "x-registry-auth" else login
    if "/distribution/" in path:
        with (folder / "asked").open("a") as asked:
            asked.write(json.dumps([path, login]) + "\\n")
        code, document = status, body
    else:
        code, document = 200, {{"ApiVersion": "1.44", "MinAPIVersion": "1.24"}}
    text = json.dumps(document)
    head = f"HTTP/1.1 {{code}} Told\\r\\nContent-Length: {{len(text)}}\\r\\n"
    head += "Content-Type: application/json\\r\\n\\r\\n"
    sys.stdout.buffer.write((head + text).encode())
    sys.stdout.buffer.flush()
"""
PODMAN = """#!/bin/sh
folder={folder}
[ "$1" = manifest ] || exit 1
cat "${{REGISTRY_AUTH_FILE:-/dev/null}}" > "$folder/asked"
cat "$folder/said" >&2
exit $(cat "$folder/status")
"""


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that tells docker and podman what to answer."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name, text in (("docker", DOCKER), ("podman", PODMAN)):
        (tools / name).write_text(text.format(python=sys.executable, folder=str(tmp_path)))
        (tools / name).chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    (tmp_path / "info").write_text("no /")
    return tmp_path


def says(folder: Path, status: int, body: Any = None) -> None:
    (folder / "answer").write_text(json.dumps([status, body or {"message": "its words"}]))


@pytest.mark.parametrize(
    ("status", "body", "answer"),
    [
        (200, {"Descriptor": {}, "Platforms": []}, LookupResult(outcome="in")),
        (200, BOTH, LookupResult(outcome="in")),
        (
            200,
            {"Platforms": BOTH["Platforms"][:1]},
            LookupResult(outcome="platform", others=("linux/arm64",)),
        ),
        (401, None, LookupResult(outcome="refused", message="its words")),
        (403, None, LookupResult(outcome="refused", message="its words")),
        (404, None, LookupResult(outcome="missing", message="its words")),
        (500, None, LookupResult(outcome="error", message="its words")),
    ],
)
@pytest.mark.parametrize("login", [LOGIN, None])
def test_docker(
    engine: Path, status: int, body: Any, answer: LookupResult, login: RegistryAuth | None
) -> None:
    says(engine, status, body)
    assert look_up_by_engine(Node(), "docker", IMAGE, login, "linux/amd64") == answer
    path, shown = json.loads((engine / "asked").read_text())
    assert path.endswith(f"/distribution/{IMAGE}/json")
    told = json.loads(base64.urlsafe_b64decode(shown))
    assert told == ({"username": USER, "password": CANARY} if login else {})


def test_the_nodes_own_login_counts_where_the_answers_have_none(engine: Path) -> None:
    says(engine, 401)
    (engine / "own").touch()
    assert look_up_by_engine(Node(), "docker", IMAGE, None, "").outcome == "in"
    assert look_up_by_engine(Node(), "docker", IMAGE, LOGIN, "").outcome == "refused"


def test_an_engine_that_does_not_answer(engine: Path) -> None:
    (engine / "tools" / "docker").write_text("#!/bin/sh\nexit 1\n")
    assert look_up_by_engine(Node(), "docker", IMAGE, LOGIN, "").outcome == "error"


@pytest.mark.parametrize(("status", "known"), [(1, True), (124, False), (143, False)])
def test_an_engine_that_hangs_is_not_asked_again(engine: Path, status: int, known: bool) -> None:
    (engine / "tools" / "docker").write_text(
        f'#!/bin/sh\n[ "$1" = info ] || exit {status}\necho "no /"\necho x >> {engine}/informed\n'
    )
    images = {IMAGE: "api"}
    facts = parse(Node().run(image_query("docker", images)).text, images)
    assert facts.known is known
    assert (facts.free is not None) is known
    assert (engine / "informed").exists() is known


@pytest.mark.parametrize("status", [0, 1])
def test_an_engine_that_cannot_be_asked_says_nothing_of_images(engine: Path, status: int) -> None:
    """Docker fills a form with nothing then, and older ones call that a success."""
    (engine / "tools" / "docker").write_text(
        f'#!/bin/sh\n[ "$1" = info ] || exit 1\necho "no "\nexit {status}\n'
    )
    images = {IMAGE: "api"}
    assert not parse(Node().run(image_query("docker", images)).text, images).known
    at = air_gapped(planned(Node(), server=None))
    assert judged(RegistryCheck(), RegistryCheck().probe(at, API), API, at) == {}


@pytest.mark.parametrize(
    ("status", "said", "answer"),
    [
        (0, "a warning\n", LookupResult(outcome="in")),
        (125, "a warning\nError: no such\n", LookupResult(outcome="error", message="Error: no such")),
        (124, "", LookupResult(outcome="error", message="no answer within 4 s")),
        (143, "", LookupResult(outcome="error", message="no answer within 4 s")),
        (125, "", LookupResult(outcome="error")),
    ],
)
def test_podman(engine: Path, status: int, said: str, answer: LookupResult) -> None:
    (engine / "status").write_text(str(status))
    (engine / "said").write_text(said)
    assert look_up_by_engine(Node(), "podman", IMAGE, LOGIN, "") == answer
    pair = base64.b64encode(f"{USER}:{CANARY}".encode()).decode()
    assert json.loads((engine / "asked").read_text()) == {"auths": {HOST: {"auth": pair}}}
    look_up_by_engine(Node(), "podman", IMAGE, None, "")
    assert (engine / "asked").read_text() == ""


@pytest.mark.parametrize(
    ("status", "bad", "words"),
    [
        (200, {}, f"to pull from {HOST}; size unknown"),
        (404, {}, "has no"),
        (401, {"registry.login": "failure"}, "refuses the login"),
        (500, {"registry.login": "failure"}, "cannot be used: its words"),
    ],
)
@pytest.mark.parametrize("closed", ["proxy", "forbidden"])
def test_where_a_tunnel_cannot_tell_the_engine_does(
    engine: Path, status: int, bad: dict[str, str], words: str, closed: str
) -> None:
    """Behind a proxy of the engine's, and where sshd forbids tunnels."""

    class Counted(Node):
        opened = 0

        def tunnel(self, host: str, port: int, *, timeout: float = 10.0) -> Any:
            self.opened += 1
            return super().tunnel(host, port, timeout=timeout)

    says(engine, status)
    (engine / "info").write_text("yes /" if closed == "proxy" else "no /")
    node = Counted()
    at = planned(node)
    found = judged(RegistryCheck(), RegistryCheck().probe(at, API), API, at)
    assert node.opened == (0 if closed == "proxy" else 1)
    if status == 404:
        assert set(levels(found).values()) == {"failure"}
        assert "registry.login" not in levels(found)
    else:
        assert levels(found) == bad
    assert any(words in one.seen for one in found.values())
    assert CANARY not in repr(found)


def test_whom_the_node_trusts(engine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry whose authority stands in the node's certs.d only; the engine itself knows nothing."""
    says(engine, 500)
    folder = tmp_path / "certs.d"
    monkeypatch.setitem(CERTIFICATES, "docker", (str(folder),))
    fake = FakeRegistry(login="basic")
    with serving(fake, tmp_path):
        at = planned(Node(port=fake.port))
        found = judged(RegistryCheck(), RegistryCheck().probe(at, API), API, at)
        assert levels(found) == {"registry.login": "failure"}
        assert "is not trusted" in found["registry.login"].seen
        (folder / HOST).mkdir(parents=True)
        (folder / HOST / "ca.crt").write_text("a word before\n" + (tmp_path / "ca.crt").read_text())
        found = judged(RegistryCheck(), RegistryCheck().probe(at, API), API, at)
        assert found["registry.login"].seen == f"{HOST} accepts the login of {USER}"
    assert fake.told


def test_certificates_that_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CERTIFICATES, "docker", (str(tmp_path),))
    (tmp_path / HOST).mkdir()
    certificate(tmp_path)
    (tmp_path / HOST / "a.crt").write_text("-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n")
    assert trusted_cas(Node(), "docker", HOST) is None


def test_m5_certificates_without_end_take_no_square_of_time() -> None:
    text = b"-----BEGIN CERTIFICATE-----\n" * 100_000
    node = FakeTransport("n1", answer=lambda argv: CommandResult(argv=argv, status=0, stdout=text))
    began = time.monotonic()
    assert trusted_cas(node, "docker", HOST) is None
    assert time.monotonic() - began < 10
