"""A run that is stopped, killed or loses its terminal leaves nothing behind that the next run cannot mend.

Each is tried as a first installation on one node and as an upgrade of a working one on another, at once.
"""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from signal import SIGHUP, SIGINT, SIGKILL, SIGTERM, Signals

import pytest

from oz_installer.lab import fresh_database
from tests.e2e.ground import FRESH, INSTALLED, LEAN, Document
from tests.e2e.site import CLEAN, Site, write_answers
from tests.e2e.stopped import (
    MOMENTS,
    PULLING,
    assert_stopped,
    heard,
    in_a_terminal,
    running,
    silent_server,
    stop,
)
from tests.e2e.works import assert_all_well

ASKING = (SIGINT, SIGTERM, SIGHUP)
AT_ONCE_SECONDS = 6.0
RANDOM_MOMENTS = 8
LAST_MOMENT = "verifying"
TRIES = 5
UNTOUCHED, TAKEN_BACK = "nothing was changed", "the changes of this run were rolled back"
WHOLE = (
    "cd /opt/oz 2>/dev/null || exit 0; [ -L current ] || exit 0; "
    "cd current/ && sha256sum -c --quiet --strict manifest && test -s record.json"
)

CLEANED_SECONDS = 30.0
"""A check on a node notices that nobody listens any more, and removes its container."""


@dataclass
class Place:
    """A node with answers of its own, and a database of its own, to install, upgrade and stop on."""

    site: Site
    node: str
    folder: Path
    database: Document
    changes: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def path(self) -> Path:
        """The answers."""
        return self.folder / f"{self.node}.yml"

    def write(self, **extra: object) -> None:
        """Write answers, with these among the vendor's settings."""
        found = self.site.answers("poc-2", database=self.database, components=LEAN, extra={"config": extra})
        nodes = [one for one in found["nodes"] if one["name"] == self.node]
        document = {**found, "nodes": nodes, "public_url": f"http://{nodes[0]['host']}:8880"}
        write_answers(self.folder, document, self.path.name)

    def prepare(self) -> None:
        """Have something to do for every stage: all of it, or an upgrade of what works."""
        if self.node == FRESH:
            self.site.on(FRESH, CLEAN)
            self.write()
        else:  # that job has to run again, and who reads config.py starts anew
            self.site.on(INSTALLED, "rm -f /opt/oz/state/jobs/oz-init-db")
            self.write(CHANGE=next(self.changes))

    def stopped(self, moment: str, number: Signals) -> None:
        """Stop a run; the node has the shape that it had before."""
        for _ in range(TRIES):
            before = self.site.shape(self.node)
            ended = stop(self.path, MOMENTS[moment], number)
            if ended.status != 0 or moment != LAST_MOMENT:
                break
            self.whole()  # the last phase was quicker than our signal
            self.prepare()
        assert_stopped(ended, TAKEN_BACK)
        assert self.site.shape(self.node) == before

    def is_again(self, before: str) -> bool:
        """Whether the node has this shape, once a check that was under way has cleaned up."""
        end = time.monotonic() + CLEANED_SECONDS
        while (found := self.site.shape(self.node)) != before and time.monotonic() < end:
            time.sleep(0.2)
        return found == before

    def whole(self) -> None:
        """What is current is complete, to the last file."""
        self.site.on(self.node, WHOLE)

    def goes_on(self, dead: bool = False) -> None:
        """The very same command finishes, taking over the lock of a dead run; then nothing is left to do."""
        held = bool(self.site.on(self.node, "cat /opt/oz/lock/run 2>/dev/null; true").strip())
        again = self.site.install(self.path)
        assert again.status == 0, again.stderr
        assert ("took over the lock of a run that died" in again.stderr) == (dead and held), again.stderr
        self.whole()
        assert_all_well(self.site, self.path)
        third = self.site.install(self.path)
        assert (third.status, third.stdout) == (0, "Nothing to do on 1 node.\n"), third.stderr


@pytest.fixture(scope="module")
def places(site: Site, tmp_path_factory: pytest.TempPathFactory) -> tuple[Place, Place]:
    """The one place with a working installation, the other with nothing."""
    site.clean()
    made = []
    for node in (INSTALLED, FRESH):
        folder = tmp_path_factory.mktemp(node)
        password, name = folder / "db_password", f"signals_{node}"
        password.touch(mode=0o600)
        password.write_text(fresh_database(site.lab, name).reveal())
        host = str(site.lab.database_address)
        database = {"host": host, "name": name, "user": name, "password": {"file": str(password)}}
        made.append(Place(site, node, folder, {**database, "sslmode": "require"}))
    working, fresh = made
    working.write()
    done = site.install(working.path)
    assert done.status == 0, done.stderr
    return working, fresh


def at_both(places: Sequence[Place], work: Callable[[Place], None]) -> None:
    """The same at both places at once."""
    with ThreadPoolExecutor(len(places)) as pool:
        list(pool.map(work, places))


@pytest.mark.parametrize("number", ASKING)
def test_stopped_while_connecting(places: tuple[Place, Place], tmp_path: Path, number: Signals) -> None:
    document = places[0].site.answers("poc-1")
    with silent_server() as (port, wait_for_one):
        document["nodes"][0].update(host="127.0.0.1", port=port)
        with running(write_answers(tmp_path, document)) as run:
            wait_for_one()
            sent = time.monotonic()
            run.send(number)
            assert_stopped(run.end(), UNTOUCHED)
            assert time.monotonic() - sent < AT_ONCE_SECONDS


def test_stopped_left_and_killed(places: tuple[Place, Place]) -> None:
    """A wish to stop is taken back; a second Ctrl-C and kill -9 leave things for the next run to mend."""

    def work(place: Place) -> None:
        fresh = place.node == FRESH
        place.prepare()
        place.stopped("sending", SIGTERM)
        place.stopped("a job" if fresh else "waiting for health", SIGINT if fresh else SIGHUP)
        with running(place.path) as run:
            run.until(MOMENTS["starting"])
            if fresh:
                run.send(SIGINT)
                run.until(heard)
            sent = time.monotonic()
            run.send(SIGINT if fresh else SIGKILL)
            ended = run.end()
            assert time.monotonic() - sent < AT_ONCE_SECONDS
        assert ended.status == (130 if fresh else -SIGKILL)
        if fresh:
            assert "exited at once during «Start the API and its queues»" in ended.stderr
            assert f"its changes so far and its lock remain on {FRESH}" in ended.stderr
            assert "hint: Run the same command again to resume. That run takes over the lock" in ended.stderr
            assert "Traceback" not in ended.stderr
        place.goes_on(dead=True)

    at_both(places, work)


# --- the wider sweep -----------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS)
def test_stopped_at(places: tuple[Place, Place], moment: str) -> None:
    number = ASKING[list(MOMENTS).index(moment) % len(ASKING)]

    def work(place: Place) -> None:
        place.prepare()
        place.stopped(moment, number)
        place.goes_on()

    at_both(places, work)


@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_at(places: tuple[Place, Place], moment: str) -> None:
    def work(place: Place) -> None:
        place.prepare()
        ended = stop(place.path, MOMENTS[moment], SIGKILL)
        assert ended.status == -SIGKILL or (ended.status, moment) == (0, LAST_MOMENT), ended.stderr
        place.whole()
        place.goes_on(dead=True)

    at_both(places, work)


@pytest.mark.slow
def test_stopped_at_random_moments(places: tuple[Place, Place]) -> None:
    """OZ_SEED repeats a run."""
    seed = int(os.environ.get("OZ_SEED") or random.randrange(10**6))  # noqa: S311 - moments, not secrets
    print(f"OZ_SEED={seed}")

    def work(place: Place) -> None:
        chance = random.Random(f"{seed} {place.node}")  # noqa: S311
        place.prepare()
        seconds = 15.0
        for _ in range(RANDOM_MOMENTS):
            before = place.site.shape(place.node)
            number, moment = chance.choice(ASKING), chance.uniform(0.15, seconds)
            with running(place.path) as run:
                run.send_after(moment, number)
                ended = run.end()
                lasted = time.monotonic() - run.began
            failed = [one["seen"] for one in ended.events if one.get("level") == "failure"]
            told = f"{ended.status} {ended.stderr[:90]!r} {failed or ''}"
            print(f"{place.node}: {number.name} after {moment:.2f} s: {told}")
            if ended.status == 0:
                seconds = min(seconds, lasted)
                place.prepare()
                continue
            assert_stopped(ended, "")
            assert place.is_again(before), (number, moment, place.site.shape(place.node))
        place.goes_on()

    at_both(places, work)


@pytest.mark.slow
def test_a_terminal_that_closes(places: tuple[Place, Place]) -> None:
    for place in places:
        place.prepare()
        before = place.site.shape(place.node)
        assert in_a_terminal(place.path, "Start the API") == 130
        assert place.site.shape(place.node) == before
        place.goes_on()


HANGING_REGISTRY = (
    "import socket, time; s = socket.create_server(('127.0.0.1', 5000)); kept = []\n"
    "while True: kept.append(s.accept())"
)


@pytest.mark.slow
def test_stopped_while_an_image_does_not_come(places: tuple[Place, Place]) -> None:
    def work(place: Place) -> None:
        place.prepare()
        path = place.folder / "pulling.yml"
        text = place.path.read_text()
        path.touch(mode=0o600)
        path.write_text(f"{text}images: {{oz-redis: '127.0.0.1:5000/hanging:1'}}\n")
        if (secrets := place.path.with_suffix(".secrets.json")).exists():
            shutil.copy2(secrets, path.with_suffix(".secrets.json"))
        place.site.on(
            place.node, f'setsid python3 -c "{HANGING_REGISTRY}" >/dev/null 2>&1 & echo $! > /run/hang'
        )
        try:
            before = place.site.shape(place.node)
            # the preflight would not let such a registry pass
            assert_stopped(stop(path, PULLING, SIGINT, "--skip-checks"), TAKEN_BACK)
            assert place.site.shape(place.node) == before
        finally:
            place.site.on(place.node, "kill $(cat /run/hang); rm /run/hang")
        place.goes_on()

    at_both(places, work)
