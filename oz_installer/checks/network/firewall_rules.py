"""Rules of a firewall as iptables and nft print them, in one form. Pure."""

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
# What does not match an ordinary new connection over TCP and IPv4.
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
    """One condition: iptables' name of it, its values, and the module that it belongs to."""

    option: str
    values: tuple[str, ...] = ()
    negated: bool = False
    module: str = ""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """``text`` as the tool prints it; ``target`` is a chain, or ACCEPT, DROP, REJECT, RETURN; ``final``: what
    goes to that chain does not come back."""

    text: str
    terms: tuple[Match, ...] = ()
    target: str = ""
    final: bool = False


@dataclass(frozen=True, kw_only=True)
class ForwardChain:
    """A chain that every forwarded packet passes, with those that it may lead to. ``policy`` is the rule at
    its end, None where that accepts; ``docker``: it is the one that Docker puts its own rules into."""

    base: str
    chains: Mapping[str, Sequence[Rule]] = field(default_factory=dict)
    policy: Rule | None = None
    docker: bool = False


def parse_iptables(lines: Sequence[str]) -> ForwardChain:
    """The FORWARD chain of what ``iptables -S`` prints. Raises ValueError."""
    chains: dict[str, list[Rule]] = {}
    policy = None
    for line in lines:
        words = shlex.split(line)
        if words[:2] == ["-P", FORWARD] and words[2:] == ["DROP"]:
            policy = Rule(text=line, target="DROP")
        elif words[:1] == ["-N"]:
            chains.setdefault(words[1], [])
        elif words[:1] == ["-A"]:
            chains.setdefault(words[1], []).append(_rule(line, words[2:]))
    return ForwardChain(base=FORWARD, chains=chains, policy=policy, docker=True)


def _rule(line: str, words: Sequence[str]) -> Rule:
    terms: list[Match] = []
    module, negated, at = "", False, 0
    while at < len(words):
        word = words[at]
        end = at + 1
        while end < len(words) and words[end] != "!" and not words[end].startswith("-"):
            end += 1
        values = tuple(words[at + 1 : end])
        if word in ("-j", "-g"):
            return Rule(text=line, terms=tuple(terms), target="".join(values[:1]), final=word == "-g")
        if word == "-m":
            module = "".join(values)
        elif word != "!":
            terms.append(Match(option=word, values=values, negated=negated, module=module))
        negated, at = word == "!", end
    return Rule(text=line, terms=tuple(terms))


def parse_nft(lines: Sequence[str], *, besides: bool) -> tuple[ForwardChain, ...]:
    """The forward chains of what ``nft list ruleset`` prints; ``besides`` iptables, which has told of its own
    table. Raises ValueError."""
    tables: dict[str, dict[str, list[Rule]]] = {}
    bases: list[tuple[str, str, Rule | None]] = []
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
                    (table, chain, Rule(text=text, target="DROP") if "policy drop" in line else None)
                )
        elif chain and line:
            tables[table][chain].append(_nft_rule(f"{table} {chain}", line))
    own = {"ip filter"} if besides else set[str]()
    return tuple(
        ForwardChain(
            base=base, chains=tables[table], policy=policy, docker=table == "ip filter" and base == FORWARD
        )
        for table, base, policy in bases
        if table.split()[0] in ("ip", "inet") and table not in {*own, "ip docker-bridges"}
    )


def _nft_rule(place: str, line: str) -> Rule:
    words = _tokens(line)
    terms: list[Match] = []
    at = 0
    while at < len(words):
        word = words[at]
        if word in _VERDICTS:
            return Rule(text=f"{place}: {line}", terms=tuple(terms), target=_VERDICTS[word])
        if word in ("jump", "goto"):
            target = words[at + 1]
            return Rule(text=f"{place}: {line}", terms=tuple(terms), target=target, final=word == "goto")
        skipped = _neutral(words, at)
        if skipped:
            at += skipped
            continue
        if word in _OTHER_PACKETS or tuple(words[at : at + 2]) in _RARE:
            return Rule(text=f"{place}: {line}", terms=(Match(option="never"),))
        key = next((key for key in _NFT_TERMS if tuple(words[at : at + len(key)]) == key), None)
        at += len(key) if key else 1
        negated = at < len(words) and words[at] == "!="
        at += at < len(words) and words[at] in ("!=", "==")
        values = tuple(words[at].split(",")) if key and at < len(words) else ()
        at += 1 if key else 0
        terms.append(Match(option=_NFT_TERMS[key] if key else "unknown", values=values, negated=negated))
        if key and key[0] == "tcp":
            terms.append(Match(option="-p", values=("tcp",)))
    return Rule(text=f"{place}: {line}", terms=tuple(terms))


def _tokens(line: str) -> list[str]:
    """Words; a set in braces is one, its members with commas between."""
    told: list[str] = []
    inside = False
    for word in shlex.split(line):
        if word == "{":
            inside = True
            told.append("")
        elif word == "}":
            inside = False
        elif inside:
            told[-1] += word
        else:
            told.append(word)
    return told


def _neutral(words: Sequence[str], at: int) -> int:
    """How many words from here on count or log, and match everything."""
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
