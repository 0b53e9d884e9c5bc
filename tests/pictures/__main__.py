"""`python -m tests.pictures`: writes screenshots/; `--help` says more."""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any, cast

from oz_installer.installation.wizard.core import InstallerCore
from oz_installer.lab import Lab, LabOptions, down, up
from oz_installer.tui.app import WizardApp
from tests.e2e.site import Site
from tests.pictures.hands import LARGE, Hands
from tests.pictures.journey import journey, without_colour
from tests.pictures.picture_files import Album, secrets_of, write

NAME = "pictures"
NODES = ("api1", "api2", "bio1", "bio2")
SUBNET = IPv4Network("172.30.20.0/24")
"""Always the same, so that pictures differ only where the wizard does."""
HOME = Path("/tmp/oz-admin")
OUT = Path(__file__).parents[2] / "screenshots"


def main() -> None:
    """Lab up, wizard, pictures, lab down."""
    parser = argparse.ArgumentParser(prog="python -m tests.pictures", description=__doc__)
    parser.add_argument("--out", type=Path, default=OUT, help="folder of the pictures (screenshots/)")
    parser.add_argument("--all", action="store_true", help="every look and size of every screen")
    parser.add_argument("--keep-lab", action="store_true", help="leave the lab up for the next time")
    options = parser.parse_args()
    try:
        lab = up(LabOptions(name=NAME, nodes=len(NODES), subnet=SUBNET, say=_say))
        Site(lab, len(NODES)).clean()
        with _home(lab):
            album = asyncio.run(_take(lab))
            write(album, options.out, secrets_of(lab, HOME), every=options.all)
    finally:
        if not options.keep_lab:
            down(NAME, say=_say)


async def _take(lab: Lab) -> Album:
    _say("The wizard installs on the lab ...")
    app = WizardApp(InstallerCore(_opener))
    async with app.run_test(size=LARGE) as pilot:
        hands = Hands(pilot)
        await journey(hands, lab)
    os.environ["NO_COLOR"] = "1"
    app = WizardApp(InstallerCore(_opener), HOME / "answers.yml")
    async with app.run_test(size=LARGE) as pilot:
        grey = Hands(pilot)
        await without_colour(grey)
    return Album(pictures={**hands.pictures, **grey.pictures}, film=hands.film, reel=hands.reel)


def _opener() -> Callable[..., Any]:
    from oz_installer.installation.nodes.connect import transport_opener

    return cast("Callable[..., Any]", transport_opener())


@contextmanager
def _home(lab: Lab) -> Iterator[None]:
    """The home of an operator who has a key, an SSH configuration and a licence."""
    ssh = HOME / ".ssh"
    HOME.mkdir(mode=0o700)
    try:
        ssh.mkdir(mode=0o700)
        shutil.copy2(lab.key, ssh / "id_ed25519")
        shutil.copy2(lab.license, HOME / "license.key")
        hosts = (
            f"Host {name}\n  HostName {lab.node(n).address}\n  User root\n  IdentityFile ~/.ssh/id_ed25519\n"
            for n, name in enumerate(NODES, 1)
        )
        (ssh / "config").write_text("\n".join(hosts))
        with _there({"HOME": str(HOME), "XDG_STATE_HOME": str(HOME / ".local/state")}):
            yield
    finally:
        shutil.rmtree(HOME)


@contextmanager
def _there(changed: Mapping[str, str]) -> Iterator[None]:
    before, folder = dict(os.environ), Path.cwd()
    os.environ.update(changed, COLORTERM="truecolor", TERM="xterm-256color", TZ="UTC")
    os.environ.pop("NO_COLOR", None)
    os.chdir(HOME)
    try:
        yield
    finally:
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(before)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
