"""The query for a node's engine and disks, run once for all shell checks as it is slow.

``docker info`` is slow because it runs every plugin of the command line; so it also knows Compose's version.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from oz_installer.checks.host import disk_query
from oz_installer.remote.engine_requirements import EMULATION, TIMED_OUT_TEXT
from oz_installer.render.project import DIGEST_LABEL
from oz_installer.text import safe_line

# The template prints no version when the engine does not answer. Docker before 20.10 does not know the cgroup
# version; a second template leaves it out. The root comes last, because it may hold spaces.
_DOCKER = """{{{{with .ServerVersion}}}}version {{{{.}}}}{{{{end}}}}
plugin {{{{range .ClientInfo.Plugins}}}}{{{{if eq .Name "compose"}}}}{{{{.Version}}}}{{{{end}}}}{{{{end}}}}
has {{{{.Containers}}}}
store {{{{range .DriverStatus}}}}{{{{if eq "driver-type" (index . 0)}}}}{{{{.}}}}{{{{end}}}}{{{{end}}}}
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
# A busy Docker still reports its version quickly. Podman is not a service and reports everything at once.
_AGAIN = {
    "docker": """
      hung= patience=2
      if engine_version=$(soon {version}) && [ -n "$engine_version" ]; then
        engine_status=0 engine_slow=yes engine_output="version $engine_version"
      fi
""",
    "podman": "",
}
_LABELS = {"docker": '{{{{.Label "{}"}}}}', "podman": '{{{{index .Labels "{}"}}}}'}
_SCRIPT = """
engine_status=127 engine_output= engine_error='{engine}: not found'
engine_slow= engine_info= engine_plugin= engine_listed= engine_listed_status=127
if command -v {engine} > /dev/null; then
  for form in {forms}; do
    engine_output=$(soon {engine} info --format "$form"); engine_status=$?
    case $engine_status,$engine_output in
      0,version*) break ;;  # a template that fails prints its beginning all the same
      124,*) break ;;
      0,*) engine_status=1 ;;
    esac
  done
  case $engine_status in
    0) ;;
    124)
      engine_output= engine_error="{late}"{again}
      ;;
    *)  # an engine that reports only its version answers, too
      engine_output=$(soon {version}); engine_status=$?
      engine_output="version $engine_output"
      [ "$engine_status" = 0 ] || engine_output= engine_error=$(soon {version} 2>&1)
      case {engine}:$(soon {engine} --version) in
        docker:*[Pp]odman*) engine_status=1 engine_output= engine_error="{emulation}" ;;
      esac
      ;;
  esac
  case $engine_output in *"$nl"info*) engine_info=${{engine_output##*"$nl"info }} ;; esac
  case $engine_output in *"driver-type io.containerd."*)  # images are the system's containerd's
    [ ! -S /run/containerd/containerd.sock ] || {{
      stored=$(sed -n 's/^root *= *"\\([^"]*\\)".*/\\1/p' /etc/containerd/config.toml)
      engine_info=${{engine_info%"${{engine_info#* * * * }}"}}${{stored:-/var/lib/containerd}}
    }} ;;
  esac
  case $engine_output in *"$nl"plugin*)
    engine_plugin=${{engine_output#*"$nl"plugin }} engine_plugin=${{engine_plugin%%"$nl"*}} ;;
  esac
  case $engine_status,$engine_output in
    0,*"$nl"has" 0$nl"*) engine_listed_status=0 ;;
    0,*) engine_listed=$(soon {engine} ps -a --no-trunc --format {listed}); engine_listed_status=$? ;;
  esac
fi
"""


def engine_query(engine: str, install_dir: str) -> str:
    """Return shell that sets these variables for all later pieces:

    ``engine_status`` 0: the engine answers; 127: it is not installed; 124: it hangs. ``engine_slow``: it
    reports its version, but nothing more in time. ``engine_error``: its message when it does not answer.
    ``engine_output``: lines of ``version``, ``plugin`` (of Compose), ``has`` (number of containers), ``info``
    (storage driver, manager and version of cgroups, whether memory can be limited, root); ``engine_plugin``
    and ``engine_info`` hold these two lines alone.
    ``engine_listed``: lines of ``container`` with tabs between name, Compose project, our digest, status and
    published ports; ``engine_listed_status`` 0: the list is complete. For the disks see ``disk_query``.
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
        emulation=EMULATION,
    )
    return script + disk_query.disk_query(install_dir)


@dataclass(frozen=True, kw_only=True)
class ListedContainer:
    """A container.

    ``ours``: it has our digest; ``ports``: its published ports in the engine's notation."""

    name: str
    project: str
    ours: bool
    running: bool
    ports: str


def parse_containers(text: str) -> tuple[ListedContainer, ...]:
    """Parse the containers from a piece's output."""
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
