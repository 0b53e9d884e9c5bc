"""What make screenshots writes: no secret, nothing that is fetched, and every frame as it was."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.pictures.cast import cast
from tests.pictures.frame import Frame, Look, Run
from tests.pictures.picture_files import Album, chosen, refuse_secrets, write
from tests.pictures.svg import Shot, moving, still

PLAIN = Look(ink="#ffffff", ground="#000000")
BOLD = Look(ink="#6cb6ff", ground="#1b2129", bold=True)


def frame(*rows: str) -> Frame:
    """A frame whose rows begin with a bold letter."""
    return Frame(10, tuple((Run(0, row[:1], BOLD), Run(1, f"{row[1:]:<9}", PLAIN)) for row in rows))


def replayed(text: str) -> str:
    """What a terminal shows after all of a recording."""
    head, *events = map(json.loads, text.splitlines())
    screen = [[" "] * head["width"] for _ in range(head["height"])]
    row = column = 0
    for part in re.finditer(
        r"\x1b\[(\d+)(?:;(\d+))?H|\x1b\[[?\d;]*[a-zA-Z]|(.)", "".join(e[2] for e in events)
    ):
        if part[1]:
            row, column = int(part[1]) - 1, int(part[2] or 1) - 1
        elif part[3]:
            screen[row][column] = part[3]
            column += 1
    return "\n".join("".join(letters) for letters in screen)


def test_a_recording_ends_as_the_last_frame() -> None:
    frames = [frame("one", "two"), frame("one", "tWo"), frame("<&>", "tWo and")]
    assert replayed(cast([Shot(frame=one, seconds=1) for one in frames], "t")) == frames[-1].text


def test_pictures_are_whole_and_fetch_nothing() -> None:
    shots = [Shot(frame=frame("one  <&>", "two"), seconds=1), Shot(frame=frame("1", "two"), seconds=2)]
    for text in (still(shots[0].frame), moving(shots)):
        words = [one.text for one in ElementTree.fromstring(text).iter("{http://www.w3.org/2000/svg}text")]  # noqa: S314
        assert "<&>" in words
        assert "url(" not in text
        assert text.count("http") == 1, "but for the name of the format"
    assert moving(shots).count("<animate") == 2


def test_a_secret_in_a_picture_is_refused_and_not_named() -> None:
    with pytest.raises(ValueError, match="can be read") as told:
        refuse_secrets(["fine", "it is hunter2!"], ["other", "hunter2"])
    assert "hunter2" not in str(told.value)


def test_nothing_is_written_when_a_frame_shows_a_secret(tmp_path: Path) -> None:
    shots = [Shot(frame=frame("hunter22", "two"), seconds=1)]
    with pytest.raises(ValueError, match="none is written"):
        write(
            Album(pictures={"a": frame("x", "y")}, film=shots, reel=shots), tmp_path, ["hunter22"], every=True
        )
    assert not list(tmp_path.iterdir())


def test_all_large_dark_pictures_are_kept() -> None:
    assert chosen("05-database")
    assert chosen("04-nodes-light")
    assert not chosen("05-database-light")
    assert not chosen("05-database-80x24")
