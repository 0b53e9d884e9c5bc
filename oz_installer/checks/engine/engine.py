"""The check of the container engine and its Compose: installed, running, recent."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from oz_installer.catalog.engine import ENGINES
from oz_installer.checks.base import ShellCheck
from oz_installer.checks.context import CheckContext, CheckedNode, Finding, Remedy
from oz_installer.checks.engine.remedies import install_compose, install_engine, join_group, start_engine
from oz_installer.checks.host.capabilities import (
    CAPABILITIES_SCRIPT,
    NO_CAPABILITIES,
    NodeCapabilities,
    is_masked,
    parse_capabilities,
    unmask_command,
)
from oz_installer.checks.host.engine_query import engine_query, parse_containers
from oz_installer.remote.docker_commands import ComposeTool
from oz_installer.remote.engine_requirements import (
    EngineFacts,
    UnmetRequirement,
    check_compose,
    check_engine,
    check_names,
    check_project,
)
from oz_installer.render.project import INSTALLED_RECORD, PROJECT
from oz_installer.text import parse_fields, safe_line

# Only this engine's Compose is queried: podman creates a folder in the login's home even for its version.
_SCRIPT = """{capabilities}
echo "engine {engine}"
echo "status $engine_status"
if [ "$engine_status" != 0 ]; then
  echo "version $(echo "$engine_error" | tr '\\n\\t' '  ')"
  capabilities
  exit
fi
echo "$engine_output"
echo "listed $engine_listed_status"
[ -z "$engine_slow" ] || echo "slow yes"
[ -n "$disk_hangs" ] || [ ! -s {dir}/{record} ] || echo "recorded yes"
compose=$engine_plugin v1=
if [ -z "$compose" ]; then{compose}fi
case " $compose $v1" in *" "[v0-9]*[0-9].[0-9]*) ;; *) capabilities ;; esac
echo "$engine_listed"
"""
_COMPOSE = {
    "docker": """
  [ -z "$engine_slow" ] || hung=  # Compose reports its version without the engine
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
    """The engine, and the containers of a Compose project with our name: ours, and foreign ones.

    ``others``: containers without our project and digest, with their Compose project.
    ``slow``: the engine reports its version, but nothing more in time; ``listed``: the list of containers is
    complete; ``compose_late``: a Compose did not answer in time."""

    engine: EngineFacts
    name: str = "docker"
    ours: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    others: Mapping[str, str] = field(default_factory=dict)
    recorded: bool = False
    capabilities: NodeCapabilities = NO_CAPABILITIES
    slow: bool = False
    listed: bool = True
    compose_late: bool = False


class EngineCheck(ShellCheck[EngineCheckFacts]):
    """Judge the engine with the functions that the deployment's own phase uses."""

    name = "engine"
    title = "Container engine"

    def prelude(self, context: CheckContext) -> str:
        """Query the engine's version and all containers."""
        return engine_query(context.answers.engine, context.install_dir)

    def script(self, context: CheckContext, node: CheckedNode) -> str:
        """Print the engine's facts, and query Compose if they do not include it."""
        del node
        engine = context.answers.engine
        return _SCRIPT.format(
            engine=engine,
            capabilities=CAPABILITIES_SCRIPT,
            record=INSTALLED_RECORD,
            dir=shlex.quote(context.install_dir),
            compose=_COMPOSE[engine],
        )

    def parse(self, text: str) -> EngineCheckFacts:
        """Parse the facts."""
        values = parse_fields(
            "\n".join(line for line in text.splitlines() if not line.startswith("container "))
        )
        listed = parse_containers(text)
        mine = [one for one in listed if one.project == PROJECT]
        answers = values["status"] == "0"
        version = safe_line(values.get("version", ""), 300)
        return EngineCheckFacts(
            engine=EngineFacts(
                answers=answers,
                message="" if answers else version,
                version=version if answers else "",
                compose_plugin=safe_line(values.get("plugin", "")),
                compose_v1=safe_line(values.get("v1", "")),
                podman_compose=safe_line(values.get("podman-compose", "")),
            ),
            name=values["engine"],
            ours=tuple(one.name for one in mine if one.ours),
            foreign=tuple(one.name for one in mine if not one.ours),
            others={
                one.name: safe_line(one.project) for one in listed if not one.ours and one.project != PROJECT
            },
            recorded=values.get("recorded") == "yes",
            capabilities=parse_capabilities(values),
            slow=values.get("slow") == "yes",
            listed=values.get("listed") == "0",
            compose_late="124" in values.get("asked", "").split(),
        )

    def display(self, facts: EngineCheckFacts) -> Iterator[tuple[str, str]]:
        """Yield the versions of engine and Compose."""
        name, version = ENGINES[facts.name].title, facts.engine.version
        yield "Engine", f"{name} {version}" if version else f"{name}: not available"
        if tool := facts.engine.compose(facts.name):
            yield "Compose", _tool_text(tool)

    def judge(self, context: CheckContext, node: CheckedNode, facts: EngineCheckFacts) -> Iterator[Finding]:
        """Judge the engine first: without it nothing else is known."""
        engine, oldest = context.answers.engine, context.release.engines[context.answers.engine]
        traits = ENGINES[engine]
        name, compose = traits.title, traits.compose_title
        needed = f"{name} {oldest.engine} or newer (the vendor's requirement)"
        unmet = check_engine(facts.engine, traits, oldest.engine)
        if traits.has_daemon:
            unmet = _unmasked(unmet, facts.capabilities)
        remedy = _engine_remedy(context, node, facts, unmet)
        if facts.slow and unmet is None:
            yield self._slow(node, facts)
        else:
            yield self._judged(node, unmet, "", name, facts.engine.version, needed, remedy)
        if not facts.engine.answers:
            return
        tool = facts.engine.compose(engine)
        seen = _tool_text(tool) if tool else ""
        needed = f"{compose} {oldest.compose} or newer (the vendor's requirement)"
        unmet = check_compose(facts.engine, traits, oldest.compose)
        remedy = (
            install_compose(context, node, facts.capabilities) if unmet and unmet.cause == "missing" else None
        )
        if facts.compose_late and tool is None:
            yield self._compose_unknown(node, compose)
        else:
            yield self._judged(node, unmet, "compose", compose, seen, needed, remedy)
        if unmet := check_project(PROJECT, facts.foreign, ours=bool(facts.ours), recorded=facts.recorded):
            yield self._judged(node, unmet, "project", "Compose project", "", "")
        elif not facts.listed:
            yield self._containers_unknown(node, facts.name)
        placed = context.topology.node(node.name).container_names if context.topology else ()
        if unmet := check_names(facts.others, placed, facts.name):
            yield self._judged(node, unmet, "names", "Container names", "", "")

    def _slow(self, node: CheckedNode, facts: EngineCheckFacts) -> Finding:
        """Report a busy engine as a warning without a remedy: a restart would stop its work."""
        unseen = (
            f"storage driver, cgroups, start at boot, engine's disk{'' if facts.listed else ', containers'}"
        )
        return self.finding(
            node,
            "warning",
            f"the engine is slow: {facts.name} info does not answer within 5 s",
            subject=ENGINES[facts.name].title,
            needed="an engine that answers in time",
            why=f"A slow engine delays every command. Not checked for that reason: {unseen}.",
            hint=f"Check disk, load and journalctl -u {facts.name}, then check again; or accept this.",
        )

    def _compose_unknown(self, node: CheckedNode, compose: str) -> Finding:
        return self.finding(
            node,
            "warning",
            "its version is unknown: it did not answer in time",
            about="compose",
            subject=compose,
            hint="Check the node's disk and load, then check again.",
        )

    def _containers_unknown(self, node: CheckedNode, engine: str) -> Finding:
        return self.finding(
            node,
            "warning",
            "not checked: the engine did not list its containers",
            about="project",
            subject="Compose project",
            why=f"A foreign Compose project named «{PROJECT}» would block the installation.",
            hint=f"Check again when {engine} ps -a lists the containers.",
        )

    def _judged(
        self,
        node: CheckedNode,
        unmet: UnmetRequirement | None,
        about: str,
        subject: str,
        seen: str,
        needed: str,
        remedy: Remedy | None = None,
    ) -> Finding:
        if unmet is None:
            return self.finding(node, "ok", seen, about=about, subject=subject, needed=needed)
        return self.finding(
            node,
            "failure",
            unmet.message,
            about=about,
            subject=subject,
            needed=needed,
            hint=unmet.hint,
            remedy=remedy,
        )


def _engine_remedy(
    context: CheckContext, node: CheckedNode, facts: EngineCheckFacts, unmet: UnmetRequirement | None
) -> Remedy | None:
    """Return the remedy for the cause.

    A Docker that hangs is not restarted, and Podman is not a service."""
    cause = unmet.cause if unmet else ""
    if cause == "missing":
        return install_engine(context, node, facts.capabilities)
    if not ENGINES[context.answers.engine].has_daemon:
        return None
    if cause == "denied":
        return join_group(node, facts.capabilities)
    return start_engine(node, facts.capabilities) if cause == "silent" else None


def _unmasked(unmet: UnmetRequirement | None, capabilities: NodeCapabilities) -> UnmetRequirement | None:
    """Add to the hint how to unmask Docker's service, which somebody masked on purpose.

    A masked Docker whose process is running hangs, so its hint stays."""
    if (
        unmet is None
        or unmet.cause != "silent"
        or capabilities.process
        or not is_masked(capabilities.enabled)
    ):
        return unmet
    commands = f"{unmask_command(capabilities.enabled)} && systemctl enable --now docker.service"
    return replace(unmet, hint=f"The service is masked. Run as root: {commands}; then run again.")


def _tool_text(tool: ComposeTool) -> str:
    return " ".join((*tool.argv, ".".join(map(str, tool.version))))
