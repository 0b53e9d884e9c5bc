"""The installer's core: its errors hold no secret, and it writes pictures."""

from __future__ import annotations

from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any, cast

import pytest

from oz_installer.answers.drafts.working_copy import WorkingCopy
from oz_installer.answers.file import parse_text
from oz_installer.errors import AnswersError, DeployError, OzError
from oz_installer.installation.prepare import Prepared
from oz_installer.installation.wizard.core import InstallerCore
from oz_installer.secret import Masker, Secret
from tests.tui.fake_core import no_opener
from tests.tui.running import ANSWERS

CANARY = "c4n4ry-9f2b7e"
MASKER = Masker((Secret(CANARY),))


def prepared(folder: Path) -> Prepared:
    """As far as the core itself looks at it."""
    secrets = SimpleNamespace(masker=lambda: MASKER)
    desired_state = SimpleNamespace(path=folder / "answers.yml", secrets=secrets)
    return cast("Prepared", SimpleNamespace(desired_state=desired_state))


@pytest.mark.parametrize("call", ["apply.apply", "plan_diffs.with_diffs", "summary.summarise"])
def test_an_error_holds_no_secret(call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise DeployError(f"login with {CANARY} failed", f"not {CANARY}", details=f"log of {CANARY}")

    monkeypatch.setattr(f"oz_installer.installation.{call}", broken)
    more = (lambda _event: None, Event()) if call == "apply.apply" else (Event(),)
    with pytest.raises(OzError) as caught:
        getattr(InstallerCore(no_opener), call.split(".")[1])(prepared(tmp_path), *more)
    error = cast("DeployError", caught.value)
    assert "login with" in str(error)
    assert CANARY not in f"{error} {error!r} {error.args} {error.hint} {error.details}"
    assert all(CANARY not in file.read_text() for file in tmp_path.iterdir())


def test_the_command_line_learns_what_to_mask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oz_installer.installation.prepare.prepare", lambda *_, **__: prepared(tmp_path))
    path = tmp_path / "answers.yml"
    path.write_text(ANSWERS, encoding="utf-8")
    learnt: list[Masker] = []
    InstallerCore(lambda: lambda *_: None, learnt.append).prepare(path, Event())
    assert learnt == [MASKER]


def test_a_picture_is_written_or_it_is_said_why_not(tmp_path: Path) -> None:
    core = InstallerCore(no_opener)
    topology = core.topology(WorkingCopy.of(parse_text(ANSWERS, "answers.yml")))
    assert topology is not None
    core.write_svg(topology, tmp_path / "oz.svg")
    drawn = (tmp_path / "oz.svg").read_text(encoding="utf-8")
    assert "<svg" in drawn
    assert all(name in drawn for name in ("api1", "bio1", "bio2"))
    with pytest.raises(AnswersError, match="No such file"):
        core.write_svg(topology, tmp_path / "no" / "oz.svg")
