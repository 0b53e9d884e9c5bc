"""What makes a single value usable. A rule returns what is wrong with a value, or None."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

Rule = Callable[[Any], str | None]

_LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?")
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?")
_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.@\\-]{0,63}\$?")
_SQL_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_PATH = re.compile(r"(/[A-Za-z0-9._@+-]+)+/?")
_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}=?")
_OPTIONS = re.compile(r"[A-Za-z0-9_.:=,/-]+")
_IMAGE = re.compile(r"[a-z0-9][A-Za-z0-9._:/@-]*")
_REGISTRY = re.compile(rf"{_HOST.pattern}(:\d{{1,5}})?(/[a-z0-9._-]+)*")
_EMAIL = re.compile(r"[^@\s\x00-\x1f\"'`$<>\\]+@[A-Za-z0-9.-]+")
_RELEASE = re.compile(r"\d{1,3}(\.\d{1,3}){1,2}")
_SETTING = re.compile(r"[A-Z][A-Z0-9_]*")


def _matches(pattern: re.Pattern[str], wanted: str) -> Rule:
    return lambda value: None if pattern.fullmatch(value) else f"should be {wanted}"


def host(value: str) -> str | None:
    """A host name (RFC 1123, underscores tolerated) or an IP address."""
    try:
        ipaddress.ip_address(value)
    except ValueError:
        if re.fullmatch(r"[\d.]+", value):
            return "is not a whole IP address; four numbers from 0 to 255 are needed"
        if len(value) > 253 or not _HOST.fullmatch(value):
            return "is neither a host name nor an IP address"
    return None


def port(value: int) -> str | None:
    """A TCP port."""
    return None if 1 <= value <= 65535 else "should be from 1 to 65535"


def positive(value: float) -> str | None:
    """A number above zero."""
    return None if value > 0 else "should be above zero"


def absolute(value: str) -> str | None:
    """An absolute path of plain characters, without ``..``."""
    if not _PATH.fullmatch(value) or ".." in value.split("/"):
        return "should be an absolute path of letters, digits and . _ @ + - only, without .."
    return None


def install_dir(value: str) -> str | None:
    """A folder of the installer's own: never one of the system's."""
    if problem := absolute(value):
        return problem
    if value.rstrip("/").count("/") < 2:
        return "should be a folder of its own, at least two levels deep, such as /opt/oz"
    return None


def url(value: str) -> str | None:
    """An http or https URL without user, query and fragment."""
    try:
        parts = urlsplit(value)
        bad_port = parts.port == 0
    except ValueError:
        return "is not a URL"
    if parts.scheme not in ("http", "https") or not parts.hostname or bad_port:
        return "should start with http:// or https:// and name a host"
    if parts.username or parts.password or parts.query or parts.fragment:
        return "should hold scheme, host, port and path only"
    if problem := host(parts.hostname):
        return problem
    return None if re.fullmatch(r"(/[A-Za-z0-9._~%-]+)*/?", parts.path) else "has a path that is no URL path"


def jump(value: str) -> str | None:
    """``[user@]host[:port]``."""
    login, _, place = value.rpartition("@")
    if login and not _USER.fullmatch(login):
        return "should be [user@]host[:port]"
    name, colon, number = place.partition(":")
    if colon and not (number.isdigit() and 1 <= int(number) <= 65535):
        return "should be [user@]host[:port]"
    return host(name)


def nodes(value: Sequence[Any]) -> str | None:
    """At least one, names and hosts unique."""
    if not value:
        return "needs at least one node"
    for what in ("name", "host"):
        seen: set[str] = set()
        for node in value:
            text = getattr(node, what)
            key = text if what == "name" else f"{text}:{node.port or 22}"
            if key in seen:
                return f"two nodes have the {what} {text!r}"
            seen.add(key)
    return None


def images(value: Mapping[str, str]) -> str | None:
    """Image references."""
    for key, image in value.items():
        if not isinstance(image, str) or not _IMAGE.fullmatch(image):
            return f"{key!r} should be an image such as ozforensics/oz-api:5.2.0"
    return None


def setting_names(value: Mapping[str, Any]) -> str | None:
    """Names of vendor settings, upper case."""
    for key in value:
        if not _SETTING.fullmatch(key):
            return f"{key!r} is no setting's name; capitals, digits and _ only"
    return None


name = _matches(_NAME, "1 to 32 lower-case letters, digits and hyphens, not at the ends a hyphen")
user = _matches(_USER, "a login name")
sql_name = _matches(_SQL_NAME, "lower-case letters, digits and _, at most 63")
fingerprint = _matches(_FINGERPRINT, "SHA256: and 43 characters, as ssh-keygen -lf prints it")
mount_options = _matches(_OPTIONS, "mount options such as vers=4.1,hard")
registry = _matches(_REGISTRY, "host[:port][/path]")
email = _matches(_EMAIL, "an e-mail address")
release = _matches(_RELEASE, 'a release in quotes, such as "5.2"')
