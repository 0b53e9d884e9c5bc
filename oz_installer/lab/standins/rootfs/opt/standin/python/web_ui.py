"""Stands in for the web UI: writes its page, then becomes nginx on port 80."""

import html
import os
from pathlib import Path

from standin import NOTICE, die, log, needed

(api,) = needed("OZ_API_URL")
if not api.startswith(("http://", "https://")):
    die(f"OZ_API_URL is {api!r}; it should start with http:// or https://")
root = Path("/var/www/standin")
root.mkdir(parents=True, exist_ok=True)
(root / "login.html").write_text(
    f"<!doctype html><title>Stand-in of the Oz web UI</title><h1>{html.escape(NOTICE)}</h1>"
    f"<p>It would talk to {html.escape(api)}.</p>\n"
)
log(f"STAND-IN: {NOTICE} Pages for {api}.")
os.execvp("nginx", ["nginx", "-c", "/opt/standin/web_ui.conf", "-g", "daemon off;"])
