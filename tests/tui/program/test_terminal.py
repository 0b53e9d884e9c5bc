"""The program in a terminal: how it opens, and that no exit loses input or shows a password."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from oz_installer.answers.drafts.store import SavedDraft, list_drafts, load_draft
from tests.tui.terminal import Terminal, terminal

CANARY = "canary-Pa55w0rd"
PARTIAL = """\
version: 1
scenario: poc
nodes: [{name: oz1, host: 10.0.0.11}]
components: {bio_updater: false}
"""
DATABASE = """\
public_url: https://oz.example.com
database: {host: db.example.com}
"""


def kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> SavedDraft:
    """The one draft that is there."""
    monkeypatch.setenv("XDG_STATE_HOME", str(folder / "state"))
    (draft,) = list_drafts()
    assert CANARY not in draft.path.read_text()
    return draft


def typed_in(folder: Path, one: Terminal) -> None:
    """A workload and a password."""
    one.wait_for("New installation")
    one.send("\x0e")
    one.wait_for("Analyses per minute")
    one.send("17")


@pytest.mark.parametrize(
    ("way", "code"),
    [("\x03", 130), ("\x11", 0), (signal.SIGTERM, 130), (signal.SIGHUP, 130), ("closed", 130)],
    ids=["ctrl-c", "ctrl-q", "sigterm", "sighup", "closed"],
)
def test_every_way_out_keeps_a_draft(
    way: str | signal.Signals, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with terminal([], tmp_path) as one:
        typed_in(tmp_path, one)
        if way not in ("\x03", "\x11"):
            one.wait_for("not saved")  # keys come in order, a signal does not wait for them
        if isinstance(way, signal.Signals):
            one.process.send_signal(way)
        elif way == "closed":
            one.hang_up()
        else:
            one.send(way)
        assert one.ended() == code
        if way != "closed":
            assert "Your answers are kept as a draft" in one.text
            assert "Traceback" not in one.text
    draft = kept(tmp_path, monkeypatch)
    assert draft.target == tmp_path / "answers.yml"
    assert (draft.step, load_draft(draft).get("workload.apm")) == ("workload", 17)


def test_a_terminal_that_closes_does_not_keep_what_is_at_work_from_ending(tmp_path: Path) -> None:
    with terminal([], tmp_path, module="tests.tui.held") as one:
        one.wait_for("held")
        one.hang_up()
        assert one.ended() == 130


def test_what_a_closed_terminal_left_is_continued(tmp_path: Path) -> None:
    with terminal([], tmp_path) as one:
        typed_in(tmp_path, one)
        one.send("\t\t12.5")
        one.send("\x13")
        one.wait_for("Save the answers")  # so all keys before it were handled
        one.hang_up()
        assert one.ended() == 130
    with terminal([], tmp_path) as one:
        one.wait_for("Continue answers.yml")
        one.send("\r")
        one.wait_for("recommended")
        one.send("\x13")
        one.wait_for("Save the answers")
        one.send("\r")
        one.wait_for("Saved to")
        one.send("\x11")
        assert one.ended() == 0
    kept = (tmp_path / "answers.yml").read_text()
    assert "apm: 17" in kept
    assert "media_mb: 12.5" in kept
    assert not list((tmp_path / "state").rglob("*.json")), "the draft has done its work"


def test_what_cannot_be_kept_is_told(tmp_path: Path) -> None:
    with terminal([], tmp_path, XDG_STATE_HOME="/proc/nowhere") as one:
        typed_in(tmp_path, one)
        one.wait_for("not saved")
        one.process.send_signal(signal.SIGTERM)
        assert one.ended() == 130
        assert "warning: these answers were not saved and are lost" in one.text


def test_a_disk_that_never_answers_does_not_keep_the_program(tmp_path: Path) -> None:
    with terminal([], tmp_path, module="tests.tui.stuck") as one:
        one.wait_for("Analyses per minute")
        one.send("17\x11")
        assert one.ended() == 0
        assert "lost: no draft was saved within" in one.text


def test_an_incomplete_file_is_asked_about(tmp_path: Path) -> None:
    (tmp_path / "partial.yml").write_text(PARTIAL)
    with terminal(["--answers", "partial.yml"], tmp_path) as one:
        one.wait_for("! Public URL is missing")
        one.send("https://oz.example.com\x13")
        one.wait_for("Saved to")
        one.send("\x11")
        assert one.ended() == 0
        file = tmp_path / "partial.yml"
        shown = f"Your answers are in {file}. To apply them: oz-install --answers {file}"
        assert shown in " ".join(one.text.split())
    assert "public_url: https://oz.example.com" in (tmp_path / "partial.yml").read_text()


def test_a_typed_password_is_in_no_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "partial.yml").write_text(PARTIAL + DATABASE)
    with terminal(["--answers", "partial.yml"], tmp_path) as one:
        one.wait_for("! Password is needed")
        one.send(f"{CANARY}\x11")
        assert one.ended() == 0
        assert CANARY not in one.seen
    assert load_draft(kept(tmp_path, monkeypatch)).missing_secrets == ("database.password",)


def test_keys_that_come_at_once_go_where_each_belongs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Input of a password manager: Tab and Enter act before the keys that follow them."""
    with terminal([], tmp_path) as one:
        one.wait_for("New installation")
        one.send("\x0e")
        one.wait_for("Analyses per minute")
        one.send("18\x7f7\t5000\r2.5\r\r90\x0e\x0eaapi1\r10.0.0.9\r \r\rroot\x0e\x11")
        assert one.ended() == 0
    working = load_draft(kept(tmp_path, monkeypatch))
    figures = [working.get(f"workload.{name}") for name in ("apm", "analyses_per_month", "media_mb")]
    assert (*figures, working.get("workload.archive_days")) == (17, 5000, 2.5, 90)
    assert working.values["nodes"] == [
        {"name": "api1", "host": "10.0.0.9", "roles": ("api",), "user": "root"}
    ]


def test_without_colours_the_screen_is_grey(tmp_path: Path) -> None:
    import re

    with terminal([], tmp_path, NO_COLOR="1", COLORTERM="truecolor") as one:
        one.wait_for("New installation")
        one.send("\x11")
        one.ended()
        colours = re.findall(r"[34]8;2;(\d+);(\d+);(\d+)", one.seen)
    assert colours
    assert all(red == green == blue for red, green, blue in colours)
