"""Reading of ssh_config(5) where ``ssh -G`` cannot be asked.

There is no OpenSSH here, or it ignores $HOME, which is not that of the account. The first value wins; Host,
Match and Include are evaluated as readconf.c does. ``Match exec`` runs no command.
"""

from __future__ import annotations

import getpass
import glob
from collections.abc import Iterator
from pathlib import Path

from oz_installer.errors import ConnectError
from oz_installer.frozen import dataclass
from oz_installer.remote.ssh.openssh.home import expand_tilde, system_config, user_config
from oz_installer.remote.ssh.openssh.match import MatchState, match_line
from oz_installer.remote.ssh.openssh.patterns import matches_any, split_line, split_words
from oz_installer.remote.ssh.openssh.query import HostQuery, Settings
from oz_installer.text import safe_line

DEEPEST_INCLUDE = 16
MOST_LINES = 100_000
MOST_BYTES = 1 << 20
REPEATED = frozenset({"identityfile", "certificatefile"})
SINGLE = frozenset(
    {"hostname", "user", "port", "identityfile", "certificatefile", "hostkeyalias", "identityagent"}
)


@dataclass(frozen=True, kw_only=True)
class ConfigLine:
    """A line of the configuration."""

    path: Path
    number: int
    keyword: str
    text: str

    def words(self) -> list[str]:
        """Return the arguments. Raises ConnectError when there are none."""
        try:
            words = split_words(self.text)
        except ValueError as error:
            raise self.invalid(str(error)) from None
        if not words:
            raise self.invalid(f"{self.keyword} has no value")
        return words

    def invalid(self, reason: str) -> ConnectError:
        """Return the error for this line."""
        return ConnectError(
            f"{self.path} cannot be read: line {self.number}: {safe_line(reason, 120)}",
            "Correct the file; `ssh -G HOST` shows how OpenSSH reads it.",
        )


class ConfigReader:
    """Reads the operator's file, then the system's; each file once."""

    def __init__(self) -> None:
        self._version = self._newest()
        self._files: dict[Path, tuple[ConfigLine, ...]] = {}
        self._left = MOST_LINES

    def settings(self, query: HostQuery, *, strict: bool = True) -> Settings:
        """Return the settings of a host. Raises ConnectError for an invalid file.

        Without ``strict`` a Match that cannot be judged does not match."""
        state = MatchState(query, getpass.getuser(), strict=strict)
        if query.user:
            state.values["user"] = [query.user]
        if query.port:
            state.values["port"] = [str(query.port)]
        self._pass(state)
        if state.final_wanted:
            state.values["hostname"] = [state.host.lower()]
            state.final = True
            self._pass(state)
        state.values["hostname"] = [state.host.lower()]
        return {keyword: tuple(values) for keyword, values in state.values.items()}

    def is_current(self) -> bool:
        """Return whether the two main files are as they were."""
        return self._version == self._newest()

    def _newest(self) -> list[tuple[str, int]]:
        found = []
        for path in (user_config(), system_config()):
            try:
                found.append((str(path), path.stat().st_mtime_ns))
            except OSError:
                found.append((str(path), 0))
        return found

    def hosts(self) -> list[str]:
        """Return the hosts that the operator's files name, without patterns, in their order."""
        named = [
            name
            for line in self._every_line(user_config(), 0)
            if line.keyword == "host"
            for name in line.words()
            if not set(name) & set("*?!") and not name.startswith("-")
        ]
        return list(dict.fromkeys(named))

    def _pass(self, state: MatchState) -> None:
        for path in (user_config(), system_config()):
            self._read(path, 0, state, active=True)

    def _read(self, path: Path, depth: int, state: MatchState, *, active: bool) -> None:
        """Apply a file. Within an Include of an inactive block nothing becomes active."""
        never, on = not active, active
        for line in self._lines(path, depth):
            if line.keyword == "host":
                on = not never and matches_any(state.query.host, line.words())
            elif line.keyword == "match":
                on = not never and match_line(line.words(), state, line.invalid)
            elif line.keyword == "include":
                for included in _included(line):
                    self._read(included, depth + 1, state, active=on)
            elif on:
                _apply(line, state.values)
            else:
                line.words()

    def _every_line(self, path: Path, depth: int) -> Iterator[ConfigLine]:
        for line in self._lines(path, depth):
            yield line
            if line.keyword == "include":
                for included in _included(line):
                    yield from self._every_line(included, depth + 1)

    def _lines(self, path: Path, depth: int) -> tuple[ConfigLine, ...]:
        if depth > DEEPEST_INCLUDE:
            raise ConnectError(
                f"{path} cannot be read: more than {DEEPEST_INCLUDE} files include each other",
                "Remove the Include that closes the circle.",
            )
        if path not in self._files:
            self._files[path] = tuple(self._parse(path))
        return self._files[path]

    def _parse(self, path: Path) -> Iterator[ConfigLine]:
        try:
            with path.open("rb") as stream:
                text = stream.read(MOST_BYTES).decode("utf-8", "surrogateescape")
        except OSError:
            return
        for number, line in enumerate(text.split("\n"), 1):
            keyword, rest = split_line(line)
            if not keyword or keyword.startswith("#"):
                continue
            self._left -= 1
            if self._left < 0:
                raise ConnectError(
                    f"{path} cannot be read: more than {MOST_LINES} lines", "Shorten the SSH configuration."
                )
            yield ConfigLine(path=path, number=number, keyword=keyword, text=rest)


def _included(line: ConfigLine) -> list[Path]:
    """Return the files of an Include, sorted; relative ones lie beside the configuration."""
    base = (
        system_config().parent if line.path.is_relative_to(system_config().parent) else user_config().parent
    )
    found: list[Path] = []
    for word in line.words():
        found += [Path(name) for name in sorted(glob.glob(str(base / expand_tilde(word))))]  # noqa: PTH207
    return found


def _apply(line: ConfigLine, values: dict[str, list[str]]) -> None:
    words, keyword = line.words(), line.keyword
    if keyword in SINGLE and len(words) > 1:
        raise line.invalid(f"{keyword} has more than one value")
    text = " ".join(words)
    if keyword == "proxycommand":
        text = line.text.strip()
    if keyword in REPEATED:
        known = values.setdefault(keyword, [])
        if text not in known:
            known.append(text)
    elif keyword in ("proxyjump", "proxycommand"):
        if not {"proxyjump", "proxycommand"} & values.keys():
            values[keyword] = [text]
    else:
        values.setdefault(keyword, [text])
