"""The preflight runs the checks of the answers' platform, in its order."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from oz_installer.answers.file import read
from oz_installer.checks.base import Check
from oz_installer.checks.context import Finding
from oz_installer.errors import AnswersError
from oz_installer.installation.check import in_report_order, run_preflight
from oz_installer.installation.compose_platform import ComposePlatform
from oz_installer.installation.platforms import PLATFORMS
from tests.local_transport import LocalTransport
from tests.unit.checks.test_checks_silent import Hello

ANSWERS = """
version: 1
scenario: poc
public_url: http://oz.example.com
license: {bio: license.key}
components: {bio_updater: false}
nodes: [{name: n1, host: 10.0.0.1}]
"""


class Bye(Hello):
    """Another word."""

    name = "bye"


class Other(ComposePlatform):
    """A platform with two checks of its own."""

    @property
    def checks(self) -> Sequence[Check[Any]]:
        return (Bye(), Hello())


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setitem(PLATFORMS, "compose", Other())
    (tmp_path / "license.key").write_text("licence\n")
    file = tmp_path / "answers.yml"
    file.write_text(ANSWERS)
    return file


def found(path: Path, *only: str) -> list[Finding]:
    told: list[Finding] = []
    run_preflight(
        read(path),
        path,
        lambda node, _secrets, *, step: LocalTransport(node.name, become="none"),
        told.append,
        threading.Event(),
        only=only,
    )
    return in_report_order(told, read(path).answers)


def test_the_platform_says_which_checks_there_are_and_in_which_order(path: Path) -> None:
    assert [one.id for one in found(path)] == ["bye/n1", "hello/n1"]
    assert [one.id for one in found(path, "hello")] == ["hello/n1"]
    with pytest.raises(AnswersError, match="there is no check 'host' on this platform") as caught:
        found(path, "host")
    assert caught.value.hint == "The checks are: bye, hello."
