"""A node's Docker Engine by the docker SDK, over the node's own connection.

Every request is a ``docker system dial-stdio`` on the node in a channel of its own, which ends with the
request. It works with MaxSessions 1, needs no open port, and obeys the same sudo rules as commands. Docker
only: for Podman use ``docker_commands``. The SDK takes half a second to import, so import it when needed.
"""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from oz_installer.errors import ConnectError, DeployError
from oz_installer.remote.transport import Transport
from oz_installer.secret import Secret

DIAL = ("docker", "system", "dial-stdio")
"""The command that connects to the engine."""

# Any version that the SDK accepts; the engine's own version is read before the first real request.
_FIRST_API = "1.44"
_ALIVE_SECONDS = 15.0
_HEALTH = re.compile(r"\((?:health: )?(healthy|unhealthy|starting)\)")
_EXIT = re.compile(r"^Exited \((\d+)\)")


@dataclass(frozen=True, kw_only=True)
class ContainerState:
    """A container: ``state`` as Docker names it (running, exited), ``health`` empty without one.

    ``exit_code`` is None while it runs; ``health_log_last`` is set for an unhealthy container only."""

    name: str
    state: str
    health: str
    exit_code: int | None
    image: str
    labels: Mapping[str, str] = field(default_factory=dict)
    health_log_last: str = ""


@dataclass(frozen=True, kw_only=True)
class RegistryAuth:
    """Credentials for a registry; sent with the request and stored nowhere."""

    username: str
    password: Secret


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """A registry's answer about an image: HTTP ``status``, and its platforms (linux/amd64).

    For another status ``message`` is the engine's error."""

    status: int
    platforms: tuple[str, ...] = ()
    message: str = ""


PullProgress = Callable[[int, int], None]


class DockerEngine:
    """The requests that an installer makes to an engine.

    Threads may share it. ``dial`` is the command that connects to it. Methods raise ConnectError when it
    does not answer, DeployError when it refuses."""

    def __init__(self, transport: Transport, *, timeout: float = 60.0, dial: Sequence[str] = DIAL) -> None:
        self._transport = transport
        self._timeout = timeout
        self._dial = tuple(dial)
        self._client: Any = None
        self._opening = threading.Lock()

    def _api(self) -> Any:
        with self._opening:
            if self._client is None:
                with contextlib.closing(self._open(_FIRST_API)) as first:
                    version = first.version(api_version=False)["ApiVersion"]
                self._client = self._open(version)
            return self._client

    def _open(self, version: str) -> Any:
        return _make_client(self._transport, self._dial, self._timeout, version)

    def containers(self, label: str) -> list[ContainerState]:
        """List all containers with a label (``name`` or ``name=value``), sorted by name.

        It takes one request, and one more for each unhealthy container."""
        with self._errors_of("list containers"):
            client = self._api()
            listed = client.containers(all=True, filters={"label": [label]})
            states = [parse_container(item) for item in listed]
            return sorted(
                (
                    _with_health_log(state, client) if state.health == "unhealthy" else state
                    for state in states
                ),
                key=lambda state: state.name,
            )

    def logs(self, name: str, tail: int) -> str:
        """Return the last lines of a container's log."""
        with self._errors_of(f"read the log of {name}"):
            data: bytes = self._api().logs(name, stdout=True, stderr=True, tail=tail)
            return data.decode("utf-8", "replace")

    def pull(
        self, image: str, *, on_progress: PullProgress | None = None, auth: RegistryAuth | None = None
    ) -> None:
        """Pull an image. ``on_progress`` gets the bytes done and the bytes known so far.

        Without ``auth`` the pull is anonymous: it uses neither this machine's nor the node's docker login."""
        config = {"username": auth.username, "password": auth.password.reveal()} if auth else {}
        meter = PullTotals()
        with self._errors_of(f"pull {image}"):
            repository, tag = split_image(image)
            for event in self._api().pull(repository, tag=tag, stream=True, decode=True, auth_config=config):
                if "error" in event:
                    raise DeployError(
                        f"cannot pull {image}: {event['error']}",
                        "Check the image name, and the address and credentials of the registry.",
                        node=self._transport.name,
                    )
                meter.add(event)
                if on_progress is not None and meter.total:
                    on_progress(meter.done, meter.total)

    def distribution(self, image: str, auth: RegistryAuth | None = None) -> Distribution:
        """Look up an image by the engine, with its own proxy, mirrors and CA certificates.

        Nothing is downloaded."""
        import docker.errors

        config = {"username": auth.username, "password": auth.password.reveal()} if auth else {}
        with self._errors_of(f"look up {image}"):
            client = self._api()
            try:
                document = client.inspect_distribution(image, auth_config=config)
            except docker.errors.APIError as error:
                status = error.response.status_code if error.response is not None else 500
                return Distribution(status=status, message=str(error.explanation or error))
        listed = [item for item in document.get("Platforms") or [] if item.get("os") != "unknown"]
        return Distribution(
            status=200, platforms=tuple(f"{item.get('os')}/{item.get('architecture')}" for item in listed)
        )

    def close(self) -> None:
        """Close the client; the connection to the node stays open."""
        if self._client is not None:
            self._client.close()
            self._client = None

    @contextlib.contextmanager
    def _errors_of(self, what: str) -> Iterator[None]:
        """Turn the SDK's exceptions into ours."""
        import docker.errors
        import requests.exceptions
        import urllib3.exceptions

        node = self._transport.name
        try:
            yield
        except docker.errors.APIError as error:
            text = str(error.explanation or error)
            raise DeployError(f"the engine cannot {what}: {text}", "", node=node) from None
        except (docker.errors.DockerException, requests.exceptions.RequestException, OSError) as error:
            raise self._silent(what, error) from None
        except urllib3.exceptions.HTTPError as error:
            raise self._silent(what, error) from None

    def _silent(self, what: str, error: Exception) -> ConnectError:
        """Return the error of an engine that does not answer.

        Raises ConnectError when the connection to its node is lost.
        """
        self._transport.run(("true",), become=False, timeout=_ALIVE_SECONDS)
        return ConnectError(
            f"the Docker Engine does not answer (to {what}): {type(error).__name__}",
            "Check that Docker is running on the node and that this user may use it: docker version",
            node=self._transport.name,
        )


def parse_container(item: Mapping[str, Any]) -> ContainerState:
    """Parse a container of the engine's list. Pure."""
    status = str(item.get("Status", ""))
    health, code = _HEALTH.search(status), _EXIT.match(status)
    return ContainerState(
        name=str((item.get("Names") or ["/?"])[0]).lstrip("/"),
        state=str(item.get("State", "")),
        health=health.group(1) if health else "",
        exit_code=int(code.group(1)) if code else None,
        image=str(item.get("Image", "")),
        labels=dict(item.get("Labels") or {}),
    )


def _with_health_log(state: ContainerState, client: Any) -> ContainerState:
    log = (client.inspect_container(state.name)["State"].get("Health") or {}).get("Log") or []
    last = str(log[-1].get("Output", "")).strip() if log else ""
    return ContainerState(**{**vars(state), "health_log_last": last})


def split_image(image: str) -> tuple[str, str]:
    """Repository, and tag or digest (``latest`` where none is named); pure."""
    repository, at, digest = image.partition("@")
    if at:
        return repository, digest
    head, colon, tag = image.rpartition(":")
    if not colon or "/" in tag:
        return image, "latest"
    return head, tag


class PullTotals:
    """The bytes of a pull, summed over its layers. Pure."""

    def __init__(self) -> None:
        self._layers: dict[str, tuple[int, int]] = {}

    def add(self, event: Mapping[str, Any]) -> None:
        """Add an event of the stream."""
        layer, status = str(event.get("id", "")), event.get("status")
        detail = event.get("progressDetail") or {}
        if status == "Downloading" and detail.get("total"):
            self._layers[layer] = (int(detail.get("current", 0)), int(detail["total"]))
        elif status in ("Download complete", "Pull complete") and layer in self._layers:
            total = self._layers[layer][1]
            self._layers[layer] = (total, total)

    @property
    def done(self) -> int:
        """The bytes received so far."""
        return sum(done for done, _ in self._layers.values())

    @property
    def total(self) -> int:
        """The bytes of all layers known so far; grows while layers are discovered."""
        return sum(total for _, total in self._layers.values())


def load_sdk() -> None:
    """Import the SDK ahead of the first request."""
    import docker  # noqa: F401


def _make_client(transport: Transport, dial: Sequence[str], timeout: float, version: str) -> Any:
    """A docker.APIClient whose every request opens a stream of the node."""
    import queue

    import docker
    import requests.adapters
    import urllib3.connection
    import urllib3.connectionpool

    class Connection(urllib3.connection.HTTPConnection):
        def connect(self) -> None:
            """Open a stream of the node."""
            self.sock = transport.stream(dial, timeout=timeout)
            self.sock.settimeout(timeout)

    class Idle(queue.LifoQueue[Any]):
        def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
            """Close the connection: an idle one would hold one of the few sessions."""
            if item is not None:
                item.close()
            super().put(None, block, timeout)

    class Pool(urllib3.connectionpool.HTTPConnectionPool):
        ConnectionCls = Connection  # pyright: ignore[reportAssignmentType] - so urllib3's own pools declare it
        QueueCls = Idle

    class Adapter(requests.adapters.HTTPAdapter):
        def get_connection_with_tls_context(self, *_: Any, **__: Any) -> Any:
            return Pool("localhost")

    client = docker.APIClient(base_url="http://localhost:80", version=version, timeout=timeout)  # type: ignore[arg-type]
    client.trust_env = False
    client.mount("http://", Adapter())
    return client
