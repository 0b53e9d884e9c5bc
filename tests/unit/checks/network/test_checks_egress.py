"""The way out to the vendor: judged from tables, and tried: directly, through a proxy, from the shell."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from oz_installer.answers.sections import Proxy, Updater
from oz_installer.catalog.release import Egress
from oz_installer.checks.context import CheckContext, CheckedNode
from oz_installer.checks.network import egress
from oz_installer.checks.network.egress import Destination, EgressCheck, EgressFacts, destinations, is_direct
from oz_installer.checks.viewpoint import NodeViewpoint
from oz_installer.remote.transport import ForwardingForbidden
from oz_installer.topology.planner import plan_topology
from tests.local_transport import LocalTransport
from tests.unit.checks.checks_support import BIO, judged, levels, site
from tests.unit.checks.tls_support import connect_proxy, tls_server, write_certificate

HOSTS = (
    "api.cryptlex.com",
    "bio-admin.infra.ozforensics.ai",
    "s3.amazonaws.com",
    "s3-accelerate.amazonaws.com",
)
PROXY = Proxy(url="http://proxy.example.com:3128", no_proxy=(".amazonaws.com",))


def planned(*, air_gapped: bool = False, proxy: Proxy | None = None) -> CheckContext:
    at = site()
    answers = replace(at.answers, air_gapped=air_gapped, proxy=proxy or Proxy())
    reachable = replace(answers, proxy=Proxy())  # that of a test listens on this machine
    return replace(at, answers=answers, topology=plan_topology(reachable))


def test_nodes_whose_services_call_the_vendor() -> None:
    at = planned()
    assert [spot.name for spot in EgressCheck().nodes(at)] == ["n1", "n2"]  # the updater, the BIO
    without = replace(at.answers, components=replace(at.answers.components, bio_updater=False))
    at = replace(at, answers=without, topology=plan_topology(without))
    assert [spot.name for spot in EgressCheck().nodes(at)] == ["n2"]
    assert EgressCheck().nodes(site()) == ()


def test_destinations_are_the_catalogues() -> None:
    found = destinations(planned())
    assert tuple(one.host for one in found) == HOSTS
    assert {(one.port, one.tls) for one in found} == {(443, True)}
    own = replace(planned().answers, updater=Updater(host="http://models.local:8000"))
    mirror = destinations(replace(planned(), answers=own))[1]
    assert (mirror.host, mirror.port, mirror.tls) == ("models.local", 8000, False)
    assert mirror.url == "https://*.infra.ozforensics.ai/"
    assert not [one.host for one in found if "*" in one.host]


def test_all_are_reached() -> None:
    found = judged(EgressCheck(), EgressFacts(errors=dict.fromkeys(HOSTS, "")), at=planned())
    assert levels(found) == {}
    assert found["egress"].seen == "4 destinations reached"
    found = judged(EgressCheck(), EgressFacts(errors={}, tunnel=False), at=planned(proxy=PROXY))
    assert found["egress"].seen == (
        "4 destinations reached through http://proxy.example.com:3128, by TCP only: sshd forbids tunnels"
    )


def test_air_gapped_is_said_and_nobody_is_called() -> None:
    at = planned(air_gapped=True)
    facts = EgressCheck().probe(at, BIO)  # its line would raise
    found = judged(EgressCheck(), facts, at=at)
    assert levels(found) == {}
    assert found["egress"].seen == "skipped: air_gapped is set"


@pytest.mark.parametrize(
    ("host", "proxy", "seen", "hint"),
    [
        (HOSTS[0], None, "api.cryptlex.com:443 is not reached: no way", "set proxy.url"),
        (
            HOSTS[0],
            PROXY,
            "is not reached through http://proxy.example.com:3128: no way",
            "reaches the proxy",
        ),
        (
            HOSTS[2],
            PROXY,
            "s3.amazonaws.com:443 is not reached: no way",
            "to connect to https://*.s3.amazonaws.com/",
        ),
    ],
)
def test_one_is_not_reached(host: str, proxy: Proxy | None, seen: str, hint: str) -> None:
    found = judged(EgressCheck(), EgressFacts(errors={host: "no way"}), at=planned(proxy=proxy))
    assert levels(found) == {f"egress.{host}": "warning"}
    one = found[f"egress.{host}"]
    assert seen in one.seen
    assert hint in one.hint
    assert "air_gapped: true" in one.hint
    assert one.why
    assert one.needed.startswith("https://")
    assert found["egress"].seen.startswith("3 destinations reached")


def test_none_is_reached() -> None:
    found = judged(EgressCheck(), EgressFacts(errors=dict.fromkeys(HOSTS, "no way")), at=planned())
    assert levels(found) == dict.fromkeys((f"egress.{host}" for host in HOSTS), "warning")
    assert "egress" not in found


@pytest.mark.parametrize(
    ("host", "direct", "told"),
    [
        ("s3.amazonaws.com", [".amazonaws.com"], True),
        ("s3.amazonaws.com", ["*.amazonaws.com"], True),
        ("s3.amazonaws.com", ["amazonaws.COM"], True),
        ("s3.amazonaws.com", ["s3.amazonaws.com"], True),
        ("s3.amazonaws.com", ["azonaws.com", "3.amazonaws.com", "10.0.0.0/8"], False),
        ("s3.amazonaws.com", [], False),
    ],
)
def test_what_is_reached_without_the_proxy(host: str, direct: list[str], told: bool) -> None:
    assert is_direct(host, direct) is told


# ---- tried here


class Here(LocalTransport):
    """This machine as a node; names are in a hosts file of ours, and all its tunnels go where we say."""

    def __init__(self, ways: Mapping[int, int] | None) -> None:
        super().__init__("n2", become="none")
        self._ways = ways

    def tunnel(self, host: str, port: int, *, timeout: float = 10.0) -> socket.socket:
        if self._ways is None:
            raise ForwardingForbidden(self.name)
        return super().tunnel(host, self._ways.get(port, port), timeout=timeout)


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of localhost; this workstation trusts who signed it."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    return write_certificate(tmp_path, ["localhost"])


def wanted(
    port: int, host: str = "localhost", scheme: str = "https", proxy: Proxy | None = None
) -> CheckContext:
    """A site that wants one destination."""
    at = planned(proxy=proxy)
    release = replace(at.release, egress=(Egress(url=f"{scheme}://{host}:{port}/", purpose="tests"),))
    return replace(at, release=release)


def trouble(at: CheckContext, ways: Mapping[int, int] | None, spot: CheckedNode = BIO) -> str:
    """Why the one destination is not reached."""
    facts = EgressCheck().probe(replace(at, transport=lambda _: Here(ways)), spot)
    assert facts.tunnel is (ways is not None)
    (why,) = facts.errors.values()
    return why


def closed() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
        return port


def test_a_handshake(certificate: Path) -> None:
    with tls_server(certificate) as port:
        assert trouble(wanted(port), {}) == ""
        assert trouble(wanted(port), None) == ""
    assert "refused" in trouble(wanted(closed()), {})
    assert trouble(wanted(closed()), None) == "Connection refused"


def test_what_is_no_tls_or_not_trusted(
    certificate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tls_server(certificate) as port:
        (tmp_path / "other").mkdir()
        write_certificate(tmp_path / "other", ["localhost"])
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "other/ca.pem"))
        assert "is not trusted here" in trouble(wanted(port), {})
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
        monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "none"))
        assert trouble(wanted(port), {}) == ""  # a workstation that knows no authority cannot judge
    with socket.create_server(("127.0.0.1", 0)) as plain:
        threading.Thread(target=lambda: plain.accept()[0].sendall(b"220 hello\r\n"), daemon=True).start()
        assert trouble(wanted(plain.getsockname()[1]), {}).startswith("TLS fails: ")


def test_silence_is_bounded(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(egress, "SECONDS", 1)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        assert trouble(wanted(mute.getsockname()[1]), {}) == "no answer within 1 s"


def test_a_name_that_nobody_knows() -> None:
    assert trouble(wanted(443, "nowhere.invalid"), {}) == "the node cannot resolve nowhere.invalid"
    proxy = Proxy(url="http://no-proxy.invalid:3128")
    assert trouble(wanted(443, proxy=proxy), {}) == "the node cannot resolve no-proxy.invalid"


@pytest.mark.parametrize("ways", [{}, None])
def test_through_a_proxy(certificate: Path, ways: Mapping[int, int] | None) -> None:
    """The name is the proxy's to resolve: here nobody knows it."""
    with tls_server(certificate) as port, connect_proxy(("127.0.0.1", port)) as proxy:
        through = Proxy(url=f"http://localhost:{proxy.port}/")
        assert trouble(wanted(4430, proxy=through), ways) == ""
        assert proxy.asked == ["CONNECT localhost:4430 HTTP/1.1"]
        beside = replace(through, no_proxy=("localhost",))
        assert trouble(wanted(port, proxy=beside), ways) == ""
        assert len(proxy.asked) == 1
    with connect_proxy(("127.0.0.1", 1), "HTTP/1.1 403 Forbidden") as proxy:
        through = Proxy(url=f"http://localhost:{proxy.port}")
        assert trouble(wanted(443, proxy=through), ways) == "the proxy answers HTTP/1.1 403 Forbidden"
    assert "refused" in trouble(wanted(443, proxy=Proxy(url=f"http://localhost:{closed()}")), ways)


def test_a_mirror_of_ones_own_speaks_no_tls() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mirror:
        assert trouble(wanted(mirror.getsockname()[1], scheme="http"), {}) == ""


def test_names_are_resolved_beside_each_other_and_where_nothing_can_the_name_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = egress._resolved(NodeViewpoint(LocalTransport(become="none")), ["localhost", "nowhere.invalid"])
    assert found == {"localhost": "127.0.0.1", "nowhere.invalid": ""}
    shell = subprocess.run(["sh", "-c", "command -v sh"], capture_output=True, text=True, check=True)
    (tmp_path / "sh").symlink_to(shell.stdout.strip())
    monkeypatch.setenv("PATH", str(tmp_path))
    assert egress._resolved(NodeViewpoint(LocalTransport(become="none")), ["localhost"]) == {
        "localhost": "localhost"
    }


def test_nothing_from_the_answers_is_run(tmp_path: Path) -> None:
    """Hosts are checked before; were they not, they would still be words."""
    mean = f"a;touch {tmp_path}/ran;$(touch {tmp_path}/ran)"
    one = Destination(url="https://x/", purpose="x", host=mean, port=1, tls=True)
    egress._resolved(NodeViewpoint(LocalTransport(become="none")), [mean])
    egress._from_shell(NodeViewpoint(LocalTransport(become="none")), [one], Proxy())
    egress._from_shell(NodeViewpoint(LocalTransport(become="none")), [one], Proxy(url="http://127.0.0.1:1"))
    assert list(tmp_path.iterdir()) == []
