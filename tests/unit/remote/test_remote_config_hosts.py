"""What ~/.ssh/config offers for import: one machine each, as ssh understands it."""

from __future__ import annotations

from pathlib import Path

import pytest

from oz_installer.errors import ConnectError
from oz_installer.remote.ssh.config import SshHost, list_hosts


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".ssh").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_hosts_in_their_order_with_what_holds_for_them(home: Path) -> None:
    (home / ".ssh/config").write_text(
        "Host web api1\n  HostName 10.0.0.1\n  Port 2222\n"
        "Host=bio1\n  ProxyJump bastion\n  IdentityFile ~/.ssh/special\n"
        "Host odd\n  ProxyCommand nc %h %p\n"
        "Host *.example.com !x api?\n  User other\n"
        "Host *\n  User ozadmin\n"
    )
    assert list_hosts() == (
        SshHost(name="web", host="10.0.0.1", user="ozadmin", port=2222),
        SshHost(name="api1", host="10.0.0.1", user="other", port=2222),
        SshHost(name="bio1", host="bio1", user="ozadmin", key_file=home / ".ssh/special", jump="bastion"),
    )


def test_no_file_offers_nothing_and_a_broken_one_is_told(home: Path) -> None:
    assert list_hosts() == ()
    (home / ".ssh/config").write_text("Host a\nnonsense\n")
    with pytest.raises(ConnectError) as caught:
        list_hosts()
    assert ".ssh/config" in caught.value.message
