"""Facts of the test container, parsed from the output of ``container.sh``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from oz_installer.remote.ssh.dev_tcp import connect_error
from oz_installer.remote.transport import TIMED_OUT
from oz_installer.text import parse_fields, parse_int, safe_line

CONNECT_SECONDS = 3
_NO_BASH = 127
_LONGEST = 300


@dataclass(frozen=True, kw_only=True)
class TriedAddress:
    """One address as one side sees it.

    ``ip`` is empty when the name is not resolved; ``in_file``: /etc/hosts has the name. ``status`` is None
    when no connection was tried."""

    ip: str = ""
    in_file: bool = False
    status: int | None = None
    output: str = ""

    @property
    def open(self) -> bool:
        """Whether a connection was opened."""
        return self.output.startswith("open")

    @property
    def loops(self) -> bool:
        """Whether the name leads to the machine itself."""
        return self.ip.startswith("127.") or self.ip == "::1"

    @property
    def untried(self) -> bool:
        """Whether nothing could connect: there is no bash."""
        return self.status == _NO_BASH

    @property
    def holds_large(self) -> bool:
        """Whether a connection was opened and a large packet did not arrive."""
        return self.open and self.status in TIMED_OUT

    @property
    def reason(self) -> str:
        """Why no connection was opened."""
        return connect_error(self.status or 1, self.output, seconds=CONNECT_SECONDS)


@dataclass(frozen=True, kw_only=True)
class AddressClash:
    """An address (key of the target, IP address) within a subnet of containers.

    ``network`` is the one that has it already; empty: the engine would give it to a new one."""

    key: str
    ip: str
    subnet: str
    network: str = ""


@dataclass(frozen=True, kw_only=True)
class SubnetFacts:
    """The subnets of the engine.

    ``next`` comes first among the free ones, ``safe`` is the first that takes nothing away. ``overlap``:
    the answered subnet and what has it."""

    exists: str = ""
    next: str = ""
    safe: str = ""
    overlap: tuple[str, str] | None = None
    clashes: tuple[AddressClash, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ContainerFacts:
    """The result of the test container; ``status`` is None without an engine that answers.

    ``refused``: why no network was made; ``outside``: status and message of a container that did not start on
    the network; ``node`` and ``inside`` are what both sides reach, by key; ``again`` what the node reached
    after the container had failed. ``forwards``: the kernel forwards packets; ``sysctl``: the file that will
    switch that off. ``tried``: the container ran on the network.

    ``elsewhere``: the engine's address, where it is another machine's. ``rootless``: it runs as the login,
    with whose session it ends unless ``lingers``, and publishes only ports from ``ports_from`` on.
    ``maps_users``: root of a container is another user on the node. ``media``: the devices of the media
    folder on the node and in a container that has it."""

    status: int | None
    message: str = ""
    refused: str = ""
    outside: tuple[int, str] | None = None
    node: Mapping[str, TriedAddress] = field(default_factory=dict)
    inside: Mapping[str, TriedAddress] = field(default_factory=dict)
    again: Mapping[str, TriedAddress] = field(default_factory=dict)
    subnets: SubnetFacts = SubnetFacts()
    forwards: bool = True
    sysctl: str = ""
    rootless: bool = False
    maps_users: bool = False
    as_root: bool = False
    login: str = ""
    lingers: bool = True
    ports_from: int = 0
    elsewhere: str = ""
    media: tuple[str, str] | None = None
    mtu: int | None = None
    tried: bool = False


def parse_container(text: str, stderr: str = "") -> ContainerFacts:
    """Parse the output of the script; foreign text."""
    values = parse_fields(text)
    rows = [line.split(" ") for line in text.splitlines()]
    outside = values.get("outside", "").partition(" ")
    status = parse_int(outside[0])
    setting, _, file = values.get("sysctl", "").partition(" ")
    security = values.get("security", "").strip("[]").split()
    return ContainerFacts(
        status=parse_int(values.get("status", "")),
        message=safe_line(values.get("said", "") or stderr, _LONGEST),
        refused=safe_line(values.get("refused", ""), _LONGEST),
        outside=None if status is None else (status, safe_line(outside[2], _LONGEST)),
        node=_tried(rows, "node"),
        inside=_tried(rows, "inside"),
        again=_tried(rows, "again"),
        subnets=_subnets(rows, values),
        forwards=values.get("forward", "1") != "0",
        sysctl=safe_line(file) if setting == "0" else "",
        rootless=values.get("rootless") == "true" or "name=rootless" in security,
        maps_users="name=userns" in security,
        as_root=values.get("uid") == "0",
        login=safe_line(values.get("login", ""), 64),
        lingers="linger" not in values,
        ports_from=parse_int(values.get("ports-from", "")[:6]) or 0,
        elsewhere=_elsewhere(values),
        media=(media[0], media[1]) if len(media := values.get("media", "").split()) == 2 else None,
        mtu=parse_int(values.get("inside-mtu", "")[:6]),
        tried="inside-mtu" in values,
    )


def _elsewhere(values: Mapping[str, str]) -> str:
    """Return the address of an engine that is not this node's; empty for the node's own."""
    endpoint, here, inside = (values.get(name, "") for name in ("endpoint", "boot", "inside-boot"))
    if endpoint and not endpoint.startswith("unix://"):
        return safe_line(endpoint, 100)
    is_other = values.get("remote") == "true" or (here and inside and here != inside)
    return "another machine" if is_other else ""


def _tried(rows: Iterable[list[str]], side: str) -> dict[str, TriedAddress]:
    """Return what one side reached: ``SIDE KEY ADDRESS SOURCE STATUS OUTPUT``."""
    return {
        key: TriedAddress(
            ip="" if ip == "-" else safe_line(ip, 50),
            in_file=source == "file",
            status=parse_int(status),
            output=safe_line(" ".join(output), _LONGEST),
        )
        for first, key, ip, source, status, *output in (row for row in rows if len(row) > 4)
        if first == side
    }


def _subnets(rows: Iterable[list[str]], values: Mapping[str, str]) -> SubnetFacts:
    clashes: list[AddressClash] = []
    overlap: tuple[str, str] | None = None
    for row in rows:
        words = [safe_line(word, 80) for word in row]
        if words[0] == "risk" and len(words) == 4:
            clashes.append(AddressClash(key=words[1], ip=words[2], subnet=words[3]))
        elif words[0] == "covered" and len(words) == 5:
            clashes.append(AddressClash(key=words[1], ip=words[2], network=words[3], subnet=words[4]))
        elif words[0] == "overlap" and len(words) > 2:
            overlap = (words[1], " ".join(words[2:]))
    return SubnetFacts(
        exists=safe_line(values.get("exists", ""), 80),
        next=safe_line(values.get("next", ""), 80),
        safe=safe_line(values.get("safe", ""), 80),
        overlap=overlap,
        clashes=tuple(clashes),
    )
