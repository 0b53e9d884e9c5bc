"""Licence files, the updater's token and the public URL: facts in, findings out; files and names for real."""

from __future__ import annotations

import os
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from oz_installer.answers.licence_file import LARGEST, is_world_readable
from oz_installer.checks.base import InstallationCheck
from oz_installer.checks.context import CheckContext, Finding
from oz_installer.checks.credentials.licence import LicenceCheck, LicenceFacts
from oz_installer.checks.credentials.updater_token import TokenFacts, UpdaterTokenCheck, token_problem
from oz_installer.checks.network import public_url
from oz_installer.checks.network.public_url import (
    DnsFacts,
    PublicUrlCheck,
    WorkstationUrlCheck,
    certificate_error,
    is_address,
    resolve_here,
)
from oz_installer.secret import Secret
from oz_installer.topology.licences import nodes_by_licence
from oz_installer.topology.planner import plan_topology
from tests.unit.checks.checks_support import API, judged, levels, printed_by, site
from tests.unit.checks.registry.registry_support import HOST, certificate


def surveyed(check: InstallationCheck[Any], facts: Any, at: CheckContext) -> dict[str, Finding]:
    """The findings by id; they are of no node, and a bad one says what to do."""
    found = list(check.judge(at, facts))
    for one in found:
        assert one.check == check.name
        assert one.node is None
        assert one.seen
        assert one.hint or one.level == "ok", one
    return {one.id: one for one in found}


def planned(folder: Path = Path(), **licence: Path | None) -> CheckContext:
    """A site whose topology is known."""
    at = site()
    answers = replace(at.answers, license=replace(at.answers.license, **licence))  # type: ignore[arg-type]
    if "web_adapter" in licence:
        parts = replace(answers.components, web_adapter="https://web.example.com")
        answers = replace(answers, components=parts)
    return replace(at, answers=answers, topology=plan_topology(answers), answers_dir=folder)


# ---- licences


def _open(file: Path) -> bool:
    """By its own mode, whatever folders this runs in."""
    return bool(file.stat().st_mode & 4)


@pytest.mark.parametrize(
    ("content", "mode", "bad", "words"),
    [
        (b"licence", 0o600, {}, "7 bytes, sent only to n2"),
        (b"licence", 0o640, {}, ""),
        (b"licence", 0o644, {"licence.bio-mode": "warning"}, ""),
        (b"", 0o600, {"licence.bio": "failure"}, "is empty"),
        (b" \n", 0o600, {"licence.bio": "failure"}, "is empty"),
        (b"x" * (LARGEST + 1), 0o600, {"licence.bio": "failure"}, "larger than 1 MB"),
        (None, 0o600, {"licence.bio": "failure"}, "cannot be read: No such file"),
    ],
)
def test_a_licence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None, mode: int, bad: Any, words: str
) -> None:
    monkeypatch.setattr("oz_installer.checks.credentials.licence.is_world_readable", _open)
    if content is not None:
        (tmp_path / "license.key").write_bytes(content)
        (tmp_path / "license.key").chmod(mode)
    at = planned(tmp_path)
    found = surveyed(LicenceCheck(), LicenceCheck().probe(at), at)
    assert levels(found) == bad
    assert words in found["licence.bio"].seen
    if words and bad:
        assert str(tmp_path / "license.key") in found["licence.bio"].seen
        assert "license.bio" in found["licence.bio"].hint


def test_what_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "license.key").mkdir()
    at = planned(tmp_path)
    assert (
        "cannot be read: Is a directory"
        in surveyed(LicenceCheck(), LicenceCheck().probe(at), at)["licence.bio"].seen
    )
    for odd in ("/dev/zero", "/dev/null"):
        at = planned(tmp_path, bio=Path(odd))
        assert (
            "is not a regular file"
            in surveyed(LicenceCheck(), LicenceCheck().probe(at), at)["licence.bio"].seen
        )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"a": 1}', "8 bytes, sent only to"),
        (b"{", "is not JSON: "),
        (b"\xff\xfe", "is not JSON"),
    ],
)
def test_the_web_adapters_licence_is_json(tmp_path: Path, content: bytes, words: str) -> None:
    for name, text in (("license.key", b"licence"), ("license.json", content)):
        (tmp_path / name).write_bytes(text)
        (tmp_path / name).chmod(0o600)
    at = planned(tmp_path, web_adapter=Path("license.json"))
    found = surveyed(LicenceCheck(), LicenceCheck().probe(at), at)
    assert words in found["licence.web_adapter"].seen
    assert found["licence.bio"].level == "ok"
    assert set(levels(found)) == ({"licence.web_adapter"} if "JSON" in words else set())


def test_the_bio_licence_goes_to_bio_nodes_only() -> None:
    at = planned()
    assert at.topology
    assert [node.name for node in nodes_by_licence(at.topology)["bio"]] == ["n2"]
    nodes = tuple(replace(node, roles=("api",)) for node in at.topology.nodes)
    wrong = replace(at, topology=replace(at.topology, nodes=nodes))
    found = surveyed(LicenceCheck(), {"bio": LicenceFacts(path="license.key", size=7)}, wrong)
    assert levels(found) == {"licence.bio": "failure"}
    assert "would also be sent to n2" in found["licence.bio"].seen
    assert LicenceCheck().probe(site()) == {}, "nobody knows yet what is mounted"


def test_a_closed_folder_keeps_others_out(tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents):
        if not folder.stat().st_mode & 1:
            break
    else:
        folder = tmp_path
        folder.chmod(0o700)
    (tmp_path / "x").write_text("x")
    (tmp_path / "x").chmod(0o644)
    assert not is_world_readable(tmp_path / "x")
    assert is_world_readable(Path("/etc/passwd"))
    assert not is_world_readable(tmp_path / "nothing")


# ---- the token


@pytest.mark.parametrize(
    ("token", "level"),
    [
        ("0b5f6c1e-3a53-4c0e-9a77-6d4b6f0a2a11", None),
        ("eyJhbGciOiJIUzI1NiJ9.e30.abc-def_ghi", None),
        ("token0b5f6c1e", None),
        ("x" * 7 + "y", None),
        ("a" * 512, None),
        ("a" * 513, "warning"),
        ("short1", "warning"),
        ("two words of it", "warning"),
        ("changeme", "failure"),
        ("Change-Me", "failure"),
        ("token", "failure"),
        ("your-client-token-here", "failure"),
        ("CLIENT_TOKEN", "failure"),
        ("xxxxxxxx", "failure"),
        ("<token>", "failure"),
        ("${OZ_TOKEN}", "failure"),
        ("TODO", "failure"),
        (" 0b5f6c1e-3a53", "failure"),
        ("0b5f6c1e-3a53\t", "failure"),
        ("0b5f6c1e\x003a53", "failure"),
    ],
)
def test_the_form_of_a_token(token: str, level: str | None) -> None:
    fault = token_problem(token)
    assert (fault and fault[0]) == level
    at = replace(site(), secrets={"updater.token": Secret(token)})
    found = surveyed(UpdaterTokenCheck(), UpdaterTokenCheck().probe(at), at)
    assert levels(found) == ({"updater.token": level} if level else {})
    assert len(token) < 9 or token not in repr(found)


def test_l11_a_token_goes_to_no_server_in_clear() -> None:
    at = replace(site(), secrets={"updater.token": Secret("a-client-token")})
    updater = replace(at.answers.updater, host="http://models.example.com")
    at = replace(at, answers=replace(at.answers, updater=updater))
    found = surveyed(UpdaterTokenCheck(), UpdaterTokenCheck().probe(at), at)
    assert levels(found) == {"updater.clear": "warning"}
    assert "http://models.example.com" in found["updater.clear"].seen


def test_no_updater_wants_no_token() -> None:
    at = site()
    assert UpdaterTokenCheck().probe(at) == TokenFacts(wanted=False)
    assert surveyed(UpdaterTokenCheck(), TokenFacts(wanted=False), at) == {}


# ---- the public URL


def at_url(url: str) -> CheckContext:
    at = site()
    return replace(at, answers=replace(at.answers, public_url=url))


@pytest.mark.parametrize(
    ("facts", "bad", "words"),
    [
        (DnsFacts(addresses=("10.0.0.9",)), {}, "oz.example.com is 10.0.0.9"),
        (DnsFacts(), {"public-url.name": "warning"}, "this node does not resolve oz.example.com"),
        (DnsFacts(message="no answer within 5 s"), {"public-url.name": "warning"}, ": no answer within 5 s"),
    ],
)
def test_a_name_on_a_node(facts: DnsFacts, bad: Mapping[str, str], words: str) -> None:
    found = judged(PublicUrlCheck(), facts, API)
    assert levels(found) == bad
    assert words in found["public-url.name"].seen


def test_where_nothing_can_tell_nothing_is_told_and_an_address_needs_no_resolving() -> None:
    assert judged(PublicUrlCheck(), DnsFacts(tried=False), API) == {}
    found = judged(PublicUrlCheck(), DnsFacts(tried=False), API, at_url("http://[::1]:8880"))
    assert found["public-url.name"].seen == "::1 is an address"
    assert is_address("10.0.0.1")
    assert not is_address("10.example.com")
    here = WorkstationUrlCheck()
    assert surveyed(here, here.probe(at_url("http://10.0.0.1")), at_url("http://10.0.0.1")) == {}


def test_names_are_really_asked_for() -> None:
    facts = PublicUrlCheck().parse(printed_by(PublicUrlCheck(), at_url("http://localhost:8880")))
    assert facts.addresses
    assert facts.message == ""
    facts = PublicUrlCheck().parse(printed_by(PublicUrlCheck(), at_url("http://nowhere.invalid")))
    assert (facts.tried, facts.addresses) == (True, ())
    assert resolve_here("localhost").addresses
    lost = resolve_here("nowhere.invalid", 5)
    assert lost.addresses == ()
    assert lost.message


def test_a_resolver_that_takes_its_time_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: release.wait(20) and [])
    began = time.monotonic()
    assert "no answer within 0.2 s" in resolve_here("slow.example.com", 0.2).message
    assert time.monotonic() - began < 5
    release.set()


@pytest.mark.parametrize(
    ("fault", "bad"),
    [(None, {}), ("", {}), ("expired", {"public-url-here.certificate": "warning"})],
)
def test_a_certificate_is_judged(fault: str | None, bad: Mapping[str, str]) -> None:
    at = at_url("https://oz.example.com")
    found = surveyed(WorkstationUrlCheck(), DnsFacts(addresses=("10.0.0.9",), certificate=fault), at)
    assert levels(found) == bad
    assert ("public-url-here.certificate" in found) is (fault is not None)


def test_a_certificate_is_really_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    public, private = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)

    def serve(listener: socket.socket) -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with peer:
                try:
                    context.wrap_socket(peer, server_side=True).close()
                except OSError:
                    continue

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = int(listener.getsockname()[1])
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        assert "self-signed" in str(certificate_error("127.0.0.1", port, HOST)).replace(
            "self signed", "self-signed"
        )
        monkeypatch.setenv("SSL_CERT_FILE", str(public))
        assert certificate_error("127.0.0.1", port, HOST) == ""
        assert HOST in str(certificate_error("127.0.0.1", port, "other.example.com")) or "ismatch" in str(
            certificate_error("127.0.0.1", port, "other.example.com")
        )
        listener.shutdown(socket.SHUT_RDWR)
    assert certificate_error("127.0.0.1", port, HOST) is None
    assert os.environ["SSL_CERT_FILE"] == str(public)
    assert public_url.SECONDS < 5
