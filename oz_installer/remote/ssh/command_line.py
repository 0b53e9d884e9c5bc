"""Build the line for a login shell that runs a command: every shell reads it alike. Pure.

The login shell may be tcsh, fish or something stranger, may greet, and sudo may ask for a password or not. So
the line holds only characters that no shell changes inside single quotes: a POSIX program, whose other
characters are octal numbers. The program sets the locale, becomes root, prints a mark on stdout and stderr,
and becomes the command. Nothing is sent to it before a mark or sudo's prompt has come: see ``StartWatch``.
"""

from __future__ import annotations

import secrets
import shlex
import string
from collections.abc import Sequence

from oz_installer.remote.transport import LOCALE

_UNCHANGED = frozenset(string.ascii_letters + string.digits + " _@+=:,./(){}[]<>;|&*?#~^-")
_OCTAL = {code: f"\\{code:03o}" for code in range(256) if chr(code) not in _UNCHANGED}
_LOCALE = f"LC_ALL={LOCALE}; export LC_ALL; "


class Marks:
    """The marks that a program prints as it proceeds; ``token`` makes them impossible to guess.

    The program joins each mark from its parts, so that a shell that echoes its commands does not print one.
    """

    def __init__(self, token: str = "") -> None:
        self.token = token or secrets.token_hex(8)
        self.run = self._mark("run")
        self.root = self._mark("root")
        self.login = self._mark("login")
        self.no_sudo = self._mark("nosudo")
        self.prompt = f"oz-install:{self.token}:%:".encode()
        """The prompt of sudo for the password; nothing else prints it."""

    def _mark(self, word: str) -> bytes:
        return f"oz-install:{self.token}:{word}\n".encode()


def quote(argv: Sequence[str]) -> str:
    """Quote an argv for a POSIX shell."""
    return shlex.join(argv)


def command_line(
    argv: Sequence[str], marks: Marks, *, become: bool, stdin: bool, ask_uid: bool = False
) -> str:
    """Return the line for a login shell that runs ``argv``, as root with ``become``.

    Without ``stdin`` the command reads from /dev/null. ``ask_uid``: the login may be root by another name.
    """
    parts = "printf '%s:%s:%s\\n' oz-install " + marks.token
    start = f"{_LOCALE}{parts} run; {parts} run >&2; " + 'exec "$@"' + ("" if stdin else " < /dev/null")
    program = start
    if become:
        inner = f'sh -c {quote([start])} sh "$@"'
        as_root = f'if [ "$(id -u)" = 0 ]; then {parts} root >&2; exec {inner}; fi; ' if ask_uid else ""
        program = (
            f"{_LOCALE}{as_root}command -v sudo > /dev/null || {{ {parts} nosudo >&2; exit 1; }}; "
            # two percent signs are one in the prompt that sudo prints
            f"{parts} login >&2; exec sudo -S -p 'oz-install:{marks.token}:%%:' -- {inner}"
        )
    return _for_any_shell(f"set -- {quote(argv)}; {program}")


def _for_any_shell(program: str) -> str:
    octal = program.encode("utf-8", "surrogateescape").decode("latin-1").translate(_OCTAL)
    return f"""sh -c 'eval "$(printf "{octal}")"'"""
