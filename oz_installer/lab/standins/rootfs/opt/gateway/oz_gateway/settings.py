"""Reads the mounted config.py as the API does; what is missing or of a wrong type stops the start."""

import runpy
from pathlib import Path

PATH = Path("/opt/gateway/configs/config.py")
_NEEDED = {
    "PORT": (int, str), "SCHEME": str, "HOST": str, "ALLOWED_HOSTS": (list, tuple),
    "DB_USER": str, "DB_HOST": str, "DB_PORT": (int, str), "DB_PASS": str, "DB_NAME": str, "DB_ENGINE": str,
    "OZ_SERVICE_TFSS_HOST": str, "CELERY_BROKER_URL": str, "CELERY_RESULT_BACKEND": str,
    "OZ_REDIS_ANALYZES_NODE": (str, dict), "OZ_REDIS_THROTTLING_NODE": (str, dict),
    "OZ_CELERY_HEALTH_CHECK_QUEUES": (list, tuple),
}
_OPTIONAL = {
    "OZ_BUNDLE_TFSS_HOST": str, "OZ_SERVICE_REGULA_HOST": (str, type(None)), "OZ_SERVICE_O2N_HOST": (str, type(None)),
    "OZ_EXTERNAL_REQUEST_TIMEOUT": (int, float), "OZ_CELERY_RETRY_MAX_COUNT": int,
    "OZ_CELERY_RETRY_STEP": (int, float), "OZ_ATTACHMENT_MAX_SIZE": int, "OZ_SESSION_TTL": int,
}
_URLS = {
    "OZ_SERVICE_TFSS_HOST": ("http://", "https://"), "OZ_BUNDLE_TFSS_HOST": ("http://", "https://"),
    "CELERY_BROKER_URL": ("redis://", "rediss://", "amqp://"), "CELERY_RESULT_BACKEND": ("redis://", "rediss://"),
}


class SettingsError(Exception):
    """config.py cannot be used; the message names every problem."""


def load(path=PATH):
    """The settings as a dict. Raises SettingsError."""
    try:
        found = runpy.run_path(str(path))
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from error
    except Exception as error:
        raise SettingsError(f"{path} does not compile or run: {type(error).__name__}: {error}") from error
    problems = list(_problems(found))
    if problems:
        raise SettingsError(f"{path}: " + "; ".join(problems))
    return {name: value for name, value in found.items() if name.isupper()}


def _problems(found):
    for name, kinds in {**_NEEDED, **_OPTIONAL}.items():
        if name not in found:
            if name in _NEEDED:
                yield f"{name} is missing"
            continue
        value = found[name]
        if not isinstance(value, kinds) or isinstance(value, bool):
            yield f"{name} is of type {type(value).__name__}"
        elif name in ("PORT", "DB_PORT") and not str(value).isdigit():
            yield f"{name} is no number"
        elif isinstance(value, str) and name in _URLS and not value.startswith(_URLS[name]):
            yield f"{name} is no URL of {' or '.join(_URLS[name])}"
        elif isinstance(value, list | tuple) and not all(isinstance(item, str) for item in value):
            yield f"{name} holds something that is no string"
    if found.get("DB_ENGINE", "django.db.backends.postgresql") != "django.db.backends.postgresql":
        yield "DB_ENGINE is not django.db.backends.postgresql"
