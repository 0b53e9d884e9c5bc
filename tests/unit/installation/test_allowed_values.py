"""What a component asks for is told at once, be another answer wrong or not."""

from __future__ import annotations

import pytest

from oz_installer.answers.drafts.working_copy import WorkingCopy
from oz_installer.answers.file import parse_text
from oz_installer.installation.wizard.pure_core import OfflineCore

TEXT = """\
version: 1
scenario: poc
public_url: http://10.0.0.11
nodes:
- {name: one, host: 10.0.0.11, user: ozadmin}
"""


def wrong_keys(working: WorkingCopy) -> list[str]:
    """What the core blames."""
    return [problem.key for problem in OfflineCore().validate(working)]


@pytest.mark.parametrize(
    ("component", "value", "asked"),
    [
        ("components.bio_updater", True, "updater.token"),
        ("components.web_adapter", "http://10.0.0.11", "license.web_adapter"),
    ],
)
def test_what_a_component_asks_for(component: str, value: object, asked: str) -> None:
    quiet = WorkingCopy.of(parse_text(TEXT)).with_value("components.bio_updater", False)
    for wrong in ((), ("public_url",)):
        base = quiet
        for key in wrong:
            base = base.with_text(key, "nonsense")
        assert wrong_keys(base) == [*wrong]
        assert wrong_keys(base.with_value(component, value)) == [*wrong, asked]
