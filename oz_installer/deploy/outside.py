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
        self._answer: Future[Answer] | None = None

    def start(self) -> bool:
        """Ask in the background, since a firewall may let it wait."""
        if self._url:
            self._answer = self._start()
        return True

    def tell(self, run: RunContext) -> bool:
        """Report the answer. One that was no success is asked for again, now that the nodes answer."""
        if self._answer is None:
            return True
        if problem := self.problem(again=True):
            run.log(f"not checked from outside: {problem}", level="warning")
        else:
            run.log(f"{self._url} answers this workstation")
        return True

    def problem(self, *, again: bool = False) -> str:
        """Return what is wrong with the answer to ``start``, in a sentence; empty when it is right.

        ``again`` asks once more first, unless nothing answered in time."""
        if self._answer is None:
            return ""
        status, text = _result(self._answer)
        if again and status != 200 and text != _LATE:
            status, text = _result(self._start())
        return "" if status == 200 else f"{self._url} does not answer this workstation: {safe_line(text)}"

    def _start(self) -> Future[Answer]:
        return start_all([self._url], _ask, name="outside")[self._url]


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
