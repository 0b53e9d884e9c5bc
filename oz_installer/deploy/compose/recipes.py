"""The recipes: each command on nodes as an ordered list of phases.

A recipe imports its phases itself: a run with nothing to do needs only the first one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from oz_installer.deploy.compose.phases.connect import Connect, ReadFacts
from oz_installer.deploy.compose.preparation import Preparation
from oz_installer.deploy.phase import Phase

if TYPE_CHECKING:
    from oz_installer.deploy.compose.run import NodesRun


def prepare() -> tuple[Phase[Preparation], ...]:
    """Connect to the nodes and read their facts: the start of every command that needs them."""
    return Connect(), ReadFacts()


def install() -> tuple[Phase[NodesRun], ...]:
    """Install, upgrade or repair: the plan decides how much of it is needed."""
    from oz_installer.catalog.service import STAGES
    from oz_installer.deploy.compose.phases.fall_back import FallBack
    from oz_installer.deploy.compose.phases.lock import Lock
    from oz_installer.deploy.compose.phases.pull import PullImages
    from oz_installer.deploy.compose.phases.remove import RemoveServices
    from oz_installer.deploy.compose.phases.requirements import CheckRequirements
    from oz_installer.deploy.compose.phases.save_secrets import SaveSecrets
    from oz_installer.deploy.compose.phases.stage import Stage
    from oz_installer.deploy.compose.phases.start import Start
    from oz_installer.deploy.compose.phases.switch import Switch
    from oz_installer.deploy.compose.phases.verify import Verify

    return (
        CheckRequirements(),
        Lock(),
        FallBack(),
        SaveSecrets(),
        Stage(),
        PullImages(),
        Switch(),
        RemoveServices(),
        *(Start(stage) for stage in STAGES),
        Verify(),
    )
