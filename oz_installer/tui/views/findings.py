"""Findings, facts and trials of nodes as text. Every level is told by a word."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING

from textual.content import Content

from oz_installer.answers.questions import question
from oz_installer.formatting.findings import finding_sentences
from oz_installer.text import join_and, plural
from oz_installer.tui.views.problem_text import problem_words
from oz_installer.tui.views.test_results import may_accept, short_result

if TYPE_CHECKING:
    from oz_installer.checks.context import Finding
    from oz_installer.errors import Problem
    from oz_installer.installation.wizard.probe import NodeProbe
    from oz_installer.installation.wizard.role_assignment import NodeRoles, RoleAssignment

LEVELS = {
    "ok": ("ok", "$text-success"),
    "warning": ("warning", "$text-warning"),
    "failure": ("FAILURE", "bold $text-error"),
}
COLOURS = {"-good": "$text-success", "-warning": "$text-warning", "-bad": "$text-error", "": ""}
INDENT = 9
ACCEPT = (
    "Compare it on the server's own console: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub. "
    "When it is the same, press k to accept it: it is written into the answers."
)


def findings_lines(findings: Sequence[Finding], width: int) -> Content:
    """Findings under each other: what was seen, and of what is not right also the rest."""
    return Content("\n").join(line for one in findings for line in finding_lines(one, width))


def finding_lines(finding: Finding, width: int) -> list[Content]:
    """The rows of one finding."""
    word, colour = LEVELS[finding.level]
    place = f" on {finding.node}" if finding.node else ""
    sentence, advice = finding_sentences(finding)
    lines = indented(f"{finding.subject}{place}: {sentence}", width, INDENT)
    shown = [Content.assemble((f"{word:<{INDENT}}", colour), lines[0].lstrip())]
    shown += [Content(line) for line in lines[1:]]
    return shown + [Content.styled(line, "$text-muted") for line in indented(advice, width, INDENT)]


def indented(text: str, width: int, indent: int = 0) -> list[str]:
    """The rows of a text, some columns in."""
    space = " " * indent
    return wrap(text, max(width, indent + 20), initial_indent=space, subsequent_indent=space)


def layout_text(seating: RoleAssignment | None) -> tuple[str, bool]:
    """Which layout the nodes make, and whether something is wrong with that."""
    if seating is None:
        return "", False
    count = len(seating.seats)
    if seating.scenario is None:
        return "No scenario yet (step Workload): roles go by the number of nodes.", False
    if not count:
        return f"{seating.scenario} has layouts for {_numbers(seating.sizes)} nodes.", False
    if seating.layout is None:
        some = f"has layouts for {_numbers(seating.sizes)} nodes, not for {count}"
        return f"! {seating.scenario} {some}: give each node its roles, or change the number.", True
    return f"Layout {seating.layout}: its order gives the roles; * where you set them.", False


def _numbers(sizes: Sequence[int]) -> str:
    return join_and(map(str, sizes)) or "no"


def roles_text(seat: NodeRoles) -> str:
    """The roles of a node; ``*`` where the operator has set them."""
    return (", ".join(seat.roles) or "none") + ("*" if seat.custom else "")


def node_roles_text(seat: NodeRoles, width: int) -> list[Content]:
    """What a node is to be."""
    roles = join_and(seat.roles) or "no role yet"
    how = "set by you" if seat.custom else "by the layout"
    needs = seat.needs
    needed = f"; needs {needs.cpu} cores, {needs.memory} GB memory, {needs.disk} GB disk" if needs else ""
    told = f"{roles} ({how}){needed}" if seat.roles else roles
    lines = indented(f"{seat.name}: {told}", width)
    return [Content.styled(lines[0], "bold"), *(Content(line) for line in lines[1:])]


def probe_lines(tried: NodeProbe, width: int, seat: NodeRoles | None) -> list[Content]:
    """How trying a node went: why we were not let in, or what falls short, and then what it has."""
    shown: list[Content] = []
    if tried.error:
        lines = indented(f"! {tried.error}", width)
        shown += [
            Content.styled(line, COLOURS["-warning" if may_accept(tried) else "-bad"]) for line in lines
        ]
        hint = ACCEPT if may_accept(tried) else tried.hint
        shown += [Content(line) for line in indented(hint, width)]
    elif tried.connected:
        shown += _connected_lines(tried, width, sized=seat is None or bool(seat.roles))
    if tried.fingerprint:
        shown += facts_lines([("Host key", tried.fingerprint)], width)
    return shown + facts_lines(tried.facts, width)


def _connected_lines(tried: NodeProbe, width: int, *, sized: bool) -> list[Content]:
    """What falls short; without a role nobody can say how large a node must be."""
    wanting = [one for one in tried.findings if one.level != "ok"]
    text, tone = findings_total(tried), short_result(tried)[1]
    if not sized:
        text, tone = (
            f"{text if wanting else ''} No role yet, sizes not judged.".strip(),
            tone if wanting else "-warning",
        )
    lines = [Content.styled(line, COLOURS[tone]) for line in indented(f"Connected. {text}", width)]
    return lines + [line for one in wanting for line in finding_lines(one, width)]


def findings_total(tried: NodeProbe) -> str:
    """Whether everything is as needed."""
    failures = sum(one.level == "failure" for one in tried.findings)
    warnings = sum(one.level == "warning" for one in tried.findings)
    counts = ((failures, "failure"), (warnings, "warning"))
    told = [f"{plural(count, word)}" for count, word in counts if count]
    return f"{join_and(told)}, below." if told else "Everything is as needed."


def problem_lines(problem: Problem, width: int) -> list[str]:
    """What is wrong with an answer, by the name of its field."""
    text = f"{problem.message}; {problem.hint}" if problem.hint else problem.message
    return indented(problem_words(question(problem.key), text), width)


def facts_lines(facts: Iterable[tuple[str, str]], width: int) -> list[Content]:
    """Labels and values."""
    shown = []
    for label, value in facts:
        lines = indented(value, width, INDENT) or [""]
        shown.append(Content.assemble((f"{label:<{INDENT}}", "$text-muted"), lines[0].lstrip()))
        shown += [Content(line) for line in lines[1:]]
    return shown
