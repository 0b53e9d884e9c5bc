"""Findings, facts and node tests as text. A word names each level, not colour alone."""

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
    "Compare it with the output on the server's console: ssh-keygen -lf "
    "/etc/ssh/ssh_host_ed25519_key.pub. If they match, press k to accept the key into the answers."
)


def findings_lines(findings: Sequence[Finding], width: int) -> Content:
    """Format findings: what was seen and, unless ok, what is needed, why and what to do."""
    return Content("\n").join(line for one in findings for line in finding_lines(one, width))


def finding_lines(finding: Finding, width: int) -> list[Content]:
    """Return the rows of one finding."""
    word, colour = LEVELS[finding.level]
    where = f" on {finding.node}" if finding.node else ""
    sentence, advice = finding_sentences(finding)
    lines = indented(f"{finding.subject}{where}: {sentence}", width, INDENT)
    shown = [Content.assemble((f"{word:<{INDENT}}", colour), lines[0].lstrip())]
    shown += [Content(line) for line in lines[1:]]
    return shown + [Content.styled(line, "$text-muted") for line in indented(advice, width, INDENT)]


def indented(text: str, width: int, indent: int = 0) -> list[str]:
    """Wrap a text, indented by some columns."""
    space = " " * indent
    return wrap(text, max(width, indent + 20), initial_indent=space, subsequent_indent=space)


def layout_text(assignment: RoleAssignment | None) -> tuple[str, bool]:
    """Describe the layout of the nodes; return also whether it is wrong."""
    if assignment is None:
        return "", False
    count = len(assignment.seats)
    if assignment.scenario is None:
        return "No scenario yet (step Workload): roles follow the number of nodes.", False
    if not count:
        return f"{assignment.scenario} has layouts for {_numbers(assignment.sizes)} nodes.", False
    if assignment.layout is None:
        some = f"has layouts for {_numbers(assignment.sizes)} nodes, not for {count}"
        return f"! {assignment.scenario} {some}: set the roles of each node, or change their number.", True
    return f"Layout {assignment.layout}: roles follow the order of nodes; * = set by you.", False


def _numbers(sizes: Sequence[int]) -> str:
    return join_and(map(str, sizes)) or "no"


def roles_text(node_roles: NodeRoles) -> str:
    """Return the roles of a node; ``*`` marks roles that the operator has set."""
    return (", ".join(node_roles.roles) or "none") + ("*" if node_roles.custom else "")


def node_roles_text(node_roles: NodeRoles, width: int) -> list[Content]:
    """Describe the roles of a node and what they require."""
    roles = join_and(node_roles.roles) or "no role yet"
    how = "set by you" if node_roles.custom else "by the layout"
    needs = node_roles.needs
    needed = f"; needs {needs.cpu} cores, {needs.memory} GB memory, {needs.disk} GB disk" if needs else ""
    text = f"{roles} ({how}){needed}" if node_roles.roles else roles
    lines = indented(f"{node_roles.name}: {text}", width)
    return [Content.styled(lines[0], "bold"), *(Content(line) for line in lines[1:])]


def probe_lines(probe: NodeProbe, width: int, node_roles: NodeRoles | None) -> list[Content]:
    """Report a node test: the failed connection or the unmet requirements, then the facts."""
    shown: list[Content] = []
    if probe.error:
        lines = indented(f"! {probe.error}", width)
        shown += [
            Content.styled(line, COLOURS["-warning" if may_accept(probe) else "-bad"]) for line in lines
        ]
        hint = ACCEPT if may_accept(probe) else probe.hint
        shown += [Content(line) for line in indented(hint, width)]
    elif probe.connected:
        shown += _connected_lines(probe, width, sized=node_roles is None or bool(node_roles.roles))
    if probe.fingerprint:
        shown += facts_lines([("Host key", probe.fingerprint)], width)
    return shown + facts_lines(probe.facts, width)


def _connected_lines(probe: NodeProbe, width: int, *, sized: bool) -> list[Content]:
    """Report unmet requirements; without a role the sizes cannot be judged."""
    wanting = [one for one in probe.findings if one.level != "ok"]
    text, tone = findings_total(probe), short_result(probe)[1]
    if not sized:
        text, tone = (
            f"{text if wanting else ''} No role yet: sizes not checked.".strip(),
            tone if wanting else "-warning",
        )
    lines = [Content.styled(line, COLOURS[tone]) for line in indented(f"Connected. {text}", width)]
    return lines + [line for one in wanting for line in finding_lines(one, width)]


def findings_total(probe: NodeProbe) -> str:
    """Count failures and warnings, or report that all requirements are met."""
    failures = sum(one.level == "failure" for one in probe.findings)
    warnings = sum(one.level == "warning" for one in probe.findings)
    counts = ((failures, "failure"), (warnings, "warning"))
    totals = [plural(count, word) for count, word in counts if count]
    return f"{join_and(totals)}, below." if totals else "All requirements are met."


def problem_lines(problem: Problem, width: int) -> list[str]:
    """Describe the problem of an answer, with the label of its field."""
    text = f"{problem.message}; {problem.hint}" if problem.hint else problem.message
    return indented(problem_words(question(problem.key), text), width)


def facts_lines(facts: Iterable[tuple[str, str]], width: int) -> list[Content]:
    """Align labels and values."""
    shown = []
    for label, value in facts:
        lines = indented(value, width, INDENT) or [""]
        shown.append(Content.assemble((f"{label:<{INDENT}}", "$text-muted"), lines[0].lstrip()))
        shown += [Content(line) for line in lines[1:]]
    return shown
