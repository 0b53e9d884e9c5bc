"""Send changed files, one stream per node, into a new generation that nothing uses yet."""

from __future__ import annotations

from collections.abc import Mapping

from oz_installer.deploy.compose import node_commands as commands
from oz_installer.deploy.compose.record_file import record_file
from oz_installer.deploy.compose.run import NodesRun
from oz_installer.deploy.events import NodeProgress
from oz_installer.deploy.phase import Phase
from oz_installer.deploy.record import Record, next_generation, record_of
from oz_installer.remote.ssh.upload import tar_bytes
from oz_installer.remote.transport import RemoteFile
from oz_installer.render.compose.bundle import Bundle
from oz_installer.text import plural


class Stage(Phase[NodesRun]):
    """Stages a new generation: complete, digest-checked and accepted by Compose, or absent."""

    title = "Send files"

    def should_run(self, run: NodesRun) -> bool:
        """Return whether a file differs."""
        return bool(staging(run))

    def run(self, run: NodesRun) -> None:
        """Stage. Raises DeployError: disk full, permission denied, or Compose rejects the files."""
        run.each(staging(run), lambda node: self._stage(run, node))

    def _stage(self, run: NodesRun, node: str) -> None:
        bundle, plan, facts = run.bundles[node], run.plan.of(node), run.facts[node]
        existing = facts.details.generations if facts.details else ()
        generation = run.generations[node] = next_generation(existing, facts.generation)
        removed = [change.name for change in plan.files if change.action == "removed"]
        send = {change.name for change in plan.files if change.action != "removed"}
        record = record_of(bundle, generation, run.fingerprints(node))
        payload = tar_bytes(_upload(bundle, send, run.masked_files(node), record))
        total = len(payload)
        run.change(
            node,
            f"write the files below {run.settings.install_dir}",
            commands.stage(
                run.settings.install_dir,
                run.id,
                generation,
                " ".join(run.compose[node].argv),
                removed=removed,
                folders=bundle.folders,
            ),
            stdin=payload,
            on_sent=lambda sent: run.emit(
                NodeProgress(
                    node=node,
                    text=f"sending {plural(len(send), 'file')}",
                    done=sent,
                    total=total,
                    unit="bytes",
                )
            ),
        )

    def undo(self, run: NodesRun) -> None:
        """Remove the staged generation and the folders that this run created."""
        nodes = [node for node in run.generations if node in run.transports]
        run.each(nodes, lambda node: self._unstage(run, node))

    def _unstage(self, run: NodesRun, node: str) -> None:
        argv = commands.unstage(run.settings.install_dir, run.id, run.generations[node])
        run.change(node, "remove the staged files", argv)


def staging(run: NodesRun) -> tuple[str, ...]:
    """Return the nodes that get a new generation."""
    return tuple(plan.target for plan in run.plan.targets if plan.files)


def _upload(bundle: Bundle, send: set[str], shown: Mapping[str, bytes], record: Record) -> list[RemoteFile]:
    files = [RemoteFile(path=f.path, content=f.content, mode=f.mode) for f in bundle.files if f.path in send]
    files += [
        RemoteFile(path=f"shown/{path}", content=text, mode=0o600) for path, text in sorted(shown.items())
    ]
    manifest = "".join(f"{file.digest}  {file.path}\n" for file in bundle.files)
    files.append(RemoteFile(path="manifest", content=manifest.encode(), mode=0o600))
    return [*files, record_file(record)]
