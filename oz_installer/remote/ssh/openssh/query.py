"""A question to the OpenSSH configuration, and the settings that answer it."""

from __future__ import annotations

from collections.abc import Mapping

from oz_installer.errors import ConnectError
from oz_installer.frozen import dataclass
from oz_installer.text import safe_line

Settings = Mapping[str, tuple[str, ...]]
"""Values by keyword in lower case, as ``ssh -G`` prints them: tokens and ~ are not expanded."""

LONGEST_HOST = 255


@dataclass(frozen=True, kw_only=True)
class HostQuery:
    """A host as given to ``ssh``, with the user and port that override the configuration."""

    host: str
    user: str | None = None
    port: int | None = None

    def __post_init__(self) -> None:
        host = self.host
        if host.startswith("-") or not 0 < len(host) <= LONGEST_HOST or not host.isprintable() or " " in host:
            raise ConnectError(
                f"{safe_line(host, 60)!r} is not a host name", "Correct `host` or `jump` of the node."
            )


def first(settings: Settings, keyword: str, default: str = "") -> str:
    """Return the first value of a keyword."""
    values = settings.get(keyword, ())
    return values[0] if values else default


def is_on(settings: Settings, keyword: str, default: bool = False) -> bool:
    """Return whether a yes/no setting is on; ``ssh -G`` prints some as true and false."""
    value = first(settings, keyword).lower()
    return value not in ("no", "false", "none") if value else default
