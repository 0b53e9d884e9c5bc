"""The lab's nodes are as different as they are meant to be, seen by the connection that oz-install uses."""

from __future__ import annotations

import pytest

from oz_installer.remote.ssh.transport import SshTarget, SshTransport, connect
from oz_installer.secret import Secret
from tests.e2e.site import Site
from tests.e2e.variety import HARDENED, LANGUAGE, SHELL


def log_in(site: Site, node: str, login: str) -> SshTransport:
    lab = site.lab
    return connect(
        SshTarget(
            name=node,
            host=str(lab.node(int(node.removeprefix("node"))).address),
            user=login,
            key_file=lab.key,
            known_hosts=lab.known_hosts,
            become_password=Secret(lab.sudo_password.read_text().strip()),
        )
    )


@pytest.mark.parametrize("login", ["ozadmin", "ozpw", "root"])
@pytest.mark.parametrize("node", [LANGUAGE, SHELL, HARDENED])
def test_tcsh_greetings_languages_and_hardening_change_nothing(site: Site, node: str, login: str) -> None:
    transport = log_in(site, node, login)
    script = 'umask 022\nprintf \'%s %s\\n\' "$(id -u)" "$LC_ALL"\ncat; ls /nowhere >&2'
    done = transport.run(("sh", "-c", script), stdin=b"in!\n")
    assert done.text == "0 C\nin!\n"
    assert "No such file" in done.stderr_text
    with transport.stream(("docker", "system", "dial-stdio")) as engine:
        engine.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
        assert engine.recv(12).startswith(b"HTTP/1.")
    transport.close()


def test_the_nodes_differ(site: Site) -> None:
    assert "ru_RU" in log_in(site, LANGUAGE, "ozadmin").run(("sh", "-c", "echo $LANG"), become=False).text
    assert site.on(SHELL, "getent passwd ozadmin").strip().endswith("tcsh")
    assert log_in(site, HARDENED, "ozpw").run(("sh", "-c", "umask")).text.strip() == "0077"
    assert log_in(site, HARDENED, "ozadmin").run(("sh", "-c", "umask"), become=False).text.strip() == "0077"
