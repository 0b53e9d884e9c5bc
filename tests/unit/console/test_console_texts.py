"""The closing table, a plan and errors as text."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Literal, get_args

import pytest

from oz_installer.console.output.errors import print_error
from oz_installer.console.output.json_documents import plan_json, summary_json
from oz_installer.deploy.change import ServiceAction
from oz_installer.deploy.plan import Plan
from oz_installer.errors import AnswersError, ConnectError, DeployError, Interrupted, OzError, Problem
from oz_installer.formatting.plan import plan_text, total_text
from oz_installer.formatting.summary import summary_text, table
from oz_installer.render.data_locations import StorageMove
from oz_installer.secret import MASK, Masker, Secret
from oz_installer.topology.summary import Summary, SummaryRow
from tests.plans import file_change, service_change, target_plan

ROWS = (
    SummaryRow(node="api1", service="oz-api", state="healthy", image="oz/api:5", ports="8000"),
    SummaryRow(
        node="api1", service="oz-bio-updater", state="exited", image="oz/upd:2", ports="8521, 60000-60100"
    ),
    SummaryRow(node="bio1", service="oz-bio-init", state="finished", image="oz/init:1"),
)
SUMMARY = Summary(
    rows=ROWS,
    urls=(("Public", "https://oz.example.com"), ("API", "http://10.0.0.1:8880/api/version")),
    secrets_file=Path("/root/answers.secrets.yml"),
    admin_email="admin@oz.local",
    admin_kept=True,
    notes=("Open the web UI.", "word " * 30),
    report=Path("/root/report.txt"),
)


def test_the_closing_table() -> None:
    lines = summary_text(SUMMARY).splitlines()
    assert lines[:5] == [
        "NODE  SERVICE         STATE     OPEN PORTS",
        "api1  oz-api          healthy   8000",
        "      oz-bio-updater  ! exited  8521, 60000-60100",
        "bio1  oz-bio-init     finished",
        "3 services, 1 needs attention (!)",
    ]
    assert "  API     http://10.0.0.1:8880/api/version" in lines
    assert '  Password       "admin.password" in /root/answers.secrets.yml' in lines
    assert lines[-1] == "Report: /root/report.txt"


def test_on_a_screen_the_long_table_comes_last() -> None:
    first, last = summary_text(SUMMARY), summary_text(SUMMARY, table_last=True)
    lines = last.splitlines()
    assert lines[0] == "3 services, 1 needs attention (!)"
    assert lines[1] == "  ! oz-bio-updater on api1: exited", "named where the table is out of sight"
    assert lines[3] == "URLs"
    assert lines[-1] == "bio1  oz-bio-init     finished"
    assert {*lines} - {lines[1]} == {*first.splitlines()}, "nothing is left out"


def test_of_many_that_are_not_well_the_first_are_named() -> None:
    rows = tuple(replace(ROWS[0], node=f"n{place}", state="exited") for place in range(9))
    text = summary_text(replace(SUMMARY, rows=rows), table_last=True)
    named = [line for line in text.splitlines() if line.startswith("  ! ")]
    assert named[0] == "  ! oz-api on n0: exited"
    assert named[5:] == ["  ! and 4 more: see the table"]


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_the_table_keeps_to_its_width(width: int) -> None:
    row = SummaryRow(
        node="n" * 40, service="s" * 60, state="unhealthy", image="i" * 90, ports="1, " * 40 + "2"
    )
    lines = summary_text(Summary(rows=(row,)), width).splitlines()
    assert max(map(len, lines)) <= width
    assert ("IMAGE" in lines[0]) == (width >= 120)
    assert "".join(lines).count("1,") == 40


def test_a_password_of_the_answers_is_not_looked_for_in_the_secrets_file() -> None:
    lines = summary_text(replace(SUMMARY, admin_kept=False)).splitlines()
    assert "  Password         see admin.password in the answers" in lines
    assert "  Other passwords  /root/answers.secrets.yml" in lines


def test_one_service_that_is_still_starting() -> None:
    row = SummaryRow(node="n1", service="oz-api", state="starting", image="i")
    summary = Summary(rows=(row,))
    assert summary_text(summary).splitlines()[1:] == [
        "n1    oz-api   starting",
        "1 service, 1 still starting",
    ]
    assert not summary.is_healthy
    assert replace(summary, rows=(replace(row, state="healthy"),)).is_healthy


def test_nodes_that_could_not_be_looked_at_have_a_row_each() -> None:
    summary = replace(
        SUMMARY,
        rows=ROWS[:1],
        troubles=(("bio1", "unreachable: port 22 of 10.0.0.2 is closed\n" + "x" * 60),),
    )
    lines = summary_text(summary).splitlines()
    assert lines[1:5] == [
        "api1  oz-api   healthy  8000",
        "bio1  ! unreachable: port 22 of 10.0.0.2 is closed",
        "        " + "x" * 60,
        "1 service, 1 node could not be checked (!)",
    ]
    document = summary_json(summary)
    assert document["troubles"][0]["node"] == "bio1"
    assert (document["ready"], document["total"]) == (False, {"services": 1, "well": 1})


def test_where_nothing_is_installed_that_is_all_that_is_said() -> None:
    summary = replace(SUMMARY, rows=(), report=None, not_installed=("bio1", "api1"))
    assert summary_text(summary) == "Nothing is installed on bio1, api1 yet.\n"
    assert summary_json(summary)["not_installed"] == ["bio1", "api1"]
    some = summary_text(replace(SUMMARY, not_installed=("bio2",)))
    assert "Nothing is installed on bio2 yet." in some
    assert "URLs" in some


def test_long_urls_stay_whole_for_copying() -> None:
    url = "https://example.com/" + "x" * 100
    assert f"    {url}\n" in summary_text(Summary(urls=(("Public", url),)))


def test_empty_parts_are_left_out() -> None:
    assert summary_text(Summary(notes=("hello",))) == "Next\n  - hello\n"


def test_any_table() -> None:
    assert table(["A", "B"], [["x", "y"], ["long", ""]]) == "A     B\nx     y\nlong\n"


def test_the_summary_as_json() -> None:
    document = json.loads(json.dumps(summary_json(SUMMARY)))
    assert document["event"] == "Summary"
    assert document["services"][0]["ports"] == "8000"
    assert document["secrets_file"] == "/root/answers.secrets.yml"


DIFF = "--- config.py\n+++ config.py\n@@ -1,2 +1,2 @@\n--- an SQL comment\n+B = 2\n"
BUSY = target_plan(
    "api1",
    file_change("config/config.py", "changed", diff=DIFF),
    file_change("new.bin", "new", diff="+all of it\n"),
    file_change("gone", "removed"),
    file_change("nginx.conf", "drifted"),
    service_change("oz-api", "restart", "reads config/config.py"),
    service_change("oz-celery-beat", "recreate", "its image changes"),
    service_change("oz-x", "remove", "switched off"),
    service_change("oz-y", "start"),
    jobs=("oz-init-db",),
    images=("nginx:1.27.3",),
)
PLAN = Plan(targets=(BUSY, target_plan("bio1")))


def test_the_plan_as_text() -> None:
    assert plan_text(PLAN).splitlines() == [
        "api1",
        "  ~ config/config.py  changes",
        "  + new.bin  new",
        "  - gone  is removed",
        "  ! nginx.conf  was changed on the node, is reset",
        "  ~ oz-api          restarts: reads config/config.py",
        "  ~ oz-celery-beat  is recreated: its image changes",
        "  - oz-x            is removed: switched off",
        "  + oz-y            starts",
        "  > oz-init-db runs once",
        "  < image nginx:1.27.3 is pulled",
        "",
        "api1: config/config.py",
        "  @@ -1,2 +1,2 @@",
        "  --- an SQL comment",
        "  +B = 2",
        "",
        "1 new file, 1 file changes, 1 file is reset, 1 file is removed, 1 service starts, "
        "1 service is recreated, 1 service restarts, 1 service is removed, 1 job runs, "
        "1 image is pulled, on 1 of 2 nodes.",
    ]


def test_the_plan_warns_of_data_that_stay_behind() -> None:
    move = StorageMove(what="database", before="db1:5432/gateway", now="the bundled PostgreSQL")
    plan = Plan(targets=(replace(BUSY, moves=(move,)),))
    assert plan_text(plan).splitlines()[1] == (
        "  ! the API's database moves from db1:5432/gateway to the bundled PostgreSQL; no data is copied"
    )
    (told,) = plan_json(plan)["nodes"][0]["moves"]
    assert told == {"what": "database", "before": "db1:5432/gateway", "now": "the bundled PostgreSQL"}


def test_totals_count() -> None:
    files = tuple(file_change(name, "changed") for name in "abc")
    services = tuple(service_change(name, "restart", "r") for name in "ab")
    nodes = (
        target_plan("n1", *files, *services),
        *(target_plan(f"n{i}") for i in (2, 3, 4)),
    )
    assert total_text(Plan(targets=nodes)) == "3 files change, 2 services restart, on 1 of 4 nodes."
    assert plan_text(Plan(targets=nodes[1:])) == "Nothing to do on 3 nodes.\n"


def test_colours_change_nothing_but_colour() -> None:
    coloured = plan_text(PLAN, colour=True)
    assert "  \x1b[32m+B = 2\x1b[0m" in coloured
    assert re.sub(r"\x1b\[\d+m", "", coloured) == plan_text(PLAN)
    assert "\x1b" not in plan_text(PLAN)


def test_a_file_cannot_steer_the_terminal_or_leak() -> None:
    change = file_change("a\x1b[2J", "changed", diff="+x\x1b]0;hi\x07 canary\n")
    plan = Plan(targets=(target_plan("n1", change),))
    mask = Masker((Secret("canary"),))
    lines = plan_text(plan, masker=mask).splitlines()
    assert lines[1:5] == ["  ~ a  changes", "", "n1: a", f"  +x {MASK}"]
    assert "canary" not in json.dumps(plan_json(plan, mask))


def test_the_plan_as_json() -> None:
    document = json.loads(json.dumps(plan_json(PLAN)))
    assert (document["event"], document["nothing_to_do"]) == ("Plan", False)
    assert document["nodes"][0]["services"][0] == {
        "name": "oz-api",
        "action": "restart",
        "reason": "reads config/config.py",
    }
    assert [node["nothing_to_do"] for node in document["nodes"]] == [False, True]


def _told(error: OzError, debug: bool = False) -> str:
    stream = io.StringIO()
    print_error(error, stream, debug, Masker((Secret("canary"),)))
    return stream.getvalue()


def test_errors_tell_what_happened_and_what_to_do() -> None:
    assert _told(ConnectError("refused", "start sshd", node="n1")) == "error: n1: refused\nhint: start sshd\n"
    assert _told(Interrupted("Interrupted.")) == "Interrupted.\n"


def test_every_problem_of_the_answers_stands_on_its_line() -> None:
    problems = [
        Problem(
            key="nodes[1].host", message="is no host", hint="did you mean db?", line=14, source="answers.yml"
        ),
        Problem(key="release", message="is not known"),
    ]
    assert _told(AnswersError("answers.yml cannot be used", problems=problems)).splitlines() == [
        "error: answers.yml cannot be used",
        "  answers.yml:14: nodes[1].host: is no host; did you mean db?",
        "  release: is not known",
        "2 problems found.",
    ]


def test_details_of_a_deployment_are_shown_indented_and_masked() -> None:
    error = DeployError(
        "oz-api is unhealthy", "see its log", node="n1", details="one\n\n  two canary\x1b[2J\n"
    )
    assert _told(error).splitlines() == [
        "error: n1: oz-api is unhealthy",
        "  | one",
        "  | ",
        f"  |   two {MASK}",
        "hint: see its log",
    ]


def test_a_traceback_only_with_debug_and_without_secrets() -> None:
    with pytest.raises(OzError) as caught:
        raise OzError("it broke") from ValueError("canary")
    told = _told(caught.value, debug=True)
    assert "Traceback" not in _told(caught.value)
    assert "Traceback" in told
    assert "ValueError" in told
    assert "canary" not in told


@pytest.mark.parametrize("action", get_args(ServiceAction))
def test_every_action_has_its_words(action: Literal["start", "wait"]) -> None:
    change = service_change("oz-api", action, "because")
    text = plan_text(Plan(targets=(target_plan("n1", change),)))
    assert "oz-api" in text
    assert text.splitlines()[-1].startswith("1 service ")
