"""Opening, saving and drafts: no input is lost, and no draft holds a secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from oz_installer.answers.drafts.working_copy import WorkingCopy
from oz_installer.errors import AnswersError
from tests.tui.by_keys import asked_now, give_secret
from tests.tui.fake_core import FakeCore, FilesCore
from tests.tui.nodes_case import MEDIUM
from tests.tui.support import app_of, left, press, settle, step_of, text_of, until, wizard

HERE = Path("/home/admin/answers.yml")
COMPLETE = """\
version: 1
scenario: poc
public_url: https://oz.example.com
nodes: [{name: oz1, host: 10.0.0.11}]
components: {bio_updater: false}
"""
PARTIAL = COMPLETE.replace("public_url: https://oz.example.com\n", "")


async def test_a_new_installation_starts_with_the_workload(tmp_path: Path) -> None:
    async with wizard() as pilot:
        await press(pilot, "enter")
        assert step_of(pilot).STEP == "workload"
        assert app_of(pilot).session.path.name == "answers.yml"


async def test_next_on_the_first_step_begins_too() -> None:
    async with wizard() as pilot:
        await press(pilot, "ctrl+n")
        assert step_of(pilot).STEP == "workload"


async def test_a_new_installation_does_not_take_the_file_of_another() -> None:
    here = Path.cwd()
    core = FakeCore({here / "answers.yml": COMPLETE})
    core.drafted[here / "answers-2.yml"] = (WorkingCopy.new(), "nodes")
    async with wizard(core) as pilot:
        await press(pilot, "down", "enter")
        assert app_of(pilot).session.path == here / "answers-3.yml"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"{COMPLETE}pubic_url: http://x\n", "answers.yml:6: pubic_url: is not known here"),
        ("version: 1\npubic_url: http://x\n", "the closest key is public_url"),
        ("database: {hosst: x}\n", "database.hosst: is not known here; the closest key is host"),
        (COMPLETE.replace("}]", ", usr: x}]"), "nodes[0].usr: is not known here; the closest key is user"),
    ],
)
async def test_a_misspelt_key_is_told_when_the_file_is_opened(text: str, shown: str) -> None:
    """The message comes before the step is mounted."""
    async with wizard(FakeCore({HERE: text}), path=HERE) as pilot:
        assert shown in " ".join(text_of(pilot).split())


async def test_a_partial_file_opens_where_an_answer_is_missing() -> None:
    async with wizard(FakeCore({HERE: PARTIAL}), path=HERE) as pilot:
        assert step_of(pilot).STEP == "access"
        assert step_of(pilot).focused_key() == "public_url"
        await press(pilot, "=https://oz.example.com")
        assert app_of(pilot).session.working.answers() is not None


@pytest.mark.parametrize(
    ("left_out", "step", "key"),
    [
        ("scenario: medium\n", "workload", "scenario"),
        (", host: 10.0.0.21", "nodes", "nodes[2].host"),
        (", password: {env: OZ_DB_PASSWORD}", "database", "database.password"),
        (", export: /srv/oz", "storage", "storage.export"),
        ("public_url: https://oz.example.com\n", "access", "public_url"),
        ("updater: {token: {env: OZ_TOKEN}}\n", "access", "updater.token"),
    ],
)
async def test_whatever_is_missing_is_asked_for_first(left_out: str, step: str, key: str) -> None:
    assert left_out in MEDIUM
    async with wizard(FakeCore({HERE: MEDIUM.replace(left_out, "")}), path=HERE) as pilot:
        assert step == step_of(pilot).STEP, text_of(pilot)
        assert asked_now(pilot) == key


async def test_without_nodes_they_are_asked_for_first() -> None:
    text = "".join(line for line in MEDIUM.splitlines(True) if not line.startswith(("nodes", "  -")))
    async with wizard(FakeCore({HERE: text}), path=HERE) as pilot:
        assert step_of(pilot).STEP == "nodes"
        await press(pilot, "a")
        assert asked_now(pilot) == "nodes[0].name"


async def test_a_complete_file_opens_at_the_review() -> None:
    async with wizard(FakeCore({HERE: COMPLETE}), path=HERE) as pilot:
        assert step_of(pilot).STEP == "review"
        assert "saved" in text_of(pilot)


async def test_a_file_is_opened_from_the_first_step() -> None:
    here = Path.cwd() / "mine.yml"
    async with wizard(FakeCore({here: COMPLETE})) as pilot:
        await press(pilot, "down", "enter", "=nothing.yml", "enter")
        assert "! File not found: " in text_of(pilot)
        await press(pilot, "tab", "enter")
        assert app_of(pilot).session.path == here
        assert step_of(pilot).STEP == "review"


async def test_a_file_that_cannot_be_read_is_told() -> None:
    async with wizard(FakeCore(), path=HERE) as pilot:
        assert step_of(pilot).STEP == "start"
        assert "no such file" in text_of(pilot)


async def test_a_draft_goes_on_where_it_was_left() -> None:
    core = FakeCore()
    core.drafted[HERE] = (WorkingCopy.new().with_value("workload.apm", 12.0), "release")
    async with wizard(core) as pilot:
        assert "Continue answers.yml" in text_of(pilot)
        await press(pilot, "enter")
        assert step_of(pilot).STEP == "release"
        assert app_of(pilot).session.working.get("workload.apm") == 12
        assert app_of(pilot).session.path == HERE


async def test_every_change_of_step_keeps_a_draft() -> None:
    core = FakeCore()
    async with wizard(core, step="workload") as pilot:
        await press(pilot, "=12", "ctrl+n")
        assert core.drafted[HERE][0].get("workload.apm") == 12
        assert core.drafted[HERE][1] == "release"


async def test_a_draft_is_kept_while_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    """No other key is pressed, as that could save a draft, too."""
    monkeypatch.setattr("oz_installer.tui.controllers.draft_keeper.QUIET", 0.05)
    core = FakeCore()
    async with wizard(core, step="workload") as pilot:
        await pilot.press("1", "2")
        await until(pilot, lambda: HERE in core.drafted and core.drafted[HERE][0].get("workload.apm") == 12)
        assert core.drafted[HERE][1] == "workload"


async def test_saving_asks_where_once_and_drops_the_draft() -> None:
    core = FakeCore()
    async with wizard(core, step="workload") as pilot:
        await press(pilot, "=12", "ctrl+n", "ctrl+s")
        assert "Save the answers" in text_of(pilot)
        await press(pilot, "enter")
        assert core.kept[HERE].get("workload.apm") == 12
        assert HERE not in core.drafted
        assert f"Saved to {HERE}" in text_of(pilot)
        await press(pilot, "right", "ctrl+s")
        assert core.calls.count(f"keep {HERE}") == 2
        await pilot.press("ctrl+q")
        await left(pilot)
    assert HERE not in core.drafted


async def test_a_long_path_is_told_in_full() -> None:
    path = Path("/home/admin") / "a-folder-of-forty-characters-or-some-more" / "sub" / "oz-production.yml"
    async with wizard(path=path, step="workload", size=(80, 24)) as pilot:
        await press(pilot, "=12", "ctrl+s", "enter")
        assert "Saved to" in text_of(pilot)
        assert "oz-production.yml." in "".join(text_of(pilot).split())


async def test_another_file_is_not_replaced_without_asking() -> None:
    core = FakeCore({HERE: COMPLETE})
    async with wizard(core, step="workload") as pilot:
        await press(pilot, "=12", "ctrl+s", "enter")
        assert "already exists" in text_of(pilot)
        await press(pilot, "enter")
        assert HERE not in core.kept
        await press(pilot, "ctrl+s", "enter", "shift+tab", "enter")
        assert HERE in core.kept


async def test_a_file_that_cannot_be_written_is_told() -> None:
    core = FakeCore({HERE: COMPLETE})
    core.refused[HERE] = AnswersError(
        f"{HERE}: cannot be written: Read-only file system", "name another file"
    )
    async with wizard(core, path=HERE) as pilot:
        await press(pilot, "ctrl+s")
        assert "Read-only file system" in text_of(pilot)
        assert "name another file" in text_of(pilot)


async def test_a_draft_that_cannot_be_kept_is_told_and_nothing_is_lost_without_asking() -> None:
    core = FakeCore()
    core.undraftable = AnswersError("no draft of it can be saved: Read-only file system", "save the answers")
    async with wizard(core, step="workload") as pilot:
        await press(pilot, "=12", "ctrl+n")
        assert "no draft of it can be saved: Read-only file system" in text_of(pilot)
        await press(pilot, "ctrl+q")
        assert "lost if you quit now" in " ".join(text_of(pilot).split())
        await press(pilot, "enter")
        assert step_of(pilot).STEP == "release"
        await press(pilot, "ctrl+c", "shift+tab")
        await pilot.press("enter")
        outcome = await left(pilot)
    assert (outcome.code, outcome.draft_of) == (130, None)
    assert "Read-only file system" in outcome.lost


async def test_what_is_typed_while_saving_stays_unsaved() -> None:
    core = FakeCore({HERE: COMPLETE})
    async with wizard(core, path=HERE) as pilot:
        app = app_of(pilot)
        app.change("workload.apm", 5.0)
        app.saves.save()
        app.change("workload.apm", 6.0)
        await settle(pilot)
        assert app.session.working.get("workload.apm") == 6
        assert app.session.has_unsaved_changes


async def test_a_secret_that_is_asked_for_is_asked_once() -> None:
    async with wizard(step="workload") as pilot:
        app = app_of(pilot)
        given: list[object] = []

        def job(_post: object, _stop: object) -> None:
            given.append(app.core.ask("SSH password of api1") if app.core.ask else None)

        app.jobs.start("ask", job)
        while "SSH password of api1" not in text_of(pilot):
            await pilot.pause()
        await pilot.press(*"canary-Pa55w0rd")
        assert "canary" not in text_of(pilot)
        await press(pilot, "enter")
        app.jobs.start("ask", job)
        await settle(pilot)
        assert [str(secret) for secret in given] == ["********", "********"]


async def test_a_typed_secret_is_asked_for_again_after_a_draft(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    path, canary = tmp_path / "answers.yml", "canary-Pa55w0rd"
    async with wizard(FilesCore(), step="database") as pilot:
        app_of(pilot).session.path = path
        await give_secret(pilot, "database.password", canary)
        await settle(pilot)
        assert canary not in text_of(pilot) + pilot.app.export_screenshot()
        await pilot.press("ctrl+q")
        await pilot.pause()
    (draft,) = (tmp_path / "oz-install" / "drafts").glob("*.json")
    assert canary not in draft.read_text(encoding="utf-8")
    async with wizard(FilesCore()) as pilot:
        await press(pilot, "enter")
        assert (step_of(pilot).STEP, app_of(pilot).session.path) == ("database", path)
        again = "! Was not saved; type it again, or clear the field"
        assert again in " ".join(text_of(pilot).split())
        await give_secret(pilot, "database.password", canary)
        await settle(pilot)
        assert again not in " ".join(text_of(pilot).split())
        await press(pilot, "ctrl+s", "enter")
    assert canary not in path.read_text(encoding="utf-8")
    assert (tmp_path / "answers.secrets.d" / "database.password").read_text(
        encoding="utf-8"
    ).strip() == canary
    assert not draft.exists()
