"""The public URL, asked from this workstation: through no node, as users ask it."""

from __future__ import annotations

import http.client
from concurrent.futures import Future
from urllib.parse import urlsplit

from oz_installer.deploy.run_context import RunContext
from oz_installer.remote.parallel import start_all
from oz_installer.text import safe_line
from oz_installer.topology.model import Topology

SECONDS = 2.5
_LATE = f"no answer within {SECONDS:g} s"
Answer = tuple[int, str]


class Outside:
    """A request to the API at the public URL. It fails no run: a proxy or DNS may follow later."""

    def __init__(self, topology: Topology) -> None:
        web = next((placed for node in topology.nodes if (placed := node.part("web"))), None)
        path = web.service.verify.path if web and web.service.verify else ""
        self._url = f"{topology.public_url.rstrip('/')}{path}" if path else ""
        self._answers: dict[str, Future[Answer]] = {}

    def start(self) -> bool:
        """Ask in the background, since a firewall may let it wait."""
        if self._url:
            self._answers = start_all([self._url], _ask, name="outside")
        return True

    def tell(self, run: RunContext) -> bool:
        """Report the answer. One that was no success is asked for again, now that the nodes answer."""
        for url, answer in self._answers.items():
            status, text = _result(answer)
            if status != 200 and text != _LATE:
                status, text = _result(start_all([url], _ask, name="outside")[url])
            if status == 200:
                run.log(f"{url} answers this workstation")
            else:
                problem = f"{url} does not answer this workstation: {safe_line(text)}"
                run.log(f"not checked from outside: {problem}", level="warning")
        return True


def _result(answer: Future[Answer]) -> Answer:
    try:
        return answer.result(timeout=2 * SECONDS)  # a slow resolver is abandoned
    except TimeoutError:
        return 0, _LATE


def _ask(url: str) -> Answer:
    """Return status and text of a GET, straight and without a proxy; 0: no answer."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=SECONDS)
    try:
        connection.request("GET", parts.path, headers={"Connection": "close"})
        status = connection.getresponse().status
        return status, f"HTTP {status}"
    except TimeoutError:
        return 0, _LATE
    except (OSError, http.client.HTTPException, UnicodeError) as error:
        return 0, getattr(error, "strerror", None) or str(error) or type(error).__name__
    finally:
        connection.close()
