"""Plans as text."""

from __future__ import annotations

from collections.abc import Iterator

from oz_installer.deploy.change import Change
from oz_installer.deploy.plan import Plan, TargetPlan
from oz_installer.secret import Masker
from oz_installer.text import plural, safe_line

RED, GREEN, CYAN, BOLD, RESET = "\x1b[31m", "\x1b[32m", "\x1b[36m", "\x1b[1m", "\x1b[0m"
SIGNS = {"new": "+", "changed": "~", "removed": "-", "drifted": "!"}
FILE_WORDS = {
    "new": "new",
    "changed": "changes",
    "removed": "is removed",
    "drifted": "was changed on the node, is reset",
}
ACTIONS = {
    "start": "starts",
    "recreate": "is recreated",
    "restart": "restarts",
    "remove": "is removed",
    "wait": "must become healthy",
}
LONGEST_NAME = 63
"""Maximum length of a container's name in a plan; a node may choose any name."""
LONGEST_TEXT = 1000
"""Maximum length of any other foreign text in a plan: a path, an image, a reason."""
ACTION_SIGNS = {"start": "+", "recreate": "~", "restart": "~", "remove": "-", "wait": "~"}


def plan_text(plan: Plan, *, colour: bool = False, masker: Masker | None = None) -> str:
    """Return the plan as text: changes per node, then the diffs of changed files, then a total.

    Each node lists its files, services with the reason, jobs and images. New files have no diff.
    """
    mask = masker or Masker()
    lines: list[str] = []
    for node in plan.targets:
        if not (node.nothing_to_do and not node.images):
            lines += [*_node(node, colour, mask), ""]
    for node in plan.targets:
        for file in node.files:
            if file.diff and file.action != "new":
                lines += [*_diff(node.target, file, colour, mask), ""]
    return "\n".join([*lines, total_text(plan)]) + "\n"


def total_text(plan: Plan) -> str:
    """Return ``3 files change, 2 services restart, on 1 of 4 nodes``."""
    busy = [node for node in plan.targets if not node.nothing_to_do]
    if not busy:
        return f"Nothing to do on {plural(len(plan.targets), 'node')}."
    parts = list(_totals(busy))
    return f"{', '.join(parts)}, on {len(busy)} of {plural(len(plan.targets), 'node')}."


def _totals(nodes: list[TargetPlan]) -> Iterator[str]:
    kinds = [change.action for node in nodes for change in node.files]
    actions = [change.action for node in nodes for change in node.services]
    for count, noun, verb, plural_verb in (
        (kinds.count("new"), "new file", "", ""),
        (kinds.count("changed"), "file", "changes", "change"),
        (kinds.count("drifted"), "file", "is reset", "are reset"),
        (kinds.count("removed"), "file", "is removed", "are removed"),
        (actions.count("start"), "service", "starts", "start"),
        (actions.count("recreate"), "service", "is recreated", "are recreated"),
        (actions.count("restart"), "service", "restarts", "restart"),
        (actions.count("remove"), "service", "is removed", "are removed"),
        (actions.count("wait"), "service", "must become healthy", "must become healthy"),
        (sum(len(node.jobs) for node in nodes), "job", "runs", "run"),
        (len({image for node in nodes for image in node.images}), "image", "is pulled", "are pulled"),
        (sum(node.needs_verification for node in nodes), "node", "is verified", "are verified"),
    ):
        if count:
            yield f"{plural(count, noun)} {verb if count == 1 else plural_verb}".rstrip()


def _node(node: TargetPlan, colour: bool, mask: Masker) -> Iterator[str]:
    yield _paint(f"{node.target}", BOLD, colour)
    for move in node.moves:
        before, now = _shown(move.before, mask), _shown(move.now, mask)
        text = f"  ! the API's {move.what} moves from {before} to {now}; no data is copied"
        yield _paint(text, RED, colour)
    for file in node.files:
        yield _file(file, colour, mask)
    names = [_shown(service.name, mask, LONGEST_NAME) for service in node.services]
    width = max(map(len, names), default=0)
    for name, service in zip(names, node.services, strict=True):
        yield _service(f"{name:<{width}}", service, colour, mask)
    for job in node.of_kind("job"):
        reason = f": {job.reason}" if job.reason else ""
        yield f"  > {_shown(job.name, mask)} runs once{reason}"
    for image in node.images:
        yield f"  < image {_shown(image, mask)} is pulled"
    if node.needs_verification:
        yield "  ? is verified from outside: the previous run did not get that far"


def _shown(text: str, mask: Masker, longest: int = LONGEST_TEXT) -> str:
    """Return what a node called something, on one line of bounded length."""
    return safe_line(mask(text), longest)


def _file(file: Change, colour: bool, mask: Masker) -> str:
    sign = SIGNS[file.action]
    return _paint(
        f"  {sign} {_shown(file.name, mask)}  {FILE_WORDS[file.action]}", _sign_colour(sign), colour
    )


def _diff(node: str, file: Change, colour: bool, mask: Masker) -> Iterator[str]:
    yield _paint(f"{node}: {_shown(file.name, mask)}", BOLD, colour)
    lines = mask(file.diff).split("\n")
    if len(lines) > 1 and lines[0].startswith("--- ") and lines[1].startswith("+++ "):
        lines = lines[2:]  # the path is already in the heading
    for line in lines[: -1 if lines[-1] == "" else None]:
        yield "  " + _paint(line, _diff_colour(line), colour)


def _service(name: str, service: Change, colour: bool, mask: Masker) -> str:
    sign = ACTION_SIGNS[service.action]
    reason = f": {_shown(service.reason, mask)}" if service.reason else ""
    text = f"  {sign} {name}  {ACTIONS[service.action]}{reason}"
    return _paint(text, _sign_colour(sign), colour)


def _sign_colour(sign: str) -> str:
    return {"+": GREEN, "-": RED}.get(sign, CYAN)


def _diff_colour(line: str) -> str:
    return {"+": GREEN, "-": RED, "@": CYAN}.get(line[:1], "")


def _paint(text: str, code: str, colour: bool) -> str:
    return f"{code}{text}{RESET}" if colour and code else text
