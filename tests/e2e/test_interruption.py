"""How long the API does not answer while a setting of it is changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.ground import LEAN
from tests.e2e.site import Site, write_answers
from tests.e2e.url_watch import asking
from tests.e2e.works import assert_all_well, different

pytestmark = pytest.mark.slow

ONE_UP = """
cd /opt/oz/current && names=$(docker ps --format '{{.Names}}' | grep -e '^oz-api$' -e '^oz-celery-')
up="up -d --no-deps --force-recreate"
docker compose -p oz --project-directory /opt/oz/current -f compose.yaml $up $names 2>&1
until curl -fsS -o /dev/null http://127.0.0.1:8880/api/version 2>/dev/null; do sleep 0.1; done
"""


def test_the_api_is_down_for_its_own_stop_and_start_only(clean: Site, tmp_path: Path) -> None:
    """OWN-UP: half of what one ``compose up`` of the API and its queues takes, give or take a moment."""
    document = clean.answers("poc-1", components=LEAN)
    path = write_answers(tmp_path, document)
    fresh = clean.install(path)
    assert fresh.status == 0, fresh.stderr
    url = f"{document['public_url']}/api/version"

    with asking(url) as together:
        clean.on("node1", ONE_UP)
    assert together.answers > 1

    before = {"node1": clean.containers("node1")}
    document["extra"] = {"config": {"TEST_OF_AN_INTERRUPTION": 1}}
    write_answers(tmp_path, document)
    with asking(url) as ours:
        changed = clean.install(path)
    assert changed.status == 0, changed.stderr
    recreated = different(before, {"node1": clean.containers("node1")})
    assert {"oz-api", "oz-celery-default", "oz-celery-beat"} <= recreated
    assert_all_well(clean, path)
    print(f"longest interruption: one up {together.longest:.1f} s, ours {ours.longest:.1f} s")
    assert ours.longest < together.longest / 2 + 0.5
