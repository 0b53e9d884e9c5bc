"""The feed wakes rarely and loses no event; the view of a run keeps a bounded log per node."""

from __future__ import annotations

import threading

from oz_installer.deploy.events import Message, NodeProgress, PhaseStarted, RunEnded, RunStarted
from oz_installer.tui.views.event_feed import MOST, PACE, EventFeed, LoggedEvent
from oz_installer.tui.views.run_progress import KEPT, RunProgress
from tests.tui.running import NODES, run_events


def view_of(feed: EventFeed) -> RunProgress:
    """Apply everything that waits in a feed."""
    view, more = RunProgress(), True
    while more:
        events, more = feed.take()
        assert len(events) <= MOST
        view.apply(events)
    return view


def test_many_threads_wake_once_and_nothing_is_lost() -> None:
    wakes: list[object] = []
    feed = EventFeed()
    feed.wake = wakes.append

    def put(number: int) -> None:
        for place in range(200):
            feed.put(Message(at=1, level="info", text=f"{number}-{place}", node="a"))

    threads = [threading.Thread(target=put, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(wakes) == 1
    taken: list[LoggedEvent] = []
    more = True
    while more:
        events, more = feed.take()
        taken += events
    assert len(taken) == 800
    assert [one.lines[0] for one in taken if "a: 2-" in one.lines[0]] == [f"a: 2-{n}" for n in range(200)]
    feed.put(Message(at=1, level="info", text="again"))
    assert len(wakes) == 2


def test_the_screen_waits_its_time() -> None:
    now = 5.0
    feed = EventFeed(clock=lambda: now)
    assert feed.delay() == 0
    feed.take()
    assert abs(feed.delay() - PACE) < 0.001
    now += PACE
    assert feed.delay() < 0.001


def test_a_log_is_a_ring_and_has_no_escapes() -> None:
    feed = EventFeed()
    for number in range(KEPT + 500):
        feed.put(Message(at=1000 + number, level="info", text=f"\x1b[31mline {number}\x07", node="api1"))
    log = view_of(feed).log("api1")
    assert len(log) == KEPT
    assert log[-1][0].endswith(f"line {KEPT + 499}\ufffd")
    assert "\x1b" not in "".join(text for text, _ in log)


def test_lanes_have_rates_and_fit() -> None:
    feed = EventFeed()
    for event in run_events(end=False):
        feed.put(event)
    view = view_of(feed)
    assert view.nodes == NODES
    for width in (50, 73, 110):
        rows = [text for text, _ in view.lanes(1010, width)]
        assert max(map(len, rows)) <= max(width, 70)
    assert "120 of 480 MB · 30.0 MB/s" in view.lanes(1010, 110)[0][0]
    assert "warning: the registry is slow" in view.log("api1")[-1][0]
    assert "warning" not in "".join(text for text, _ in view.log("bio1"))


def test_a_download_that_begins_again_has_a_new_rate() -> None:
    view, feed = RunProgress(), EventFeed()
    for at, done in ((1, 100), (2, 900), (3, 0), (5, 400)):
        feed.put(NodeProgress(at=at, node="a", text="pulling", done=done, total=1000, unit="bytes"))
    view = view_of(feed)
    assert "200 B/s" in view.lanes(6, 110)[0][0]


def test_a_node_that_the_last_phase_did_not_touch_is_done_all_the_same() -> None:
    *events, ended = run_events()
    feed = EventFeed()
    for event in (*events, PhaseStarted(at=1072, phase="Verify", number=4, of=4), ended):
        feed.put(event)
    assert [text.split() for text, _ in view_of(feed).lanes(1080, 110)] == [[name, "done"] for name in NODES]


def test_a_node_that_told_nothing_in_the_last_phase_is_done_with_the_rest() -> None:
    feed = EventFeed()
    feed.put(RunStarted(at=1, phases=("Verify",), nodes=("a",)))
    feed.put(PhaseStarted(at=2, phase="Verify", number=1, of=1))
    assert view_of(feed).lanes(now=3, width=80)[0][0].split() == ["a", "waiting"]
    feed.put(RunStarted(at=1, phases=("Verify",), nodes=("a",)))
    feed.put(RunEnded(at=3, outcome="done", seconds=2))
    assert view_of(feed).lanes(now=3, width=80)[0][0].split() == ["a", "done"]
