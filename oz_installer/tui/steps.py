"""The steps of the wizard in order: title, screen, and the answers that each one owns.

A screen's module is loaded when its step is first opened, so the first frame loads one screen only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from oz_installer.errors import Problem


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step: its screen, its texts and the top-level answers that it owns.

    ``screen`` is ``module:class`` below ``tui.screens``, ``intro`` the line under the title, ``help`` the
    page of F1.
    """

    id: str
    title: str
    screen: str
    intro: str
    help: str
    owns: tuple[str, ...] = ()


STEPS: tuple[Step, ...] = (
    Step(
        id="start",
        title="Start",
        screen="start:StartScreen",
        intro="Oz API on your servers, step by step.",
        help=(
            "The wizard writes an answers file and can install from it. Nothing on your servers changes "
            "before the step Install. Your input is kept as a draft, without passwords, whenever you change "
            "the step or quit."
        ),
        owns=("version",),
    ),
    Step(
        id="workload",
        title="Workload",
        screen="workload:WorkloadScreen",
        intro="Expected load. The figures recommend a scenario; you choose.",
        help=(
            "Every figure is optional. Analyses per minute give the number of BIO instances; analyses per "
            "day, media size and archive depth give the storage. The scenario sets the possible numbers of "
            "nodes, and whether they run Docker or Kubernetes."
        ),
        owns=("workload", "scenario"),
    ),
    Step(
        id="release",
        title="Release",
        screen="release:ReleaseScreen",
        intro="Release of Oz API, container engine and components.",
        help=(
            "Conflicting choices are greyed out with the reason. The defaults suit most installations; "
            "components can be switched on and off later in this wizard."
        ),
        owns=("release", "engine", "install_dir", "components", "broker"),
    ),
    Step(
        id="nodes",
        title="Nodes",
        screen="nodes:NodesScreen",
        intro="The servers, in the order of the layout, and their SSH access.",
        help=(
            "A node needs only SSH and a container engine. The number of nodes picks the layout; you can "
            "set roles yourself. Test connects and reports what a node has and what it lacks; it installs "
            "nothing."
        ),
        owns=("nodes", "known_hosts"),
    ),
    Step(
        id="database",
        title="Database",
        screen="database:DatabaseScreen",
        intro="The PostgreSQL server that keeps Oz's data.",
        help=(
            "Enter a server that the api nodes can reach. Leave it empty to use the bundled PostgreSQL (PoC "
            "and tests only). Test logs in from every api node."
        ),
        owns=("database",),
    ),
    Step(
        id="storage",
        title="Storage",
        screen="storage:StorageScreen",
        intro="Storage for photos and videos.",
        help=(
            "One api node can keep media in a local folder. Two or more need one volume that all of them "
            "can write to: an NFS export or an existing mount."
        ),
        owns=("storage",),
    ),
    Step(
        id="access",
        title="Access",
        screen="access:AccessScreen",
        intro="Public address, accounts, licences and the image registry.",
        help=(
            "Users and links use the public URL. Licence files and the updater's token come from Oz "
            "Forensics. Passwords that you leave out are generated and saved next to your answers."
        ),
        owns=(
            "public_url", "load_balancer", "admin", "license", "updater", "air_gapped", "proxy", "network",
            "registry", "images", "unhardened", "extra",
        ),
    ),
    Step(
        id="review",
        title="Review",
        screen="review:ReviewScreen",
        intro="Planned services, every file, and what would change.",
        help="This step changes nothing. Save writes the answers file, which an unattended run reads, too.",
    ),
    Step(
        id="preflight",
        title="Preflight",
        screen="preflight:PreflightScreen",
        intro="Checks of nodes, database and storage; nothing is changed yet.",
        help="Fix every failure. A warning can be accepted; the answers then keep that.",
        owns=("accept",),
    ),
    Step(
        id="install",
        title="Install",
        screen="install:InstallScreen",
        intro="Phase by phase, on all nodes.",
        help=(
            "If the installation fails or is stopped, its changes are rolled back. A later run skips what "
            "is already in place."
        ),
    ),
    Step(
        id="done",
        title="Done",
        screen="done:DoneScreen",
        intro="Status of the installation and next steps.",
        help="Use the command shown here to repeat, upgrade or repair the installation.",
    ),
)  # fmt: skip

FIRST = STEPS[0].id
"""The step in which the operator chooses which answers to edit."""

_BY_ID = {step.id: step for step in STEPS}
_OWNERS = {name: step.id for step in STEPS for name in step.owns}
_REST = "access"
"""Owns every answer that no step names, so that each new question appears somewhere."""


def step(step_id: str) -> Step:
    """Return the step with that id. Raises KeyError."""
    return _BY_ID[step_id]


def number(step_id: str) -> int:
    """Return the index of a step."""
    return STEPS.index(_BY_ID[step_id])


def step_of(key: str) -> str:
    """Return the id of the step that owns a dotted key, such as ``nodes[1].host``."""
    return _OWNERS.get(key.partition(".")[0].partition("[")[0], _REST)


def keys_of(step_id: str) -> tuple[str, ...]:
    """Return the keys of a step in file order; those of a node as ``nodes[].host``."""
    from oz_installer.answers.questions import questions  # the first frame does not wait for the questions

    return tuple(question.key for question in questions() if step_of(question.key) == step_id)


def problems_of(step_id: str, problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return the problems that belong to a step."""
    return tuple(problem for problem in problems if step_of(problem.key) == step_id)
