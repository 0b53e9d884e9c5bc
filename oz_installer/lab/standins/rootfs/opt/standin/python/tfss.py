"""Stands in for the BIO: TensorFlow Serving's REST paths; no licence or no models, no start."""

import json
import os
import re
from pathlib import Path

from standin import NOTICE, die, serve

LICENSE, MODELS, MONITORING = Path("/license.key"), Path("/models"), Path("/prometheus.conf")
requests = {"count": 0}


def check_license():
    try:
        if not LICENSE.read_bytes().strip():
            die(f"the licence {LICENSE} is empty")
    except OSError as error:
        die(f"the licence {LICENSE} cannot be read ({error.strerror}); mount license.key there")


def models():
    try:
        return sorted(folder.name for folder in MODELS.iterdir() if folder.is_dir() and any(folder.iterdir()))
    except OSError:
        return []


def metrics_path():
    """Where the mounted prometheus.conf switches metrics on; None without it."""
    if not MONITORING.is_file():
        return None
    found = re.search(r'path\s*:\s*"([^"]+)"', MONITORING.read_text())
    return found.group(1) if found else "/monitoring/prometheus/metrics"


def routes(method, path, body):
    requests["count"] += 1
    if path == METRICS:
        return 200, f"# {NOTICE}\n# TYPE standin_tfss_requests counter\nstandin_tfss_requests {requests['count']}\n"
    found = re.fullmatch(r"/v1/models/([A-Za-z0-9_.-]+)(:predict)?", path)
    if not found or found.group(1) not in models():
        return 404, {"error": f"no such model or path: {path}"}
    if not found.group(2):
        state = {"version": "1", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
        return 200, {"model_version_status": [state]}
    if method != "POST":
        return 405, {"error": "predict wants POST"}
    try:
        asked = json.loads(body or b"{}")
    except ValueError:
        return 400, {"error": "the body is not JSON"}
    return 200, {"outputs": {"score": 0.5, "fields": sorted(asked) if isinstance(asked, dict) else []}}


check_license()
if "dummy" not in models():
    die(f"there are no models in {MODELS} (wanted: {MODELS}/dummy); has oz-bio-init finished, is the folder mounted?")
METRICS = metrics_path()
serve(int(os.environ.get("PORT", "8501")), routes)
