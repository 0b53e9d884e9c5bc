"""Media on NFS, mounted by the engine as Compose will: a server that is well, and one that is not."""

from __future__ import annotations

import pytest

from tests.vm.pair import EXPORT, SERVER, WAYS, Pair, bad

NODES = ("node1", "node2")
PLACE = f"{SERVER}:{EXPORT}"


def every(name: str, level: str = "failure") -> dict[str, str]:
    """The same finding on both nodes."""
    return {f"{name}/{node}": level for node in NODES}


def test_a_healthy_server(pair: Pair) -> None:
    found = pair.nfs()
    assert bad(found) == {}
    parts = (
        "storage",
        "storage.mount",
        "storage.folder",
        "storage.locks",
        "storage.reader",
        "storage.latency",
    )
    assert set(found) == {f"{part}/{node}" for part in parts for node in NODES} | {"storage.shared/node2"}
    assert found["storage.mount/node2"].seen == f"{PLACE} can be mounted with vers=4.1,hard"
    assert found["storage.shared/node2"].seen == "sees what node1 writes"
    assert found["storage.locks/node2"].seen == "sees the lock of node1"


def test_a_server_that_is_down(pair: Pair) -> None:
    pair.node("node1").on("systemctl stop nfs-server")
    found = pair.nfs()
    assert bad(found) == every("storage")
    for node in NODES:
        assert f"the NFS server of {PLACE} does not answer at port 2049" in found[f"storage/{node}"].seen
        assert "refused" in found[f"storage/{node}"].seen
    ended = pair.command("--only", "storage")
    said, _ = ended.communicate()
    assert ended.returncode == 3, said
    assert "2 checks failed (node1, node2)" in said
    pair.export()
    assert bad(pair.nfs()) == {}


def test_a_firewall_that_says_nothing(pair: Pair) -> None:
    rule = "INPUT -i eth1 -p tcp --dport 2049 -j DROP"
    with pair.during("node1", f"iptables -I {rule}", f"iptables -D {rule}"):
        found = pair.nfs()
    assert bad(found) == {"storage/node2": "failure"}
    assert "does not answer at port 2049" in found["storage/node2"].seen
    assert bad(pair.nfs()) == {}


def test_a_folder_that_is_not_exported(pair: Pair) -> None:
    found = pair.nfs(export="/srv/other")
    assert bad(found) == every("storage.mount")
    for node in NODES:
        assert f"{SERVER}:/srv/other cannot be mounted" in found[f"storage.mount/{node}"].seen
        assert "no such file or directory" in found[f"storage.mount/{node}"].seen
    assert bad(pair.nfs()) == {}


def test_a_node_to_which_it_is_not_exported(pair: Pair) -> None:
    pair.export(clients=SERVER)
    found = pair.nfs()
    assert bad(found) == {"storage.mount/node2": "failure"}
    assert f"{PLACE} cannot be mounted" in found["storage.mount/node2"].seen
    pair.export()
    assert bad(pair.nfs()) == {}


def test_an_export_that_is_read_only(pair: Pair) -> None:
    pair.export(WAYS.replace("rw", "ro"))
    found = pair.nfs()
    assert bad(found) == every("storage.folder")
    for node in NODES:
        assert f"{PLACE} is not writable" in found[f"storage.folder/{node}"].seen
        assert "Read-only file system" in found[f"storage.folder/{node}"].seen
        assert "Export it with rw,no_root_squash" in found[f"storage.folder/{node}"].hint
    pair.export()
    assert bad(pair.nfs()) == {}


def test_a_server_that_lets_root_be_nobody(pair: Pair) -> None:
    pair.export(WAYS.replace("no_root_squash", "root_squash"))
    found = pair.nfs()
    assert bad(found) == every("storage.folder")
    assert "Permission denied" in found["storage.folder/node1"].seen
    assert "no_root_squash" in found["storage.folder/node1"].hint
    pair.export()
    assert bad(pair.nfs()) == {}


def test_a_folder_that_only_root_may_enter(pair: Pair) -> None:
    with pair.during("node1", f"chmod 700 {EXPORT}", f"chmod 755 {EXPORT}"):
        found = pair.nfs()
    assert bad(found) == every("storage.reader", "warning")
    assert bad(pair.nfs()) == {}


def test_locks_that_stay_on_their_node(pair: Pair) -> None:
    """Only NFS 3 can be mounted so."""
    conf = "/etc/nfs.conf.d/oz-vm.conf"
    ways = (
        f"sed -i s/vers3={old}/vers3={new}/ {conf}; systemctl restart nfs-server" for old, new in ("ny", "yn")
    )
    with pair.during("node1", *ways):
        found = pair.nfs(options="vers=3,hard,nolock")
    assert bad(found) == {"storage.locks/node2": "warning"}
    assert "does not see that node1 has locked a file" in found["storage.locks/node2"].seen
    assert bad(pair.nfs()) == {}


@pytest.mark.parametrize("version", ["3"])
def test_a_version_that_the_server_does_not_speak(pair: Pair, version: str) -> None:
    found = pair.nfs(options=f"vers={version},hard")
    assert bad(found) == every("storage")
    assert f"the NFS server of {PLACE} speaks NFS 4 only" in found["storage/node1"].seen


def test_a_kernel_without_nfs(pair: Pair) -> None:
    file = "/etc/modprobe.d/oz-vm.conf"
    without = f"printf 'install nfs /bin/false\\ninstall nfsv4 /bin/false\\n' > {file}"
    pair.node("node2").until("! lsmod | grep -q ^nfsv4 || modprobe -r nfsv4 nfs")
    with pair.during("node2", without, f"rm {file}"):
        found = pair.nfs()
    assert bad(found) == {"storage.client/node2": "failure"}
    assert "this kernel cannot mount NFS" in found["storage.client/node2"].seen
    assert bad(pair.nfs()) == {}


@pytest.mark.parametrize("word", ["node1", "node2"])
def test_a_check_that_is_killed_leaves_nothing(pair: Pair, word: str) -> None:
    before = pair.state()
    running = pair.command("--only", "storage")
    pair.node(word).until(f"grep -q ':{EXPORT} .* nfs4' /proc/mounts")
    running.kill()
    running.communicate()
    assert pair.same(before) == set()
