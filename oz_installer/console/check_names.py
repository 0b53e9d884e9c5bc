"""The names of the checks, for help texts and ids. Importing the checks takes long."""

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
    "removal",
)
"""Names in the order of a report. A test holds them equal to ``checks.all_checks.CHECKS``."""
