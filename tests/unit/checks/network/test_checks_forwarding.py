"""What stops packets on their way to a container: rules of iptables and of nft."""

from __future__ import annotations

import pytest

from oz_installer.checks.network.firewall import NodeFirewall, parse_firewall
from tests.local_transport import LocalTransport

FROM = "[from]\n10.0.0.1 10.0.0.1 eth0\n10.0.0.2 10.0.0.2 eth0\nnode.example 10.0.0.1 eth0\n"
# A plain Docker 26 with a network of Compose's, and Docker 28.
OLD = """-P FORWARD DROP
-N DOCKER
-N DOCKER-ISOLATION-STAGE-1
-N DOCKER-ISOLATION-STAGE-2
-N DOCKER-USER
{}
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-ISOLATION-STAGE-1
-A FORWARD -o br-57 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o br-57 -j DOCKER
-A FORWARD -i br-57 ! -o br-57 -j ACCEPT
-A FORWARD -i br-57 -o br-57 -j ACCEPT
-A DOCKER -d 172.18.0.2/32 ! -i br-57 -o br-57 -p tcp -m tcp --dport 8501 -j ACCEPT
-A DOCKER-ISOLATION-STAGE-1 -i br-57 ! -o br-57 -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-2 -o br-57 -j DROP
-A DOCKER-USER -j RETURN
"""
NEW = """-P FORWARD DROP
-N DOCKER
-N DOCKER-BRIDGE
-N DOCKER-CT
-N DOCKER-FORWARD
-N DOCKER-USER
{}
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-FORWARD
-A DOCKER ! -i br-57 -o br-57 -j DROP
-A DOCKER -d 172.18.0.2/32 ! -i br-57 -o br-57 -p tcp -m tcp --dport 8501 -j ACCEPT
-A DOCKER-BRIDGE -o br-57 -j DOCKER
-A DOCKER-CT -o br-57 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A DOCKER-FORWARD -j DOCKER-CT
-A DOCKER-FORWARD -j DOCKER-BRIDGE
-A DOCKER-FORWARD -i br-57 -j ACCEPT
"""
UFW = "-A FORWARD -j ufw-reject-forward\n-A ufw-reject-forward -j REJECT\n"


def wall(rules: str = "", plain: str = NEW, extra: str = "[docker0]\n") -> NodeFirewall:
    """Of a node that has these rules, too, before Docker's own."""
    return parse_firewall(f"[iptables]\n{plain.format(rules)}{extra}{FROM}")


def stopped(told: NodeFirewall, address: str = "10.0.0.1", port: int = 8501) -> str:
    return told.blocks_published(address, port, port)


@pytest.mark.parametrize("plain", [OLD, NEW])
@pytest.mark.parametrize(
    "rules",
    [
        "",
        "-A DOCKER-USER -s 10.0.0.9/32 -j DROP",
        "-A DOCKER-USER ! -s 10.0.0.0/24 -i eth0 -j DROP",
        "-A DOCKER-USER -s 10.0.0.0/24 -i eth0 -j RETURN\n-A DOCKER-USER -i eth0 -j DROP",
        "-A DOCKER-USER -s 10.0.0.0/24 -j ACCEPT\n-A DOCKER-USER -j DROP",
        "-A DOCKER-USER -m conntrack --ctstate NEW -m conntrack --ctdir ORIGINAL -j ACCEPT\n"
        "-A DOCKER-USER -j DROP",
        "-A DOCKER-USER -i eth1 -j DROP",
        "-A DOCKER-USER -i docker0 -j DROP",
        "-A DOCKER-USER -i br-+ -j DROP",
        "-A DOCKER-USER -p udp -j DROP",
        "-A DOCKER-USER -p tcp -m tcp --dport 5432 -j DROP",
        "-A DOCKER-USER -p tcp -m multiport --dports 22,9000:9100 -j REJECT",
        "-A DOCKER-USER -p tcp -m conntrack --ctorigdstport 5432 -j DROP",
        "-A DOCKER-USER -m conntrack --ctstate INVALID -j DROP",
        "-A DOCKER-USER -p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN -m conntrack --ctstate NEW -j DROP",
        "-A DOCKER-USER -m set --match-set crowdsec-blacklists src -j DROP",
        "-A DOCKER-USER -p tcp -m connlimit --connlimit-above 100 -j REJECT",
        "-A DOCKER-USER -m recent --update --seconds 60 --hitcount 9 --name x -j DROP",
        "-A DOCKER-USER -m mark --mark 0x8000/0x8000 -j DROP",
        "-A DOCKER-USER -d 169.254.169.254/32 -j DROP",
        "-A FORWARD -j LIBVIRT_FWI\n-A FORWARD -j LIBVIRT_FWO\n"
        "-A LIBVIRT_FWI -o virbr0 -j REJECT\n-A LIBVIRT_FWO -i virbr0 -j REJECT",
        "-A FORWARD -j f2b\n-A f2b -s 203.0.113.7/32 -j REJECT --reject-with icmp-port-unreachable\n"
        "-A f2b -j RETURN",
        "-A FORWARD -j a\n-A a -j b\n-A b -j a",
        "-A FORWARD -p tcp -m conntrack --ctstate RELATED,ESTABLISHED,DNAT -j ACCEPT\n-A FORWARD -j REJECT",
    ],
)
def test_no_false_warning(rules: str, plain: str) -> None:
    told = wall(rules, plain)
    assert told.forward_chains is not None
    assert stopped(told) == ""
    assert stopped(
        wall(f"{rules}\n-A FORWARD -s 10.0.0.1/32 -j DROP\n-A DOCKER-USER -s 10.0.0.1/32 -j DROP")
    ) or ("ACCEPT" in rules or "RETURN" in rules)


@pytest.mark.parametrize("plain", [OLD, NEW])
@pytest.mark.parametrize(
    "rule",
    [
        "-A DOCKER-USER -s 10.0.0.1/32 -j DROP",
        "-A DOCKER-USER -j DROP",
        "-A DOCKER-USER -s 10.0.0.0/24 -i eth0 -p tcp -j REJECT --reject-with icmp-port-unreachable",
        "-A DOCKER-USER ! -s 192.168.0.0/16 -i eth+ -j DROP",
        "-A DOCKER-USER -p tcp -m conntrack --ctorigdstport 8500:8510 -j DROP",
        "-A DOCKER-USER ! -i lo -j DROP",
        "-A DOCKER-USER -m set ! --match-set friends src -j DROP",
        "-A DOCKER-USER -d 172.16.0.0/12 -j DROP",
        "-A DOCKER-USER -o br-+ -j DROP",
        '-A DOCKER-USER -p tcp -m comment --comment "not from n1" -m tcp --dport 8501 -j DROP',
        "-A DOCKER-USER -m iprange --src-range 10.0.0.1-10.0.0.5 -j DROP",
        "-A DOCKER-USER -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j DROP",
        "-A FORWARD -s 10.0.0.1/32 -p tcp -m tcp --dport 8501 -j DROP",
        "-A FORWARD -p tcp -m multiport ! --dports 80,443 -j DROP",
    ],
)
def test_what_stops_is_named(rule: str, plain: str) -> None:
    told = wall(rule, plain)
    assert stopped(told) == rule
    assert stopped(told, "node.example") == rule
    by_chain = "-A FORWARD -j mine\n" + rule.replace("FORWARD", "mine").replace("DOCKER-USER", "mine")
    assert stopped(wall(by_chain, plain)) == by_chain.partition("\n")[2]
    assert stopped(wall(f"-A DOCKER-USER -j ACCEPT\n{rule}", plain)) == ("" if "USER" in rule else rule)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (f"{NEW.format('')}{UFW}[docker0]\n", ""),
        ("-P FORWARD DROP\n[docker0]\n", "-P FORWARD DROP"),
        ("-P FORWARD DROP\n-A FORWARD -j REJECT\n", ""),  # Docker is not there yet, it will come first
        ("-P FORWARD DROP\n-A FORWARD -j REJECT\n[docker0]\n", "-A FORWARD -j REJECT"),
        ("-P FORWARD ACCEPT\n-N DOCKER\n-N DOCKER-USER\n-A DOCKER-USER -j DROP\n", "-A DOCKER-USER -j DROP"),
        ("-P FORWARD ACCEPT\n[docker0]\n", ""),
    ],
)
def test_where_docker_has_its_rules_or_not(text: str, rule: str) -> None:
    assert stopped(parse_firewall(f"[iptables]\n{text}{FROM}")) == rule


NFT = """[nft]
table ip nat {{
  chain POSTROUTING {{
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr 172.17.0.0/16 oifname != "docker0" counter masquerade
  }}
}}
table ip6 filter {{
  chain FORWARD {{
    type filter hook forward priority filter; policy drop;
  }}
}}
table inet mine {{
  set banned {{
    type ipv4_addr
    flags interval
    elements = {{ 10.0.0.1,
           10.0.0.7 }}
  }}
  chain input {{
    type filter hook input priority filter; policy drop;
  }}
  chain sub {{
    tcp dport {{ 22, 8500-8510 }} log prefix "no: " level info reject with icmpx admin-prohibited
  }}
  chain forward {{
    type filter hook forward priority filter; policy {};
    {}
  }}
}}
"""


@pytest.mark.parametrize(
    ("policy", "rule", "stops"),
    [
        ("accept", "", False),
        ("drop", "", True),
        ("drop", "ct status dnat accept", False),
        ("drop", 'oifname "br-*" counter packets 7 bytes 99 accept', False),
        ("drop", 'oifname "docker0" accept', True),
        ("drop", "ct state { established, related } accept", True),
        ("drop", "ip saddr { 10.0.0.0/24, 192.168.1.1 } tcp dport 1024-65535 accept", False),
        ("drop", "ct state established,related,new accept", False),
        ("accept", "ct state vmap { established : accept, invalid : drop }", False),
        ("accept", "ct state { invalid } drop", False),
        ("accept", "ip saddr @banned drop", False),
        ("accept", "ip saddr != @friends drop", True),
        ("accept", "tcp flags & (fin | syn | rst | ack) != syn ct state new drop", False),
        ("accept", "ip6 saddr fe80::/10 drop", False),
        ("accept", "udp dport 8501 drop", False),
        ("accept", "meta l4proto { tcp, udp } th dport 8501 drop", True),
        ("accept", 'ip saddr 10.0.0.1 tcp dport 8501 counter packets 0 bytes 0 drop comment "x"', True),
        ("accept", "ip saddr 10.0.0.9 drop", False),
        ("accept", 'iifname "eth1" drop', False),
        ("accept", 'iifname != "lo" limit rate over 10/second burst 5 packets drop', True),
        ("accept", "jump sub", True),
    ],
)
@pytest.mark.parametrize("beside", ["", f"[iptables]\n{NEW.format('')}[docker0]\n"])
def test_nft(policy: str, rule: str, stops: bool, beside: str) -> None:
    """A chain of one's own counts beside what iptables has, and alone."""
    told = parse_firewall(beside + NFT.format(policy, rule) + FROM)
    assert told.forward_chains is not None
    assert bool(stopped(told)) == stops
    expected = f"inet mine forward: {rule}" if rule else "inet mine forward: policy drop"
    if stops and policy == "accept" and rule != "jump sub":
        assert stopped(told) == expected
    if stops and policy == "drop":
        assert stopped(told) == "inet mine forward: policy drop"


def test_nft_tells_of_iptables_own_table_where_that_is_not_there() -> None:
    text = "[docker0]\n" + NFT.format("accept", "").replace("table inet mine", "table ip filter")
    text = text.replace("chain forward", "chain FORWARD") + FROM
    rule = "ip saddr 10.0.0.1 counter packets 0 bytes 0 drop"
    user = f"chain DOCKER-USER {{\n{rule}\n}}\nchain DOCKER {{\n}}\nchain FORWARD {{"
    told = text.replace("table ip6 filter", "table ip6 x").replace("chain FORWARD {", user)
    told = told.replace("policy accept;\n    \n", "policy accept;\n    jump DOCKER-USER\n    jump DOCKER\n")
    assert stopped(parse_firewall(told)) == f"ip filter DOCKER-USER: {rule}"
    assert stopped(parse_firewall(told), "10.0.0.2") == ""


def test_the_script_says_who_the_others_are() -> None:
    """Here: whatever this machine's rules are, and if it shows them at all."""
    from oz_installer.checks.network import firewall

    told = firewall.read_firewall(
        lambda name: LocalTransport(name, become="none"), "n1", ("127.0.0.1", "localhost")
    )
    assert told.sources == {"127.0.0.1": ("127.0.0.1", "lo"), "localhost": ("127.0.0.1", "lo")}
