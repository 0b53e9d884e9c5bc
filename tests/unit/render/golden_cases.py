"""The installations whose bundles are kept as golden files, and how they are rendered anew.

``tests/golden/bundles/LAYOUT`` holds answers.yml and a folder a node; the secrets stand here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

GOLDEN = Path(__file__).parents[2] / "golden" / "bundles"
LAYOUTS = ("poc-1", "poc-2", "medium-2", "medium-3", "medium-4")
ENVIRONMENT = {
    "OZ_DB_PASSWORD": "p4$$ \"w'o\\rd#%{x}é",
    "OZ_REDIS_PASSWORD": "redis@example:6379/",
    "OZ_UPDATER_TOKEN": "3f2a9c1e-token",
}
GENERATED = {
    slot: f"{slot.replace('.', '-').replace('_', '-')}-0123456789"
    for slot in (
        "redis.password",
        "rabbitmq.password",
        "database.password",
        "api_pg.password",
        "o2n.password",
        "o2n_pg.password",
        "ftp.password",
        "admin.password",
    )
}
LICENCES = {"license.key": "a licence of the BIO\n", "license.json": '{"a": "licence of the web adapter"}\n'}


def prepare(layout: str, folder: Path) -> Path:
    """An answers file with its licences and its generated secrets beside it."""
    for name, text in LICENCES.items():
        (folder / name).write_text(text, encoding="utf-8")
    store = folder / "answers.secrets.json"
    store.touch(mode=0o600)
    store.write_text(json.dumps({"version": 1, "secrets": GENERATED}), encoding="utf-8")
    answers = folder / "answers.yml"
    answers.write_bytes((GOLDEN / layout / "answers.yml").read_bytes())
    return answers


def tree(folder: Path) -> Mapping[str, bytes]:
    """Every file below a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def golden(layout: str) -> Mapping[str, bytes]:
    """The golden files of a layout, by node and path."""
    return {path: text for path, text in tree(GOLDEN / layout).items() if path != "answers.yml"}
