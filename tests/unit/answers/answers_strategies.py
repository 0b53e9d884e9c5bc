"""Any valid answers, drawn from the questions themselves: a new question needs nothing here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from oz_installer.answers import network, value_rules
from oz_installer.answers.model import Answers, SecretRef
from oz_installer.answers.questions import Question, Section, root
from oz_installer.answers.safe_text import safe_data
from oz_installer.answers.yaml.reader import build_section

HOSTS = ("10.0.0.11", "db.example.com", "bastion_1", "2001:db8::1", "a", "xn--e1afmkfd.example.")
BY_RULE: dict[Any, st.SearchStrategy[Any]] = {
    value_rules.host: st.sampled_from(HOSTS),
    value_rules.port: st.integers(1, 65535),
    value_rules.absolute_path: st.from_regex(r"(/[A-Za-z0-9_@+-]{1,9}){1,4}", fullmatch=True),
    value_rules.export: st.from_regex(r"/|(/[a-z0-9]{1,9}){1,4}", fullmatch=True),
    value_rules.install_dir: st.from_regex(r"/opt(/[A-Za-z0-9_@+-]{1,9}){1,3}", fullmatch=True),
    value_rules.url: st.sampled_from(
        (
            "https://oz.example.com",
            "http://10.0.0.1:8080/a%20b/",
            "https://[2001:db8::1]:8443",
            "http://h/x.y",
        )
    ),
    value_rules.proxy: st.sampled_from(
        ("http://proxy.example.com:3128", "http://[::1]:8080", "http://10.0.0.1:1/")
    ),
    value_rules.no_proxy: st.lists(st.sampled_from((*HOSTS, ".example.com", "10.0.0.0/8")), unique=True).map(
        tuple
    ),
    network.subnet: st.sampled_from(("10.210.0.0/24", "172.31.0.0/16", "192.168.7.64/26")),
    network.mtu: st.integers(576, 9216),
    value_rules.jump: st.sampled_from(("bastion", "me@bastion:2222", "root@[2001:db8::1]:22", "10.0.0.1")),
    value_rules.registry: st.sampled_from(("registry.example.com:5000/oz", "localhost", "[::1]:5000")),
    value_rules.email: st.sampled_from(("admin@oz.local", "o.neil+oz@example.com", "админ@example.com")),
    value_rules.no_duplicates: st.lists(st.sampled_from(("api", "bio")), unique=True).map(tuple),
    value_rules.service_names: st.lists(
        st.from_regex(r"[a-z0-9][a-z0-9_-]{0,9}", fullmatch=True), unique=True
    ).map(tuple),
    value_rules.warning_ids: st.lists(
        st.from_regex(r"[a-z][a-z0-9.:-]{0,9}", fullmatch=True), unique=True
    ).map(tuple),
    value_rules.images: st.dictionaries(
        st.from_regex(r"[a-z0-9][a-z0-9-]{0,8}", fullmatch=True),
        st.from_regex(value_rules.image.regex, fullmatch=True).filter(lambda text: len(text) < 300),
        max_size=3,
    ),
}


def texts(min_size: int = 1) -> st.SearchStrategy[str]:
    """Any text that answers may hold."""
    return st.text(min_size=min_size, max_size=60).filter(lambda text: safe_data(text) is None)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300)
    | texts(0),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts(), inner, max_size=3),
    max_leaves=6,
)
SETTINGS = st.dictionaries(st.from_regex(r"[A-Z][A-Z0-9_]{0,20}", fullmatch=True), JSON, max_size=3)
SECRETS = st.one_of(
    st.builds(SecretRef, kind=st.just("env"), where=st.from_regex(r"[A-Z_][A-Z0-9_]{0,9}", fullmatch=True)),
    st.builds(SecretRef, kind=st.just("file"), where=texts()),
    st.builds(
        SecretRef,
        kind=st.just("plain"),
        where=texts().filter(lambda text: not value_rules.plain_secret(text)),
    ),
    st.just(SecretRef(kind="prompt")),
)


def values_of(question: Question) -> st.SearchStrategy[Any]:
    """Any sound value of a question, None included where it may be left out as such."""
    drawn = _of_kind(question)
    return st.none() | drawn if question.nullable else drawn


def _of_kind(question: Question) -> st.SearchStrategy[Any]:
    if question.choices and question.kind == "choice":
        return st.sampled_from(question.choices)
    if question.rule in BY_RULE:
        return BY_RULE[question.rule]
    if isinstance(question.rule, value_rules.RegexRule):
        return st.from_regex(question.rule.regex, fullmatch=True)
    kinds: dict[str, st.SearchStrategy[Any]] = {
        "secret": SECRETS,
        "boolean": st.booleans(),
        "path": texts().map(Path),
        "settings": SETTINGS,
        "integer": st.integers(1, 10**12),
        "number": st.floats(1e-9, 1e12),
    }
    return kinds[question.kind]


@st.composite
def sections_of(draw: st.DrawFn, section: Section) -> dict[str, Any]:
    """Values of a section that fit together."""
    values: dict[str, Any] = {}
    for item in section.items:
        if isinstance(item, Question):
            if item.required or draw(st.booleans()):
                values[item.name] = draw(values_of(item))
        elif not item.many:
            values[item.name] = draw(sections_of(item))
        else:
            values[item.name] = draw(st.lists(sections_of(item), min_size=1, max_size=3))
            for index, row in enumerate(values[item.name]):
                row["name"] = f"n{index}-{row['name'][:20]}".rstrip("-")
                row["host"] = f"10.1.{index}.1"
    _mend(section.name, values)
    return values


def _mend(name: str, values: dict[str, Any]) -> None:
    secret = SecretRef(kind="env", where="OZ_SECRET")
    if name == "storage":
        kind = values.get("type", "local")
        for key, owner, example in (
            ("server", "nfs", "nfs1"),
            ("export", "nfs", "/srv/oz"),
            ("path", "path", "/mnt/oz"),
        ):
            values[key] = (values.get(key) or example) if kind == owner else None
    if name == "registry" and bool(values.get("username")) != bool(values.get("password")):
        values["username"], values["password"] = "robot$oz+pull", secret
    if name == "database" and values.get("host"):
        values["password"] = values.get("password") or secret
    if name == "database":
        given = bool(values.get("host") and values.get("admin_user"))
        values["admin_user"] = values["admin_user"] if given else None
        values["admin_password"] = values.get("admin_password") or secret if given else None
        if not values.get("host") or values.get("sslmode", "prefer") in ("disable", "allow", "prefer"):
            values["ca_file"] = None
    if name == "broker" and values.get("type") == "rabbitmq":
        values["password"] = values.get("password") or secret
    elif name == "broker":
        values["user"] = None
    if name == "load_balancer" and values.get("type", "external") == "external":
        values["node"] = None


def answers() -> st.SearchStrategy[Answers]:
    """Any valid answers."""
    return sections_of(root()).map(lambda values: build_section(root(), values))
