"""One installation after another from changing answers, each held against what it should touch."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from tests.e2e.site import Outcome, Site, write_answers
from tests.e2e.works import assert_all_well, assert_works


class Variant:
    """Answers and the site that they are installed on."""

    def __init__(self, site: Site, folder: Path, document: dict[str, Any]) -> None:
        self.site = site
        self.folder = folder
        self.document = document
        self.path = folder / "answers.yml"

    def containers(self) -> dict[str, str]:
        """Of every node of the lab, by ``node/name``."""
        nodes = [f"node{number}" for number in range(1, self.site.count + 1)]
        return {f"{node}/{name}": made for node in nodes for name, made in self.site.containers(node).items()}

    def install(self, *flags: str, expect: int = 0, **changes: Any) -> tuple[Outcome, set[str]]:
        """Change the answers and install; what it said, and the containers that differ afterwards."""
        self.document.update(changes)
        write_answers(self.folder, self.document)
        before, began = self.containers(), time.monotonic()
        outcome = self.site.install(self.path, *flags)
        seconds, after = time.monotonic() - began, self.containers()
        touched = {name for name in {*before, *after} if before.get(name) != after.get(name)}
        print(f"{changes or 'run'}: exit {outcome.status}, {seconds:.1f} s, {sorted(touched)}")
        assert outcome.status == expect, outcome.stderr
        return outcome, touched

    def fresh(self) -> None:
        """Install on clean nodes; it works, and a second run has nothing to do."""
        self.install()
        self.works()
        outcome, touched = self.install()
        assert "Nothing to do" in outcome.stdout
        assert not touched

    def works(self) -> None:
        """Healthy, and a whole analysis goes through."""
        assert_all_well(self.site, self.path)
        assert_works(self.site, self.path, self.document)

    def change_updater(self, node: str) -> None:
        """One setting of one service: nothing else is touched."""
        _, touched = self.install(updater={**self.document["updater"], "period": 7000})
        assert touched == {f"{node}/oz-bio-updater"}

    def nodes_with(self, **changes: dict[str, Any]) -> list[dict[str, Any]]:
        """The nodes of the answers with some answers of some of them changed."""
        return [{**node, **changes.get(node["name"], {})} for node in self.document["nodes"]]
