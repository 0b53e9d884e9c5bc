"""Media storage from every api node: there, writable, and the same for all of them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace

from oz_installer.checks import nfs
from oz_installer.checks.check import Visit
from oz_installer.checks.model import Finding, Site, Spot
from oz_installer.checks.nfs import NfsAnswer
from oz_installer.checks.storage_findings import folder, measured, mounted, room, shared
from oz_installer.checks.storage_probe import Held, Place, StorageFacts, read_back
from oz_installer.checks.storage_scripts import PREFIX
from oz_installer.checks.text import gigabytes, number
from oz_installer.remote.transport import Transport
from oz_installer.render.compose import nfs_options


class StorageCheck(Visit[StorageFacts]):
    """The first api node holds a file, the others look for it."""

    name = "storage"
    title = "Media storage"

    def spots(self, site: Site) -> tuple[Spot, ...]:
        """What reads and writes media."""
        return site.api_spots

    def probe(self, site: Site, spot: Spot) -> StorageFacts:
        """By the type of storage. Nothing is mounted from what does not speak NFS: it would hang."""
        storage = site.answers.storage
        transport = site.reach(spot.name)
        if storage.type == "local":
            return _local(transport, site.install_dir)
        if storage.type == "path":
            return _tried(site, spot, transport)
        port, version = nfs.port_of(storage.options), nfs.version_of(storage.options)
        answer = nfs.ask(transport, storage.server or "", port, version)
        if answer.ended not in ("ok", "unknown"):
            return StorageFacts(server=answer)
        return replace(_tried(site, spot, transport), server=answer)

    def judge(self, site: Site, spot: Spot, facts: StorageFacts) -> Iterator[Finding]:
        """From the server to the file; sharing only where there is something to share."""
        storage = site.answers.storage
        if storage.type == "local":
            text = f"{site.install_dir}/data/media on the node itself"
            free = f", {gigabytes(facts.free)} free" if facts.free else ""
            yield self.finding(spot, "ok", text + free)
            yield from room(self, spot, facts, site.answers.workload)
            return
        place = str(storage.path)
        if facts.server is not None:
            place = f"{storage.server}:{storage.export or '/'}"
            yield self._server(site, spot, facts.server, place)
            if facts.server.ended not in ("ok", "unknown"):
                return
        yield from mounted(self, site, spot, facts, place)
        if facts.mount:
            return
        first = site.api_spots[0]
        yield folder(self, spot, facts, place, nfs=facts.server is not None)
        if facts.folder != "ok":
            return
        if spot != first:
            yield shared(self, spot, facts, place, first.name)
        yield from measured(self, site, spot, facts, first.name)
        if spot == first:
            yield from room(self, spot, facts, site.answers.workload)

    def _server(self, site: Site, spot: Spot, answer: NfsAnswer, export: str) -> Finding:
        port = nfs.port_of(site.answers.storage.options)
        wanted = nfs.version_of(site.answers.storage.options)
        server, place = site.answers.storage.server, f"the NFS server of {export}"
        if answer.ended == "unreachable":
            return self.finding(
                spot,
                "failure",
                f"{place} does not answer at port {port}: {answer.said}",
                needed="a TCP connection from every api node",
                hint="Is its name right as this node sees it, does it run, does no firewall stand between?",
            )
        if answer.ended == "stranger":
            return self.finding(
                spot,
                "failure",
                f"what listens at port {port} of {server} does not speak NFS: {answer.said}",
                hint="Is it the server's address, and does nfsd run there?",
            )
        if answer.ended == "version":
            low, high = answer.versions
            return self.finding(
                spot,
                "failure",
                f"{place} speaks NFS {low}{'' if low == high else f' to {high}'} only",
                needed=f"NFS {wanted} (storage.options)",
                hint=f"Set vers={high} in storage.options, or switch version {wanted} on in the server.",
            )
        return self.finding(spot, "ok", f"{place} answers at port {port}")


def _tried(site: Site, spot: Spot, transport: Transport) -> StorageFacts:
    """The file held on the first api node, and looked for on this one."""
    first, place = site.api_spots[0], place_of(site)
    name, word = f"{PREFIX}{uuid.uuid4().hex[:12]}", uuid.uuid4().hex
    if spot == first:
        with Held(transport, place, name, word, measure=True) as held:
            return held.facts
    with Held(site.reach(first.name), place, name, word) as held:
        well = not held.facts.mount and held.facts.folder == "ok"
        return read_back(transport, place, name, word, held=well)


def place_of(site: Site) -> Place:
    """Where the media are: mounted just as Compose will."""
    storage, reader = site.answers.storage, site.release.media_reader
    if storage.type == "path":
        return Place(folder=str(storage.path).rstrip("/"), reader=reader)
    options = nfs_options(storage)
    return Place(options=options["o"], device=options["device"], engine=site.answers.engine, reader=reader)


def _local(transport: Transport, install_dir: str) -> StorageFacts:
    script = (
        'place=$1; while [ ! -d "$place" ]; do place=$(dirname "$place"); done; timeout 5 df -Pk "$place"'
    )
    result = transport.run(("sh", "-c", script, "oz-install-check", f"{install_dir}/data/media"))
    words = result.text.splitlines()[-1].split() if result.text.strip() else []
    return StorageFacts(free=number(words[3]) if len(words) > 3 else None)
