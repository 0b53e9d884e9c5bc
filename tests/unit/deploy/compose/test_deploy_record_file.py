"""The record as a file of a generation: written with the bundle, read with the facts."""

from __future__ import annotations

from pathlib import Path

import pytest

from oz_installer.checks.credentials.passwords import SecretsCheck
from oz_installer.checks.engine.engine import EngineCheck
from oz_installer.deploy.compose import node_commands as commands
from oz_installer.deploy.compose.facts import parse_facts
from oz_installer.deploy.compose.record_file import record_file
from oz_installer.deploy.record import Record
from oz_installer.render.project import INSTALLED_RECORD
from tests.local_transport import LocalTransport
from tests.unit.checks.checks_support import printed_by, site
from tests.unit.checks.test_checks_scripts import DOCKER, program, tools

__all__ = ["tools"]

RECORD = Record(node="n", release="5.2", generation="000001", digest="d", secrets={"a": "1"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An install folder whose current generation has this record and one file."""
    generation = tmp_path / "generations/000001"
    generation.mkdir(parents=True)
    (tmp_path / "current").symlink_to("generations/000001")
    file = record_file(RECORD)
    (generation / file.path).write_bytes(file.content)
    (generation / "compose.yaml").write_text("x\n")
    return tmp_path


def test_what_is_written_with_a_generation_is_read_with_the_facts(folder: Path) -> None:
    argv = commands.read_facts(str(folder), "no-such-engine", RECORD.digest, ())
    facts = parse_facts("n", LocalTransport(become="none").run(argv).text)
    assert facts.record == RECORD
    assert facts.files.keys() == {"compose.yaml"}  # the record is no file of the bundle
    assert facts.details is None  # its digest is found: this bundle is installed
    assert record_file(RECORD).mode == 0o600


def test_checks_look_where_it_is(folder: Path, tools: Path) -> None:
    program(tools, "docker", DOCKER)
    assert (folder / INSTALLED_RECORD).exists()
    at = site(install_dir=str(folder))
    assert SecretsCheck().parse(printed_by(SecretsCheck(), at)) == {"a": "1"}
    assert "recorded yes" in printed_by(EngineCheck(), at)
    (folder / INSTALLED_RECORD).unlink()
    assert SecretsCheck().parse(printed_by(SecretsCheck(), at)) == {}
    assert "recorded yes" not in printed_by(EngineCheck(), at)
