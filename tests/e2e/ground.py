"""A lab on which one node carries a small working installation and another nothing, to try faults on."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.site import CLEAN, Outcome, Site, write_answers

LEAN = {"statistic": False, "web_ui": False, "monitoring": False}
INSTALLED, FRESH, BOTH = "node1", "node2", "both"
Document = dict[str, Any]


@dataclass(frozen=True)
class Ground:
    """node1 carries a working installation, node2 nothing."""

    site: Site
    folder: Path

    def document(self, node: str, **changes: Any) -> Document:
        """Answers for one node; ``changes`` replace top-level keys. All share a database and its accounts."""
        found = self.site.answers("poc-2")
        nodes = [one for one in found["nodes"] if one["name"] == node]
        host = nodes[0]["host"]
        found |= {"nodes": nodes, "public_url": f"http://{host}:8880", "components": LEAN}
        return {**found, **changes}

    def both(self) -> Document:
        """Answers that change the installed node and install on the fresh one."""
        return {**self.document(INSTALLED), "nodes": self.site.answers("poc-2")["nodes"]}

    def write(self, document: Document, name: str) -> Path:
        """Write answers to where that name's lie. All have the installed node's secrets: for both nodes they
        must be those, and a second node shares its database, where the administrator is already."""
        kept = self.folder / f"{INSTALLED}.secrets.json"
        if name != INSTALLED and kept.exists():
            shutil.copy2(kept, self.folder / f"{name}.secrets.json")
        return write_answers(self.folder, document, f"{name}.yml")

    def ready(self) -> None:
        """Install on the one node, or repair it, and empty the other."""
        if not (self.folder / f"{INSTALLED}.secrets.json").exists():
            self.site.clean()  # what another session left there has passwords that we do not know
        self.site.on(FRESH, CLEAN)
        path = self.write(self.document(INSTALLED), INSTALLED)
        done = self.site.install(path)
        if done.status == 2 and "--new-secrets" in done.stderr:  # so has what other tests left there since
            self.site.clean()
            done = self.site.install(path)
        assert done.status == 0, done.stderr

    def state(self) -> dict[str, str]:
        """Both nodes as they are."""
        return {node: self.site.state(node) for node in (INSTALLED, FRESH)}

    def refused(self, document: Document, status: int, words: Sequence[str], *flags: str) -> Outcome:
        """Run with a fault: one clear message, the right code, and both nodes exactly as they were."""
        before = self.state()
        ended = self.site.install(self.write(document, BOTH), *flags)
        assert_told(ended, status, words)
        assert self.state() == before
        return ended


def assert_told(ended: Outcome, status: int, words: Sequence[str]) -> None:
    """The exit code, every word on stderr, a hint, no traceback, and a clean stdout."""
    assert ended.status == status, ended.stderr
    for word in words:
        assert word in ended.stderr, ended.stderr
    assert "\nhint: " in "\n" + ended.stderr, ended.stderr
    assert "Traceback" not in ended.stderr, ended.stderr
    assert ended.stdout == ""
