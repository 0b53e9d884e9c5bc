"""The container engine and its Compose: there, running, new enough, and free of projects called as ours."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from oz_installer.checks.check import Look
from oz_installer.checks.model import Finding, Site, Spot
from oz_installer.checks.text import fields, said
from oz_installer.remote.commands import ComposeTool
from oz_installer.remote.fitness import (
    NAMES,
    EngineFacts,
    Lack,
    compose_lack,
    engine_lack,
    project_lack,
)
from oz_installer.render.compose import DIGEST_LABEL, PROJECT

# The version is asked of the running engine, so that one that does not answer is noticed. Only the Compose of
# this engine is asked: Podman makes a folder in the login's home even when asked its version.
_SCRIPT = """
engine={engine} dir={dir}
if command -v $engine > /dev/null; then version=$(soon {version}); status=$?
else version="$engine: not found"; status=127; fi
case $status in
  0 | 127) ;;
  124) version="it did not answer within 5 s" ;;
  *) version=$(soon {version} 2>&1) ;;
esac
echo "engine $engine"
echo "status $status"
echo "version $(echo "$version" | tr '\\n\\t' '  ')"
[ ! -s "$dir/current/record.json" ] || echo "recorded yes"
[ $status -eq 0 ] || exit
if [ $engine = podman ]; then echo "podman-compose $(soon podman-compose --version | tr '\\n' ' ')"; else
  echo "plugin $(soon docker compose version --short)"
  echo "v1 $(soon docker-compose version --short)"
fi
soon $engine ps -a --filter label=com.docker.compose.project={project} --format {form}
"""
_VERSIONS = {
    "docker": "docker version --format '{{.Server.Version}}'",
    "podman": "podman info --format '{{.Version.Version}}'",
}


@dataclass(frozen=True, kw_only=True)
class Seen:
    """The engine, and the containers of a project that is called as ours: those we started, and strangers."""

    engine: EngineFacts
    name: str = "docker"
    ours: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()
    recorded: bool = False


class Engine(Look[Seen]):
    """Judged by the same words as the deployment's own phase."""

    name = "engine"
    title = "Container engine"

    def script(self, site: Site, spot: Spot) -> str:
        """Versions, and the containers of our project."""
        del spot
        engine = site.answers.engine
        return _SCRIPT.format(
            engine=engine,
            dir=shlex.quote(site.install_dir),
            version=_VERSIONS[engine],
            project=PROJECT,
            form=shlex.quote(f"container {{{{.Names}}}}\t{label_form(engine)}"),
        )

    def parse(self, text: str) -> Seen:
        """Facts from its lines."""
        lines = text.splitlines()
        told = fields("\n".join(line for line in lines if not line.startswith("container ")))
        ours: list[str] = []
        strangers: list[str] = []
        for line in lines:
            if line.startswith("container "):
                name, _, digest = line.removeprefix("container ").partition("\t")
                (ours if digest.strip() else strangers).append(said(name))
        answers = told["status"] == "0"
        version = said(told.get("version", ""), 300)
        return Seen(
            engine=EngineFacts(
                answers=answers,
                said="" if answers else version,
                version=version if answers else "",
                compose_plugin=said(told.get("plugin", "")),
                compose_v1=said(told.get("v1", "")),
                podman_compose=said(told.get("podman-compose", "")),
            ),
            name=told["engine"],
            ours=tuple(ours),
            strangers=tuple(strangers),
            recorded=told.get("recorded") == "yes",
        )

    def shown(self, facts: Seen) -> Iterator[tuple[str, str]]:
        """Versions, or that there is none."""
        name, version = NAMES[facts.name][0], facts.engine.version
        yield "Engine", f"{name} {version}" if version else f"{name}: none that answers"
        if tool := facts.engine.compose(facts.name):
            yield "Compose", _called(tool)

    def judge(self, site: Site, spot: Spot, facts: Seen) -> Iterator[Finding]:
        """The engine first: without it the rest cannot be told."""
        engine, oldest = site.answers.engine, site.release.engines[site.answers.engine]
        name, compose = NAMES[engine]
        needed = f"{name} {oldest.engine} or newer (the vendor's requirement)"
        lack = engine_lack(facts.engine, engine, oldest.engine)
        yield self._judged(spot, lack, "", name, facts.engine.version, needed)
        if not facts.engine.answers:
            return
        tool = facts.engine.compose(engine)
        seen = _called(tool) if tool else ""
        needed = f"{compose} {oldest.compose} or newer (the vendor's requirement)"
        lack = compose_lack(facts.engine, engine, oldest.compose)
        yield self._judged(spot, lack, "compose", compose, seen, needed)
        if lack := project_lack(PROJECT, facts.strangers, ours=bool(facts.ours), recorded=facts.recorded):
            yield self._judged(spot, lack, "project", "Compose project", "", "")

    def _judged(
        self, spot: Spot, lack: Lack | None, about: str, subject: str, seen: str, needed: str
    ) -> Finding:
        if lack is None:
            return self.finding(spot, "ok", seen, about=about, subject=subject, needed=needed)
        return self.finding(
            spot, "failure", lack.message, about=about, subject=subject, needed=needed, hint=lack.hint
        )


def _called(tool: ComposeTool) -> str:
    return " ".join((*tool.argv, ".".join(map(str, tool.version))))


def label_form(engine: str) -> str:
    """The template that prints our digest of a container; empty for one that is not ours."""
    if engine == "podman":
        return f'{{{{index .Labels "{DIGEST_LABEL}"}}}}'
    return f'{{{{.Label "{DIGEST_LABEL}"}}}}'
