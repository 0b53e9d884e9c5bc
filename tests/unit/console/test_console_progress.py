"""Events as a board, as lines and as JSON."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import threading
import time
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from oz_installer.console.output.live_display import LiveDisplay
from oz_installer.console.output.plain_lines import PlainLines
from oz_installer.console.output.progress import open_output, output_kind
from oz_installer.deploy.events import (
    Event,
    Message,
    NodeProgress,
    PhaseEnded,
    PhaseStarted,
    RunEnded,
    RunStarted,
    ServiceState,
)
from oz_installer.secret import MASK, Masker, Secret

CANARY = 'pass"word  with\\odd letters'
MASKER = Masker((Secret(CANARY),))


def _progress(at: float, done: int, node: str = "n1", text: str = "pulling", **more: Any) -> NodeProgress:
    fields = {"total": 9, "unit": "images", **more}
    return NodeProgress(at=at, node=node, text=text, done=done, **fields)


def _lines(*events: Event) -> list[str]:
    stream = io.StringIO()
    lines = PlainLines(stream, MASKER)
    for event in events:
        lines.on_event(event)
    lines.close()
    return stream.getvalue().splitlines()


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_lines_tell_time_node_and_progress() -> None:
    told = _lines(
        RunStarted(at=100, phases=("A", "B"), nodes=("n1", "n2")),
        PhaseStarted(at=100, phase="Pull images", number=1, of=2),
        _progress(112, 3),
        ServiceState(at=113, node="n1", service="oz-api", state="starting"),
        ServiceState(at=114, node="n1", service="oz-api", state="healthy"),
        PhaseEnded(at=115, phase="Pull images", seconds=15, outcome="done"),
        PhaseEnded(at=115, phase="Switch", seconds=0.2, outcome="done"),
        PhaseEnded(at=115, phase="Start", seconds=0.2, outcome="failed"),
        RunEnded(at=175, outcome="failed", seconds=75),
    )
    assert told == [
        "[  0 s] 2 phases on n1, n2",
        "[  0 s] phase 1 of 2: Pull images",
        "[ 12 s] n1: pulling: 3 of 9 images",
        "[ 14 s] n1: oz-api is healthy",
        "[ 15 s] Pull images: done in 15 s",
        "[ 15 s] Start: failed after 0.2 s",
        "[ 75 s] Failed after 75 s.",
    ]


def test_progress_is_told_at_most_every_five_seconds_a_node_and_the_latest_news_last() -> None:
    events = [_progress(at / 10, at, node, total=200) for at in range(120) for node in ("n1", "n2")]
    told = _lines(*events, RunEnded(at=16, outcome="done", seconds=16))
    first = [line for line in told if " n1: " in line]
    assert first == [
        "[  0 s] n1: pulling: 0 of 200 images",
        "[  5 s] n1: pulling: 50 of 200 images",
        "[ 10 s] n1: pulling: 100 of 200 images",
        "[ 16 s] n1: pulling: 119 of 200 images",
    ]


def test_a_step_whose_begin_was_told_is_told_to_its_end_at_once() -> None:
    told = _lines(_progress(0, 3), _progress(0.1, 5), _progress(0.2, 9), _progress(0.3, 9))
    assert told == ["[  0 s] n1: pulling: 3 of 9 images", "[  0 s] n1: pulling: 9 of 9 images"]


def test_what_was_held_back_does_not_come_when_its_phase_is_over() -> None:
    told = _lines(
        _progress(0, 3),
        _progress(0.1, 5),
        PhaseEnded(at=1, phase="Pull images", seconds=1, outcome="done"),
        PhaseStarted(at=1, phase="Start", number=2, of=2),
        Message(at=20, level="info", text="later"),
    )
    assert [line for line in told if "pulling" in line] == ["[  0 s] n1: pulling: 3 of 9 images"]
    assert "later" in told[-1]


def test_waiting_is_told_every_half_minute() -> None:
    events = [
        _progress(at, 0, text="waiting for oz-api, oz-redis", unit="services") for at in range(0, 100, 1)
    ]
    assert [line[:7] for line in _lines(*events)] == ["[  0 s]", "[ 30 s]", "[ 60 s]", "[ 90 s]"]


def test_a_message_keeps_its_lines_together_and_cannot_steer_the_terminal() -> None:
    told = _lines(
        Message(at=0, level="error", node="n1", text="a\x1b[31m\x1b]0;title\x07b\r\n   c\x00\x9b1m")
    )
    assert told == ["[  0 s] n1: error: ab", "[  0 s] n1:      c\ufffd\ufffd1m"]


@pytest.mark.parametrize("kind", ["lines", "json", "live"])
def test_no_secret_is_told_by_any_face(kind: Any) -> None:
    out, err = io.StringIO(), Terminal()
    told = open_output(kind, out, err, MASKER)
    for text in (CANARY, f"before {CANARY} after\nnext {CANARY}"):
        told.on_event(Message(level="warning", text=text, node="n1"))
        told.on_event(NodeProgress(node="n1", text=text))
    told.close()
    everything = out.getvalue() + err.getvalue()
    assert MASK in everything
    assert "odd letters" not in everything


def test_json_has_one_object_a_line_nothing_on_stderr_and_the_end_last() -> None:
    out, err = io.StringIO(), io.StringIO()
    told = open_output("json", out, err)
    told.on_event(RunStarted(phases=("A",), nodes=("n1",)))
    told.on_event(RunEnded(outcome="done", seconds=1))
    told.on_event(Message(level="info", text="late\nnews é"))
    told.close()
    told.close()
    events = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [event["event"] for event in events] == ["RunStarted", "Message", "RunEnded"]
    assert events[0]["phases"] == ["A"]
    assert events[1]["text"] == "late\nnews é"
    assert err.getvalue() == ""


def test_the_docs_name_every_event_with_its_fields() -> None:
    page = (Path(__file__).parents[3] / "docs" / "json.md").read_text()
    for kind in (RunStarted, PhaseStarted, PhaseEnded, NodeProgress, ServiceState, Message, RunEnded):
        (row,) = [line for line in page.splitlines() if f"`{kind.__name__}`" in line and line[0] == "|"]
        assert [field.name for field in fields(kind) if f"`{field.name}`" not in row] == ["at"]
        outcome = get_type_hints(kind).get("outcome")
        assert all(word in row for word in get_args(outcome))
    assert all(f"| `{name}` |" in page for name in ("Plan", "Summary", "Error"))


def test_a_secret_that_is_one_of_our_words_does_not_spoil_the_json() -> None:
    out = io.StringIO()
    told = open_output("json", out, io.StringIO(), Masker((Secret("done"),)))
    told.on_event(RunEnded(outcome="done", seconds=1))
    told.close()
    assert json.loads(out.getvalue())["outcome"] == "done"


@pytest.mark.parametrize("kind", ["lines", "json"])
def test_many_threads_do_not_mix_their_lines(kind: Any) -> None:
    stream = io.StringIO()
    told = open_output(kind, stream, stream)

    def talk(number: int) -> None:
        for _ in range(200):
            told.on_event(Message(level="info", node=f"n{number}", text="x" * 50))

    threads = [threading.Thread(target=talk, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told.close()
    lines = stream.getvalue().splitlines()
    assert len(lines) == 800
    assert len({len(line.split("n", 1)[1]) for line in lines if kind == "lines"}) <= 1


@pytest.mark.parametrize("kind", ["lines", "json", "live"])
def test_a_reader_that_went_away_does_not_stop_the_run(kind: Any) -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    told = open_output(kind, Gone(), Gone())
    told.on_event(RunStarted(phases=("A",), nodes=("n1",)))
    told.on_event(Message(level="info", text="hello"))
    told.on_event(RunEnded(outcome="done", seconds=1))
    told.close()


def test_a_stream_of_few_letters_gets_what_it_can_show() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    PlainLines(stream, MASKER).on_event(Message(level="info", text="café ▶"))
    assert b"caf? ?" in raw.getvalue()


@pytest.mark.parametrize(
    ("json_asked", "stream", "term", "kind"),
    [
        (True, Terminal(), "xterm", "json"),
        (False, Terminal(), "xterm", "live"),
        (False, Terminal(), "dumb", "lines"),
        (False, io.StringIO(), "xterm", "lines"),
    ],
)
def test_the_face_fits_the_stream(
    monkeypatch: pytest.MonkeyPatch, json_asked: bool, stream: io.StringIO, term: str, kind: str
) -> None:
    monkeypatch.setenv("TERM", term)
    assert output_kind(json_asked, stream) == kind


def test_a_live_run_that_is_over_at_once_never_imports_rich() -> None:
    code = (
        "import io, sys\n"
        "from oz_installer.console.output.progress import open_output\n"
        "from oz_installer.formatting.summary import summary_text\n"
        "from oz_installer.formatting.plan import plan_text\n"
        "from oz_installer.console.output.errors import print_error\n"
        "from oz_installer.deploy.events import *\n"
        "err = io.StringIO()\n"
        "told = open_output('live', sys.stdout, err)\n"
        "told.on_event(RunStarted(phases=('A',), nodes=('n1',)))\n"
        "told.on_event(Message(level='warning', text='hm'))\n"
        "told.on_event(RunEnded(outcome='nothing to do', seconds=0.6))\n"
        "told.close()\n"
        "print([name for name in ('rich', 'textual', 'paramiko', 'docker') if name in sys.modules])\n"
        "print(repr(err.getvalue()))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n'warning: hm\\nNothing to do; checked in 0.6 s.\\n'\n"


@pytest.mark.parametrize("no_color", ["", "1"])
def test_the_live_display_appears_and_leaves_only_what_matters(
    monkeypatch: pytest.MonkeyPatch, no_color: str
) -> None:
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setenv("TERM", "xterm-256color")
    stream = Terminal()
    live = LiveDisplay(stream, MASKER, delay=0.01)
    live.on_event(RunStarted(phases=("Pull images",), nodes=("n1",)))
    live.on_event(PhaseStarted(phase="Pull images", number=1, of=1))
    live.on_event(_progress(time.time(), 3))
    live.on_event(Message(level="warning", text="[red]not markup[/]", node="n1"))
    deadline = time.monotonic() + 10
    while "3 of 9 images" not in stream.getvalue() and time.monotonic() < deadline:
        time.sleep(0.01)
    live.on_event(ServiceState(node="n1", service="oz-api", state="unhealthy"))
    live.on_event(RunEnded(outcome="failed", seconds=3))
    live.close()
    live.close()
    live.on_event(Message(level="info", text="too late"))
    text = stream.getvalue()
    assert "Phase 1 of 1: Pull images" in text
    assert "3 of 9 images" in text
    assert "n1: warning: [red]not markup[/]" in text
    assert "n1: error: oz-api is unhealthy" in text
    assert text.endswith("Failed after 3.0 s.\n")
    assert ("\x1b[31m" in text or "\x1b[33m" in text) == (not no_color)
