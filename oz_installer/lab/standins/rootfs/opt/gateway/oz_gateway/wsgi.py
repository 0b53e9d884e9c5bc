"""The API stand-in as a WSGI application: healthy only when everything that it needs answers."""

import json
import uuid
from pathlib import Path

import redis

from oz_gateway import database
from oz_gateway.celery_config import app, settings

from standin import NOTICE, Cached, http_get, log

MEDIA = Path("/opt/gateway/static")
TFSS = settings["OZ_SERVICE_TFSS_HOST"].rstrip("/")


def ask_database():
    with database.session(settings) as cursor:
        cursor.execute('SELECT count(*) FROM "user"')


def ask_redis():
    urls = [settings["CELERY_RESULT_BACKEND"], settings["OZ_REDIS_ANALYZES_NODE"], settings["OZ_REDIS_THROTTLING_NODE"]]
    if settings["CELERY_BROKER_URL"].startswith("redis"):
        urls.append(settings["CELERY_BROKER_URL"])
    for url in urls:
        limits = {"socket_connect_timeout": 3, "socket_timeout": 3}
        client = redis.Redis(**url, **limits) if isinstance(url, dict) else redis.Redis.from_url(url, **limits)
        client.ping()
        client.close()


def ask_queues():
    answers = {name.partition("@")[0] for reply in app.control.ping(timeout=1.5) for name in reply}
    missing = set(settings["OZ_CELERY_HEALTH_CHECK_QUEUES"]) - answers
    if missing:
        raise RuntimeError("no worker answers for " + ", ".join(sorted(missing)))


PARTS = {
    "database": Cached(ask_database, 0),
    "redis": Cached(ask_redis, 0),
    "bio": Cached(lambda: http_get(f"{TFSS}/models/dummy", timeout=5), 5),
}
QUEUES = Cached(ask_queues, 5)


def health(parts):
    reasons = {name: reason for name, ask in parts.items() if (reason := ask())}
    if reasons:
        log(f"unhealthy: {reasons}")
        return 503, {"error": reasons}
    return 200, {"core": "5.2.0-stand-in", "version": "5.2.0-stand-in"}


def authorize(body, environ):
    given = json.loads(body)["credentials"]
    token = database.login(settings, given["email"], given["password"])
    if token is None:
        return 401, {"error": "wrong e-mail or password"}
    return 200, {"access_token": token, "token": token, "user": {"email": given["email"]}}


def analyse(body, environ):
    """Store the body as a media file, let a worker of the queue tfss read it, ask the BIO and store the result."""
    if not database.known_token(settings, environ.get("HTTP_X_FORENSIC_ACCESS_TOKEN", "")):
        return 401, {"error": "X-Forensic-Access-Token is missing or wrong"}
    identifier = str(uuid.uuid4())
    media = f"stand-in/{identifier}.txt"
    (MEDIA / "stand-in").mkdir(exist_ok=True)
    (MEDIA / media).write_bytes(body or NOTICE.encode())
    task = app.send_task("oz_gateway.analyse", (identifier, media), queue="tfss")
    result = task.get(timeout=30)
    return 200, {**result, "media": f"{settings['SCHEME']}://{settings['HOST']}:{settings['PORT']}/static/{media}"}


ROUTES = {
    ("GET", "/api/version"): lambda body, environ: health(PARTS),
    ("GET", "/api/healthcheck"): lambda body, environ: health({**PARTS, "queues": QUEUES}),
    ("POST", "/api/authorize/auth"): authorize,
    ("POST", "/api/analyses"): analyse,
}
PHRASES = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 503: "Service Unavailable"}


def application(environ, start_response):
    route = ROUTES.get((environ["REQUEST_METHOD"], environ["PATH_INFO"].rstrip("/")))
    try:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length) if length else b""
        status, content = route(body, environ) if route else (404, {"error": "no such path in the stand-in"})
    except (ValueError, KeyError, TypeError) as error:
        status, content = 400, {"error": f"{type(error).__name__}: {error}"}
    except Exception as error:
        log(f"{type(error).__name__}: {error}")
        status, content = 503, {"error": f"{type(error).__name__}: {error}"}
    payload = json.dumps({"stand-in": True, "notice": NOTICE, **content}).encode()
    start_response(
        f"{status} {PHRASES[status]}",
        [("Content-Type", "application/json"), ("Content-Length", str(len(payload))), ("X-Stand-In", "true")],
    )
    return [payload]
