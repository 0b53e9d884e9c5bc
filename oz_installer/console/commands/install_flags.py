"""The flags of an unattended installation."""

from __future__ import annotations

from oz_installer.frozen import dataclass


@dataclass(frozen=True, kw_only=True)
class InstallFlags:
    """The flags of a run; see ``oz-install --help``."""

    yes: bool = False
    dry_run: bool = False
    limit: tuple[str, ...] = ()
    json: bool = False
    health_timeout: float | None = None
    new_secrets: bool = False
    accept: tuple[str, ...] = ()
    skip_checks: bool = False
