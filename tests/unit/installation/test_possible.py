"""What a component asks for is told at once, be another answer wrong or not."""

from __future__ import annotations

import pytest

from oz_installer.answers.file import read_draft_text
from oz_installer.answers.working import Working
from oz_installer.pure_core import PureCore

TEXT = """\
version: 1
scenario: poc
public_url: http://10.0.0.11
nodes:
- {name: one, host: 10.0.0.11, user: ozadmin}
"""


def wrong_keys(working: Working) -> list[str]:
    """What the core blames."""
    return [problem.key for problem in PureCore().judge(working)]


@pytest.mark.parametrize(
    ("component", "value", "asked"),
    [
        ("components.bio_updater", True, "updater.token"),
        ("components.web_adapter", "http://10.0.0.11", "license.web_adapter"),
    ],
)
def test_what_a_component_asks_for(component: str, value: object, asked: str) -> None:
    quiet = Working.of(read_draft_text(TEXT)).put("components.bio_updater", False)
    for wrong in ((), ("public_url",)):
        base = quiet
        for key in wrong:
            base = base.typed(key, "nonsense")
        assert wrong_keys(base) == [*wrong]
        assert wrong_keys(base.put(component, value)) == [*wrong, asked]
