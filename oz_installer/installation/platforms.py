"""Choose the platform of an installation. No other module does."""

from __future__ import annotations

from oz_installer.answers.model import Answers
from oz_installer.catalog.scenario import load_scenarios
from oz_installer.installation.compose_platform import ComposePlatform
from oz_installer.installation.platform import Platform

PLATFORMS: dict[str, Platform] = {"compose": ComposePlatform()}


def platform_of(answers: Answers) -> Platform:
    """Return the platform of the answers' scenario, by the catalogue.

    Answers for an unsupported platform are rejected earlier (``topology/constraints.py``).
    """
    return PLATFORMS[load_scenarios()[answers.scenario].platform]
