"""H1, H2, M8, M9, L4: whatever others name is clean and masked on the console, in JSON and in files."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from oz_installer.checks.context import Finding, Remedy
from oz_installer.console.commands.check import findings_json, findings_text
from oz_installer.console.commands.fix import remedy_json, remedy_lines
from oz_installer.console.context import print_json
from oz_installer.console.output.errors import error_json, print_error
from oz_installer.console.output.json_documents import plan_json, summary_json
from oz_installer.console.output.progress import OutputKind, open_output
from oz_installer.console.output.streams import write
from oz_installer.deploy.events import Event, Message, NodeProgress, RunEnded, RunStarted, ServiceState
from oz_installer.deploy.plan import Plan
from oz_installer.errors import DeployError
from oz_installer.formatting.junit import junit_report
from oz_installer.formatting.plan import LONGEST_NAME, plan_text
from oz_installer.formatting.summary import summary_text
from oz_installer.installation.failure_log import write_failure_log
from oz_installer.render.data_locations import StorageMove
from oz_installer.secret import MASK, Masker, Secret
from oz_installer.topology.summary import Summary, SummaryRow
from tests.hostile import MARK, POISON, unsafe
from tests.plans import file_change, service_change, target_plan

PLAN = Plan(
    targets=(
        target_plan(
            "api1",
            file_change(POISON, "changed", diff=f"--- a\n+++ b\n+{POISON}\n"),
            service_change(POISON, "remove", POISON),
            jobs=(POISON,),
            images=(POISON,),
            moves=(StorageMove(what="media", before=POISON, now=POISON),),
        ),
    )
)
FOUND = Finding(
    id=f"host.memory/{POISON}",
    subject=POISON,
    node="api1",
    level="failure",
    seen=POISON,
    needed=POISON,
    why=POISON,
    hint=POISON,
    remedy=Remedy(title=POISON, node="api1", commands=((POISON,),), undo=((POISON,),)),
)
SUMMARY = Summary(
    rows=(SummaryRow(node="api1", service=POISON, state=POISON, image=POISON, ports=POISON),),
    troubles=(("api1", POISON),),
    urls=((POISON, POISON),),
    notes=(POISON,),
)
EVENTS: tuple[Event, ...] = (
    RunStarted(at=1, phases=("Check",), nodes=("api1",)),
    NodeProgress(at=2, node="api1", text=POISON, done=1, total=1),
    Message(at=3, level="error", text=f"{POISON}\n{POISON}", node="api1"),
    ServiceState(at=4, node="api1", service=POISON, state="exited"),
    RunEnded(at=5, outcome="failed", seconds=4),
)
COLOURS = ("\x1b[31m", "\x1b[32m", "\x1b[36m", "\x1b[1m", "\x1b[0m")


def assert_clean(text: str) -> None:
    """It tells of the poison, and holds nothing raw."""
    assert MARK in text
    assert not unsafe(text)


def strings(value: object) -> str:
    """All strings in plain data."""
    if isinstance(value, dict):
        return strings(list(value.values()))
    return "".join(map(strings, value)) if isinstance(value, list) else str(value)


def test_h1_the_console_lets_no_control_character_out() -> None:
    stream = io.StringIO()
    write(stream, f"\x1b[31m{POISON}\n\tb\n")
    assert_clean(stream.getvalue())
    assert stream.getvalue().endswith("\n\tb\n")


@pytest.mark.parametrize("colour", [False, True])
def test_h2_a_plan_has_its_own_colours_and_no_other_codes(colour: bool) -> None:
    stream = io.StringIO()
    write(stream, plan_text(PLAN, colour=colour), coloured=colour)
    text = stream.getvalue()
    assert ("\x1b" in text) is colour
    for code in COLOURS if colour else ():
        text = text.replace(code, "")
    assert_clean(text)
    assert text.count(MARK) == 9


def test_h2_a_name_without_end_widens_no_other_row() -> None:
    plan = Plan(
        targets=(
            target_plan(
                "api1", service_change("x" * 10_000, "remove"), *[service_change("oz-api", "start")] * 50
            ),
        )
    )
    text = plan_text(plan)
    assert max(map(len, text.splitlines())) < LONGEST_NAME + 40
    assert "x" * (LONGEST_NAME - 1) + "…" in text


def test_h2_json_holds_no_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    print_json(plan_json(PLAN))
    print_json(summary_json(SUMMARY))
    print_json(remedy_json(FOUND.remedy, FOUND, Masker()))  # type: ignore[arg-type]
    sys.stdout.write(findings_json([FOUND], ()))
    sys.stdout.write(error_json(DeployError(POISON, POISON)))
    for line in capsys.readouterr().out.splitlines():
        assert line.isascii()
        shown = strings(json.loads(line))
        assert MARK in shown or "CheckEnded" in shown
        assert not unsafe(shown)


@pytest.mark.parametrize("kind", ["live", "lines", "json"])
def test_h1_progress(kind: OutputKind) -> None:
    out = io.StringIO()
    output = open_output(kind, out, out)
    for event in EVENTS:
        output.on_event(event)
    output.close()
    if kind == "json":
        assert_clean("".join(strings(json.loads(line)) for line in out.getvalue().splitlines()))
    else:
        assert_clean(out.getvalue())


def test_h1_tables_and_remedies() -> None:
    out = io.StringIO()
    for text in (
        findings_text([FOUND], ()),
        summary_text(SUMMARY),
        "\n".join(remedy_lines([(FOUND.remedy, FOUND)])),  # type: ignore[list-item]
    ):
        write(out, text)
    assert_clean(out.getvalue())
    report = junit_report([FOUND], ())
    ElementTree.fromstring(report)  # noqa: S314 - it is ours
    assert_clean(report)


def test_h1_an_error() -> None:
    out = io.StringIO()
    print_error(DeployError(POISON, POISON, node="api1", details=f"{POISON}\n{POISON}"), out, debug=True)
    assert_clean(out.getvalue())


def test_m8_the_failure_log_is_clean(tmp_path: Path) -> None:
    error = DeployError("failed", details=f"{POISON}\n{POISON}")
    file = write_failure_log(tmp_path / "answers.yml", error, Masker())
    assert file is not None
    assert_clean(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "between", ["\x1b[0m", "\u200b", "\x00", "\x1b", "\x1b]0;t\x07", "\u2060\x1b[1m", "\U000e0041"]
)
def test_m9_a_secret_is_found_although_something_invisible_interrupts_it(between: str) -> None:
    mask = Masker((Secret("CanaryDbPass1177"),))
    shown = mask(f"password: CanaryDb{between}Pass1177 is wrong")
    assert shown == f"password: {MASK} is wrong"


@pytest.mark.parametrize("char", "\u00ad\u061c\u200b\u200d\u2060\ufeff\U000e0041\ud800")
def test_l4_invisible_characters_show(char: str) -> None:
    assert Masker()(f"a{char}b") == "a\ufffdb"
