"""Bad usage: one clear message on stderr, nothing on stdout, the right exit code, no traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import click
import pytest

from oz_installer import __version__
from oz_installer.__main__ import main
from oz_installer.answers.file import loads
from oz_installer.cli.main import COMMANDS, oz_install, run

ANSWERS = """\
version: 1
scenario: poc
public_url: http://oz.example.com
nodes:
  - {name: n1, host: 127.0.0.1, port: 1}
license: {bio: ./license.key}
updater: {token: {env: OZ_TEST_TOKEN}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OZ_TEST_TOKEN", "token-canary")
    monkeypatch.setenv("NO_COLOR", "1")
    (tmp_path / "license.key").write_text("licence\n")
    (tmp_path / "answers.yml").write_text(ANSWERS)
    return tmp_path


def refused(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 2) -> str:
    """stderr of a command line that is refused."""
    assert run(arguments) == code
    said = capsys.readouterr()
    if "--json" in arguments:
        assert json.loads(said.out)["event"] == "Error"
        assert json.loads(said.out)["exit_code"] == code
    else:
        assert said.out == ""
    assert "Traceback" not in said.err
    assert "token-canary" not in said.err
    assert len(said.err.splitlines()) <= 14, said.err
    return said.err


def test_windows_is_told_where_to_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2
    assert "Run it in WSL 2" in capsys.readouterr().err


def test_loads_what_the_tests_change() -> None:
    assert loads(ANSWERS).nodes[0].name == "n1"


@pytest.mark.parametrize(
    "command",
    [["plan"], ["--yes"], ["render", "--out", "out"], ["status"], ["check"], ["--dry-run"], ["--json"]],
)
def test_a_missing_file(capsys: pytest.CaptureFixture[str], folder: Path, command: list[str]) -> None:
    said = refused(capsys, *command, "--answers", "nowhere.yml")
    assert "nowhere.yml" in said
    assert not (folder / "out").exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nodes: [", ["broken.yml:2", "is not YAML"]),
        ("", ["broken.yml"]),
        ("a: &a [1]\nb: *a\n", ["broken.yml:1"]),
        (ANSWERS + "colour: red\n", ["broken.yml:8", "colour"]),
        (
            ANSWERS.replace("scenario: poc", "scenario: pocc"),
            ["broken.yml:2", "scenario", "the closest is poc"],
        ),
        (ANSWERS.replace("port: 1", "prt: 1"), ["broken.yml:5", "nodes[0].prt", "port"]),
        (ANSWERS.replace("host: 127.0.0.1", "host: 1.2.3"), ["nodes[0].host"]),
        (ANSWERS + "release: '4.0'\n", ["release"]),
        (ANSWERS.replace("poc", "medium"), ["nodes"]),
    ],
)
def test_answers_that_cannot_be_used(
    capsys: pytest.CaptureFixture[str], folder: Path, text: str, words: Sequence[str]
) -> None:
    (folder / "broken.yml").write_text(text)
    said = refused(capsys, "plan", "--answers", "broken.yml")
    assert all(word in said for word in words), said


@pytest.mark.parametrize(
    "command",
    [["plan"], ["status"], ["logs", "oz-api"], ["render", "--out", "out"], ["--yes"], ["--dry-run"]],
)
def test_json_is_told_for_bad_answers_by_every_command(
    capsys: pytest.CaptureFixture[str], folder: Path, command: list[str]
) -> None:
    (folder / "broken.yml").write_text(ANSWERS.replace("poc", "pocc"))
    first = ["--json"] if command[0] in ("logs", "render") else []
    last = [] if first else ["--json"]
    assert run([*first, *command, "--answers", "broken.yml", *last]) == 2
    told = json.loads(capsys.readouterr().out)
    assert told["event"] == "Error"
    assert ["scenario" in problem for problem in told["problems"]] == [True]


def test_json_is_told_for_bad_usage(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    refused(capsys, "plan", "--json")
    refused(capsys, "plan", "--json", "--colour")


def test_files_secrets_and_layout_are_told_together_with_whole_paths(
    capsys: pytest.CaptureFixture[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OZ_TEST_TOKEN")
    (folder / "license.key").unlink()
    (folder / "answers.yml").write_text(
        ANSWERS.replace("poc", "medium")
        + "admin: {password: {file: admin.txt}}\nknown_hosts: ./nofile\naccept: [foo]\n"
    )
    said = refused(capsys, "plan", "--answers", "answers.yml").splitlines()
    assert said[0] == "error: answers.yml cannot be used"
    assert [line.split(": ")[1] for line in said[1:-1]] == [
        "database.host", "nodes", "license.bio", "updater.token", "admin.password", "known_hosts", "accept",
    ]  # fmt: skip
    assert f"there is no file {folder}/nofile" in said[6]
    assert f"{folder}/license.key cannot be read" in said[3]
    assert f"{folder}/admin.txt cannot be read" in said[5]
    assert said[-1] == "7 problems found."


def test_a_known_hosts_file_is_not_missed_by_render(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "answers.yml").write_text(ANSWERS + "known_hosts: ./nofile\n")
    refused(capsys, "plan", "--answers", "answers.yml")
    assert run(["render", "--answers", "answers.yml", "--out", "out"]) == 0


def test_all_problems_are_told_at_once(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "broken.yml").write_text(
        ANSWERS.replace("poc", "pocc").replace("port: 1", "port: 0") + "x: 1\n"
    )
    said = refused(capsys, "plan", "--answers", "broken.yml")
    assert "3 problems found." in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["plan"], "--answers"),
        (["install"], "No such command"),
        (["plan", "--answers", "answers.yml", "--colour"], "--colour"),
        (["render", "--answers", "answers.yml"], "--out"),
        (["--answers"], "requires an argument"),
        (["--answers", "answers.yml", "--health-timeout", "soon"], "--health-timeout"),
        (["--answers", "answers.yml", "--health-timeout", "0"], "--health-timeout"),
        (["lab", "up", "--nodes", "99"], "--nodes"),
    ],
)
def test_bad_usage(
    capsys: pytest.CaptureFixture[str], folder: Path, arguments: list[str], words: str
) -> None:
    assert words in refused(capsys, *arguments)


def test_no_answers_and_no_terminal(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    said = refused(capsys)
    assert "hint: " in said
    assert "--answers" in said


@pytest.mark.parametrize("command", [["plan"], ["--yes"], ["--dry-run"]])
def test_an_unknown_node(capsys: pytest.CaptureFixture[str], folder: Path, command: list[str]) -> None:
    said = refused(capsys, *command, "--answers", "answers.yml", "--limit", "n7")
    assert "n7" in said
    assert "The nodes are: n1" in said


def test_a_secret_that_is_not_there(
    capsys: pytest.CaptureFixture[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OZ_TEST_TOKEN")
    said = refused(capsys, "plan", "--answers", "answers.yml")
    assert "answers.yml:7: updater.token: " in said
    assert "OZ_TEST_TOKEN" in said


def test_a_licence_that_is_not_there(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "license.key").unlink()
    said = refused(capsys, "render", "--answers", "answers.yml", "--out", "out")
    assert "answers.yml:6: license.bio: " in said
    assert not (folder / "out").exists()


def test_a_folder_that_is_in_use_is_not_written_to(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "out").mkdir()
    (folder / "out/mine").write_text("mine")
    said = refused(capsys, "render", "--answers", "answers.yml", "--out", "out")
    assert "out exists and is not an empty folder" in said
    assert [path.name for path in (folder / "out").iterdir()] == ["mine"]


def test_a_node_that_nobody_answers_for(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    said = refused(capsys, "plan", "--answers", "answers.yml", code=3)
    assert said.startswith("error: n1: ")
    assert "hint: " in said


def test_something_unexpected_says_so_and_debug_shows_where(
    capsys: pytest.CaptureFixture[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from oz_installer.console.commands import render

    def broken(*_: object) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(render, "write_bundles", broken)
    arguments = ("render", "--answers", "answers.yml", "--out", "out")
    said = refused(capsys, *arguments, code=1)
    assert "something unexpected happened: ZeroDivisionError: by zero" in said
    assert "--debug" in said
    assert run(("--debug", *arguments)) == 1
    assert "Traceback" in capsys.readouterr().err


def test_ctrl_c_is_told_in_one_line(
    capsys: pytest.CaptureFixture[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from oz_installer.console.commands import render

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(render, "write_bundles", stopped)
    said = refused(capsys, "render", "--answers", "answers.yml", "--out", "out", code=130)
    assert said == "stopped at your request\nhint: Run the same command again to resume.\n"


def test_ctrl_c_after_changes_never_says_that_there_were_none(
    capsys: pytest.CaptureFixture[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from oz_installer.console.commands import install

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(install, "prepare_for", lambda *_, **__: SimpleNamespace(close=lambda: None))
    monkeypatch.setattr(install, "_is_wanted", lambda *_: True)
    monkeypatch.setattr(install, "_apply", stopped)
    said = refused(capsys, "--answers", "answers.yml", "--yes", code=130)
    assert said == "stopped at your request\nhint: Run the same command again to resume.\n"


def test_ctrl_c_while_connecting_says_that_nothing_was_changed(
    capsys: pytest.CaptureFixture[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from oz_installer.console.commands import prepare

    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(prepare, "prepare", stopped)
    said = refused(capsys, "--answers", "answers.yml", code=130)
    assert said.startswith("stopped at your request; nothing was changed\nhint: Run the same command again")


def test_help_and_version_are_data(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert __version__ in capsys.readouterr().out
    assert run(["--help"]) == 0
    said = capsys.readouterr()
    assert "Exit codes: 0 done" in said.out
    assert "it does not ask." in " ".join(said.out.split())
    assert "..." not in said.out.split("Commands:")[1]
    assert said.err == ""


def test_as_a_program(folder: Path) -> None:
    """The same through ``python -m``, with stdout and stderr apart and no terminal anywhere."""
    done = subprocess.run(
        [sys.executable, "-m", "oz_installer", "plan", "--answers", "nowhere.yml"],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "TERM": "dumb"},
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")


@pytest.mark.parametrize(("name", "short_help"), COMMANDS)
def test_the_table_of_commands_says_what_each_command_says_itself(name: str, short_help: str) -> None:
    command = oz_install.get_command(click.Context(oz_install), name)
    assert command is not None
    assert command.name == name
    assert (command.help or "").splitlines()[0] == short_help
    assert len(short_help) <= 74, "click would shorten it on 80 columns"


@pytest.mark.parametrize("option", [["--yes"], ["--accept", "host.memory"], ["--answers", "answers.yml"]])
def test_options_of_an_installation_before_a_command_are_refused(
    capsys: pytest.CaptureFixture[str], folder: Path, option: list[str]
) -> None:
    assert "behind the command: oz-install plan ..." in refused(capsys, *option, "plan")
