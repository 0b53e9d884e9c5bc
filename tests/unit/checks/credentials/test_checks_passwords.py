"""Whether the passwords beside the answers are the installed ones."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from oz_installer.checks.context import CheckContext, GeneratedSecrets
from oz_installer.checks.credentials.passwords import SecretsCheck
from tests.unit.checks.checks_support import judged, printed_by, site

MINE = {"redis.password": "aa", "flower.password": "bb"}


@pytest.fixture
def own(tmp_path: Path) -> CheckContext:
    """A site whose file of passwords is there."""
    file = tmp_path / "answers.secrets.json"
    file.write_text("{}")
    return replace(site(), own_passwords=GeneratedSecrets(file=file, is_lost=False, fingerprints=MINE))


@pytest.mark.parametrize(
    ("installed", "other"),
    [
        (MINE, ()),
        ({"redis.password": "aa"}, ()),  # the other's component is new
        ({**MINE, "rabbitmq.password": "cc"}, ()),  # the answers have no such component any more
        ({"redis.password": "other", "flower.password": "bb"}, ("redis.password",)),
        ({"redis.password": "other", "flower.password": "x"}, ("redis.password", "flower.password")),
    ],
)
def test_passwords_by_their_fingerprints(
    own: CheckContext, installed: dict[str, str], other: tuple[str, ...]
) -> None:
    (found,) = judged(SecretsCheck(), installed, at=own).values()
    assert found.level == ("failure" if other else "ok")
    if other:
        assert f"has another {', '.join(other)}" in found.seen
        assert "--new-secrets" in found.hint


def test_a_file_that_is_lost_is_told_as_that(own: CheckContext) -> None:
    assert own.own_passwords is not None
    lost = replace(own, own_passwords=replace(own.own_passwords, is_lost=True))
    (found,) = judged(SecretsCheck(), {"redis.password": "other"}, at=lost).values()
    assert found.seen == f"{own.own_passwords.file} is missing"
    assert found.level == "failure"


def test_a_password_that_the_file_lacks_is_told_as_that(own: CheckContext) -> None:
    assert own.own_passwords is not None
    short = replace(own, own_passwords=replace(own.own_passwords, lacking=("flower.password",)))
    (found,) = judged(SecretsCheck(), {"redis.password": "x", "flower.password": "y"}, at=short).values()
    assert found.seen.endswith("lacks flower.password and has another redis.password")


def test_where_nothing_is_installed_or_nobody_asks_nothing_is_said(own: CheckContext) -> None:
    assert judged(SecretsCheck(), {}, at=own) == {}
    assert judged(SecretsCheck(), {"rabbitmq.password": "cc"}, at=own) == {}
    assert judged(SecretsCheck(), MINE, at=site()) == {}


@pytest.mark.parametrize(
    ("record", "prints"),
    [
        (None, {}),
        ({"secrets": None}, {}),
        ({"node": "n1"}, {}),
        ({"secrets": MINE, "node": "n1"}, MINE),
    ],
)
def test_the_record_on_a_node_is_read(tmp_path: Path, record: object, prints: dict[str, str]) -> None:
    folder = tmp_path / "it's here"
    (folder / "current").mkdir(parents=True)
    if record is not None:
        (folder / "current" / "record.json").write_text(json.dumps(record))
    at = site()
    here = replace(at, answers=replace(at.answers, install_dir=str(folder)))
    check = SecretsCheck()
    assert check.parse(printed_by(check, at=here)) == prints


def test_a_record_that_cannot_be_read_is_no_answer() -> None:
    with pytest.raises(ValueError, match="Expecting"):
        SecretsCheck().parse("{")
    with pytest.raises(ValueError, match="no record"):
        SecretsCheck().parse("[]")
