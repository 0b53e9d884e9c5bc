"""Stands in for the web adapter: its configuration and licence must be mounted and be JSON."""

import json
from pathlib import Path

from standin import NOTICE, die, serve

for path in (Path("/app/app_config.json"), Path("/app/license.json")):
    try:
        json.loads(path.read_text())
    except OSError as error:
        die(f"{path} cannot be read ({error.strerror}); mount it there")
    except ValueError as error:
        die(f"{path} is not JSON: {error}")


def routes(method, path, body):
    return 200, f"<!doctype html><title>Stand-in of the Oz web adapter</title><h1>{NOTICE}</h1>\n"


serve(80, routes)
