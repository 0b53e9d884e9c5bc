"""Tokens (``%h``) and environment variables (``${NAME}``) in the OpenSSH configuration."""

from __future__ import annotations

import hashlib
import os
import re
import socket
from pathlib import Path

from oz_installer.errors import ConnectError
from oz_installer.frozen import dataclass
from oz_installer.remote.ssh.openssh.home import expand_tilde
from oz_installer.text import safe_line


@dataclass(frozen=True, kw_only=True)
class TokenValues:
    """The connection that tokens stand for; ``original`` is the host as it was given."""

    original: str
    host: str
    port: int
    user: str
    login: str
    alias: str = ""
    jump: str = ""

    def value_of(self, token: str) -> str | None:
        """Return the value of a token; None for an unknown one."""
        match token:
            case "%":
                return "%"
            case "C":
                text = f"{socket.gethostname()}{self.host}{self.port}{self.user}{self.jump}"
                return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
            case "d":
                return str(Path.home())
            case "h":
                return self.host
            case "i":
                return str(os.getuid())
            case "j":
                return self.jump
            case "k":
                return self.alias or self.original
            case "L":
                return socket.gethostname().partition(".")[0]
            case "l":
                return socket.gethostname()
            case "n":
                return self.original
            case "p":
                return str(self.port)
            case "r":
                return self.user
            case "u":
                return self.login
            case _:
                return None


def expand(text: str, values: TokenValues, keyword: str) -> str:
    """Expand ~, environment variables and tokens. Raises ConnectError for an unknown one."""

    def replace(found: re.Match[str]) -> str:
        name, token = found[1], found[2]
        value = os.environ.get(name) if name else values.value_of(token)
        if value is None:
            raise ConnectError(
                f"{keyword} {safe_line(text, 120)} in the SSH configuration contains {found[0]}, "
                + ("which is not set" if name else "which oz-install does not know"),
                f"Correct {keyword} of {values.original} in ~/.ssh/config.",
            )
        return value

    return re.sub(r"\$\{(\w+)\}|%(.?)", replace, expand_tilde(text))
