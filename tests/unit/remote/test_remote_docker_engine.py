"""The docker SDK over streams of a node: which requests it sends, and that it keeps none of them open."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Sequence
from typing import Any, cast

from oz_installer.remote.docker_engine import DockerEngine
from oz_installer.remote.transport import Transport

API = "1.47"
CONTAINER = {"Names": ["/oz-api"], "State": "running", "Status": "Up 2 hours (healthy)", "Image": "oz:1"}
PATH = re.compile(rb"^GET (\S+) HTTP")


class EngineNode:
    """A node whose streams lead to an engine that would keep every connection open."""

    name = "api1"

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.serving: list[threading.Thread] = []

    def stream(self, argv: Sequence[str], *, become: bool = True, timeout: float = 30.0) -> socket.socket:
        assert list(argv) == ["docker", "system", "dial-stdio"]
        ours, theirs = socket.socketpair()
        thread = threading.Thread(target=self._serve, args=(theirs,), daemon=True)
        self.serving.append(thread)
        thread.start()
        return ours

    def _serve(self, sock: socket.socket) -> None:
        with sock:
            while request := sock.recv(1 << 16):
                found = PATH.match(request)
                assert found is not None
                path = found[1].decode()
                self.paths.append(path.partition("?")[0])
                body = json.dumps({"ApiVersion": API} if path.endswith("/version") else [CONTAINER]).encode()
                head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
                sock.sendall(f"{head}\r\n\r\n".encode() + body)


def test_the_engine_is_asked_with_its_own_api_version_and_no_stream_stays_open() -> None:
    node: Any = EngineNode()
    engine = DockerEngine(cast("Transport", node))
    for _ in range(2):
        (state,) = engine.containers("oz")
        assert (state.name, state.health) == ("oz-api", "healthy")
        for thread in node.serving:
            thread.join(5)
            assert not thread.is_alive()
    assert node.paths == ["/version", *[f"/v{API}/containers/json"] * 2]
    assert len(node.serving) == 3
    engine.close()
