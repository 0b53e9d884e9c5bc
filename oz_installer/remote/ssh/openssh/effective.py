"""The effective settings of a host: from ``ssh -G``, else by our own reader.

``ssh -G`` is not started where there is nothing to ask: no ~/.ssh/config, and a system file that sets nothing
of use here, as distributions ship it. Then four nodes cost no process.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from oz_installer.errors import ConnectError
from oz_installer.remote.ssh.openssh.home import is_own_home, system_config, user_config
from oz_installer.remote.ssh.openssh.query import HostQuery, Settings

if TYPE_CHECKING:
    from oz_installer.remote.ssh.openssh.reader import ConfigReader

PLAIN = frozenset(
    {"host", "include", "sendenv", "hashknownhosts", "gssapiauthentication", "forwardx11trusted"}
)
"""Keywords of a system file that our reader certainly reads as OpenSSH does."""

FRESH_SECONDS = 3.0
"""Files that were read are used for so long: nodes that are connected at once share them."""

_reading = threading.Lock()
_reader: tuple[float, ConfigReader] | None = None


def prefetch(host: str, user: str | None, port: int | None) -> None:
    """Start to find out the settings of a host, to have them when it is connected to."""
    if _asks_openssh():
        from oz_installer.remote.ssh.openssh.program import start_lookup

        with suppress(ConnectError):
            start_lookup(HostQuery(host=host, user=user, port=port))


def effective_settings(query: HostQuery) -> Settings:
    """Return the settings of a host. Raises ConnectError for an invalid configuration."""
    if is_own_home():
        plain = _plain_settings()
        if plain is not None:
            return {**plain, "hostname": (query.host.lower(),)}
        from oz_installer.remote.ssh.openssh.program import TooOld, start_lookup

        lookup = start_lookup(query)
        if lookup is not None:
            with suppress(TooOld):
                return lookup.result()
    return _fresh_reader().settings(query)


def _fresh_reader() -> ConfigReader:
    global _reader
    from oz_installer.remote.ssh.openssh.reader import ConfigReader

    with _reading:
        now = time.monotonic()
        if _reader is None or now - _reader[0] > FRESH_SECONDS or not _reader[1].is_current():
            _reader = (now, ConfigReader())
        return _reader[1]


def _asks_openssh() -> bool:
    return is_own_home() and _plain_settings() is None


def _plain_settings() -> dict[str, tuple[str, ...]] | None:
    """Return the settings of every host where there is nothing to ask; None where there may be."""
    if user_config().exists():
        return None
    try:
        text = system_config().read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    found: dict[str, tuple[str, ...]] = {}
    for words in (line.replace("=", " ").split() for line in text.splitlines()):
        if not words or words[0].startswith("#"):
            continue
        keyword = words[0].lower()
        if keyword == "include":
            if not all(_is_empty(Path(pattern)) for pattern in words[1:]):
                return None
        elif keyword not in PLAIN or (keyword == "host" and words[1:] != ["*"]):
            return None
        found.setdefault(keyword, (" ".join(words[1:]),))
    return found


def _is_empty(pattern: Path) -> bool:
    """Return whether an Include with an absolute pattern names no file."""
    return pattern.is_absolute() and not any(pattern.parent.glob(pattern.name))
