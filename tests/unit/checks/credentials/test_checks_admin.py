"""The administrator's password: a short one is a warning, none and a long one say nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from oz_installer.checks.credentials.admin_password import AdminPasswordCheck
from oz_installer.secret import Secret
from tests.unit.checks.checks_support import site


@pytest.mark.parametrize(
    ("secrets", "levels"),
    [({"admin.password": "admin1"}, ["warning"]), ({"admin.password": "admin123"}, []), ({}, [])],
)
def test_a_short_password_of_the_administrator(secrets: dict[str, str], levels: list[str]) -> None:
    at = replace(site(), secrets={name: Secret(text) for name, text in secrets.items()})
    found = list(AdminPasswordCheck().judge(at, AdminPasswordCheck().probe(at)))
    assert [one.level for one in found] == levels
    assert "admin1" not in repr(found)
