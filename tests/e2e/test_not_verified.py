"""What does not work is not called well: it is verified again, made again, or not called checked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.ground import LEAN
from tests.e2e.site import Site, write_answers
from tests.e2e.works import assert_all_well, assert_works

pytestmark = pytest.mark.slow


@contextmanager
def rule(site: Site, text: str) -> Iterator[None]:
    """A rule of node1's packet filter."""
    site.on("node1", f"iptables -I {text}")
    try:
        yield
    finally:
        site.on("node1", f"iptables -D {text}")


def test_false_nothing_to_do(clean: Site, tmp_path: Path) -> None:
    """FALSE-NOTHING-TO-DO, in all its ways, on one installation."""
    document = clean.answers("poc-1", components=LEAN)
    del document["database"]  # the bundled one
    path = write_answers(tmp_path, document)
    fresh = clean.install(path)
    assert fresh.status == 0, fresh.stderr
    assert "not checked from outside" not in fresh.stderr
    again = clean.install(path)
    assert "Nothing to do" in again.stdout

    clean.on("node1", "docker stop -t 1 oz-celery-beat")
    with rule(clean, "OUTPUT -p tcp --dport 8880 -j REJECT --reject-with tcp-reset"):  # the node asks in vain
        for _ in range(2):
            ended = clean.install(path, "--health-timeout", "20")
            assert ended.status == 4, ended.stderr
        status = clean.run("status", "--answers", str(path))
        assert status.status == 3
        assert "! not verified" in status.stdout
        assert "to verify what runs" in status.stderr
    mended = clean.install(path)
    assert mended.status == 0, mended.stderr
    assert_all_well(clean, path)

    clean.on("node1", "docker stop -t 1 oz-celery-beat")
    with rule(clean, "FORWARD -i eth0 -p tcp --dport 8880 -j DROP"):  # users ask in vain
        ended = clean.install(path)
        status = clean.run("status", "--answers", str(path))
    assert ended.status == 0, ended.stderr
    assert f"not checked from outside: {document['public_url']}/api/version" in ended.stderr
    assert f"{document['public_url']}/api/version does not answer this workstation" in status.stdout

    clean.on("node1", "docker rm -f oz-api-pg; docker volume rm oz_api-pg")
    plan = clean.run("plan", "--answers", str(path))
    assert "oz-init-db runs once: what it made is lost" in plan.stdout + plan.stderr
    made = clean.install(path)
    assert made.status == 0, made.stderr
    assert_all_well(clean, path)
    assert_works(clean, path, document)

    clean.on("node1", "docker rm -f oz-api-pg; docker volume rm oz_api-pg")
    compose = "docker compose -p oz --project-directory /opt/oz/current -f /opt/oz/current/compose.yaml"
    clean.on("node1", f"{compose} up -d --wait --no-deps oz-api-pg 2>&1")  # by hand: all looks well
    by_hand = clean.install(path)
    assert by_hand.status == 0, by_hand.stderr
    assert "Nothing to do" not in by_hand.stdout
    assert_works(clean, path, document)
    clean.on("node1", f"{compose} up -d --wait --no-deps --force-recreate oz-api-pg 2>&1")  # the same data
    assert "Nothing to do" in clean.install(path).stdout
