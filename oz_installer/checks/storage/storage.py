"""Media storage from every api node: there, writable, and the same for all of them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import replace

from oz_installer.checks.base import ProbeCheck
from oz_installer.checks.context import CheckContext, CheckedNode, Finding
from oz_installer.checks.host.disk_query import NEAREST, SECONDS, hung_disk_finding
from oz_installer.checks.network.service import Service, access_finding
from oz_installer.checks.storage import nfs
from oz_installer.checks.storage.findings import (
    folder_findings,
    measurement_findings,
    mount_findings,
    sharing_findings,
    space_findings,
)
from oz_installer.checks.storage.nfs import NfsAnswer
from oz_installer.checks.storage.peer import hold_on_peer
from oz_installer.checks.storage.probe import HeldFile, MediaLocation, StorageFacts, read_back
from oz_installer.checks.storage.scripts import HANGS, PREFIX
from oz_installer.remote.transport import TIMED_OUT, Transport
from oz_installer.render.compose.compose_file import nfs_options
from oz_installer.text import format_kib, parse_int


class StorageCheck(ProbeCheck[StorageFacts]):
    """The first api node holds a file, the others look for it."""

    name = "storage"
    title = "Media storage"

    def nodes(self, context: CheckContext) -> tuple[CheckedNode, ...]:
        """What reads and writes media."""
        return context.api_nodes

    def probe(self, context: CheckContext, node: CheckedNode) -> StorageFacts:
        """By the type of storage. Nothing is mounted from what does not speak NFS: it would hang."""
        began = time.monotonic()
        transport = context.transport(node.name)
        if context.answers.storage.type == "local":
            return _local(transport, context.install_dir)
        place = place_of(context)
        answer = place.ask(transport)
        if answer is not None and not answer.speaks_nfs:
            return StorageFacts(server=answer)
        return replace(_tried(context, node, place, transport, began), server=answer)

    def judge(self, context: CheckContext, node: CheckedNode, facts: StorageFacts) -> Iterator[Finding]:
        """From the server to the file; sharing only where there is something to share."""
        storage = context.answers.storage
        if storage.type == "local":
            if facts.folder == HANGS:
                yield hung_disk_finding(self, node, f"{context.install_dir}/data/media", about="", subject="")
                return
            text = f"{context.install_dir}/data/media on the node itself"
            free = f", {format_kib(facts.free)} free" if facts.free else ""
            yield self.finding(node, "ok", text + free)
            yield from space_findings(self, node, facts, context.answers.workload)
            return
        place = storage.location
        if facts.server is not None:
            yield self._server(context, node, facts.server, place)
            if not facts.server.speaks_nfs:
                return
        yield from mount_findings(self, context, node, facts, place)
        if facts.mount:
            return
        first = context.api_nodes[0]
        yield folder_findings(self, node, facts, place, nfs=facts.server is not None)
        if facts.folder != "ok":
            return
        if node != first and not facts.away:
            yield sharing_findings(self, node, facts, place, first.name)
        yield from measurement_findings(self, context, node, facts, first.name)
        if node == first:
            yield from space_findings(self, node, facts, context.answers.workload)

    def across(self, context: CheckContext, facts: Mapping[str, StorageFacts]) -> Iterator[Finding]:
        """What could not be tried for want of the first api node; only here shows whether it has failed."""
        well = {name for name, one in facts.items() if one.is_writable}
        for node in context.api_nodes:
            if node.name in well and facts[node.name].away:
                first, place = context.api_nodes[0].name, context.answers.storage.location
                yield sharing_findings(self, node, facts[node.name], place, first, told=first not in well)

    def _server(self, context: CheckContext, node: CheckedNode, answer: NfsAnswer, export: str) -> Finding:
        port = nfs.port_of(context.answers.storage.options)
        wanted = nfs.version_of(context.answers.storage.options)
        server, place = context.answers.storage.server or "", f"the NFS server of {export}"
        service = Service(
            product="NFS",
            listener=f"port {port} of {server}",
            host=server,
            key="storage.server",
            listens_by="nfsd",
            stranger_hint="Correct the server's address (answers: storage.server), or start nfsd there.",
            unreachable=f"{place} does not answer at port {port}",
        )
        if trouble := access_finding(self, node, service, answer.ended, answer.said):
            return trouble
        if answer.ended == "version":
            low, high = answer.versions
            return self.finding(
                node,
                "failure",
                f"{place} speaks NFS {low}{'' if low == high else f' to {high}'} only",
                needed=f"NFS {wanted} (storage.options)",
                hint=f"Set vers={high} in storage.options, or switch version {wanted} on in the server.",
            )
        return self.finding(node, "ok", f"{place} answers at port {port}")


def _tried(
    context: CheckContext, node: CheckedNode, place: MediaLocation, transport: Transport, began: float
) -> StorageFacts:
    """The file held on the first api node, and looked for on this one."""
    first = context.api_nodes[0]
    name, word = f"{PREFIX}{uuid.uuid4().hex[:12]}", uuid.uuid4().hex
    if node == first:
        with HeldFile(transport, place, name, word, measure=True) as held:
            return held.facts
    with hold_on_peer(lambda: context.transport(first.name), place, name, word, began=began) as other:
        return read_back(transport, place, name, word, other)


def place_of(context: CheckContext) -> MediaLocation:
    """Where the media are: mounted just as Compose will."""
    storage, reader = context.answers.storage, context.release.media_reader
    if storage.type == "path":
        return MediaLocation(folder=str(storage.path), reader=reader)
    options = nfs_options(storage)
    return MediaLocation(
        server=storage.server or "",
        options=options["o"],
        device=options["device"],
        engine=context.answers.engine,
        reader=reader,
    )


def _local(transport: Transport, install_dir: str) -> StorageFacts:
    script = f'place=$1; {NEAREST}; exec df -Pk "$place"'
    argv = ("timeout", f"{SECONDS}", "sh", "-c", script, "oz-install-check", f"{install_dir}/data/media")
    result = transport.run(argv, timeout=2 * SECONDS)
    if result.status in TIMED_OUT:
        return StorageFacts(folder=HANGS)
    words = result.text.splitlines()[-1].split() if result.text.strip() else []
    return StorageFacts(free=parse_int(words[3]) if len(words) > 3 else None)
