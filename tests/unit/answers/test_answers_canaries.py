"""Shell, template, YAML, SQL and format syntax in any answer is refused or arrives as plain data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from oz_installer.answers.file import loads, parse_text
from oz_installer.answers.model import Answers, SecretRef
from oz_installer.answers.questions import Question, questions
from oz_installer.answers.yaml.writer import dumps, quoted

TRAP = Path("/tmp/oz-canary-executed")
CANARIES = (
    f"$(touch {TRAP})",
    f"`touch {TRAP}`",
    f"; touch {TRAP} #",
    f"| touch {TRAP}",
    "${IFS}",
    "{{7*7}}",
    "{% include '/etc/passwd' %}",
    "%s%n%(password)s",
    "{0.__class__}",
    "'; DROP TABLE users; --",
    "!!python/object/apply:os.system ['x']",
    "&a *a",
    "- x: y",
    "a: b # c",
    "../../etc/passwd",
    "-oProxyCommand=x",
    "--help",
    '"quoted\\',
    "x\ny",
    "x\n",
    "\x1b[31m",
    "a\u202eb",
)
BASE = {"scenario": "poc", "public_url": "https://oz.example.com"}
NODE = {"name": "oz1", "host": "10.0.0.11"}
ASKED = [question for question in questions() if question.kind != "table"]


def document(question: Question, value: str) -> str:
    """A small file in which the question has the value, as YAML that quotes it well."""
    text = quoted(value)
    if question.kind == "list":
        text = f"[{text}]"
    if question.kind in ("map", "settings"):
        text = f"{{{'IMAGE' if question.kind == 'map' else 'SETTING'}: {text}}}"
    top = {key: quoted(word) for key, word in BASE.items()}
    node = {key: quoted(word) for key, word in NODE.items()}
    if question.section == "nodes":
        node[question.name] = text
    elif question.section:
        top[question.section] = f"{{{question.name}: {text}}}"
    else:
        top[question.name] = text
    inside = ", ".join(f"{key}: {word}" for key, word in node.items())
    return "".join(f"{key}: {word}\n" for key, word in top.items()) + f"nodes: [{{{inside}}}]\n"


def found(answers: Answers, question: Question) -> Any:
    model: Any = answers
    if question.section:
        model = getattr(answers, question.section)
    if question.section == "nodes":
        model = model[0]
    return getattr(model, question.name)


@pytest.mark.parametrize("question", ASKED, ids=lambda question: question.key)
def test_no_canary_sings(question: Question) -> None:
    for canary in CANARIES:
        draft = parse_text(document(question, canary))
        if draft.problems:
            continue
        answers = draft.build_answers().answers
        value = found(answers, question)
        plain = value.where if isinstance(value, SecretRef) else value
        if isinstance(plain, dict):
            (plain,) = plain.values()
        if isinstance(plain, tuple):
            (plain,) = plain
        assert plain == (Path(canary) if isinstance(plain, Path) else canary)
        assert loads(dumps(answers)) == answers
    assert not TRAP.exists()


FREE = {"path", "secret", "settings"}
STRICT = [question for question in ASKED if question.kind not in FREE]
LOOSE = [question for question in ASKED if question.kind in FREE]


@pytest.mark.parametrize("question", STRICT, ids=lambda question: question.key)
def test_what_goes_into_commands_and_files_is_refused(question: Question) -> None:
    key = question.key.replace("[]", "[0]")
    for canary in CANARIES[:4] + CANARIES[9:10] + CANARIES[-6:]:
        problems = parse_text(document(question, canary)).problems
        assert any(problem.key.startswith(key) for problem in problems), canary


@pytest.mark.parametrize("question", LOOSE, ids=lambda question: question.key)
def test_control_characters_are_refused_everywhere(question: Question) -> None:
    key = question.key.replace("[]", "[0]")
    for canary in ("x\ny", "x\n", "\x00", "\x1b[31m", "a\u202eb", "\u2028", "x" * 4097):
        problems = parse_text(document(question, canary)).problems
        assert any(problem.key.startswith(key) for problem in problems), canary
