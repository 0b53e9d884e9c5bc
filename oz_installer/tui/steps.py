"""The steps of the wizard in their order: title, screen, and which answers each one owns.

A screen's module is loaded when its step is first opened: the first frame waits for one screen only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from oz_installer.errors import Problem


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step. ``screen`` is ``module:class`` below ``tui.screens``; ``owns`` names top-level answers.

    ``intro`` is the line under the title, ``help`` the page of F1.
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
            "The wizard writes an answers file and can carry it out. Nothing on your servers changes before "
            "the step Install. What you have typed is kept as a draft, without passwords, whenever you "
            "change the step or leave."
        ),
        owns=("version",),
    ),
    Step(
        id="workload",
        title="Workload",
        screen="workload:WorkloadScreen",
        intro="How much must it carry? The figures recommend a scenario; you choose.",
        help=(
            "Every figure may be left out. From analyses a minute follows the number of BIO instances, from "
            "analyses a day, media size and archive depth the storage. The scenario says how many nodes "
            "there can be and whether they run Docker or Kubernetes."
        ),
        owns=("workload", "scenario"),
    ),
    Step(
        id="release",
        title="Release",
        screen="release:ReleaseScreen",
        intro="Which Oz API, on which engine, with which components.",
        help=(
            "What cannot go together is greyed out with the reason. The defaults are what most "
            "installations run; components can be switched on and off later with the same wizard."
        ),
        owns=("release", "engine", "install_dir", "components", "broker"),
    ),
    Step(
        id="nodes",
        title="Nodes",
        screen="nodes:NodesScreen",
        intro="The servers, in the order of the layout, and how SSH reaches them.",
        help=(
            "Only SSH and a container engine are needed on a node. The number of nodes picks the layout; "
            "roles may be moved. Test connects and says what a node has and what it lacks; nothing is "
            "installed for that."
        ),
        owns=("nodes", "known_hosts"),
    ),
    Step(
        id="database",
        title="Database",
        screen="database:DatabaseScreen",
        intro="The PostgreSQL server that keeps Oz's data.",
        help=(
            "Name a server that the api nodes reach. Without one a PostgreSQL comes along, for PoC and "
            "tests only. Test logs in from every api node."
        ),
        owns=("database",),
    ),
    Step(
        id="storage",
        title="Storage",
        screen="storage:StorageScreen",
        intro="Where photos and videos are kept.",
        help=(
            "One api node can keep media in a folder of its own. Two or more need one volume that all of "
            "them can write to: an NFS export, or a mount that they already have."
        ),
        owns=("storage",),
    ),
    Step(
        id="access",
        title="Access",
        screen="access:AccessScreen",
        intro="The public address, accounts, licences and where images come from.",
        help=(
            "Users and links use the public URL. Licence files and the updater's token come from Oz "
            "Forensics. Passwords that are left out are made, and kept beside your answers."
        ),
        owns=(
            "public_url", "load_balancer", "admin", "license", "updater", "air_gapped", "proxy", "registry",
            "images", "extra",
        ),
    ),
    Step(
        id="review",
        title="Review",
        screen="review:ReviewScreen",
        intro="What will run where, every file, and what would change.",
        help="Nothing is changed here. Save writes the answers file that an unattended run takes, too.",
    ),
    Step(
        id="preflight",
        title="Preflight",
        screen="preflight:PreflightScreen",
        intro="Nodes, database and storage are looked at; nothing is changed yet.",
        help="A failure must be mended. A warning can be accepted; it is then remembered in the answers.",
        owns=("accept",),
    ),
    Step(
        id="install",
        title="Install",
        screen="install:InstallScreen",
        intro="Node by node, phase by phase.",
        help=(
            "A failure, or stopping it, takes back what this run has changed. Running it again goes on "
            "where it is right already."
        ),
    ),
    Step(
        id="done",
        title="Done",
        screen="done:DoneScreen",
        intro="What runs where, and what to do next.",
        help="The same installation can be repeated, upgraded and repaired with the command shown here.",
    ),
)  # fmt: skip

FIRST = STEPS[0].id
"""Where one chooses which answers to edit."""

_BY_ID = {step.id: step for step in STEPS}
_OWNERS = {name: step.id for step in STEPS for name in step.owns}
_REST = "access"
"""Owns every top-level answer that no other step names, so that a new question is asked somewhere."""


def step(step_id: str) -> Step:
    """The step of that id; KeyError when there is none."""
    return _BY_ID[step_id]


def number(step_id: str) -> int:
    """Its place, from 0."""
    return STEPS.index(_BY_ID[step_id])


def step_of(key: str) -> str:
    """The id of the step that owns a dotted key, ``nodes[1].host`` included."""
    return _OWNERS.get(key.partition(".")[0].partition("[")[0], _REST)


def keys_of(step_id: str) -> tuple[str, ...]:
    """Every question of a step in file order, the columns of the nodes as ``nodes[].host``."""
    from oz_installer.answers.questions import questions  # the first frame does not wait for the questions

    return tuple(question.key for question in questions() if step_of(question.key) == step_id)


def problems_of(step_id: str, problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Those that are to be mended in this step."""
    return tuple(problem for problem in problems if step_of(problem.key) == step_id)
