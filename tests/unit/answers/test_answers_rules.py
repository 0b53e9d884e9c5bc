# ruff: noqa: E501 - tables read best with a rule a row
"""Every rule: what it takes and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from oz_installer.answers import network, value_rules
from oz_installer.answers.safe_text import safe_data

LONG = "a" * 64
TABLE: list[tuple[Any, list[Any], list[Any]]] = [
    (
        value_rules.host,
        ["a", "10.0.0.1", "db.example.com", "db.example.com.", "under_score", "::1", "2001:db8::1", "1a", "A-B"],
        ["", " ", "a b", "a\n", "\na", "-a", "a-", "a..b", ".a", "10.0.0", "10.0.0.256", "010.0.0.1", "1.2.3.4.5",
         "fe80::1%eth0", "fe80::1%$(x)", "[::1]", "a:22", "http://a", "u@a", "пример.рф", "１.2.3.4", LONG, "a/" , "a" * 254],
    ),
    (value_rules.port, [1, 22, 65535], [0, -1, 65536]),
    (value_rules.positive, [1, 0.5, 1e12], [0, -1, float("nan"), float("inf"), 1e13]),
    (
        value_rules.absolute_path,
        ["/a", "/mnt/oz", "/a/b.c/d@e+f-g_h", "/.hidden"],
        ["", "a", "/", "/a/", "//a", "/a//b", "/a/..", "/../a", "/a/./b", "/a b", "/a\n", "/a$b", "/a'b", "~/a", "/é"],
    ),
    (value_rules.export, ["/", "/srv/oz"], ["", "srv", "/srv/", "/srv/../x", "/\n"]),
    (
        value_rules.install_dir,
        ["/opt/oz", "/srv/oz", "/home/oz/oz", "/usr/local/oz", "/var/oz", "/data/a/b"],
        ["/opt", "/", "/home/oz", "/etc/oz", "/usr/bin", "/usr/local", "/var/lib", "/dev/shm", "/proc/1", "/var/run/x",
         "/opt/.", "/./opt", "/opt/..", "/opt/oz/", "opt/oz"],
    ),
    (
        value_rules.url,
        ["https://oz.example.com", "http://10.0.0.1:8080", "https://a/b/c.d/", "https://[::1]:1", "https://a/%20", "http://a"],
        ["", "oz.example.com", "ftp://a", "https://", "https://a:0", "https://a:65536", "https://a:", "https://u:p@a",
         "https://a?b", "https://a#b", "https://a b", "https://a\n", " https://a", "https://a\t.b", "https://a//b",
         "https://a/%2", "https://10.0.0", "https://[::g]", "https://a/{{7*7}}", "https://a/$(x)", "HTTPS://A"],
    ),
    (
        value_rules.proxy,
        ["http://proxy.example.com:3128", "http://10.0.0.1:8080/", "http://[::1]:3128"],
        ["", "proxy:3128", "https://proxy:3128", "http://proxy", "http://u:p@proxy:3128", "http://proxy:0", "http://proxy:65536",
         "http://proxy:3128/a", "http://proxy:3128\n", "http://a b:1", "http://10.0.0:1", "http://proxy:3128?x", "socks5://p:1"],
    ),
    (
        value_rules.no_proxy,
        [(), ("a",), (".example.com", "*.b.com", "10.0.0.0/8", "::1", "db_1:5432")],
        [("a", "a"), ("a,b",), ("",), ("a b",), ("a\n",), ("$(x)",), ("-a",), ("*",)],
    ),
    (
        network.subnet,
        ["10.210.0.0/24", "172.16.0.0/12", "192.168.7.64/26", "100.64.0.0/16"],
        ["", "10.210.0.0", "10.210.0.1/24", "10.0.0.0/8", "10.0.0.0/27", "8.8.8.0/24", "fd00::/64", "10.210.0.0/24\n",
         "10.210.0.0/255.255.255.0", "a/24", "10.0.0/24", "10.210.0.0/24 ", "0.0.0.0/0"],
    ),
    (network.mtu, [576, 1450, 9216], [0, -1, 575, 9217]),
    (
        value_rules.jump,
        ["a", "me@a", "me@a:22", "::1", "[::1]:22", "me@[::1]:22", "dom\\me@a", "me@corp@a"],
        ["", "@a", "me@", "a:0", "a:65536", "a:²", "a:", "a b", "me@@x", "-x", "a,b", "[::1", "me@a\n", "1:2"],
    ),
    (
        value_rules.registry,
        ["a", "registry.example.com:5000", "a/b/c", "a:5000/oz-5.2", "[::1]:5000/oz"],
        ["", "https://a", "a/", "a//b", "a:0", "a:99999", "a/B", "a b", "a\n", "-a", "10.0.0"],
    ),
    (
        value_rules.email,
        ["admin@oz.local", "a.b+c@d", "o-n@example.com"],
        ["", "a", "@a", "a@", "a@b@c", "a b@c", "a@b c", "-a@b", "a@-b", "a@b\n", "'a'@b", "$(x)@y", "a" * 250 + "@b.c"],
    ),
    (value_rules.nodes, [["x"]], [[], ()]),
    (value_rules.no_duplicates, [(), ("a", "b")], [("a", "a")]),
    (value_rules.service_names, [(), ("oz-api", "oz_api2")], [("a", "a"), ("A",), ("-a",), ("a b",), ("a\n",), ("",), ("a" * 64,)]),
    (value_rules.warning_ids, [(), ("disk.space:api1",)], [("a", "a"), ("a b",), ("",), ("a\n",)]),
    (
        value_rules.images,
        [{}, {"oz-api": "ozforensics/oz-api:5.2.0"}, {"ozforensics/oz-api": "r.example.com:5000/a/b:c@sha256:" + "0" * 64}],
        [{"a": ""}, {"a": "A/B"}, {"a": "a:"}, {"a": "a b"}, {"a": "a\n"}, {"a\n": "a"}, {"-a": "a"}, {"a": "a@sha256:0"},
         {"a": "$(x)"}, {"a": "-a"}],
    ),
    (value_rules.setting_names, [{}, {"A": 1, "A_1": None}], [{"a": 1}, {"1A": 1}, {"A-B": 1}, {"A\n": 1}, {"": 1}, {"É": 1}]),
    (value_rules.name, ["a", "api1", "a-b", "a" * 32], ["", "A", "-a", "a-", "a_b", "a.b", "a\n", "a" * 33, "é", "a/b"]),
    (value_rules.user, ["root", "oz_admin", "corp\\me", "me@corp", "host$"], ["", "-a", "a b", "a\n", "1a", "a;b", "a$b", "me@"]),
    (value_rules.account, ["oz", "a.b-c_d"], ["", "-a", "a b", "a\n", "a@b", LONG + "a"]),
    (value_rules.registry_user, ["AWS", "robot$oz+pull", "me@example.com"], ["", "-a", "a b", "a:b", "a\n", "a'b", "\x1b"]),
    (
        value_rules.sql_name,
        ["a", "A", "_a1", "gateway_user", "oz-gateway", "gateway@server1", "a" * 63],
        ["", "1a", "-a", "@a", "a b", "a\n", 'a"', "a;", "a$b", "a=b", "a/b", "é", "a" * 64, LONG],
    ),
    (value_rules.fingerprint, ["SHA256:" + "a" * 43], ["", "SHA256:", "MD5:aa", "SHA256:" + "a" * 43 + "\n", "a" * 43]),
    (value_rules.mount_options, ["vers=4.1,hard", "ro"], ["", "a b", "a;b", "a\n", "-o", "a'b", "$(x)"]),
    (value_rules.image, ["a", "a:b", "h:1/a", "localhost/a/b-c.d"], ["", "a:", ":a", "a//b", "/a", "a ", "a\n"]),
    (value_rules.release, ["5.2", "6.5.1"], ["", "5", "5.", "5.2.", "5.2\n", "v5.2", "٥.٢", "5.2.0.1"]),
    (value_rules.environment_name, ["A", "_a1"], ["", "1A", "A B", "A=B", "A\n", "$A"]),
    (safe_data, ["", "é 😀 ' \" $", 1, None, {"a": ["b"]}],
     ["\n", "\x00", "\x7f", "\x85", "\u2028", "\u202e", "\ud800", "\ufeff", "x" * 4097, {"a\n": 1}, [["\t"]], ("\r",)]),
]  # fmt: skip
GOOD = [
    pytest.param(rule, value, id=f"{n}-{str(value)[:20]!a}")
    for n, (rule, good, _) in enumerate(TABLE)
    for value in good
]
BAD = [
    pytest.param(rule, value, id=f"{n}-{str(value)[:20]!a}")
    for n, (rule, _, bad) in enumerate(TABLE)
    for value in bad
]


@pytest.mark.parametrize(("rule", "value"), GOOD)
def test_takes(rule: value_rules.ValueRule, value: Any) -> None:
    assert rule(value) is None


@pytest.mark.parametrize(("rule", "value"), BAD)
def test_refuses(rule: value_rules.ValueRule, value: Any) -> None:
    said = rule(value)
    assert said
    assert "\n" not in said


def test_every_rule_is_in_the_table() -> None:
    from oz_installer.answers.questions import questions

    covered = {rule for rule, _, _ in TABLE}
    assert {question.rule for question in questions() if question.rule} <= covered


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("https://db.example.com:5432/x", "db.example.com"),
        ("me@db:22", "db"),
        (" db ", "db"),
        ("[::1]", "::1"),
        ("[2001:db8::1]:22", "2001:db8::1"),
        ("bücher.example", "xn--bcher-kva.example"),
    ],
)
def test_a_host_is_guessed(typed: str, meant: str) -> None:
    assert (value_rules.host(typed) or "").endswith(f"; write {meant}")


@pytest.mark.parametrize(
    ("rule", "typed", "meant"),
    [
        (value_rules.url, "oz.example.com", "https://oz.example.com"),
        (value_rules.url, "htps://oz", "https://oz"),
        (value_rules.proxy, "proxy:3128", "http://proxy:3128"),
        (value_rules.proxy, "https://proxy:3128/", "http://proxy:3128"),
        (value_rules.registry, "https://r.example.com/", "r.example.com"),
        (value_rules.absolute_path, "/mnt/oz/", "/mnt/oz"),
        (value_rules.name, "API_1", "api-1"),
        (value_rules.name, "API1", "api1"),
        (value_rules.name, "oz.example", "oz-example"),
    ],
)
def test_other_guesses(rule: value_rules.ValueRule, typed: str, meant: str) -> None:
    assert (rule(typed) or "").endswith(f"; write {meant}")
