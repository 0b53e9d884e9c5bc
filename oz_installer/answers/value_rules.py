"""Rules for single values. A rule returns the problem of a value, or None.

A hint follows a semicolon: ``is neither a host name nor an IP address; write db.example.com``.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from oz_installer.answers.safe_text import LONGEST

ValueRule = Callable[[Any], str | None]


LIKE_A_VARIABLE = "looks like a variable, which is not expanded"
"""The problem of a secret such as ``$NAME``."""

_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST = rf"{_LABEL}(?:\.{_LABEL})*\.?"
_V6 = r"\[[0-9A-Fa-f:.]+\]"
_PORT = r"[1-9][0-9]{0,4}"
_LOGIN = r"[A-Za-z_](?:[A-Za-z0-9_.@\\-]{0,62}[A-Za-z0-9_.-])?\$?"
_IMAGE_PATH = r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*"
_TAG = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}"
_URL = rf"(https?)://({_HOST}|{_V6})(:{_PORT})?((?:/(?:[A-Za-z0-9._~-]|%[0-9A-Fa-f]{{2}})+)*/?)"
_PROXY = rf"http://({_HOST}|{_V6}):({_PORT})/?"
_DIRECT = r"(\*?\.)?[A-Za-z0-9_:][A-Za-z0-9._:/-]{0,252}"
_JUMP = rf"(?:({_LOGIN})@)?({_HOST}|{_V6}|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)(?::({_PORT}))?"
_REGISTRY = rf"({_HOST}|{_V6})(:{_PORT})?(/{_IMAGE_PATH})*"
_EMAIL = rf"\w[\w.+-]{{0,63}}@({_HOST})"
# C0, DEL, C1, line separators, marks that turn the direction of text, surrogates, noncharacters
_SYSTEM = (
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/lib64",
    "/proc",
    "/run",
    "/sbin",
    "/sys",
    "/usr",
    "/var/run",
)
_TAKEN = frozenset(f"/var/{name}" for name in ("cache", "lib", "lib/docker", "log", "spool", "tmp"))


@dataclass(frozen=True)
class RegexRule:
    """A regular expression that the whole text must match; the JSON Schema contains it too.

    ``guess`` turns a wrong text into the text that was probably meant.
    """

    regex: str
    wanted: str
    guess: Callable[[str], str] | None = None

    def __call__(self, value: str) -> str | None:
        """Return None when the whole value matches, otherwise its problem."""
        if re.fullmatch(self.regex, value):
            return None
        meant = self.guess(value) if self.guess and len(value) < LONGEST else ""
        likely = f"; write {meant}" if re.fullmatch(self.regex, meant) else ""
        return f"should be {self.wanted}{likely}"


def plain_secret(value: str) -> str | None:
    """Reject a plain secret that looks like a variable: it was hardly meant as the secret."""
    if not re.fullmatch(r"\$(?:[A-Za-z_][A-Za-z0-9_]*|\{[A-Za-z_][A-Za-z0-9_]*\})", value):
        return None
    return (  # the value may be a password after all, which must not be shown
        f"{LIKE_A_VARIABLE}; "
        "write {env: NAME}; if it is the secret itself, put it in a file and write {file: PATH}"
    )


def not_a_choice(value: Any, choices: Sequence[Any]) -> str:
    """Return the problem of a value that is none of the choices, with the closest one."""
    listed = ", ".join(str(choice) for choice in choices)
    text = f"should be {listed}" if len(choices) == 1 else f"should be one of {listed}"
    close = get_close_matches(str(value)[:64].lower(), [str(choice) for choice in choices], n=1, cutoff=0.5)
    return f"{text}; the closest is {close[0]}" if close else text


def host(value: str) -> str | None:
    """A host name (RFC 1123, underscores tolerated) or an IP address without zone."""
    if _is_address(value):
        return None
    if value and re.fullmatch(r"[0-9.]+", value):
        return "is not a complete IP address; write four numbers from 0 to 255"
    if len(value) <= 253 and re.fullmatch(_HOST, value):
        return None
    meant = _meant_host(value)
    return "is neither a host name nor an IP address" + (f"; write {meant}" if meant else "")


def _is_address(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return "%" not in value


def _meant_host(value: str) -> str | None:
    """The host in a URL, in user@host or host:port, or of an IDN; None when there is none."""
    text = value.strip()[:LONGEST]
    text = re.sub(r"^[A-Za-z]+://", "", text).split("/")[0].rpartition("@")[2]
    if not text.isascii():
        try:
            text = text.encode("idna").decode()
        except UnicodeError:
            return None
    for candidate in (text.strip("[]"), re.sub(r"\]?:[0-9]*$", "", text).lstrip("[")):
        if candidate and (_is_address(candidate) or re.fullmatch(_HOST, candidate)) and len(candidate) <= 253:
            return candidate
    return None


def port(value: int) -> str | None:
    """A TCP port."""
    return None if 1 <= value <= 65535 else "should be from 1 to 65535"


def positive(value: float) -> str | None:
    """A number above zero, at most 1e12."""
    return None if 0 < value <= 1e12 else "should be above zero" if not value > 0 else "is too large"


def absolute_path(value: str) -> str | None:
    """An absolute path of plain characters, without ``.`` and ``..``; no slash at the end."""
    if not re.fullmatch(r"(/[A-Za-z0-9._@+-]+)+/?", value) or {".", ".."} & set(value.split("/")):
        return "should be an absolute path of letters, digits and . _ @ + - only, without .."
    if value.endswith("/"):
        return f"should not end with a slash; write {value.rstrip('/')}"
    return None


def export(value: str) -> str | None:
    """An absolute path, or ``/`` alone."""
    return None if value == "/" else absolute_path(value)


def install_dir(value: str) -> str | None:
    """A folder for the installer alone, never one of the system."""
    if problem := absolute_path(value):
        return problem
    deep = 3 if value.startswith("/home/") else 2
    if value.count("/") < deep:
        levels = {2: "two", 3: "three"}[deep]
        return f"should be a folder of its own, at least {levels} levels deep; such as /opt/oz"
    inside = any(f"{value}/".startswith(f"{top}/") for top in _SYSTEM)
    if value in _TAKEN or (inside and not value.startswith("/usr/local/")):
        return "belongs to the system; use a folder of its own, such as /opt/oz"
    return None


def url(value: str) -> str | None:
    """An http or https URL of scheme, host, port and path only."""
    found = re.fullmatch(_URL, value)
    if not found:
        return _wrong_url(value)
    if found[3] and port(int(found[3][1:])):
        return "has a port that should be from 1 to 65535"
    return host(found[2].strip("[]"))


def _wrong_url(value: str) -> str:
    if not re.match(r"https?://", value):
        guess = f"https://{re.sub(r'^[a-zA-Z]*:?/*', '', value) if '://' in value else value}"
        meant = f"; write {guess}" if len(guess) < 300 and re.fullmatch(_URL, guess) else ""
        return f"should start with http:// or https:// and name a host{meant}"
    return "should have only scheme, host, port and path; such as https://oz.example.com"


def proxy(value: str) -> str | None:
    """``http://host:port``, no user and password: containers have them in their environment."""
    if "@" in value:
        return "should have no user and password; allow the nodes on the proxy by their addresses instead"
    if found := re.fullmatch(_PROXY, value):
        return port(int(found[2])) or host(found[1].strip("[]"))
    meant = f"http://{re.sub(r'^[a-zA-Z]+:/*', '', value) if '://' in value else value}".rstrip("/")
    likely = len(meant) < 300 and re.fullmatch(_PROXY, meant)
    return f"should be http://host:port; {f'write {meant}' if likely else 'such as http://proxy:3128'}"


def no_proxy(value: Sequence[str]) -> str | None:
    """Hosts, domains (``.example.com``), addresses and networks, each once."""
    wrong = next((item for item in value if not re.fullmatch(_DIRECT, item)), None)
    if wrong is None:
        return no_duplicates(value)
    return f"{wrong[:64]!r} is no host, domain or address; write one per item, such as .example.com"


def jump(value: str) -> str | None:
    """``[user@]host[:port]``; an IPv6 address with a port is in brackets."""
    found = re.fullmatch(_JUMP, value)
    if not found or (found[3] and port(int(found[3]))):
        return "should be [user@]host[:port]"
    return host(found[2].strip("[]"))


def registry(value: str) -> str | None:
    """``host[:port][/path]``, lower case."""
    found = re.fullmatch(_REGISTRY, value)
    if not found or (found[2] and port(int(found[2][1:]))):
        meant = re.sub(r"^https?://", "", value).rstrip("/")
        guess = f"; write {meant}" if meant != value and re.fullmatch(_REGISTRY, meant) else ""
        return f"should be host[:port][/path]{guess}"
    return host(found[1].strip("[]"))


def email(value: str) -> str | None:
    """An e-mail address without characters that a shell or template treats specially."""
    found = re.fullmatch(_EMAIL, value)
    return "should be an e-mail address" if not found or len(value) > 254 else host(found[1])


def nodes(value: Sequence[Any]) -> str | None:
    """At least one node; ``section_rules.py`` checks that names and hosts are unique."""
    return None if value else "needs at least one node"


def no_duplicates(value: Sequence[str]) -> str | None:
    """Each item once."""
    twice = next((item for index, item in enumerate(value) if item in value[:index]), None)
    return f"holds {twice} twice" if twice is not None else None


def warning_ids(value: Sequence[str]) -> str | None:
    """Ids of warnings, each once."""
    bad = next(
        (item for item in value if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._:/@-]{0,199}", item)), None
    )
    return f"{bad[:64]!r} is no id of a warning" if bad is not None else no_duplicates(value)


def service_names(value: Sequence[str]) -> str | None:
    """Names of services, each once."""
    bad = next((item for item in value if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,62}", item)), None)
    return f"{bad[:64]!r} is no name of a service" if bad is not None else no_duplicates(value)


def images(value: Mapping[str, str]) -> str | None:
    """Image references, by the name of the image to replace."""
    for key, reference in value.items():
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._:/@-]{0,254}", key):
            return f"{key[:64]!r} is no image name"
        if problem := image(reference):
            return f"{key!r} {problem}"
    return None


def setting_names(value: Mapping[str, Any]) -> str | None:
    """Names of vendor settings, in upper case."""
    for key in value:
        if not re.fullmatch(r"[A-Z][A-Z0-9_]{0,99}", key):
            meant = re.sub(r"[^A-Z0-9_]", "_", key.upper())
            hint = f"; write {meant}" if re.fullmatch(r"[A-Z][A-Z0-9_]{0,99}", meant) else ""
            return f"{key[:64]!r} is no name of a setting: capitals, digits and _ only{hint}"
    return None


name = RegexRule(
    r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?",
    "1 to 32 lower-case letters, digits and hyphens, no hyphen at either end",
    guess=lambda text: re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-"),
)
user = RegexRule(_LOGIN, "a login name")
account = RegexRule(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}", "letters, digits and _ . - only, at most 64")
registry_user = RegexRule(r"[A-Za-z0-9_][A-Za-z0-9_.@$+%/=~-]{0,254}", "a login name; such as robot$oz+pull")
sql_name = RegexRule(
    r"[A-Za-z_][A-Za-z0-9_.@-]{0,62}", "letters, digits and _ . @ - only, a letter or _ first, at most 63"
)
fingerprint = RegexRule(
    r"SHA256:[A-Za-z0-9+/]{43}=?", "SHA256: and 43 characters, as ssh-keygen -lf prints it"
)
mount_options = RegexRule(r"[A-Za-z0-9_][A-Za-z0-9_.:=,/-]*", "mount options; such as vers=4.1,hard")
image = RegexRule(
    rf"({_HOST}(:{_PORT})?/)?{_IMAGE_PATH}(/{_IMAGE_PATH})*(:{_TAG})?(@sha256:[0-9a-f]{{64}})?",
    "an image; such as ozforensics/oz-api:5.2.0",
)
release = RegexRule(r"[0-9]{1,3}(\.[0-9]{1,3}){1,2}", 'a release in quotes; such as "5.2"')
environment_name = RegexRule(r"[A-Za-z_][A-Za-z0-9_]{0,254}", "the name of an environment variable")
