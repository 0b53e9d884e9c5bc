"""Print every library that the project names, without limits, for ``make newest``."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def names(text: str) -> list[str]:
    """Names of all requirements, those of the extras too."""
    project = tomllib.loads(text)["project"]
    lines = [
        *project["dependencies"],
        *(line for extra in project["optional-dependencies"].values() for line in extra),
    ]
    return sorted({found[0] for line in lines if (found := NAME.match(line))})


if __name__ == "__main__":
    print("\n".join(names((Path(__file__).parents[1] / "pyproject.toml").read_text())))
