"""A connection that is lost in any phase, a node that reboots, a run that sleeps past its lock, killed runs.

Each is tried on lab nodes, as a first installation on one and as an upgrade on another.
"""

from __future__ import annotations

import signal
import subprocess

import pytest

from tests.e2e.ground import FRESH
from tests.e2e.site import CLEAN, Outcome
from tests.e2e.stopped import MOMENTS, Moment, running
from tests.e2e.test_signals import Place, at_both, places

__all__ = ["places"]

CUT = "pkill -KILL -f '^sshd: root(@|$)|^sshd-session: root(@|$)'; true"
"""End the processes that serve connections; sshd goes on listening."""

BACK = "waiting up to 10 minutes for the node to come back"


def cut_at(place: Place, moment: Moment, how: str = CUT) -> Outcome:
    """A run whose connection is lost at a moment."""
    with running(place.path) as run:
        run.until(moment)
        place.site.on(place.node, how)
        return run.end()


def assert_undone(place: Place, ended: Outcome, before: str) -> None:
    """The run told of the loss, took all of it back, and left nothing."""
    assert ended.status == 4, (ended.status, ended.stderr)
    assert f"{place.node}: connection lost" in ended.stderr, ended.stderr
    assert "not everything" not in ended.stderr, ended.stderr
    texts = [str(event.get("text", "")) for event in ended.events]
    assert any(BACK in text for text in texts), texts
    assert place.is_again(before), place.site.shape(place.node)


def lose(place: Place, moment: str) -> None:
    place.prepare()
    before = place.site.shape(place.node)
    assert_undone(place, cut_at(place, MOMENTS[moment]), before)


def test_never_reconnected_a_lost_connection(places: tuple[Place, Place]) -> None:
    """The first installation loses it in a job, the upgrade while the API starts."""

    def work(place: Place) -> None:
        lose(place, "a job" if place.node == FRESH else "starting")

    at_both(places, work)


@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS)
def test_never_reconnected_in_every_phase(places: tuple[Place, Place], moment: str) -> None:
    def work(place: Place) -> None:
        lose(place, moment)
        place.goes_on()

    at_both(places, work)


@pytest.mark.slow
def test_never_reconnected_a_node_that_reboots(places: tuple[Place, Place]) -> None:
    """A node of the lab is a container; its containers start again with their engine."""

    def work(place: Place) -> None:
        place.prepare()
        before = place.site.shape(place.node)
        container = f"{place.site.lab.prefix}-{place.node}"
        with running(place.path) as run:
            run.until(MOMENTS["starting"])
            subprocess.run(["docker", "restart", "--time", "5", container], check=True, capture_output=True)
            ended = run.end()
        assert_undone(place, ended, before)
        place.goes_on()

    at_both(places, work)


@pytest.mark.slow
def test_lost_lock_a_run_that_sleeps_past_its_lock(places: tuple[Place, Place]) -> None:
    """Another run takes over and succeeds; the first wakes up and leaves all of it alone."""

    def work(place: Place) -> None:
        place.prepare()
        with running(place.path) as asleep:
            asleep.until(MOMENTS["starting"])
            asleep.send(signal.SIGSTOP)
            place.site.on(place.node, "touch -d '40 minutes ago' /opt/oz/lock /opt/oz/lock/*")
            done = place.site.install(place.path)
            assert done.status == 0, done.stderr
            before = place.site.state(place.node)
            asleep.send(signal.SIGCONT)
            ended = asleep.end()
        assert ended.status == 5, (ended.status, ended.stderr)
        assert "another run has taken over the node" in ended.stderr
        assert place.site.state(place.node) == before
        place.goes_on()

    at_both(places, work)
    places[1].site.on(FRESH, CLEAN)
