"""The container engine and its Compose: there, running, new enough, and free of projects called as ours."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace

from oz_installer.checks.base import ShellCheck
from oz_installer.checks.context import CheckContext, CheckedNode, Finding, Remedy
from oz_installer.checks.engine.remedies import install_compose, install_engine, join_group, start_engine
from oz_installer.checks.host.capabilities import (
    MEANS,
    NO_CAPABILITIES,
    NodeCapabilities,
    is_masked,
    parse_capabilities,
    unmask_command,
)
from oz_installer.checks.host.engine_query import engine_query, parse_containers
from oz_installer.remote.docker_commands import ComposeTool
from oz_installer.remote.engine_requirements import (
    NAMES,
    EngineFacts,
    UnmetRequirement,
    check_compose,
    check_engine,
    check_project,
)
from oz_installer.render.compose.compose_file import PROJECT
from oz_installer.text import parse_fields, safe_line

# Only the Compose of this engine is asked: Podman makes a folder in the login's home even when asked its
# version.
_SCRIPT = """{means}
echo "engine {engine}"
echo "status $engine_status"
if [ "$engine_status" != 0 ]; then
  echo "version $(echo "$engine_said" | tr '\\n\\t' '  ')"
  means
  exit
fi
echo "$engine_told"
echo "listed $engine_listed_status"
[ -z "$engine_slow" ] || echo "slow yes"
[ -n "$disk_hangs" ] || [ ! -s {dir}/current/record.json ] || echo "recorded yes"
compose=$engine_plugin v1=
if [ -z "$compose" ]; then{compose}fi
case " $compose $v1" in *" "[v0-9]*[0-9].[0-9]*) ;; *) means ;; esac
echo "$engine_listed"
"""
_COMPOSE = {
    "docker": """
  [ -z "$engine_slow" ] || hung=  # Compose tells its version without the engine
  compose=$(soon docker compose version --short); asked=$?
  v1=$(soon docker-compose version --short); asked="$asked $?"
  echo "asked $asked"
  echo "plugin $compose"
  echo "v1 $v1"
""",
    "podman": """
  compose=$(soon podman-compose --version); asked=$?
  compose=$(echo "$compose" | tr '\\n' ' ')
  echo "asked $asked"
  echo "podman-compose $compose"
""",
}


@dataclass(frozen=True, kw_only=True)
class EngineCheckFacts:
    """The engine, and the containers of a project that is called as ours: those we started, and strangers.
    ``slow``: it tells its version, but nothing of itself in time; ``listed``: the containers are all that it
    has; ``compose_late``: a Compose that was asked gave no answer in time."""

    engine: EngineFacts
    name: str = "docker"
    ours: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()
    recorded: bool = False
    means: NodeCapabilities = NO_CAPABILITIES
    slow: bool = False
    listed: bool = True
    compose_late: bool = False


class EngineCheck(ShellCheck[EngineCheckFacts]):
    """Judged by the same words as the deployment's own phase."""

    name = "engine"
    title = "Container engine"

    def prelude(self, context: CheckContext) -> str:
        """Versions, and all containers."""
        return engine_query(context.answers.engine, context.install_dir)

    def script(self, context: CheckContext, node: CheckedNode) -> str:
        """What it told, and Compose where that was not among it."""
        del node
        engine = context.answers.engine
        return _SCRIPT.format(
            engine=engine, means=MEANS, dir=shlex.quote(context.install_dir), compose=_COMPOSE[engine]
        )

    def parse(self, text: str) -> EngineCheckFacts:
        """Facts from its lines."""
        told = parse_fields(
            "\n".join(line for line in text.splitlines() if not line.startswith("container "))
        )
        mine = [one for one in parse_containers(text) if one.project == PROJECT]
        answers = told["status"] == "0"
        version = safe_line(told.get("version", ""), 300)
        return EngineCheckFacts(
            engine=EngineFacts(
                answers=answers,
                said="" if answers else version,
                version=version if answers else "",
                compose_plugin=safe_line(told.get("plugin", "")),
                compose_v1=safe_line(told.get("v1", "")),
                podman_compose=safe_line(told.get("podman-compose", "")),
            ),
            name=told["engine"],
            ours=tuple(one.name for one in mine if one.ours),
            strangers=tuple(one.name for one in mine if not one.ours),
            recorded=told.get("recorded") == "yes",
            means=parse_capabilities(told),
            slow=told.get("slow") == "yes",
            listed=told.get("listed") == "0",
            compose_late="124" in told.get("asked", "").split(),
        )

    def display(self, facts: EngineCheckFacts) -> Iterator[tuple[str, str]]:
        """Versions, or that there is none."""
        name, version = NAMES[facts.name][0], facts.engine.version
        yield "Engine", f"{name} {version}" if version else f"{name}: none that answers"
        if tool := facts.engine.compose(facts.name):
            yield "Compose", _called(tool)

    def judge(self, context: CheckContext, node: CheckedNode, facts: EngineCheckFacts) -> Iterator[Finding]:
        """The engine first: without it the rest cannot be told."""
        engine, oldest = context.answers.engine, context.release.engines[context.answers.engine]
        name, compose = NAMES[engine]
        needed = f"{name} {oldest.engine} or newer (the vendor's requirement)"
        lack = check_engine(facts.engine, engine, oldest.engine)
        if engine == "docker":
            lack = _unmasked(lack, facts.means)
        remedy = _engine_remedy(context, node, facts, lack)
        if facts.slow and lack is None:
            yield self._slow(node, facts)
        else:
            yield self._judged(node, lack, "", name, facts.engine.version, needed, remedy)
        if not facts.engine.answers:
            return
        tool = facts.engine.compose(engine)
        seen = _called(tool) if tool else ""
        needed = f"{compose} {oldest.compose} or newer (the vendor's requirement)"
        lack = check_compose(facts.engine, engine, oldest.compose)
        remedy = install_compose(context, node, facts.means) if lack and lack.cause == "missing" else None
        if facts.compose_late and tool is None:
            yield self._not_told(node, compose)
        else:
            yield self._judged(node, lack, "compose", compose, seen, needed, remedy)
        if lack := check_project(PROJECT, facts.strangers, ours=bool(facts.ours), recorded=facts.recorded):
            yield self._judged(node, lack, "project", "Compose project", "", "")
        elif not facts.listed:
            yield self._not_listed(node)

    def _slow(self, node: CheckedNode, facts: EngineCheckFacts) -> Finding:
        """A busy engine is no dead one: to start it again would stop what it is busy with."""
        unseen = (
            f"storage driver, cgroups, start at boot, engine's disk{'' if facts.listed else ', containers'}"
        )
        return self.finding(
            node,
            "warning",
            f"the engine is slow: {facts.name} info gives no answer within 5 s",
            subject=NAMES[facts.name][0],
            needed="an engine that answers at once",
            why="What it is busy with delays everything that is done with it. "
            f"Not looked at because of it: {unseen}.",
            hint=f"Look at disk, load and journalctl -u {facts.name}, and check again; or accept this.",
        )

    def _not_told(self, node: CheckedNode, compose: str) -> Finding:
        return self.finding(
            node,
            "warning",
            "its version could not be asked: it gave no answer in time",
            about="compose",
            subject=compose,
            hint="Look at the node's disk and load, and check again.",
        )

    def _not_listed(self, node: CheckedNode) -> Finding:
        return self.finding(
            node,
            "warning",
            "could not be looked at: the engine did not list its containers",
            about="project",
            subject="Compose project",
            why=f"Another project called «{PROJECT}» would be in the way.",
            hint="Check again when the engine lists them (ps -a).",
        )

    def _judged(
        self,
        node: CheckedNode,
        lack: UnmetRequirement | None,
        about: str,
        subject: str,
        seen: str,
        needed: str,
        remedy: Remedy | None = None,
    ) -> Finding:
        if lack is None:
            return self.finding(node, "ok", seen, about=about, subject=subject, needed=needed)
        return self.finding(
            node,
            "failure",
            lack.message,
            about=about,
            subject=subject,
            needed=needed,
            hint=lack.hint,
            remedy=remedy,
        )


def _engine_remedy(
    context: CheckContext, node: CheckedNode, facts: EngineCheckFacts, lack: UnmetRequirement | None
) -> Remedy | None:
    """A Docker that hangs is not started again, and Podman is no service."""
    cause = lack.cause if lack else ""
    if cause == "missing":
        return install_engine(context, node, facts.means)
    if context.answers.engine != "docker":
        return None
    if cause == "denied":
        return join_group(node, facts.means)
    return start_engine(node, facts.means) if cause == "silent" else None


def _unmasked(lack: UnmetRequirement | None, means: NodeCapabilities) -> UnmetRequirement | None:
    """With how to start Docker, where its service is masked: nothing starts that, and somebody wanted it so.
    One that runs all the same hangs."""
    if lack is None or lack.cause != "silent" or means.process or not is_masked(means.enabled):
        return lack
    commands = f"{unmask_command(means.enabled)} && systemctl enable --now docker.service"
    return replace(lack, hint=f"Its service is masked. As root: {commands}; then run again.")


def _called(tool: ComposeTool) -> str:
    return " ".join((*tool.argv, ".".join(map(str, tool.version))))
