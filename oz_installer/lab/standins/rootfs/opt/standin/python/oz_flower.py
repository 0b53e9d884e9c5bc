"""Stands in for Flower: the command «celery flower», which counts workers and tasks from Celery's events."""

import threading
import time

import click
from standin import NOTICE, log, serve

workers, counts = {}, {}


def _watch(app, purge):
    """Follow the workers' heartbeats and the tasks' events for ever."""
    def heard(event):
        if event["type"].startswith("worker-"):
            workers[event["hostname"]] = 0.0 if event["type"] == "worker-offline" else time.time()
        else:
            counts[event["type"]] = counts.get(event["type"], 0) + 1
        for name in [name for name, seen in workers.items() if seen and time.time() - seen > purge]:
            del workers[name]

    while True:
        try:
            with app.connection() as connection:
                app.events.Receiver(connection, handlers={"*": heard}).capture(limit=None, wakeup=True)
        except Exception as error:
            log(f"events: {type(error).__name__}: {error}; connecting again")
            time.sleep(1)


def _metrics():
    lines = [f"# {NOTICE}", "# TYPE flower_worker_online gauge"]
    for name, seen in sorted(workers.items()):
        lines.append(f'flower_worker_online{{worker="{name}"}} {int(time.time() - seen < 30)}')
    lines.append("# TYPE flower_events_total counter")
    lines += [f'flower_events_total{{type="{kind}"}} {count}' for kind, count in sorted(counts.items())]
    return "\n".join(lines) + "\n"


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--port", default=5555)
@click.option("--url_prefix", "--url-prefix", default="")
@click.option("--db", default="flower")
@click.option("--purge_offline_workers", default=3600)
@click.pass_context
def flower(context, port, url_prefix, db, purge_offline_workers):
    """Stand-in of Flower: metrics only."""
    app = context.obj.app
    try:
        app.connection().ensure_connection(max_retries=3, interval_start=1, timeout=10)
    except Exception as error:
        raise SystemExit(f"STAND-IN flower: the broker does not answer: {type(error).__name__}: {error}") from error
    prefix = "/" + url_prefix.strip("/") if url_prefix.strip("/") else ""
    threading.Thread(target=_watch, args=(app, purge_offline_workers), daemon=True).start()

    def routes(method, path, body):
        if path == f"{prefix}/metrics":
            return 200, _metrics()
        return (200, {"workers": sorted(workers)}) if path.startswith(prefix or "/") else (404, {"error": path})

    serve(port, routes)
