"""The record that a generation carries."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from oz_installer.deploy.record import fingerprint, next_generation, parse_record, record_of
from oz_installer.secret import Secret
from tests.unit.deploy.compose.deploy_support import bundle, service

ONE = bundle(service("job", job=True), service("api"), config_api="x", secret_a="hidden")


def test_round_trip() -> None:
    record = record_of(ONE, "000007")
    assert parse_record(record.dumps()) == record
    assert record.files.keys() == {file.path for file in ONE.files}
    assert (record.services, record.jobs) == ({"api": "digest-of-api"}, {"job": "digest-of-job"})


def test_it_holds_no_content_and_the_line_that_node_sh_greps() -> None:
    text = record_of(ONE, "000007").dumps()
    assert "hidden" not in text
    assert f'"digest": "{ONE.digest}"' in text
    assert text.endswith("}\n")
    assert list(json.loads(text)) == sorted(json.loads(text))


def test_fingerprints_of_secrets_are_kept_and_a_record_without_them_can_be_read() -> None:
    mark = fingerprint("a", Secret("x" * 40))
    assert mark not in (fingerprint("b", Secret("x" * 40)), fingerprint("a", Secret("y" * 40)))
    record = record_of(ONE, "000007", {"a": mark})
    assert parse_record(record.dumps()) == record
    older = json.loads(record.dumps())
    del older["secrets"]
    assert parse_record(json.dumps(older)) == record_of(ONE, "000007")


def test_where_the_data_lie_is_kept_and_a_record_without_it_can_be_read() -> None:
    record = record_of(replace(ONE, data={"database": "db:5432/gateway"}), "000007")
    assert parse_record(record.dumps()) == record
    older = json.loads(record.dumps())
    del older["data"]
    assert parse_record(json.dumps(older)) == record_of(ONE, "000007")
    assert parse_record(json.dumps({**older, "data": ["db"]})) is None


def test_keys_of_a_later_version_are_passed_over() -> None:
    text = json.dumps({**json.loads(record_of(ONE, "000007").dumps()), "invented": [1]})
    assert parse_record(text) == record_of(ONE, "000007")


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "7", '"text"', "{}", '{"node": 1}', '{"files": null, "node": "n"}'],
)
def test_what_cannot_be_read_is_none(text: str) -> None:
    assert parse_record(text) is None


@pytest.mark.parametrize("key", ["files", "services", "jobs"])
@pytest.mark.parametrize("value", [None, [], "text", 7])
def test_a_record_of_the_wrong_shape_is_none(key: str, value: object) -> None:
    whole = json.loads(record_of(ONE, "000007").dumps())
    assert parse_record(json.dumps({**whole, key: value})) is None


@pytest.mark.parametrize("value", [[], "text", 7, {"a": 1}])
def test_a_record_with_fingerprints_of_the_wrong_shape_is_none(value: object) -> None:
    whole = json.loads(record_of(ONE, "000007").dumps())
    assert parse_record(json.dumps({**whole, "secrets": value})) is None


@pytest.mark.parametrize(
    ("existing", "current", "expected"),
    [
        ((), "", "000001"),
        (("000001",), "000001", "000002"),
        (("000001", "000009", "000004"), "000004", "000010"),
        ((), "000041", "000042"),
        (("000003.partial",), "000002", "000004"),
        (("999999",), "999999", "1000000"),
        (("lost+found", "backup"), "", "000001"),
    ],
)
def test_next_generation(existing: tuple[str, ...], current: str, expected: str) -> None:
    assert next_generation(existing, current) == expected


def test_l1_a_record_that_no_parser_can_read_is_none() -> None:
    assert parse_record("[" * 200_000) is None
    assert parse_record('{"a":' * 50_000) is None


def test_m5_a_record_of_megabytes_is_none() -> None:
    assert parse_record(" " * 300 * 1024 * 1024) is None


@pytest.mark.parametrize("name", ["\u00b2", "\u0663", "9" * 10_000, "-1", "a"])
def test_l1_a_generation_of_another_script_is_no_number(name: str) -> None:
    assert len(next_generation((name,), "000007")) <= 19
