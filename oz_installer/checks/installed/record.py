"""Reading of the record of an installation by checks."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

from oz_installer.checks.context import CheckContext


def print_script(context: CheckContext, path: str) -> str:
    """Return shell that prints a file below the install folder, if it can be read."""
    file = shlex.quote(f"{context.install_dir}/{path}")
    return f"[ ! -r {file} ] || soon cat {file}"


def parse_mapping(text: str) -> Mapping[str, Any]:
    """Parse a JSON object; empty without a text. Raises ValueError."""
    value = json.loads(text) if text.strip() else {}
    if not isinstance(value, dict):
        raise ValueError("no record of an installation")
    return value


def mapping_in(found: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return an object within another; empty when it is missing or null. Raises ValueError."""
    value = found.get(key) or {}
    if not isinstance(value, dict):
        raise ValueError(f"no {key} in the record of an installation")
    return value
