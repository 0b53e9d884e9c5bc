"""What a plan shows of the files, and what never leaves the node for it."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest

from oz_installer.deploy.compose.diffs import add_diffs, unified
from oz_installer.errors import OzError
from oz_installer.remote.transport import CommandResult
from oz_installer.secret import Masker, Secret
from tests.plans import file_change, target_plan
from tests.unit.deploy.compose.deploy_support import FakeTransport


@dataclass
class Node(FakeTransport):
    """Runs what it is given on this machine, and keeps what it answered."""

    said: list[bytes] = field(default_factory=list)

    def run(self, argv: Sequence[str], **options: object) -> CommandResult:
        """For real."""
        done = subprocess.run(argv, capture_output=True, check=True)
        self.said.append(done.stdout)
        return CommandResult(argv=tuple(argv), status=0, stdout=done.stdout)


@pytest.fixture
def current(tmp_path: Path) -> Path:
    folder = tmp_path / "generations/000001"
    files = {
        "compose.yaml": b"password: old-secret\n",
        "shown/compose.yaml": b"password: ********\nport: 1\n",
        "config/nginx.conf": b"one\ntwo\nthree\n",
        "config/redis.conf": b"requirepass old-secret\n",
        "config/picture": b"\x00\xff",
        "config/old": b"old-secret\n",
        "shown/config/old": b"********\n",
        "config/api.py~": b"old-secret\n",
        "licence/license.key": b"old-secret licence",
        "-v": b"a\n",
        "a 'b' $HOME": b"a\n",
    }
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (tmp_path / "current").symlink_to("generations/000001")
    return tmp_path


WANTED = {
    "compose.yaml": b"password: ********\nport: 2\n",
    "config/nginx.conf": b"one\n2\nthree\nnew-secret\n",
    "config/redis.conf": b"requirepass ********\n",
    "config/picture": b"\x00\x01",
    "licence/license.key": b'{"sha256": "ab"}\n',
    "config/new.conf": b"fresh\n",
    "-v": b"b\n",
    "a 'b' $HOME": b"b\n",
}
HIDDEN = ("compose.yaml", "config/redis.conf", "licence/license.key")


def diffs(current: Path, *changes: tuple[str, str], secret: Sequence[str] = HIDDEN) -> dict[str, str]:
    """The diff of each changed file, by its path."""
    files = tuple(file_change(path, kind) for path, kind in changes)  # type: ignore[arg-type]
    node = Node()
    masker = Masker((Secret("new-secret"),))
    plan = add_diffs(target_plan("n1", *files), WANTED, secret, node, str(current), masker)
    assert not any(b"old-secret" in said for said in node.said)
    assert [change.name for change in plan.files] == [path for path, _ in changes]
    assert "secret" not in "".join(change.diff for change in plan.files).replace("secrets", "")
    return {change.name: change.diff for change in plan.files}


def test_a_file_without_secrets_is_compared_as_it_stands(current: Path) -> None:
    diff = diffs(current, ("config/nginx.conf", "changed"))["config/nginx.conf"]
    assert diff == (
        "--- installed/config/nginx.conf\n+++ new/config/nginx.conf\n@@ -1,3 +1,4 @@\n"
        " one\n-two\n+2\n three\n+********\n"
    )


def test_a_file_with_secrets_is_compared_by_its_masked_twin(current: Path) -> None:
    diff = diffs(current, ("compose.yaml", "changed"))["compose.yaml"]
    assert "-port: 1\n+port: 2\n" in diff


def test_a_file_with_secrets_and_no_twin_never_leaves_the_node(current: Path) -> None:
    diff = diffs(current, ("config/redis.conf", "changed"))["config/redis.conf"]
    assert "+requirepass ********" in diff
    assert "-requirepass" not in diff


def test_a_licence_never_leaves_the_node(current: Path) -> None:
    assert '+{"sha256": "ab"}' in diffs(current, ("licence/license.key", "changed"))["licence/license.key"]


def test_a_removed_file_is_shown_by_its_twin_or_not_at_all(current: Path) -> None:
    found = diffs(current, ("config/old", "removed"), ("config/api.py~", "removed"))
    assert "-********" in found["config/old"]
    assert found["config/api.py~"] == "(not shown, because it may hold secrets)\n"


def test_a_new_file_is_shown_whole(current: Path) -> None:
    assert "+fresh\n" in diffs(current, ("config/new.conf", "new"))["config/new.conf"]


def test_where_only_secrets_differ_that_is_said(current: Path) -> None:
    (current / "current/shown/compose.yaml").write_bytes(WANTED["compose.yaml"])
    found = diffs(current, ("compose.yaml", "changed"))
    assert found == {"compose.yaml": "(only secrets differ, or files that its services read)\n"}
    found = diffs(current, ("compose.yaml", "drifted"))
    assert found["compose.yaml"].startswith("(differs from what was installed; not shown")


def test_what_is_no_text_or_differs_by_its_mode_only_is_said(current: Path) -> None:
    (current / "current/config/nginx.conf").write_bytes(WANTED["config/nginx.conf"])
    assert diffs(current, ("config/picture", "changed"), ("config/nginx.conf", "drifted")) == {
        "config/picture": "(cannot be shown as text)\n",
        "config/nginx.conf": "(only its mode differs)\n",
    }


def test_a_drifted_file_shows_what_was_done_by_hand(current: Path) -> None:
    (current / "current/config/nginx.conf").write_text("one\nby hand\nthree\nnew-secret\n")
    assert "-by hand\n+2\n" in diffs(current, ("config/nginx.conf", "drifted"))["config/nginx.conf"]


def test_names_are_never_options_or_code(current: Path) -> None:
    found = diffs(current, ("-v", "changed"), ("a 'b' $HOME", "changed"))
    assert all("-a\n+b\n" in diff for diff in found.values())


def test_nothing_installed_and_nothing_to_compare(tmp_path: Path) -> None:
    assert diffs(tmp_path, ("config/nginx.conf", "changed"))["config/nginx.conf"].count("\n+") == 5
    node = FakeTransport()
    plan = target_plan("n1", file_change("a", "new"))
    add_diffs(plan, {"a": b"x\n"}, (), node, "/opt/oz", Masker())
    assert node.sent == []


def test_unified_of_equal_or_binary_is_empty() -> None:
    assert unified(b"a\n", b"a\n", "x") == ""
    assert unified(b"\xff", b"a\n", "x") == ""


def tar_of(*members: tuple[tarfile.TarInfo, bytes], mode: Literal["w", "w:gz"] = "w") -> bytes:
    """An archive as a node sends it."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as tar:
        for member, content in members:
            tar.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def compared(archive: bytes) -> str:
    """The diff of a file of a hostile node."""
    node = FakeTransport("n1", answer=lambda argv: CommandResult(argv=argv, status=0, stdout=archive))
    plan = target_plan("n1", file_change("a", "changed"))
    return add_diffs(plan, {"a": b"new\n"}, (), node, "/opt/oz", Masker()).files[0].diff


def test_m5_holes_of_a_sparse_file_are_not_filled() -> None:
    sparse = tarfile.TarInfo("a")
    sparse.pax_headers = {
        "GNU.sparse.major": "1",
        "GNU.sparse.minor": "0",
        "GNU.sparse.name": "a",
        "GNU.sparse.realsize": str(6 * 10**9),
    }
    body = b"1\n0\n1\n".ljust(512, b"\0") + b"x"
    sparse.size = len(body)
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(sparse, io.BytesIO(body))
    assert "+new" in compared(stream.getvalue())


def test_m5_nothing_compressed_and_nothing_large_is_unpacked() -> None:
    large = tarfile.TarInfo("a")
    large.size = 2 * 1024 * 1024
    assert "-x" not in compared(tar_of((large, b"x\n" * 1024 * 1024)))
    small = tarfile.TarInfo("a")
    small.size = 2
    assert "-x" in compared(tar_of((small, b"x\n")))
    with pytest.raises(OzError, match="cannot be read"):
        compared(tar_of((small, b"x\n"), mode="w:gz"))
