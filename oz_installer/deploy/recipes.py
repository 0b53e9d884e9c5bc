"""The installation as a list of phases, to be read from top to bottom."""

from __future__ import annotations

from oz_installer.catalog.model import STAGES
from oz_installer.deploy.phase import Phase
from oz_installer.deploy.phases.keep import SaveSecrets
from oz_installer.deploy.phases.lock import Lock
from oz_installer.deploy.phases.pull import PullImages
from oz_installer.deploy.phases.remove import RemoveServices
from oz_installer.deploy.phases.requirements import CheckRequirements
from oz_installer.deploy.phases.stage import Stage
from oz_installer.deploy.phases.start import Start
from oz_installer.deploy.phases.switch import Switch
from oz_installer.deploy.phases.verify import Verify


def install() -> tuple[Phase, ...]:
    """Install, upgrade or repair: the plan decides how much of it is needed."""
    return (
        CheckRequirements(),
        Lock(),
        SaveSecrets(),
        Stage(),
        PullImages(),
        Switch(),
        RemoveServices(),
        *(Start(stage) for stage in STAGES),
        Verify(),
    )
