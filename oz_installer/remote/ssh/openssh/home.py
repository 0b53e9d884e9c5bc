"""The operator's home directory, and whether OpenSSH uses the same one."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

SYSTEM_CONFIG = Path("/etc/ssh/ssh_config")


def account_home() -> Path | None:
    """Return the home directory of the account, which OpenSSH uses whatever $HOME says."""
    try:
        return Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:
        return None


def is_own_home() -> bool:
    """Return whether $HOME is the account's home, as OpenSSH takes it to be."""
    return Path.home() == account_home()


def user_config() -> Path:
    """Return the path of the operator's configuration file."""
    return Path.home() / ".ssh" / "config"


def system_config() -> Path:
    """Return the path of the machine's configuration file."""
    return SYSTEM_CONFIG


def expand_tilde(text: str) -> str:
    """Expand a leading ~ or ~user."""
    if text == "~" or text.startswith("~/"):
        return str(Path.home()) + text[1:]
    try:
        return str(Path(text).expanduser()) if text.startswith("~") else text
    except RuntimeError:  # an unknown user
        return text
