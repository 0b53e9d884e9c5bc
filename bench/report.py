"""Samples -> Markdown. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bench.samples import Samples, ratio
from bench.starting import BARE, START
from bench.tools import ANSIBLE, FLOOR, FLOOR_CHECK, FRESH, NOOP, ONE, OURS, PYINFRA, PYINFRA_ARCHIVE
from bench.twins import RTT_MS
from bench.uploading import SCP, UPLOAD

BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"
TOOLS = (FLOOR_CHECK, FLOOR, OURS, PYINFRA, PYINFRA_ARCHIVE, ANSIBLE)
TITLES = {
    FLOOR_CHECK: "FLOOR-CHECK: plain OpenSSH, asks first",
    FLOOR: "FLOOR: plain OpenSSH",
    OURS: "**oz-install**",
    PYINFRA: "pyinfra, a file at a time",
    PYINFRA_ARCHIVE: "pyinfra, one archive",
    ANSIBLE: "Ansible, one archive, pipelining",
}
BASES = {FRESH: FLOOR, NOOP: FLOOR_CHECK, ONE: FLOOR}
WORDS = {FRESH: "fresh, health awaited", NOOP: "nothing to do", ONE: "one setting changed"}
MEMORY_MB = 120.0


@dataclass(frozen=True, kw_only=True)
class Limit:
    """A target: the measured figure may be at most, or must be at least, so much."""

    what: str
    limit: float
    value: float | None
    least: bool = False
    unit: str = " ×"

    @property
    def verdict(self) -> str:
        """met, NOT met, or not measured."""
        if self.value is None:
            return "not measured"
        met = self.value >= self.limit if self.least else self.value <= self.limit
        return "met" if met else "**not met**"

    def row(self) -> tuple[str, ...]:
        """Cells of the table."""
        value = "–" if self.value is None else f"{self.value:.2f}{self.unit}".replace(".00 MB", " MB")
        return self.what, f"{'≥' if self.least else '≤'} {self.limit:g}{self.unit}", value, self.verdict


def limits(samples: Samples, heavy: Sequence[str] | None) -> list[Limit]:
    """Every target of the speed and memory contract."""

    def against(phase: str, nodes: int = 4, rtt: int = 0) -> float | None:
        own = samples.seconds(OURS, phase, nodes, rtt)
        return ratio(own, samples.seconds(BASES[phase], phase, nodes, rtt))

    def slower(tool: str) -> float | None:
        return ratio(samples.seconds(tool, NOOP), samples.seconds(OURS, NOOP))

    def upload(nodes: int) -> float | None:
        return ratio(samples.seconds(SCP, UPLOAD, nodes), samples.seconds(OURS, UPLOAD, nodes))

    def far(phase: str, nodes: int) -> Limit:
        place = f"+{RTT_MS} ms, {nodes} node{'s' if nodes > 1 else ''}"
        what = f"{WORDS[phase]}, {place}: oz-install / {BASES[phase]}"
        limit = (1.2 if nodes == 1 else 1.0) if phase == NOOP else 1.3
        return Limit(what=what, limit=limit, value=against(phase, nodes, RTT_MS))

    memory = samples.largest_mb(OURS)
    found = [
        Limit(what=f"nothing to do, 4 nodes: oz-install / {FLOOR_CHECK}", limit=1.0, value=against(NOOP)),
        Limit(what=f"nothing to do, 1 node: oz-install / {FLOOR_CHECK}", limit=1.2, value=against(NOOP, 1)),
        Limit(what=f"one setting changed: oz-install / {FLOOR}", limit=1.05, value=against(ONE)),
        Limit(what=f"fresh: oz-install / {FLOOR}", limit=1.05, value=against(FRESH)),
        Limit(what="nothing to do: pyinfra / oz-install", limit=5, value=slower(PYINFRA), least=True),
        Limit(what="nothing to do: Ansible / oz-install", limit=8, value=slower(ANSIBLE), least=True),
        *(far(phase, nodes) for phase in (NOOP, ONE) for nodes in (1, 4)),
        Limit(what="upload of a large file: throughput / scp", limit=0.75, value=upload(1), least=True),
        Limit(what="four uploads at once: throughput / four scp", limit=0.7, value=upload(4), least=True),
        *(
            Limit(
                what=f"largest process, {WORDS[phase]}", limit=MEMORY_MB, value=memory.get(phase), unit=" MB"
            )
            for phase in (FRESH, NOOP)
        ),
    ]
    if heavy is not None:
        what = "--help: of Textual, paramiko, docker and pydantic it loads"
        found.append(Limit(what=what, limit=0, value=float(len(heavy)), unit=""))
    return found


def deployments(samples: Samples) -> str:
    """Tools by phases: medians, and the ratio to the phase's floor."""
    columns = [(FRESH, 0), (NOOP, 0), (ONE, 0), (NOOP, RTT_MS), (ONE, RTT_MS)]
    columns = [one for one in columns if any(samples.pick(tool, one[0], 4, one[1]) for tool in TOOLS)]
    heads = [WORDS[phase] + (f", +{rtt} ms" if rtt else "") for phase, rtt in columns]
    rows = []
    for tool in TOOLS:
        cells = [_cell(samples, tool, phase, 4, rtt) for phase, rtt in columns]
        if any(cell != "–" for cell in cells):
            rows.append((TITLES[tool], *cells))
    return table(("4 nodes", *heads), rows)


def one_node(samples: Samples) -> str:
    """The same on one node, with the round trips that were counted."""
    columns = [(phase, rtt) for phase in (NOOP, ONE) for rtt in (0, RTT_MS)]
    heads = [WORDS[phase] + (f", +{rtt} ms" if rtt else "") for phase, rtt in columns]
    rows = []
    for tool in TOOLS:
        cells = [_cell(samples, tool, phase, 1, rtt) for phase, rtt in columns]
        trips = [samples.trips(tool, phase, 1, RTT_MS) for phase in (NOOP, ONE)]
        if any(cell != "–" for cell in cells):
            rows.append((TITLES[tool], *cells, *("–" if one is None else f"{one:.0f}" for one in trips)))
    return table(("1 node", *heads, "round trips, nothing to do", "round trips, one setting"), rows)


def uploading(samples: Samples, mebibytes: int) -> str:
    """Throughput of large files."""
    rows = []
    for nodes in (1, 4):
        scp, own = (samples.seconds(tool, UPLOAD, nodes) for tool in (SCP, OURS))
        if scp and own:
            rate = nodes * (mebibytes << 20) / 1e6
            cells = (f"{rate / scp:.0f} MB/s", f"{rate / own:.0f} MB/s", f"{scp / own:.2f} ×")
            rows.append(("one" if nodes == 1 else "four at once", *cells))
    return table((f"{mebibytes} MiB of random bytes", "scp", "oz-install", "oz-install / scp"), rows)


def costs(samples: Samples) -> str:
    """Memory and processor time of the tools."""
    rows = []
    for tool in TOOLS:
        memory = samples.largest_mb(tool)
        cells = []
        for phase in (FRESH, NOOP):
            cpu = sorted(one.cost.cpu for one in samples.pick(tool, phase))
            there = bool(cpu) and phase in memory
            cells.append(f"{memory[phase]:.0f} MB, {cpu[len(cpu) // 2]:.2f} s" if there else "–")
        if any(cell != "–" for cell in cells):
            rows.append((TITLES[tool], *cells))
    return table(("largest process, processor time on this side", WORDS[FRESH], WORDS[NOOP]), rows)


def starting(samples: Samples, imports: Mapping[str, float]) -> str:
    """Short commands, and what is imported on the way to «nothing to do»."""
    names = (BARE, f"{OURS} --version", f"{OURS} --help")
    known = [(name, samples.seconds(name, START, 0)) for name in names]
    rows = [(f"`{name}`", f"{value * 1000:.0f} ms") for name, value in known if value is not None]
    parts = [table(("start", "median"), rows)] if rows else []
    if imports:
        top = list(imports.items())[:10]
        total = sum(imports.values())
        cells = [(f"`{name}`", f"{millis:.0f} ms") for name, millis in top]
        parts.append(table((f"imports of «nothing to do», {total:.0f} ms in all", "itself"), cells))
    return "\n\n".join(parts)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def replace_marked(text: str, body: str) -> str:
    """Put a body between the markers. Raises ValueError where there are none."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError("no markers")
    return f"{before}{BEGIN}\n{body}\n{END}{after}"


def _cell(samples: Samples, tool: str, phase: str, nodes: int, rtt: int) -> str:
    value = samples.seconds(tool, phase, nodes, rtt)
    if value is None:
        return "–"
    times = ratio(value, samples.seconds(BASES[phase], phase, nodes, rtt))
    return f"{value:.2f} s" + (f" ({times:.2f} ×)" if times is not None and tool != BASES[phase] else "")
