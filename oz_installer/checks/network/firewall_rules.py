"""Parsers for the firewall rules that iptables and nft print, with one model for both. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

FORWARD = "FORWARD"
_VERDICTS = {"accept": "ACCEPT", "drop": "DROP", "reject": "REJECT", "return": "RETURN"}
_NFT_TERMS: Mapping[tuple[str, ...], str] = {
    ("ip", "saddr"): "-s",
    ("ip", "daddr"): "-d",
    ("ip", "protocol"): "-p",
    ("meta", "l4proto"): "-p",
    ("tcp", "dport"): "--dport",
    ("th", "dport"): "--dport",
    ("tcp", "sport"): "--sport",
    ("meta", "iifname"): "-i",
    ("iifname",): "-i",
    ("iif",): "-i",
    ("meta", "oifname"): "-o",
    ("oifname",): "-o",
    ("oif",): "-o",
    ("ct", "state"): "--ctstate",
    ("ct", "status"): "--ctstate",
    ("ct", "direction"): "--ctdir",
    ("ct", "original", "proto-dst"): "--ctorigdstport",
    ("meta", "nfproto"): "family",
}
# Terms that do not match an ordinary new connection over TCP and IPv4.
_OTHER_PACKETS = ("ip6", "icmp", "icmpv6", "udp", "sctp", "esp", "ah", "fib", "rt", "socket", "ether")
_RARE = (
    ("tcp", "flags"),
    ("meta", "mark"),
    ("ct", "mark"),
    ("meta", "pkttype"),
    ("ip", "ttl"),
    ("ct", "count"),
)


@dataclass(frozen=True, kw_only=True)
class Match:
    """A condition of a rule: its option in iptables, its values and its module."""

    option: str
    values: tuple[str, ...] = ()
    negated: bool = False
    module: str = ""


@dataclass(frozen=True, kw_only=True)
class FirewallRule:
    """A rule; ``text`` is the tool's own line.

    ``target`` is a chain, or ACCEPT, DROP, REJECT, RETURN; ``final``: packets do not return from it."""

    text: str
    terms: tuple[Match, ...] = ()
    target: str = ""
    final: bool = False


@dataclass(frozen=True, kw_only=True)
class ForwardChain:
    """A base chain for forwarded packets, with the chains that it may jump to.

    ``policy`` is the rule at its end, None if that accepts; ``docker``: Docker adds its rules here."""

    base: str
    chains: Mapping[str, Sequence[FirewallRule]] = field(default_factory=dict)
    policy: FirewallRule | None = None
    docker: bool = False


def parse_iptables(lines: Sequence[str]) -> ForwardChain:
    """Parse the FORWARD chain from ``iptables -S``. Raises ValueError."""
    chains: dict[str, list[FirewallRule]] = {}
    policy = None
    for line in lines:
        words = shlex.split(line)
        if words[:2] == ["-P", FORWARD] and words[2:] == ["DROP"]:
            policy = FirewallRule(text=line, target="DROP")
        elif words[:1] == ["-N"]:
            chains.setdefault(words[1], [])
        elif words[:1] == ["-A"]:
            chains.setdefault(words[1], []).append(_rule(line, words[2:]))
    return ForwardChain(base=FORWARD, chains=chains, policy=policy, docker=True)


def _rule(line: str, words: Sequence[str]) -> FirewallRule:
    terms: list[Match] = []
    module, negated, at = "", False, 0
    while at < len(words):
        word = words[at]
        end = at + 1
        while end < len(words) and words[end] != "!" and not words[end].startswith("-"):
            end += 1
        values = tuple(words[at + 1 : end])
        if word in ("-j", "-g"):
            return FirewallRule(text=line, terms=tuple(terms), target="".join(values[:1]), final=word == "-g")
        if word == "-m":
            module = "".join(values)
        elif word != "!":
            terms.append(Match(option=word, values=values, negated=negated, module=module))
        negated, at = word == "!", end
    return FirewallRule(text=line, terms=tuple(terms))


def parse_nft(lines: Sequence[str], *, has_iptables: bool) -> tuple[ForwardChain, ...]:
    """Parse the forward chains from ``nft list ruleset``. Raises ValueError.

    ``has_iptables``: iptables already printed its own table, which is then left out."""
    tables: dict[str, dict[str, list[FirewallRule]]] = {}
    bases: list[tuple[str, str, FirewallRule | None]] = []
    table = chain = ""
    for line in (one.strip() for one in lines):
        words = line.split()
        if line.startswith("table ") and line.endswith("{"):
            table = " ".join(words[1:-1])
        elif line.endswith("{") and words[:1] != ["elements"]:
            chain = words[1] if words[0] == "chain" else ""
            if chain:
                tables.setdefault(table, {})[chain] = []
        elif line == "}":
            chain = ""
        elif chain and line.startswith("type "):
            if "hook forward" in line and words[1] == "filter":
                text = f"{table} {chain}: policy drop"
                bases.append(
                    (table, chain, FirewallRule(text=text, target="DROP") if "policy drop" in line else None)
                )
        elif chain and line:
            tables[table][chain].append(_nft_rule(f"{table} {chain}", line))
    known = {"ip filter"} if has_iptables else set[str]()
    return tuple(
        ForwardChain(
            base=base, chains=tables[table], policy=policy, docker=table == "ip filter" and base == FORWARD
        )
        for table, base, policy in bases
        if table.split()[0] in ("ip", "inet") and table not in {*known, "ip docker-bridges"}
    )


def _nft_rule(chain: str, line: str) -> FirewallRule:
    words = _tokens(line)
    terms: list[Match] = []
    at = 0
    while at < len(words):
        word = words[at]
        if word in _VERDICTS:
            return FirewallRule(text=f"{chain}: {line}", terms=tuple(terms), target=_VERDICTS[word])
        if word in ("jump", "goto"):
            target = words[at + 1]
            return FirewallRule(
                text=f"{chain}: {line}", terms=tuple(terms), target=target, final=word == "goto"
            )
        skipped = _neutral(words, at)
        if skipped:
            at += skipped
            continue
        if word in _OTHER_PACKETS or tuple(words[at : at + 2]) in _RARE:
            return FirewallRule(text=f"{chain}: {line}", terms=(Match(option="never"),))
        key = next((key for key in _NFT_TERMS if tuple(words[at : at + len(key)]) == key), None)
        at += len(key) if key else 1
        negated = at < len(words) and words[at] == "!="
        at += at < len(words) and words[at] in ("!=", "==")
        values = tuple(words[at].split(",")) if key and at < len(words) else ()
        at += 1 if key else 0
        terms.append(Match(option=_NFT_TERMS[key] if key else "unknown", values=values, negated=negated))
        if key and key[0] == "tcp":
            terms.append(Match(option="-p", values=("tcp",)))
    return FirewallRule(text=f"{chain}: {line}", terms=tuple(terms))


def _tokens(line: str) -> list[str]:
    """Split a line into words; a set in braces becomes one word, its members joined by commas."""
    tokens: list[str] = []
    in_set = False
    for word in shlex.split(line):
        if word == "{":
            in_set = True
            tokens.append("")
        elif word == "}":
            in_set = False
        elif in_set:
            tokens[-1] += word
        else:
            tokens.append(word)
    return tokens


def _neutral(words: Sequence[str], at: int) -> int:
    """Count the words from here on that only count or log, and so match every packet."""
    if words[at] == "counter":
        return 5 if words[at + 1 : at + 2] == ["packets"] else 1
    if words[at] == "log":
        end = at + 1
        while end + 1 < len(words) and words[end] in ("prefix", "level", "flags", "group", "snaplen"):
            end += 2
        return end - at
    if words[at] == "comment":
        return 2
    if words[at : at + 2] == ["limit", "rate"]:
        end = at + 2
        while end < len(words) and words[end] not in (*_VERDICTS, "jump", "goto", "counter", "log"):
            end += 1
        return end - at
    return 0
