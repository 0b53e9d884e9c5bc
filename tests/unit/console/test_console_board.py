"""The live board's lines, and the small words of events."""

from __future__ import annotations

import pytest

from oz_installer.deploy.events import Event, NodeProgress, PhaseEnded, PhaseStarted, RunStarted
from oz_installer.formatting.events import count_text
from oz_installer.formatting.progress_board import ProgressBoard, bar


def _board(*events: Event) -> ProgressBoard:
    board = ProgressBoard()
    for event in events:
        board.apply(event)
    return board


def test_the_board_shows_phase_nodes_bars_and_times() -> None:
    board = _board(
        RunStarted(at=0, phases=("Connect", "Pull images"), nodes=("n1", "n2", "n3")),
        PhaseStarted(at=0, phase="Connect", number=1, of=2),
        PhaseEnded(at=2, phase="Connect", seconds=2, outcome="done"),
        PhaseStarted(at=2, phase="Pull images", number=2, of=2),
        NodeProgress(at=5, node="n1", text="pulling", done=9, total=9, unit="images"),
        NodeProgress(at=5, node="n2", text="uploading", done=6_000_000, total=12_000_000, unit="bytes"),
    )
    assert board.lines(72, 80, 24) == [
        "Phase 2 of 2: Pull images                              ━━━━━━━━━┄┄┄   75%   1:12",
        "  n1  pulling                             ━━━━━━━━━━━━  9 of 9 images       0:03",
        "  n2  uploading                           ━━━━━━┄┄┄┄┄┄  6.0 of 12.0 MB      1:10",
        "  n3  waiting",
    ]
    assert all(line.isascii() for line in board.lines(72, 80, 24, ascii=True))


@pytest.mark.parametrize(("width", "height"), [(80, 24), (40, 10), (200, 50), (10, 2)])
def test_the_board_keeps_to_its_room(width: int, height: int) -> None:
    nodes = tuple(f"a-node-with-a-rather-long-name-{i}" for i in range(50))
    board = _board(
        RunStarted(at=0, phases=("A",), nodes=nodes),
        PhaseStarted(at=0, phase="A very long name of a phase " * 4, number=1, of=1),
        *(
            NodeProgress(at=1, node=node, text="word " * 30, done=1, total=3, unit="services")
            for node in nodes
        ),
    )
    lines = board.lines(100_000, width, height)
    assert len(lines) <= max(height, 2)
    assert max(map(len, lines)) <= width
    assert len(lines) == 51 or "more nodes"[: width - 9] in lines[-1]


def test_small_words() -> None:
    assert (bar(0, 4, True), bar(0.5, 4, True), bar(1, 4, False)) == ("....", "##..", "━━━━")
    assert count_text(NodeProgress(node="n", text="t")) == ""
    assert count_text(NodeProgress(node="n", text="t", done=5, unit="services")) == "5 services"
    assert (
        count_text(NodeProgress(node="n", text="t", done=900, total=2000, unit="bytes")) == "900 B of 2.0 kB"
    )
