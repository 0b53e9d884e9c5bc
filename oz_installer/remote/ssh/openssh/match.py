"""The criteria of ``Match`` in the OpenSSH configuration. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from oz_installer.errors import ConnectError
from oz_installer.remote.ssh.openssh.patterns import matches_list
from oz_installer.remote.ssh.openssh.query import HostQuery

_LISTS = frozenset({"host", "originalhost", "user", "localuser", "tagged"})
_UNKNOWN_HERE = frozenset({"exec", "localnetwork", "version", "sessiontype", "command"})


class MatchState:
    """The settings found so far, which later lines are matched with."""

    def __init__(self, query: HostQuery, login: str, *, strict: bool = True) -> None:
        self.query = query
        self.login = login
        self.strict = strict
        self.final = False
        self.final_wanted = False
        self.values: dict[str, list[str]] = {}

    @property
    def host(self) -> str:
        """The host name, after HostName if that is set; its tokens are expanded."""
        name = self.values.get("hostname", [self.query.host])[0]
        if self.final:
            return name
        return name.replace("%%", "\0").replace("%h", self.query.host).replace("\0", "%")

    @property
    def user(self) -> str:
        """The login name."""
        return self.values.get("user", [self.login])[0]


def match_line(words: list[str], state: MatchState, invalid: Callable[[str], ConnectError]) -> bool:
    """Return whether all criteria of a Match hold.

    Raises ConnectError for one that cannot be judged."""
    result = True
    for criterion, negated, value in _criteria(words, invalid):
        if criterion == "all":
            continue
        if criterion in ("final", "canonical"):
            state.final_wanted = state.final_wanted or criterion == "final"
            holds = state.final
        elif criterion in _LISTS:
            holds = matches_list(*_subject(criterion, value, state))
        elif not state.strict or not result:
            holds = negated
        else:
            raise invalid(f"only OpenSSH can evaluate Match {criterion}; install its client")
        result = result and holds != negated
    return result


def _criteria(words: list[str], invalid: Callable[[str], ConnectError]) -> Iterator[tuple[str, bool, str]]:
    rest = [part for word in words for part in _parts(word)]
    while rest:
        name = rest.pop(0)
        negated, criterion = name.startswith("!"), name.removeprefix("!").lower()
        if criterion in ("all", "final", "canonical"):
            yield criterion, negated, ""
        elif criterion in _LISTS | _UNKNOWN_HERE and rest:
            yield criterion, negated, rest.pop(0)
        else:
            raise invalid(f"Match {criterion} is not valid")


def _parts(word: str) -> list[str]:
    """Split ``host=name``."""
    name, equals, value = word.partition("=")
    known = name.removeprefix("!").lower() in _LISTS | _UNKNOWN_HERE
    return [name, *([value] if value else [])] if equals and known else [word]


def _subject(criterion: str, value: str, state: MatchState) -> tuple[str, str]:
    """Return the name and the list to compare; host names are compared in lower case."""
    if criterion == "host":
        return state.host.lower(), value.lower()
    if criterion == "originalhost":
        return state.query.host.lower(), value.lower()
    if criterion == "user":
        return state.user, value
    if criterion == "localuser":
        return state.login, value
    return state.values.get("tag", [""])[0], value
