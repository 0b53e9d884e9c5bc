"""The preflight on lab nodes: checks made to fail for real, named, mended; nothing stays behind."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from oz_installer.answers.drafts.working_copy import WorkingCopy
from oz_installer.answers.file import parse_file, read
from oz_installer.answers.secrets.resolve import Secrets
from oz_installer.checks.storage.probe import HeldFile, MediaLocation
from oz_installer.checks.storage.scripts import PREFIX
from oz_installer.installation.wizard.probe import NodeProbe, probe_nodes
from oz_installer.remote.transport import Transport
from tests.e2e.checked_nodes import BOTH_API, Bench, bad
from tests.e2e.site import RELOAD_SSHD


def test_healthy_nodes(bench: Bench) -> None:
    found = bench.check()
    assert bad(found) == {}
    names = {name.partition("/")[0] for name in found if name.endswith("/node2")}
    assert names >= {
        "host.cpu", "host.memory", "host.disk", "host.flags", "host.python", "host.folder", "engine",
        "engine.compose", "ports", "database.tls", "database.login", "database.version", "database.encoding",
        "database.rights", "database.pgcrypto", "storage.folder", "storage.shared",
    }  # fmt: skip
    assert "TLSv1.3" in found["database.tls/node1"].seen


def test_the_command_tells_all_and_its_exit_code_counts_failures(bench: Bench) -> None:
    done = bench.site.run("check", "--answers", str(bench.answers()))
    assert done.status == 0, done.stderr
    assert "0 failures" in done.stdout


@pytest.mark.parametrize("logins", [("root", "root"), ("ozadmin", "ozpw")])
def test_a_taken_port_is_named_with_who_has_it(bench: Bench, logins: tuple[str, str]) -> None:
    document = bench.site.answers("medium-2")
    nodes = [
        {**node, **more, "user": user}
        for node, more, user in zip(document["nodes"], BOTH_API, logins, strict=True)
    ]
    if logins[0] != "root":
        nodes[0]["become"] = nodes[1]["become"] = "sudo"
        nodes[1]["become_password"] = {"file": str(bench.site.lab.sudo_password)}
    listen = (
        "import socket; s = socket.create_server(('127.0.0.1', 8880)); print('up', flush=True); s.accept()"
    )
    start = (
        f'python3 -c "{listen}" > /tmp/listening 2>&1 & echo $! > /tmp/listener; '
        "until grep -q up /tmp/listening; do sleep 0.05; done"
    )
    with bench.during("node1", start, "kill $(cat /tmp/listener); rm -f /tmp/listener /tmp/listening"):
        found = bench.check(nodes=nodes)
    assert bad(found) == {"ports.8880/node1": "failure"}
    assert "taken by python3" in found["ports.8880/node1"].seen
    assert bad(bench.check(nodes=nodes)) == {}


def test_a_stopped_engine_and_a_hanging_one(bench: Bench) -> None:
    tool = "/usr/local/bin/docker"
    for text, words in (
        ("echo no daemon >&2; exit 1", "no daemon"),
        ("sleep 60", "did not answer within 5 s"),
    ):
        write = f"printf '#!/bin/sh\\n{text}\\n' > {tool}; chmod 755 {tool}"
        with bench.during("node1", write, f"rm -f {tool}"):
            tried = bench.nodes("node1", "node2")
        assert {one.id: one.level for one in tried["node1"].findings}["engine/node1"] == "failure"
        assert any(words in one.seen for one in tried["node1"].findings)
        assert {one.id: one.level for one in tried["node2"].findings}["engine/node2"] == "ok"
    assert bad({one.id: one for one in bench.nodes("node1")["node1"].findings}) == {}


def test_the_database_both_ways(bench: Bench) -> None:
    document = bench.site.answers("medium-2")["database"]
    host = document["host"]
    wrong = bench.folder / "wrong"
    wrong.touch(mode=0o600)
    wrong.write_text("not-the-password")
    cases: list[tuple[dict[str, Any], str, str]] = [
        ({"password": {"file": str(wrong)}}, "database.login", "password authentication failed"),
        ({"name": "nowhere"}, "database.login", "there is no database nowhere"),
        ({"port": 1}, "database", f"{host}:1 cannot be reached"),
        ({"host": "nowhere.invalid"}, "database", "nowhere.invalid:5432 cannot be reached"),
        ({"host": str(bench.site.lab.node(1).address), "port": 22}, "database", "does not speak PostgreSQL"),
    ]
    for changes, name, words in cases:
        found = bench.database(database={**document, **changes})
        assert bad(found) == {f"{name}/node1": "failure", f"{name}/node2": "failure"}, changes
        assert words in found[f"{name}/node1"].seen
        assert "not-the-password" not in repr(found)
    for sslmode, words in (("disable", "not encrypted"), ("prefer", "TLSv1.3"), ("require", "TLSv1.3")):
        found = bench.database(database={**document, "sslmode": sslmode})
        assert bad(found) == {}
        assert words in found["database.tls/node1"].seen


def test_a_database_that_is_not_as_oz_wants_it(bench: Bench) -> None:
    document = bench.site.answers("medium-2")["database"]
    bench.sql(
        "CREATE DATABASE checked TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C';\n"
        "\\connect checked\nREVOKE ALL ON SCHEMA public FROM PUBLIC;"
    )
    try:
        found = bench.database(database={**document, "name": "checked"})
        assert bad(found) == {
            f"database.{name}/{node}": "failure"
            for name in ("encoding", "rights", "pgcrypto")
            for node in ("node1", "node2")
        }
        assert found["database.encoding/node1"].seen == "LATIN1, C"
        assert "ENCODING 'UTF8'" in found["database.encoding/node1"].hint
        bench.sql("\\connect checked\nGRANT ALL ON SCHEMA public TO gateway_user; CREATE EXTENSION pgcrypto;")
        found = bench.database(database={**document, "name": "checked"})
        assert set(bad(found)) == {"database.encoding/node1", "database.encoding/node2"}
    finally:
        bench.sql("DROP DATABASE checked WITH (FORCE);")


def test_a_server_without_tls(bench: Bench) -> None:
    document = bench.site.answers("medium-2")["database"]
    bench.sql("ALTER SYSTEM SET ssl = off; SELECT pg_reload_conf();")
    try:
        found = bench.database()
        assert bad(found) == {"database.tls/node1": "failure", "database.tls/node2": "failure"}
        found = bench.database(database={**document, "sslmode": "prefer"})
        assert bad(found) == {"database.tls/node1": "warning", "database.tls/node2": "warning"}
    finally:
        bench.sql("ALTER SYSTEM RESET ssl; SELECT pg_reload_conf();")


def test_sshd_that_forbids_tunnels_is_told_and_the_rest_is_checked(bench: Bench) -> None:
    file, reload = "/etc/ssh/sshd_config.d/00-checks.conf", RELOAD_SSHD
    narrow = f"printf 'AllowTcpForwarding no\\nMaxSessions 1\\n' > {file}; {reload}"
    with bench.during("node1", narrow, f"rm -f {file}; {reload}"):
        found = bench.check()
        assert bad(found) == {"database/node1": "warning"}
        assert "forbids tunnels" in found["database/node1"].why
        document = bench.site.answers("medium-2")["database"]
        shut = bench.database(database={**document, "port": 1})
        assert shut["database/node1"].level == "failure"


def test_storage_that_is_not_shared_or_not_there(bench: Bench) -> None:
    alone = {"type": "path", "path": "/srv/media"}
    with (
        bench.during("node1", "mkdir /srv/media", "rmdir /srv/media"),
        bench.during("node2", "mkdir /srv/media", "rmdir /srv/media"),
    ):
        found = bench.storage(storage=alone)
        assert bad(found, but=("storage.mount",)) == {"storage.shared/node2": "failure"}
        assert "node1 writes" in found["storage.shared/node2"].seen
        with bench.during("node2", "mount -t tmpfs -o ro none /srv/media", "umount /srv/media"):
            found = bench.storage(storage=alone)
        assert bad(found, but=("storage.mount",)) == {"storage.folder/node2": "failure"}
        assert "Read-only" in found["storage.folder/node2"].seen
    found = bench.storage(storage=alone)
    assert bad(found) == {"storage.folder/node1": "failure", "storage.folder/node2": "failure"}
    assert bad(bench.storage()) == {}


def test_a_connection_that_breaks_takes_the_file_along(bench: Bench) -> None:
    path = bench.answers()
    node = read(path).answers.nodes[0]
    transport: Transport = bench.opener(path)(node, Secrets({}))
    held = HeldFile(transport, MediaLocation(folder="/mnt/oz"), f"{PREFIX}broken", "word")
    held.__enter__()
    assert f"{PREFIX}broken" in bench.site.on("node2", "ls -A /mnt/oz")
    transport.close()
    until = time.monotonic() + 10
    while PREFIX in bench.site.on("node2", "ls -A /mnt/oz") and time.monotonic() < until:
        time.sleep(0.1)
    assert PREFIX not in bench.site.on("node2", "ls -A /mnt/oz")


def test_host_keys(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    nowhere = str(tmp_path / "no-known-hosts")
    document = bench.site.answers("medium-2")
    first = bench.nodes("node1", "node2", known_hosts=nowhere)
    assert {(one.connected, one.key_known) for one in first.values()} == {(False, "unknown")}
    shown = first["node1"].fingerprint
    assert shown
    assert shown in first["node1"].error
    assert shown in bench.site.on("node1", "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub")
    rows = [{**node, "host_key": shown} for node in document["nodes"]]
    second = bench.nodes("node1", "node2", known_hosts=nowhere, nodes=rows)
    assert (second["node1"].connected, second["node1"].key_known) == (True, "known")
    assert second["node1"].fingerprint == shown
    assert (second["node2"].connected, second["node2"].key_known) == (False, "changed")
    assert second["node2"].fingerprint == first["node2"].fingerprint
    assert all(key in second["node2"].error for key in (shown, str(first["node2"].fingerprint)))


def test_a_node_that_nobody_answers_for_and_one_that_refuses(bench: Bench) -> None:
    document = bench.site.answers("medium-2")
    rows = [{**document["nodes"][0], "port": 1}, {**document["nodes"][1], "user": "nobody-there"}]
    found = bench.nodes("node1", "node2", nodes=rows)
    assert "port 1 of" in found["node1"].error
    assert "refused the login" in found["node2"].error
    assert all(one.hint and not one.connected for one in found.values())


def test_a_stop_while_a_node_hangs(bench: Bench) -> None:
    path, told, stop = bench.answers(), list[NodeProbe](), threading.Event()
    draft = WorkingCopy.of(parse_file(path))
    with bench.during("node1", "kill -STOP $(cat /run/sshd.pid)", "kill -CONT $(cat /run/sshd.pid)"):
        threading.Timer(1.0, stop.set).start()
        began = time.monotonic()
        probe_nodes(draft, path, ["node1", "node2"], bench.opener(path), told.append, stop)
        assert time.monotonic() - began < 6, "it waited for the node that hangs"
    assert [one.node for one in told] == ["node2"]


def test_json_and_the_exit_code(bench: Bench) -> None:
    document = bench.site.answers("medium-2")["database"]
    done = bench.site.run(
        "check", "--json", "--answers", str(bench.answers(database={**document, "port": 1}))
    )
    assert done.status == 3
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    ended = next(line for line in lines if line["event"] == "CheckEnded")
    assert ended["failures"] == 2
    assert "2 checks failed (node1, node2)" in done.stderr
