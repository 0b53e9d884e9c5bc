"""Slow twins of the nodes: forwarders that add a round trip's time, for kernels without netem.

``python -m bench.proxy REPORT RTT_MS LISTEN_HOST:PORT=HOST:PORT ...`` prints ``ready``, then forwards until
its stdin ends. Every chunk arrives half a round trip late, each way, and a connection begins when TCP's
own handshake would be over. Only time is added: no loss, no limit of throughput, no slow start.

REPORT gets one line for every connection that ended: the listening address and the number of round
trips, that is, how often the client spoke after it had heard something, and once for the TCP handshake.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from dataclasses import dataclass, field
from pathlib import Path

CHUNK = 1 << 16


@dataclass
class Turns:
    """Counts how often the client spoke after the node had spoken."""

    trips: int = 1  # TCP's handshake
    node_spoke: bool = field(default=True, repr=False)

    def client(self) -> None:
        """The client sent something."""
        if self.node_spoke:
            self.trips += 1
        self.node_spoke = False

    def node(self) -> None:
        """The node sent something."""
        self.node_spoke = True


@dataclass(frozen=True)
class Route:
    """From where to where; ``rtt`` in seconds."""

    listen: tuple[str, int]
    target: tuple[str, int]
    rtt: float
    report: Path

    async def serve(self) -> asyncio.Server:
        """Listen."""
        return await asyncio.start_server(self._accept, *self.listen)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        turns = Turns()
        accepted = asyncio.get_running_loop().time()
        forth = _Pipe(reader, self.rtt / 2, accepted + self.rtt, turns.client)
        reading = asyncio.create_task(forth.read())
        await asyncio.sleep(1.5 * self.rtt)
        try:
            back_reader, back_writer = await asyncio.open_connection(*self.target)
        except OSError:
            reading.cancel()
            writer.close()
            return
        for one in (writer, back_writer):
            one.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        back = _Pipe(back_reader, self.rtt / 2, 0.0, turns.node)
        await asyncio.gather(reading, forth.write(back_writer), back.read(), back.write(writer))
        with self.report.open("a", encoding="ascii") as file:
            file.write(f"{self.listen[0]} {turns.trips}\n")


class _Pipe:
    """One direction: what was read is written when it is due."""

    def __init__(self, reader: asyncio.StreamReader, delay: float, earliest: float, seen: object) -> None:
        self._reader, self._delay, self._earliest = reader, delay, earliest
        self._seen = seen
        self._due: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def read(self) -> None:
        clock = asyncio.get_running_loop().time
        data = b"."
        while data:
            try:
                data = await self._reader.read(CHUNK)
            except OSError:
                data = b""
            if data and callable(self._seen):
                self._seen()
            await self._due.put((max(clock(), self._earliest) + self._delay, data))

    async def write(self, writer: asyncio.StreamWriter) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            due, data = await self._due.get()
            if (early := due - clock()) > 0:
                await asyncio.sleep(early)
            if not data:
                break
            with contextlib.suppress(OSError):
                writer.write(data)
                await writer.drain()
        with contextlib.suppress(OSError):
            writer.close()
            await writer.wait_closed()


def parse(words: list[str]) -> list[Route]:
    """Routes of a command line. Raises ValueError."""
    report, rtt, *pairs = words
    routes = []
    for pair in pairs:
        listen, target = (side.rsplit(":", 1) for side in pair.split("="))
        routes.append(
            Route(
                listen=(listen[0], int(listen[1])),
                target=(target[0], int(target[1])),
                rtt=float(rtt) / 1000,
                report=Path(report),
            )
        )
    return routes


async def forward(routes: list[Route]) -> None:
    """Serve until stdin ends."""
    servers = [await route.serve() for route in routes]
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    for server in servers:
        server.close()


if __name__ == "__main__":
    asyncio.run(forward(parse(sys.argv[1:])))
