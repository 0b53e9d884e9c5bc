"""From nothing to a running Oz on four lab nodes, by keys alone."""

from __future__ import annotations

import re

from oz_installer.lab import Lab
from oz_installer.tui.screens.install import InstallScreen
from tests.pictures.hands import TINY, Hands

REEL = 2.0
"""Seconds of a real installation between two frames of the short recording."""


async def journey(hands: Hands, lab: Lab) -> None:
    """Every screen in its turn; pictures on the way."""
    await hands.rest()
    await hands.shoot("01-start")
    await hands.press("enter")
    await _workload(hands)
    await _release(hands)
    await _nodes(hands)
    await _database(hands, lab)
    await _storage(hands)
    await _access(hands, lab)
    await _review(hands)
    await _preflight(hands)
    await _install(hands)
    await hands.shoot("11-done")


async def _workload(hands: Hands) -> None:
    await hands.field("workload.apm")
    await hands.write("45")
    await hands.field("workload.media_mb")
    await hands.write("3")
    await hands.field("workload.archive_days")
    await hands.write("90")
    await hands.shoot("02-workload")
    await hands.field("scenario")
    await hands.press("right", "right")
    await hands.shoot("02-workload-scenarios")
    await hands.press("ctrl+n")


async def _release(hands: Hands) -> None:
    await hands.shoot("03-release")
    await hands.press("f1")
    await hands.shoot("03-release-help", everywhere=False)
    await hands.small("03-release-help")
    await hands.press("escape", "ctrl+n")


async def _nodes(hands: Hands) -> None:
    await hands.press("i")
    await hands.shoot("04-nodes-import", everywhere=False)
    await hands.press("a", "ctrl+n", "f5")
    await hands.watch(lambda: hands.sees("new host keys"), "the question whether the keys are right")
    await hands.rest()
    await hands.shoot("04-nodes-host-keys", everywhere=False)
    await hands.small("04-nodes-host-keys")
    await hands.push("yes")
    await hands.rest()
    await hands.shoot("04-nodes")
    await hands.small("04-nodes", TINY)
    await hands.press("enter")
    await hands.shoot("04-nodes-form", everywhere=False)
    await hands.small("04-nodes-form")
    await hands.press("escape", "ctrl+n")


async def _database(hands: Hands, lab: Lab) -> None:
    await hands.field("database.host")
    await hands.write(str(lab.database_address))
    await hands.field("database.password")
    await hands.press("tab")
    await hands.write(lab.database_password.read_text().strip())
    await hands.press("f5")
    await hands.shoot("05-database")
    await hands.press("ctrl+n")


async def _storage(hands: Hands) -> None:
    await hands.field("storage.type")
    await hands.press("left")
    await hands.field("storage.path")
    await hands.write("/mnt/oz")
    await hands.press("f5")
    await hands.shoot("06-storage")
    await hands.press("ctrl+n")


async def _access(hands: Hands, lab: Lab) -> None:
    await hands.field("public_url")
    await hands.write("https://oz.example")
    await hands.field("updater.token")
    await hands.press("tab")
    await hands.write(lab.updater_token.read_text().strip())
    await hands.shoot("07-access")
    await hands.field("air_gapped")  # a lab has no way out
    await hands.press("space")
    await hands.press("ctrl+n")


async def _review(hands: Hands) -> None:
    await hands.shoot("08-review")
    await hands.push("compare")
    await hands.rest()
    await hands.shoot("08-review-save", everywhere=False)
    await hands.press("enter")
    await hands.shoot("08-review-changes")
    await hands.press("ctrl+n")


async def _preflight(hands: Hands) -> None:
    await hands.push("run")
    await hands.watch(hands.idle, "the end of the checks", reel_every=1.0)
    await hands.rest()
    await hands.shoot("09-preflight")
    await hands.press("ctrl+n")
    await hands.shoot("09-preflight-warnings", everywhere=False)
    await hands.push("yes")
    await hands.rest()


async def _install(hands: Hands) -> None:
    screen = hands.app.step_screen
    assert isinstance(screen, InstallScreen)
    await hands.push("run")
    await hands.rest()
    await hands.shoot("10-install-question", everywhere=False)
    await hands.push("yes")
    await hands.watch(lambda: half_way(hands) or over(screen), "the API's start", reel_every=REEL)
    await hands.shoot("10-install", everywhere=False)
    await hands.watch(lambda: over(screen), "the end of the installation", reel_every=REEL)
    await hands.rest()
    await hands.shoot("10-install-end")
    await hands.press("ctrl+n")


def half_way(hands: Hands) -> bool:
    """Whether some services of the API run, and others do not yet."""
    return hands.sees("Start the API") and re.search(r"\d of \d+ services", hands.text) is not None


def over(screen: InstallScreen) -> bool:
    """Whether the installation has begun, and ended."""
    return screen.view.ended is not None and not screen.running


async def without_colour(hands: Hands) -> None:
    """The same answers again, where NO_COLOR is set."""
    await hands.rest()
    await hands.step("workload")
    await hands.shoot("02-workload-no-color", everywhere=False)
    await hands.step("nodes")
    await hands.press("f5")
    await hands.shoot("04-nodes-no-color", everywhere=False)
    await hands.step("preflight")
    await hands.push("run")
    await hands.rest()
    await hands.shoot("09-preflight-no-color", everywhere=False)
