"""Every printable secret arrives unchanged through each language's own rules."""

from __future__ import annotations

import ast
import base64
import hashlib
import json
import re
import shlex
import unicodedata
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jinja2.exceptions import UndefinedError

from oz_installer.errors import AnswersError
from oz_installer.render import environment, filters
from oz_installer.render.environment import UnquotedError
from oz_installer.render.filters import Quoted
from oz_installer.secret import Secret

# Everything but control characters, line breaks and lone surrogates: what a password may hold.
PRINTABLE = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]) | st.sampled_from("'\"\\$#%`{}@:/ -!"),
    min_size=1,
    max_size=60,
)
NASTY = """-x ' " \\ \\n \\x41 $HOME ${A} $(id) `id` #c %s %41 {{ 7*7 }} {% raw %} пароль ñ 🔑 \u00a0\u200d"""
ONE_LINE = [
    filters.sql,
    filters.redis,
    filters.nginx,
    filters.rabbitmq,
    filters.url,
    filters.shell,
    filters.line,
]


def split_redis_arguments(line: str) -> list[bytes]:
    """Redis' sdssplitargs: how it reads a line of redis.conf."""
    data, found, at = line.encode(), [], 0
    while at < len(data):
        if data[at : at + 1].isspace():
            at += 1
            continue
        argument, at = _redis_argument(data, at)
        found.append(argument)
    return found


def _redis_argument(data: bytes, at: int) -> tuple[bytes, int]:
    escapes = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"a": b"\a"}
    out = b""
    if data[at : at + 1] != b'"':
        word = re.match(rb"[^\s\"']+", data[at:])
        assert word, "an argument was expected"
        return word.group(), at + word.end()
    at += 1
    while (char := data[at : at + 1]) != b'"':
        assert char, "the quote is never closed"
        if char == b"\\" and (code := re.match(rb"\\x([0-9a-fA-F]{2})", data[at:])):
            out, at = out + bytes([int(code[1], 16)]), at + 4
        elif char == b"\\" and at + 1 < len(data):
            out, at = out + escapes.get(data[at + 1 : at + 2], data[at + 1 : at + 2]), at + 2
        else:
            out, at = out + char, at + 1
    rest = data[at + 1 : at + 2]
    assert not rest or rest.isspace(), "a closing quote must end the argument"
    return out, at + 1


def read_nginx(text: str) -> str:
    """A double-quoted parameter as ngx_conf_read_token copies it."""
    assert text.startswith('"')
    assert re.fullmatch(r'"(?:[^"\\]|\\.)*"', text, re.DOTALL)
    return re.sub(r"\\([\"'\\])", r"\1", text[1:-1])


def read_sql(text: str, quote: str = "'") -> str:
    """A literal as PostgreSQL reads it with standard_conforming_strings on."""
    assert re.fullmatch(f"{quote}(?:[^{quote}]|{quote}{quote})*{quote}", text, re.DOTALL)
    return text[1:-1].replace(quote * 2, quote)


@given(PRINTABLE)
@example(NASTY)
def test_a_secret_arrives_through_every_language(value: str) -> None:
    secret = Secret(value)
    assert ast.literal_eval(filters.python(secret)) == value
    assert json.loads(filters.json_value(secret)) == value
    assert read_sql(filters.sql(secret)) == value
    assert split_redis_arguments(f"requirepass {filters.redis(secret)}")[1:] == [value.encode()]
    assert unquote(filters.url(secret)) == value
    assert shlex.split(filters.shell(secret)) == [value]
    assert filters.line(secret) == value


@given(PRINTABLE)
def test_a_secret_arrives_through_a_url(value: str) -> None:
    parts = urlsplit(f"redis://:{filters.url(Secret(value))}@host:6379/1")
    assert (parts.hostname, parts.port, parts.path) == ("host", 6379, "/1")
    assert unquote(parts.password or "") == value


@given(PRINTABLE)
def test_nginx_takes_a_value_unchanged_or_refuses_it(value: str) -> None:
    if "$" in value:
        with pytest.raises(AnswersError, match=r"nginx contains a \$"):
            filters.nginx(value)
    else:
        assert read_nginx(filters.nginx(value)) == value


@given(PRINTABLE)
@example("encrypted:abc")
@example("a#b")
@example("'quoted'")
@example("$(secret)")
def test_rabbitmq_conf_takes_a_value_unchanged_or_refuses_it(value: str) -> None:
    dangerous = set(value) - {chr(code) for code in range(0x21, 0x7F)} | set(value) & set("#'\"\\$<>`")
    if dangerous or value.startswith("encrypted:"):
        with pytest.raises(AnswersError, match=r"rabbitmq\.conf"):
            filters.rabbitmq(Secret(value))
    else:
        assert filters.rabbitmq(Secret(value)) == value


@given(PRINTABLE)
def test_rabbitmq_hash_is_what_rabbitmq_checks(value: str) -> None:
    raw = base64.b64decode(filters.rabbitmq_hash(Secret(value)))
    assert raw[4:] == hashlib.sha256(raw[:4] + value.encode()).digest()
    assert filters.rabbitmq_hash(Secret(value)) == filters.rabbitmq_hash(Secret(value))


@given(PRINTABLE.filter(lambda text: len(text.encode()) <= 63))
def test_an_sql_name_arrives(value: str) -> None:
    assert read_sql(filters.sql_name(value), '"') == value


@pytest.mark.parametrize("name", ["", "x" * 64])
def test_an_sql_name_that_postgresql_would_change_is_refused(name: str) -> None:
    with pytest.raises(AnswersError, match="63 bytes"):
        filters.sql_name(name)


@given(st.text(max_size=10), st.sampled_from("\n\r\0\x1b\x7f\x85\u2028\ud800"), st.text(max_size=10))
def test_control_characters_are_refused_without_showing_the_value(left: str, bad: str, right: str) -> None:
    for quoting in ONE_LINE:
        with pytest.raises(AnswersError, match=r"control character|cannot read there") as caught:
            quoting(Secret(f"canary{left}{bad}{right}"))
        assert "canary" not in f"{caught.value}{caught.value.hint}"


@given(st.characters())
def test_unprintable_agrees_with_unicode(char: str) -> None:
    assert filters.unprintable(char) is (unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"})


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(PLAIN)
def test_plain_data_arrives_in_python_and_json(value: object) -> None:
    assert ast.literal_eval(filters.python(value)) == value
    assert json.loads(filters.json_value(value)) == value


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
@pytest.mark.parametrize("quoting", [filters.python, filters.json_value])
def test_numbers_without_a_literal_are_refused(quoting: object, number: float) -> None:
    assert callable(quoting)
    with pytest.raises(AnswersError, match=r"cannot be written in|not JSON compliant"):
        quoting(number)


@pytest.mark.parametrize("name", ["A = 1; B", "class", "", "A\nB"])
def test_what_is_no_python_name_is_refused(name: str) -> None:
    with pytest.raises(AnswersError):
        filters.python_name(name)


@pytest.mark.parametrize("quoting", filters.FILTERS.values())
def test_every_filter_but_the_hash_gives_quoted_text(quoting: object) -> None:
    assert callable(quoting)
    assert isinstance(quoting("a"), Quoted) is (quoting is not filters.rabbitmq_hash)


@pytest.mark.parametrize(
    "template",
    [
        "{{ value }}",
        "{{ secret }}",
        "{{ 'literal' }}",
        "{{ true }}",
        "{{ [1] }}",
        "{{ value|upper }}",
        "{{ value|py ~ 'x' }}",
        "{{ (value|py) + 'x' }}",
        "{{ value|py|trim }}",
        "{{ [value|py]|join(',') }}",
        "{% set kept %}{{ value|py }}{% endset %}{{ kept }}",
        "{% macro give() %}x{% endmacro %}{{ give() }}",
        "{{ secret|rabbitmq_hash }}",
        "{{ value|e }}",
        "{{ value|safe }}",
    ],
)
def test_forgetting_to_quote_is_an_error(template: str) -> None:
    with pytest.raises(UnquotedError):
        environment.environment().from_string(template).render(value="x", secret=Secret("y"))


@pytest.mark.parametrize("template", ["{{ nothing }}", "{{ nothing|py }}", "{% if nothing %}{% endif %}"])
def test_an_unknown_name_is_an_error(template: str) -> None:
    with pytest.raises((UndefinedError, TypeError)):
        environment.environment().from_string(template).render()


def test_whole_numbers_and_quoted_text_pass() -> None:
    made = environment.environment().from_string("{{ 5 }} {{ value|py }}\n{% if value %}\n  x\n{% endif %}\n")
    assert made.render(value="a") == "5 'a'\n  x\n"


def test_a_value_is_never_a_template() -> None:
    assert environment.environment().from_string("{{ v|line }}").render(v="{{ 7*7 }}") == "{{ 7*7 }}"


def test_the_cache_folder_is_the_users_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = environment.cache_folder()
    assert folder == tmp_path / "oz-install" / "templates"
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o755])
def test_a_cache_folder_open_to_others_is_not_used(
    mode: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = tmp_path / "oz-install" / "templates"
    folder.mkdir(parents=True)
    folder.chmod(mode)
    assert environment.cache_folder() is None


def test_a_linked_or_relative_cache_folder_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "oz-install").mkdir()
    (tmp_path / "oz-install" / "templates").symlink_to(tmp_path / "elsewhere")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert environment.cache_folder() is None
    monkeypatch.setenv("XDG_CACHE_HOME", "cache")
    assert environment.cache_folder() is None


@pytest.mark.parametrize("content", [b"", b"junk", b"j2" + b"\x80" * 40])
def test_a_broken_cache_costs_time_only(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    name, context = "config/redis/password.j2", {"secret": lambda _name: Secret("s3cret")}
    for _ in range(2):
        environment.environment.cache_clear()
        assert environment.render_template(name, context) == "s3cret"
        kept = list((tmp_path / "oz-install" / "templates").iterdir())
        assert kept
        for file in kept:
            assert b"s3cret" not in file.read_bytes()
            file.write_bytes(content)
    environment.environment.cache_clear()


def test_a_missing_templates_folder_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "PACKAGE", tmp_path / "site-packages" / "oz_installer")
    environment.templates_folder.cache_clear()
    with pytest.raises(Exception, match="templates are missing"):
        environment.templates_folder()
    (tmp_path / "site-packages" / "oz_installer" / "templates" / "config").mkdir(parents=True)
    assert environment.templates_folder() == tmp_path / "site-packages" / "oz_installer" / "templates"
    environment.templates_folder.cache_clear()


@pytest.mark.parametrize("value", ["oz-api:8000", "oz_api.1:80"])
def test_addresses_of_containers_stand_bare(value: str) -> None:
    assert filters.address(value) == value


@pytest.mark.parametrize("value", ["", "a b", "a;", "$a", "a\\b", '"a"', "{a}", "a:1\n"])
def test_what_nginx_could_read_as_more_is_no_address(value: str) -> None:
    with pytest.raises((TypeError, AnswersError)):
        filters.address(value)
