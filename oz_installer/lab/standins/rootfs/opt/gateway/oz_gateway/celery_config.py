"""The Celery application of the stand-in: real workers, one small task that runs through all parts."""

import os
import sys

from celery import Celery

from oz_gateway.settings import SettingsError, load

try:
    settings = load()
except SettingsError as error:
    print(f"STAND-IN: {error}", file=sys.stderr, flush=True)
    sys.exit(3)  # what makes gunicorn give up instead of starting the worker again and again

print(f"STAND-IN for {os.environ.get('OZ_STANDIN_FOR')} in the lab of oz-install; it is not Oz software.", file=sys.stderr)
app = Celery("oz_gateway", broker=settings["CELERY_BROKER_URL"], backend=settings["CELERY_RESULT_BACKEND"])
app.conf.update(
    task_default_queue="default",
    worker_send_task_events=True,
    broker_connection_retry_on_startup=True,
    broker_transport_options={"socket_connect_timeout": 5},
    result_expires=600,
    beat_schedule={
        "maintenance": {
            "task": "oz_gateway.maintenance", "schedule": 60.0, "options": {"queue": "maintenance", "expires": 50}
        }
    },
)


@app.task(name="oz_gateway.maintenance")
def maintenance():
    return "stand-in"


@app.task(name="oz_gateway.analyse", bind=True)
def analyse(self, identifier, media):
    """Read the media file, ask the BIO, store the result: fails when any of them is not there."""
    import json
    import urllib.request
    from pathlib import Path

    from oz_gateway import database

    size = len((Path("/opt/gateway/static") / media).read_bytes())
    ask = urllib.request.Request(
        settings["OZ_SERVICE_TFSS_HOST"].rstrip("/") + "/models/dummy:predict",
        data=json.dumps({"inputs": {"size": size}}).encode(), headers={"Content-Type": "application/json"},
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(ask, timeout=10) as answer:
        result = {"stand-in": True, "size": size, "bio": json.load(answer)}
    with database.session(settings) as cursor:
        cursor.execute(
            "INSERT INTO analysis (id, worker, result) VALUES (%s, %s, %s)",
            (identifier, self.request.hostname, json.dumps(result)),
        )
    return {"id": identifier, "worker": self.request.hostname, **result}
