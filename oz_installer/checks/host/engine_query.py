"""What several looks want of a node's engine and disks, asked once for all: it costs more than the rest.

``docker info`` is slow, for it asks every plugin of the command line; so it knows Compose's version.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from oz_installer.checks.host import disk_query
from oz_installer.remote.engine_requirements import TIMED_OUT_TEXT
from oz_installer.render.compose.compose_file import DIGEST_LABEL
from oz_installer.text import safe_line

# A template gives no version where the engine does not answer. Docker before 20.10 does not know its cgroups'
# version: asked without it then. The root comes last, it may hold spaces.
_DOCKER = """{{{{with .ServerVersion}}}}version {{{{.}}}}{{{{end}}}}
plugin {{{{range .ClientInfo.Plugins}}}}{{{{if eq .Name "compose"}}}}{{{{.Version}}}}{{{{end}}}}{{{{end}}}}
has {{{{.Containers}}}}
info {{{{.Driver}}}} {{{{.CgroupDriver}}}} {cgroups} {{{{.MemoryLimit}}}} {{{{.DockerRootDir}}}}"""
_INFO = {
    "docker": (_DOCKER.format(cgroups="{{.CgroupVersion}}"), _DOCKER.format(cgroups="?")),
    "podman": (
        "version {{.Version.Version}}\n"
        "has {{.Store.ContainerStore.Number}}\n"
        "info {{.Store.GraphDriverName}} {{.Host.CgroupManager}} {{.Host.CgroupsVersion}} true"
        " {{.Store.GraphRoot}}",
    ),
}
_VERSIONS = {
    "docker": "docker version --format '{{.Server.Version}}'",
    "podman": "podman info --format '{{.Version.Version}}'",
}
# A busy Docker is not a dead one: its version takes it no time. Podman is no service, it tells all in one.
_AGAIN = {
    "docker": """
      hung= patience=2
      if engine_version=$(soon {version}) && [ -n "$engine_version" ]; then
        engine_status=0 engine_slow=yes engine_told="version $engine_version"
      fi
""",
    "podman": "",
}
_LABELS = {"docker": '{{{{.Label "{}"}}}}', "podman": '{{{{index .Labels "{}"}}}}'}
_SCRIPT = """
engine_status=127 engine_told= engine_said='{engine}: not found'
engine_slow= engine_info= engine_plugin= engine_listed= engine_listed_status=127
if command -v {engine} > /dev/null; then
  for form in {forms}; do
    engine_told=$(soon {engine} info --format "$form"); engine_status=$?
    case $engine_status,$engine_told in
      0,version*) break ;;  # a template that fails has said its beginning all the same
      124,*) break ;;
      0,*) engine_status=1 ;;
    esac
  done
  case $engine_status in
    0) ;;
    124)
      engine_told= engine_said="{late}"{again}
      ;;
    *)  # one that tells no more than its version answers, too
      engine_told=$(soon {version}); engine_status=$?
      engine_told="version $engine_told"
      [ "$engine_status" = 0 ] || engine_told= engine_said=$(soon {version} 2>&1)
      ;;
  esac
  case $engine_told in *"$nl"info*) engine_info=${{engine_told##*"$nl"info }} ;; esac
  case $engine_told in *"$nl"plugin*)
    engine_plugin=${{engine_told#*"$nl"plugin }} engine_plugin=${{engine_plugin%%"$nl"*}} ;;
  esac
  case $engine_status,$engine_told in
    0,*"$nl"has" 0$nl"*) engine_listed_status=0 ;;
    0,*) engine_listed=$(soon {engine} ps -a --no-trunc --format {listed}); engine_listed_status=$? ;;
  esac
fi
"""


def engine_query(engine: str, install_dir: str) -> str:
    """Shell that sets, for all pieces after it:

    ``engine_status`` 0: it answers; 127: it is not there; 124: it hangs. ``engine_slow``: it tells its
    version, but no more within its time. ``engine_said``: what it said when it does not answer.
    ``engine_told``: lines of ``version``, ``plugin`` (of Compose), ``has`` (so many containers), ``info``
    (storage driver, manager and version of cgroups, whether memory can be limited, root); ``engine_plugin``
    and ``engine_info`` by themselves, too.
    ``engine_listed``: lines of ``container``, tabs between name, Compose project, our digest, status and
    published ports; ``engine_listed_status`` 0: they are all. What is asked of disks: see ``disk_asked``.
    """
    label = _LABELS[engine]
    columns = (
        "{{.Names}}",
        label.format("com.docker.compose.project"),
        label.format(DIGEST_LABEL),
        "{{.Status}}",
        "{{.Ports}}",
    )
    script = _SCRIPT.format(
        engine=engine,
        forms=shlex.join(_INFO[engine]),
        listed=shlex.quote("container " + "\t".join(columns)),
        version=_VERSIONS[engine],
        again=_AGAIN[engine].format(version=_VERSIONS[engine]).rstrip(),
        late=TIMED_OUT_TEXT,
    )
    return script + disk_query.disk_query(install_dir)


@dataclass(frozen=True, kw_only=True)
class ListedContainer:
    """A container. ``ours``: it has our digest; ``ports``: what it publishes, as the engine writes it."""

    name: str
    project: str
    ours: bool
    running: bool
    ports: str


def parse_containers(text: str) -> tuple[ListedContainer, ...]:
    """The containers among what a piece printed."""
    rows = [
        line.removeprefix("container ").split("\t")
        for line in text.splitlines()
        if line.startswith("container ")
    ]
    return tuple(
        ListedContainer(
            name=safe_line(name),
            project=project,
            ours=bool(digest.strip()),
            running=status.startswith("Up"),
            ports=ports,
        )
        for name, project, digest, status, ports in ((*row, "", "", "", "")[:5] for row in rows)
    )
