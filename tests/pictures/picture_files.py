"""Pictures to files: SVG and PNG of each, one moving SVG, one asciicast; none of them may hold a secret."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from oz_installer.lab import Lab
from tests.pictures.cast import cast
from tests.pictures.frame import Frame
from tests.pictures.svg import Shot, moving, still

LIGHT = ("04-nodes", "09-preflight")
SMALL = ("02-workload", "04-nodes", "08-review", "11-done")
GREY = ("09-preflight",)
COLOURS = "48"
"""So many are enough for text on a few grounds, and make small files."""


@dataclass(frozen=True, kw_only=True)
class Album:
    """All that was taken in one run."""

    pictures: Mapping[str, Frame]
    film: Sequence[Shot]
    reel: Sequence[Shot]


def chosen(name: str) -> bool:
    """Whether a picture is one of those that everybody gets: all of the large dark ones, few others."""
    shown = {"-light": LIGHT, "-80x24": SMALL, "-no-color": GREY}
    return all(name.removesuffix(look) in few for look, few in shown.items() if name.endswith(look))


def write(album: Album, folder: Path, secrets: Sequence[str], *, every: bool) -> None:
    """Write them in place of older ones. Raises ValueError, with nothing written, when a secret is seen."""
    wanted = {name: frame for name, frame in album.pictures.items() if every or chosen(name)}
    texts = {f"{name}.svg": still(frame) for name, frame in wanted.items()}
    texts["recording.svg"] = moving(album.reel)
    texts["recording.cast"] = cast(album.film, "oz-install on four lab nodes")
    seen = [frame.text for frame in album.pictures.values()]
    seen += [shot.frame.text for shot in (*album.film, *album.reel)]
    refuse_secrets([*texts.values(), *seen], secrets)
    folder.mkdir(parents=True, exist_ok=True)
    for old in (path for path in folder.iterdir() if path.suffix in (".svg", ".png", ".cast")):
        old.unlink()
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    for name in wanted:
        draw(folder / f"{name}.svg")


def refuse_secrets(texts: Sequence[str], secrets: Sequence[str]) -> None:
    """Raises ValueError when one of the texts holds one of the secrets; it is not named."""
    for number, secret in enumerate(secrets):
        if any(secret in text for text in texts):
            raise ValueError(f"secret {number} of {len(secrets)} can be read in a picture: none is written")


def draw(svg: Path) -> None:
    """The PNG beside an SVG, in few colours."""
    png = svg.with_suffix(".png")
    subprocess.run(["rsvg-convert", "--output", png, svg], check=True)
    subprocess.run(["pngquant", "--force", "--ext", ".png", COLOURS, png], check=True)


def secrets_of(lab: Lab, home: Path) -> tuple[str, ...]:
    """Everything that was typed, made or read and must not be seen."""
    made = json.loads((home / "answers.secrets.json").read_text())
    files = (lab.database_password, lab.updater_token, lab.license, lab.key)
    lines = {line for file in files for line in file.read_text().splitlines() if len(line) > 8}
    return tuple(sorted({*lines, *_strings(made)}))


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for one in value.values():
            yield from _strings(one)
    elif isinstance(value, str) and len(value) >= 8:
        yield value
