"""What all Python stand-ins share: the notice, answers in JSON, a small server, checks of the parts behind."""

import json
import os
import signal
import sys
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

NAME = os.environ.get("OZ_STANDIN_FOR", "an Oz image")
NOTICE = f"This is a stand-in for {NAME} in the lab of oz-install; it is not Oz software."


def log(text):
    print(text, file=sys.stderr, flush=True)


def die(text):
    """End loudly: the reason on stderr, status 1."""
    log(f"STAND-IN {NAME} cannot start: {text}")
    raise SystemExit(1)


def needed(*names):
    """Values of environment variables; ends the process naming every one that is missing."""
    missing = [name for name in names if not os.environ.get(name)]
    if missing:
        die("these environment variables are missing or empty: " + ", ".join(missing))
    return [os.environ[name] for name in names]


def truthy(value):
    return str(value).strip().lower() in ("1", "true", "yes", "on")


def http_get(url, timeout=5):
    """Body of a URL; raises when the answer is not 2xx."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=timeout) as answer:
        return answer.read()


class Cached:
    """Remembers a check's outcome (None or the reason) for some seconds."""

    def __init__(self, check, seconds):
        self.check, self.seconds = check, seconds
        self.until, self.reason = 0.0, None

    def __call__(self):
        if time.monotonic() >= self.until:
            try:
                self.check()
                self.reason = None
            except Exception as error:  # the reason is what the caller wants
                self.reason = f"{type(error).__name__}: {error}".strip()
            self.until = time.monotonic() + self.seconds
        return self.reason


def serve(port, routes):
    """Answer on ``port``: ``routes(method, path, body)`` gives (status, dict | str)."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        server_version = "oz-install-lab-stand-in"

        def answer(self):
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length) if length else b""
            try:
                status, content = routes(self.command, self.path.split("?")[0], body)
            except Exception as error:
                status, content = 503, {"error": f"{type(error).__name__}: {error}"}
            if isinstance(content, dict):
                kind, data = "application/json", json.dumps({"stand-in": True, "notice": NOTICE, **content})
            else:
                kind, data = ("text/html" if content.startswith("<") else "text/plain"), content
            payload = data.encode()
            self.send_response(status)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(payload)))
            self.send_header("X-Stand-In", "true")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(payload)

        do_GET = do_POST = do_HEAD = answer

        def log_message(self, form, *values):
            if not str(values[1] if len(values) > 1 else "").startswith("2"):
                log(f"{self.address_string()} {form % values}")

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    ThreadingHTTPServer.daemon_threads = True
    server = ThreadingHTTPServer(("0.0.0.0", port), Handler)
    log(f"STAND-IN: {NOTICE} Listening on port {port}.")
    server.serve_forever()
