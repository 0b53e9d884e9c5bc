"""The check of media storage from every api node: present, writable, shared."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import replace

from oz_installer.checks.base import ProbeCheck
from oz_installer.checks.context import CheckContext, CheckedNode, Finding
from oz_installer.checks.host.disk_query import NEAREST, SECONDS, hung_disk_finding
from oz_installer.checks.network.service import ExternalService, access_finding
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
from oz_installer.render.mounts import nfs_options
from oz_installer.text import format_kib, parse_int


class StorageCheck(ProbeCheck[StorageFacts]):
    """Hold a file on the first api node and look for it on the others."""

    name = "storage"
    title = "Media storage"

    def nodes(self, context: CheckContext) -> tuple[CheckedNode, ...]:
        """Return the nodes that read and write media."""
        return context.api_nodes

    def probe(self, context: CheckContext, node: CheckedNode) -> StorageFacts:
        """Try the storage. A server that does not speak NFS is not mounted: that would hang."""
        began = time.monotonic()
        if context.answers.storage.type == "local":
            return _local(context.transport(node.name), context.install_dir)
        location = media_location(context)
        answer = location.call_server(context.viewpoint(node.name))
        if answer is not None and not answer.speaks_nfs:
            return StorageFacts(server=answer)
        return replace(_try(context, node, location, context.transport(node.name), began), server=answer)

    def judge(self, context: CheckContext, node: CheckedNode, facts: StorageFacts) -> Iterator[Finding]:
        """Judge from the server to the file; sharing only for storage that nodes share."""
        storage = context.answers.storage
        if storage.type == "local":
            if facts.folder == HANGS:
                yield hung_disk_finding(self, node, f"{context.install_dir}/data/media", about="", subject="")
                return
            seen = f"{context.install_dir}/data/media on the node itself"
            free = f", {format_kib(facts.free)} free" if facts.free else ""
            yield self.finding(node, "ok", seen + free)
            yield from space_findings(self, node, facts, context.answers.workload)
            return
        path = storage.location
        if facts.server is not None:
            yield self._server(context, node, facts.server, path)
            if not facts.server.speaks_nfs:
                return
        yield from mount_findings(self, context, node, facts, path)
        if facts.mount:
            return
        first = context.api_nodes[0]
        yield folder_findings(self, node, facts, path, nfs=facts.server is not None)
        if facts.folder != "ok":
            return
        if node != first and not facts.unavailable:
            yield sharing_findings(self, node, facts, path, first.name)
        yield from measurement_findings(self, context, node, facts, first.name)
        if node == first:
            yield from space_findings(self, node, facts, context.answers.workload)

    def across(self, context: CheckContext, facts: Mapping[str, StorageFacts]) -> Iterator[Finding]:
        """Report nodes that were not compared with the first api node, whose state is known now."""
        writable = {name for name, one in facts.items() if one.is_writable}
        for node in context.api_nodes:
            if node.name in writable and facts[node.name].unavailable:
                first, path = context.api_nodes[0].name, context.answers.storage.location
                is_reported = first not in writable
                yield sharing_findings(self, node, facts[node.name], path, first, is_reported=is_reported)

    def _server(self, context: CheckContext, node: CheckedNode, answer: NfsAnswer, export: str) -> Finding:
        port = nfs.port_of(context.answers.storage.options)
        wanted = nfs.version_of(context.answers.storage.options)
        server, subject = context.answers.storage.server or "", f"the NFS server of {export}"
        service = ExternalService(
            product="NFS",
            listener=f"port {port} of {server}",
            host=server,
            key="storage.server",
            listens_by="nfsd",
            stranger_hint="Correct the server's address (answers: storage.server), or start nfsd there.",
            unreachable=f"{subject} does not answer at port {port}",
        )
        if failure := access_finding(self, node, service, answer.outcome, answer.message):
            return failure
        if answer.outcome == "version":
            low, high = answer.versions
            return self.finding(
                node,
                "failure",
                f"{subject} speaks NFS {low}{'' if low == high else f' to {high}'} only",
                needed=f"NFS {wanted} (storage.options)",
                why="The media volume cannot be mounted, so no container that uses media starts.",
                hint=f"Set vers={high} in storage.options, or enable version {wanted} on the server.",
            )
        return self.finding(node, "ok", f"{subject} answers at port {port}")


def _try(
    context: CheckContext, node: CheckedNode, location: MediaLocation, transport: Transport, began: float
) -> StorageFacts:
    """Hold a file on the first api node; on any other node look for it."""
    first = context.api_nodes[0]
    name, content = f"{PREFIX}{uuid.uuid4().hex[:12]}", uuid.uuid4().hex
    if node == first:
        with HeldFile(transport, location, name, content, measure=True) as held:
            return held.facts
    with hold_on_peer(lambda: context.transport(first.name), location, name, content, began=began) as facts:
        return read_back(transport, location, name, content, facts)


def media_location(context: CheckContext) -> MediaLocation:
    """Return the location of media, mounted exactly as Compose mounts it."""
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
    columns = result.text.splitlines()[-1].split() if result.text.strip() else []
    return StorageFacts(free=parse_int(columns[3]) if len(columns) > 3 else None)
