"""How the container engine is set up: storage driver, cgroups, start at boot, the disk behind it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from oz_installer.checks.base import ShellCheck
from oz_installer.checks.context import CheckContext, CheckedNode, Finding, Level, Remedy
from oz_installer.checks.host.capabilities import is_masked, unmask_command
from oz_installer.checks.host.disk_query import disk_of, hung_disk_finding
from oz_installer.checks.host.engine_query import engine_query
from oz_installer.checks.host.host import GIB, MEMORY_SHARE
from oz_installer.remote.engine_requirements import NAMES
from oz_installer.text import format_kib, parse_fields, safe_line

SLOW_DRIVERS = {
    "vfs": "it copies every layer of every image for every container",
    "devicemapper": "Docker has given it up",
    "aufs": "Docker has given it up",
}
_UNITS = {"docker": "docker.service", "podman": "podman-restart.service"}
# The engine's own words are ``info DRIVER MANAGER VERSION LIMITS ROOT``, and the root may hold spaces.
_SCRIPT = """
[ -n "$engine_info" ] || exit
echo "info $engine_info"
echo "$disks"
[ -d /run/systemd/system ] || exit
show uid id -u
boot=$(soon systemctl is-enabled {unit})
echo "boot $boot"
[ "$boot" != disabled ] || [ "$(id -u)" = 0 ] || ! soon sudo -n true || echo "sudo yes"
"""


@dataclass(frozen=True, kw_only=True)
class RuntimeFacts:
    """``known``: the engine told of itself. ``free`` in KiB; ``shared``: its disk is the install folder's;
    ``hangs``: it does not answer; ``boot`` is systemd's word, empty where there is no systemd; ``as_root``:
    commands run so; ``sudo``: where not, it asks for no password."""

    known: bool = True
    driver: str = ""
    cgroup: str = ""
    limits: bool = True
    root: str = ""
    free: int | None = None
    shared: bool = True
    hangs: bool = False
    boot: str = ""
    as_root: bool = False
    sudo: bool = False


class RuntimeCheck(ShellCheck[RuntimeFacts]):
    """Nothing of it keeps Oz from running today; all of it bites later."""

    name = "runtime"
    title = "Engine settings"

    def prelude(self, context: CheckContext) -> str:
        """What the engine says."""
        return engine_query(context.answers.engine, context.install_dir)

    def script(self, context: CheckContext, node: CheckedNode) -> str:
        """The disk behind it, and what systemd says."""
        del node
        return _SCRIPT.format(unit=_UNITS[context.answers.engine])

    def parse(self, text: str) -> RuntimeFacts:
        """Facts from its lines."""
        told = parse_fields(text)
        if "info" not in told:
            return RuntimeFacts(known=False)
        driver, manager, version, limits, root = (*told["info"].split(" ", 4), "", "", "", "", "")[:5]
        disk = disk_of(text, "root")
        return RuntimeFacts(
            driver=safe_line(driver),
            cgroup=safe_line(
                f"{manager}, v{version.removeprefix('v')}" if version not in ("", "?") else manager
            ),
            limits=limits != "false",
            root=safe_line(root),
            free=disk.free if disk.place == safe_line(root) else None,
            shared=disk.at == disk_of(text, "here").at,
            hangs=disk.hangs,
            boot=safe_line(told.get("boot", "")),
            as_root=told.get("uid") == "0",
            sudo=told.get("sudo") == "yes",
        )

    def judge(self, context: CheckContext, node: CheckedNode, facts: RuntimeFacts) -> Iterator[Finding]:
        """Nothing where the engine does not answer: that is the engine's own finding."""
        if not facts.known:
            return
        yield self._driver(node, facts)
        yield self._cgroup(node, facts)
        if facts.boot:
            yield self._boot(context, node, facts)
        yield self._disk(node, facts)

    def _driver(self, node: CheckedNode, facts: RuntimeFacts) -> Finding:
        why = SLOW_DRIVERS.get(facts.driver, "")
        return self.finding(
            node,
            "warning" if why else "ok",
            facts.driver or "not told",
            about="driver",
            subject="Storage driver",
            needed="overlay2 (Docker's advice)" if why else "",
            why=f"{facts.driver} is slow: {why}.",
            hint="Set storage-driver to overlay2 in /etc/docker/daemon.json, or accept this.",
        )

    def _cgroup(self, node: CheckedNode, facts: RuntimeFacts) -> Finding:
        return self.finding(
            node,
            "ok" if facts.limits else "warning",
            f"{facts.cgroup or 'not told'}{'' if facts.limits else ', without limits of memory'}",
            about="cgroup",
            subject="cgroups",
            needed="" if facts.limits else "limits of memory",
            why="The BIO updater's limit of 500 MB would not hold.",
            hint="Boot with cgroup_enable=memory swapaccount=1 on the kernel's command line, or accept this.",
        )

    def _boot(self, context: CheckContext, node: CheckedNode, facts: RuntimeFacts) -> Finding:
        unit = _UNITS[context.answers.engine]
        enabled = facts.boot.startswith("enabled")
        return self.finding(
            node,
            "ok" if enabled else "warning",
            f"{unit} is {facts.boot}",
            about="boot",
            subject="Start at boot",
            needed="enabled",
            why="After a restart of the server Oz would stay down.",
            hint=_enabling(facts.boot, unit),
            remedy=_enable(
                node, facts, f"start {NAMES[context.answers.engine][0]}'s containers at boot", unit
            ),
        )

    def _disk(self, node: CheckedNode, facts: RuntimeFacts) -> Finding:
        """Where it is the install folder's disk, the machine's own finding has the figure."""
        if facts.hangs:
            return hung_disk_finding(self, node, facts.root, about="disk", subject="Engine's disk")
        seen = "not told" if facts.free is None else f"{format_kib(facts.free)} free at {facts.root}"
        needed = node.requirements.disk if node.requirements and not facts.shared else 0
        level: Level = "ok" if (facts.free or 0) >= needed * GIB * MEMORY_SHARE else "warning"
        return self.finding(
            node,
            level,
            seen,
            about="disk",
            subject="Engine's disk",
            needed=f"{needed} GB ({node.source})" if needed else "",
            why="Images and containers' logs lie there.",
            hint="Enlarge it, move the engine's data-root to a larger disk, or accept this for a test.",
        )


def _enabling(boot: str, unit: str) -> str:
    """What somebody runs as root so that it starts at boot; what is masked is never enabled for them."""
    masked = f"{unmask_command(boot, unit)} && " if is_masked(boot) else ""
    return f"{masked}systemctl enable {unit}"


def _enable(node: CheckedNode, facts: RuntimeFacts, title: str, unit: str) -> Remedy | None:
    """Masked, static, not-found: cannot be enabled."""
    if facts.boot != "disabled" or not (facts.as_root or facts.sudo):
        return None
    root = () if facts.as_root else ("sudo", "-n")
    return Remedy(
        title=title,
        node=node.name,
        commands=((*root, "systemctl", "enable", unit),),
        undo=((*root, "systemctl", "disable", unit),),
    )
