"""The effective settings of a host: from ``ssh -G``, else by our own reader."""

from __future__ import annotations

from contextlib import suppress

from oz_installer.errors import ConnectError
from oz_installer.remote.ssh.openssh.home import is_own_home
from oz_installer.remote.ssh.openssh.program import TooOld, start_lookup
from oz_installer.remote.ssh.openssh.query import HostQuery, Settings


def prefetch(host: str, user: str | None, port: int | None) -> None:
    """Start to find out the settings of a host, to have them when it is connected to."""
    if is_own_home():
        with suppress(ConnectError):
            start_lookup(HostQuery(host=host, user=user, port=port))


def effective_settings(query: HostQuery) -> Settings:
    """Return the settings of a host. Raises ConnectError for an invalid configuration."""
    lookup = start_lookup(query) if is_own_home() else None
    if lookup is not None:
        with suppress(TooOld):
            return lookup.result()
    from oz_installer.remote.ssh.openssh.reader import ConfigReader

    return ConfigReader().settings(query)
