"""The questions, and what is made of them: the JSON Schema and the reference."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from oz_installer.answers.questions import question, questions, root, sections
from oz_installer.answers.reference import reference_markdown
from oz_installer.answers.schema import json_schema

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted((ROOT / "examples").glob("*.yml"))
VALIDATOR = jsonschema.Draft202012Validator(json_schema())
SMALL: dict[str, Any] = {"scenario": "poc", "public_url": "https://oz", "nodes": [{"name": "a", "host": "a"}]}


def test_questions_are_in_file_order() -> None:
    keys = [one.key for one in questions()]
    assert keys[:4] == ["version", "scenario", "release", "engine"]
    assert keys.index("nodes") + 1 == keys.index("nodes[].name")
    assert len(keys) == len(set(keys))
    assert [section.key for section in sections()][:4] == ["", "nodes", "database", "storage"]


def test_one_question() -> None:
    port = question("database.port")
    assert (port.kind, port.default, port.required, port.section, port.name) == (
        "integer", 5432, False, "database", "port",
    )  # fmt: skip
    assert question("nodes[3].roles").choices == ("api", "bio")
    assert question("scenario").required
    assert question("components.regula").nullable
    assert question("nodes").kind == "table"
    assert port.check(0)
    assert port.check(1) is None
    assert (
        question("scenario").check("medum")
        == "should be one of poc, medium, high-load; the closest is medium"
    )
    assert question("public_url").check(None) == "is needed"
    with pytest.raises(KeyError):
        question("database.prot")


def test_every_question_has_words() -> None:
    for one in questions():
        assert one.label
        assert one.help.endswith(".")
        assert one.kind
    assert root().model.__name__ == "Answers"


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_examples_validate(path: Path) -> None:
    document = yaml.safe_load(path.read_text())
    if isinstance(document, dict) and "scenario" in document:
        VALIDATOR.validate(document)


@pytest.mark.parametrize(
    "change",
    [
        {"relase": "5.2"},
        {"release": 5.2},
        {"scenario": "medum"},
        {"nodes": []},
        {"nodes": [{"name": "A", "host": "a"}]},
        {"nodes": [{"name": "a", "host": "a", "hots": 1}]},
        {"database": {"port": 0}},
        {"database": {"port": "5432"}},
        {"database": {"password": {"evn": "X"}}},
        {"database": {"password": {"env": "X", "file": "y"}}},
        {"components": {"regula": True}},
        {"extra": {"config": {"lower": 1}}},
        {"install_dir": "/opt"},
        {"version": 2},
        {"accept": ["a", "a"]},
    ],
    ids=str,
)
def test_the_schema_refuses(change: dict[str, Any]) -> None:
    assert VALIDATOR.is_valid(SMALL)
    assert not VALIDATOR.is_valid({**SMALL, **change})


def test_the_schema_takes_what_stands_for_left_out() -> None:
    nothing = {key: None for key in root().model.__dataclass_fields__ if key not in SMALL}  # type: ignore[attr-defined]
    assert VALIDATOR.is_valid({**SMALL, **nothing})
    assert VALIDATOR.is_valid({**SMALL, "components": {"regula": False, "web_adapter": None, "web_ui": None}})


def test_the_reference_is_up_to_date() -> None:
    hint = "python -m oz_installer.answers.reference > docs/answers.md"
    assert (ROOT / "docs" / "answers.md").read_text() == reference_markdown(), hint
    for one in questions():
        assert f"| `{one.name}` |" in reference_markdown() or one.kind == "table"


def test_reading_answers_loads_nothing_heavy() -> None:
    code = """
import sys
import oz_installer.answers.secrets.resolve, oz_installer.answers.questions, oz_installer.answers.yaml.writer
import oz_installer.answers.schema
assert "yaml" not in sys.modules
import oz_installer.answers.file
heavy = {"textual", "paramiko", "docker", "pydantic", "jinja2", "subprocess", "jsonschema"} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, env={**os.environ})
