"""Two api nodes of the lab as the preflight and the wizard's tests see them."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oz_installer.answers.drafts.working_copy import WorkingCopy
from oz_installer.answers.file import parse_file, read
from oz_installer.checks.context import Finding
from oz_installer.checks.runner import LIMIT_SECONDS
from oz_installer.installation.check import run_preflight
from oz_installer.installation.nodes.connect import transport_opener
from oz_installer.installation.platform import OpenTransport
from oz_installer.installation.wizard.probe import NodeProbe, probe_nodes, probe_section
from oz_installer.lab.database import psql
from oz_installer.lab.files import SMALL
from tests.e2e.site import Site, write_answers

SHARE = {"type": "path", "path": "/mnt/oz"}
TOUCHED = (
    "/mnt/oz d ",
    "/srv d ",
    "/opt d ",
    "/etc/ssh/sshd_config.d d ",
    "/etc/machine-id f ",
    "/etc/containers d ",  # it gets the folder of networks
    "/etc/containers/networks d ",
)
"""What has another time after something was written there and taken back."""


BOTH = ("node1", "node2")

IN_TIME = LIMIT_SECONDS + 5
"""A preflight has so many seconds for all checks, and some to begin and to end."""

BOTH_API = [{"roles": ["api"]}, {"roles": ["api", "bio"]}]


@dataclass
class Bench:
    """Two api nodes, one of them with the BIO, and answers for them."""

    site: Site
    folder: Path

    def answers(self, **changes: Any) -> Path:
        """Answers that share media at /mnt/oz; ``changes`` replace top-level keys."""
        document = self.site.answers("medium-2", storage=SHARE)
        document["nodes"] = [{**node, **more} for node, more in zip(document["nodes"], BOTH_API, strict=True)]
        return write_answers(self.folder, {**document, **changes})

    def opener(self, path: Path) -> Callable[..., Any]:
        """What opens connections for these answers."""
        known = parse_file(path).values.get("known_hosts")
        return functools.partial(transport_opener(), base=path.parent, known_hosts=known)

    def check(self, **changes: Any) -> dict[str, Finding]:
        """All findings of a preflight by id; they are there in time."""
        path = self.answers(**changes)
        loaded = read(path)
        told: list[Finding] = []
        began = time.monotonic()
        run_preflight(loaded, path, self.opener(path), told.append, threading.Event())
        print(f"examine: {time.monotonic() - began:.2f} s, {len(told)} findings")
        assert time.monotonic() - began < IN_TIME
        assert self.site.lab.database_password.read_text().strip() not in repr(told)
        return {one.id: one for one in told}

    def database(self, **changes: Any) -> dict[str, Finding]:
        """What the wizard's test of the database says."""
        path, told = self.answers(**changes), list[Finding]()
        draft = WorkingCopy.of(parse_file(path))
        probe_section("database", draft, path, self.opener(path), told.append, threading.Event())
        return {one.id: one for one in told}

    def storage(self, **changes: Any) -> dict[str, Finding]:
        """What the wizard's test of the storage says."""
        path, told = self.answers(**changes), list[Finding]()
        draft = WorkingCopy.of(parse_file(path))
        probe_section("storage", draft, path, self.opener(path), told.append, threading.Event())
        return {one.id: one for one in told}

    def nodes(self, *names: str, opener: OpenTransport | None = None, **changes: Any) -> dict[str, NodeProbe]:
        """What the wizard's test of nodes says."""
        path, told = self.answers(**changes), list[NodeProbe]()
        draft = WorkingCopy.of(parse_file(path))
        probe_nodes(draft, path, names, opener or self.opener(path), told.append, threading.Event())
        return {one.node: one for one in told}

    def sql(self, text: str) -> None:
        """As the superuser."""
        psql(self.site.lab, text)

    @contextmanager
    def during(self, node: str, script: str, mend: str) -> Iterator[None]:
        """Something wrong on a node for a while."""
        self.site.on(node, script)
        try:
            yield
        finally:
            self.site.on(node, mend)


def bad(found: Mapping[str, Finding], *, but: Sequence[str] = SMALL) -> dict[str, str]:
    """What is not ok, but for what a small lab machine lacks."""
    return {
        name: one.level
        for name, one in found.items()
        if one.level != "ok" and name.partition("/")[0] not in but
    }


def both(name: str, level: str) -> dict[str, str]:
    """The same on either node."""
    return {f"{name}/{node}": level for node in BOTH}


def of(found: dict[str, Finding], check: str) -> dict[str, Finding]:
    """Those of one check."""
    return {name: one for name, one in found.items() if one.check == check}


def secret_file(bench: Bench, name: str, text: str) -> dict[str, str]:
    """A secret as answers refer to it."""
    path = bench.folder / name
    path.touch(mode=0o600)
    path.write_text(text)
    return {"file": str(path)}
