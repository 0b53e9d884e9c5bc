"""The names of the checks, for help texts and ids: importing the checks themselves takes long."""

from __future__ import annotations

CHECK_NAMES = (
    "host",
    "identity",
    "engine",
    "runtime",
    "container",
    "ports",
    "network",
    "egress",
    "database",
    "broker",
    "storage",
    "registry",
    "licence",
    "passwords",
    "updater",
    "admin",
    "public-url",
    "public-url-here",
    "clock",
)
"""In the order of a report. A test holds it equal to ``checks.all_checks.CHECKS``."""
