"""Summary tables as plain text, without rich: a run with nothing to do must not load it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap

from oz_installer.formatting.progress_board import fit
from oz_installer.text import plural, single_line
from oz_installer.topology.summary import HEALTHY_STATES, STARTING, Summary

GAP = "  "
MOST_NAMED = 5


def summary_text(summary: Summary, width: int = 80, *, ascii: bool = False, table_last: bool = False) -> str:
    """Return services per node, URLs, credentials and next steps; never a password.

    The text ends with a line end. ``table_last`` puts the table at the end; the total, far above it then,
    names the services that need attention.
    """
    services, sections = _services(summary, width, ascii), [_not_installed(summary)]
    if summary.rows or not (summary.not_installed or summary.troubles):
        sections += [
            _section("URLs", _pairs(summary.urls, width)),
            _section("Credentials", _pairs(_credentials(summary), width)),
            _section("Next", _bullets(summary.notes, width)),
        ]
    if summary.report:
        line = f"Report: {summary.report}"
        sections.append([line] if len(line) <= width else ["Report", f"{GAP}{summary.report}"])
    if table_last and summary.rows:
        sections = [[services.pop(), *_services_with_trouble(summary)], *sections, services]
    else:
        sections = [services, *sections]
    return "\n\n".join("\n".join(lines) for lines in sections if lines) + "\n"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], width: int = 80, *, ascii: bool = False) -> str:
    """Align rows as text. The last column is wrapped, the others are cut when they do not fit."""
    return "\n".join(_table(head, rows, width, ascii)) + "\n"


def _services(summary: Summary, width: int, ascii: bool) -> list[str]:
    """Return the table of services, the nodes that could not be checked, and a total."""
    if not summary.rows:
        return _troubles(summary, width)
    last, rows = None, []
    for row in summary.rows:
        state = row.state if row.state in {*HEALTHY_STATES, STARTING} else f"! {row.state}"
        cells = [row.node if row.node != last else "", row.service, state]
        rows.append([*cells, row.image, row.ports] if width >= 120 else [*cells, row.ports])
        last = row.node
    head = ["NODE", "SERVICE", "STATE", "IMAGE", "OPEN PORTS"]
    lines = _table(head if width >= 120 else [*head[:3], head[4]], rows, width, ascii)
    return [*lines, *_troubles(summary, width), _total(summary)]


def _total(summary: Summary) -> str:
    total = plural(len(summary.rows), "service")
    starting = sum(row.state == STARTING for row in summary.rows)
    bad = sum(row.state not in {*HEALTHY_STATES, STARTING} for row in summary.rows)
    parts = [f"{bad} {'needs' if bad == 1 else 'need'} attention (!)"] if bad else []
    if starting:
        parts.append(f"{starting} still starting")
    if summary.troubles:
        parts.append(f"{plural(len(summary.troubles), 'node')} could not be checked (!)")
    return f"{total}, {', '.join(parts) or 'all well'}"


def _services_with_trouble(summary: Summary) -> list[str]:
    """Return service, node and state of each service that needs attention."""
    bad = [row for row in summary.rows if row.state not in {*HEALTHY_STATES, STARTING}]
    lines = [f"{GAP}! {row.service} on {row.node}: {row.state}" for row in bad]
    more = len(lines) - MOST_NAMED
    return [*lines[:MOST_NAMED], f"{GAP}! and {more} more: see the table"] if more > 1 else lines


def _troubles(summary: Summary, width: int) -> list[str]:
    label = max((len(node) for node, _ in summary.troubles), default=0)
    lines = []
    for node, text in summary.troubles:
        indent = " " * (label + len(GAP) + 2)
        head = f"{node:<{label}}{GAP}! "
        lines += wrap(single_line(text), max(width, 20), initial_indent=head, subsequent_indent=indent)
    return lines


def _not_installed(summary: Summary) -> list[str]:
    return (
        [f"Nothing is installed on {', '.join(summary.not_installed)} yet."] if summary.not_installed else []
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], width: int, ascii: bool) -> list[str]:
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    over = sum(widths[:-1]) + len(GAP) * (len(head) - 1) + max(len(head[-1]), 10) - width
    for _ in range(max(over, 0)):  # shrink the widest until the last column has room
        widest = max(range(len(head) - 1), key=lambda i: widths[i])
        widths[widest] = max(widths[widest] - 1, 4)
    before = sum(widths[:-1]) + len(GAP) * (len(head) - 1)
    lines = []
    for row in [head, *rows]:
        start = (
            GAP.join(f"{fit(cell, widths[i], ascii):<{widths[i]}}" for i, cell in enumerate(row[:-1])) + GAP
        )
        pieces = wrap(row[-1], max(width - before, 4)) or [""]
        lines.append((start + pieces[0]).rstrip())
        lines += [" " * before + piece for piece in pieces[1:]]
    return lines


def _section(title: str, lines: list[str]) -> list[str]:
    return [title, *lines] if lines else []


def _pairs(pairs: Sequence[tuple[str, str]], width: int) -> list[str]:
    """Align labels and values. A long value goes below its label, uncut, for copying."""
    if not pairs:
        return []
    label = max(len(key) for key, _ in pairs)
    lines = []
    for key, value in pairs:
        line = f"{GAP}{key:<{label}}{GAP}{value}"
        lines += [line] if len(line) <= width else [f"{GAP}{key}", f"{GAP}{GAP}{value}"]
    return lines


def _credentials(summary: Summary) -> list[tuple[str, str]]:
    pairs = []
    if summary.admin_email:
        pairs.append(("Administrator", summary.admin_email))
    if summary.secrets_file and summary.admin_kept:
        pairs.append(("Password", f'"admin.password" in {summary.secrets_file}'))
    elif summary.admin_email:
        pairs.append(("Password", "see admin.password in the answers"))
    if summary.secrets_file and not summary.admin_kept:
        pairs.append(("Other passwords", f"{summary.secrets_file}"))
    return pairs


def _bullets(notes: Sequence[str], width: int) -> list[str]:
    return list(_wrapped(notes, width))


def _wrapped(notes: Sequence[str], width: int) -> Iterator[str]:
    for note in notes:
        yield from wrap(
            note,
            max(width, 20),
            initial_indent="  - ",
            subsequent_indent="    ",
            break_on_hyphens=False,
            break_long_words=False,
        )
