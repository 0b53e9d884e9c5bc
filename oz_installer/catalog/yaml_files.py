"""The YAML files beside this module."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent


def read_yaml(path: Path) -> dict[str, Any]:
    """Parse one file of the catalogue. Raises yaml.YAMLError."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    document: dict[str, Any] = yaml.load(path.read_bytes(), Loader=loader)  # noqa: S506 - one of the two safe loaders
    return document
