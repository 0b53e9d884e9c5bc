"""The check of the engine's settings: storage driver, cgroups, start at boot, disk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from oz_installer.catalog.engine import ENGINES
from oz_installer.checks.base import ShellCheck
from oz_installer.checks.context import CheckContext, CheckedNode, Finding, FindingLevel, Remedy
from oz_installer.checks.host.capabilities import is_masked, unmask_command
from oz_installer.checks.host.disk_query import disk_of, hung_disk_finding
from oz_installer.checks.host.engine_query import engine_query
from oz_installer.checks.host.host import GIB, MEMORY_SHARE
from oz_installer.text import format_kib, parse_fields, safe_line

SLOW_DRIVERS = {
    "vfs": "it copies every layer of every image for every container",
    "devicemapper": "Docker no longer supports it",
    "aufs": "Docker no longer supports it",
}
_UNITS = {"docker": "docker.service", "podman": "podman-restart.service"}
_SNAP = "/var/snap/"
_DROP_IN = "oz-media.conf"
_WAIT = 'mkdir -p "$1" && printf "[Unit]\\nRequiresMountsFor=%s\\n" "$3" > "$1/$2" && systemctl daemon-reload'
_WAIT_NOT = 'rm -f "$1/$2"; rmdir --ignore-fail-on-non-empty "$1"; systemctl daemon-reload'
# The engine prints ``info DRIVER MANAGER VERSION LIMITS ROOT``; the root may hold spaces.
_SCRIPT = """
[ -n "$engine_info" ] || exit
echo "info $engine_info"
echo "$disks"
[ -d /run/systemd/system ] || exit
show uid id -u
boot=$(soon systemctl is-enabled {unit})
echo "boot $boot"
show mounts soon systemctl show --property RequiresMountsFor --value {unit}
[ "$boot" != disabled ] || [ "$(id -u)" = 0 ] || ! soon sudo -n true || echo "sudo yes"
"""


@dataclass(frozen=True, kw_only=True)
class RuntimeFacts:
    """Settings of the engine. ``known``: the engine reported them.

    ``free`` is in KiB; ``shared``: the engine uses the install folder's disk; ``hangs``: its disk does not
    answer. ``boot`` is systemd's word, empty without systemd; ``mounts``: for what its unit
    waits. ``as_root``: commands run as root; ``sudo``: they do not, but sudo works without a password."""

    known: bool = True
    driver: str = ""
    cgroup: str = ""
    limits: bool = True
    root: str = ""
    free: int | None = None
    shared: bool = True
    hangs: bool = False
    boot: str = ""
    mounts: frozenset[str] = frozenset()
    as_root: bool = False
    sudo: bool = False


class RuntimeCheck(ShellCheck[RuntimeFacts]):
    """Judge settings that let Oz start today but cause trouble later."""

    name = "runtime"
    title = "Engine settings"

    def prelude(self, context: CheckContext) -> str:
        """Query the engine."""
        return engine_query(context.answers.engine, context.install_dir)

    def script(self, context: CheckContext, node: CheckedNode) -> str:
        """Print the engine's settings, its disk, and systemd's state of its unit."""
        del node
        return _SCRIPT.format(unit=_UNITS[context.answers.engine])

    def parse(self, text: str) -> RuntimeFacts:
        """Parse the facts."""
        values = parse_fields(text)
        if "info" not in values:
            return RuntimeFacts(known=False)
        driver, manager, version, limits, root = (*values["info"].split(" ", 4), "", "", "", "", "")[:5]
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
            boot=safe_line(values.get("boot", "")),
            mounts=frozenset(values.get("mounts", "").split()),
            as_root=values.get("uid") == "0",
            sudo=values.get("sudo") == "yes",
        )

    def judge(self, context: CheckContext, node: CheckedNode, facts: RuntimeFacts) -> Iterator[Finding]:
        """Judge the settings. An engine that does not answer is a finding of the engine's own check."""
        if not facts.known:
            return
        yield self._driver(node, facts)
        yield self._cgroup(node, facts)
        if facts.boot:
            yield self._boot(context, node, facts)
            if "api" in node.roles and context.answers.storage.type == "path":
                yield self._order(context, node, facts)
        if facts.root.startswith(_SNAP):
            yield self._snap(node)
        yield self._disk(node, facts)

    def _driver(self, node: CheckedNode, facts: RuntimeFacts) -> Finding:
        why = SLOW_DRIVERS.get(facts.driver, "")
        return self.finding(
            node,
            "warning" if why else "ok",
            facts.driver or "not reported",
            about="driver",
            subject="Storage driver",
            needed="overlay2 (Docker's recommendation)" if why else "",
            why=f"{facts.driver} is slow: {why}.",
            hint="Set storage-driver to overlay2 in /etc/docker/daemon.json, or accept this.",
        )

    def _cgroup(self, node: CheckedNode, facts: RuntimeFacts) -> Finding:
        return self.finding(
            node,
            "ok" if facts.limits else "warning",
            f"{facts.cgroup or 'not reported'}{'' if facts.limits else ', without memory limits'}",
            about="cgroup",
            subject="cgroups",
            needed="" if facts.limits else "memory limits",
            why="The BIO updater's memory limit of 500 MB would have no effect.",
            hint="Boot with cgroup_enable=memory swapaccount=1 on the kernel command line, or accept this.",
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
            why="Oz would not start after a reboot of the server.",
            hint=_enabling(facts.boot, unit),
            remedy=_enable(
                node, facts, f"start {ENGINES[context.answers.engine].title}'s containers at boot", unit
            ),
        )

    def _order(self, context: CheckContext, node: CheckedNode, facts: RuntimeFacts) -> Finding:
        """Judge whether the engine waits for the media."""
        unit, folder = _UNITS[context.answers.engine], str(context.answers.storage.path)
        waits = any(folder == one or folder.startswith(f"{one.rstrip('/')}/") for one in facts.mounts)
        return self.finding(
            node,
            "ok" if waits else "warning",
            f"{unit} {'waits' if waits else 'does not wait'} for {folder}",
            about="mounts",
            subject="Order at boot",
            needed=f"RequiresMountsFor={folder}",
            why="Containers that start before the mount write media beneath it: no other node sees them.",
            hint=f"Run as root: systemctl edit {unit}, and write [Unit] and RequiresMountsFor={folder}.",
            remedy=_wait_for(node, facts, unit, folder),
        )

    def _snap(self, node: CheckedNode) -> Finding:
        return self.finding(
            node,
            "failure",
            "Docker is installed as a snap",
            about="snap",
            subject="Docker's package",
            needed="Docker from the distribution or from Docker",
            why="A snap sees no folders such as /opt, so containers get empty ones in their place.",
            hint="Run as root: snap remove docker; then install Docker from the distribution.",
        )

    def _disk(self, node: CheckedNode, facts: RuntimeFacts) -> Finding:
        """Judge the engine's disk; the install folder's disk is judged by the host check."""
        if facts.hangs:
            return hung_disk_finding(self, node, facts.root, about="disk", subject="Engine's disk")
        seen = "not reported" if facts.free is None else f"{format_kib(facts.free)} free at {facts.root}"
        needed = node.requirements.disk if node.requirements and not facts.shared else 0
        level: FindingLevel = "ok" if (facts.free or 0) >= needed * GIB * MEMORY_SHARE else "warning"
        return self.finding(
            node,
            level,
            seen,
            about="disk",
            subject="Engine's disk",
            needed=f"{needed} GB ({node.source})" if needed else "",
            why="Images and container logs are stored there; a full disk stops the containers.",
            hint="Enlarge the disk, move the engine's data-root to a larger one, or accept this for a test.",
        )


def _enabling(boot: str, unit: str) -> str:
    """Return the hint with the commands that enable a unit; no remedy unmasks one."""
    masked = f"{unmask_command(boot, unit)} && " if is_masked(boot) else ""
    return f"Run as root: {masked}systemctl enable {unit}"


def _enable(node: CheckedNode, facts: RuntimeFacts, title: str, unit: str) -> Remedy | None:
    """Return the remedy for a disabled unit; a masked, static or missing one cannot be enabled."""
    if facts.boot != "disabled" or not (facts.as_root or facts.sudo):
        return None
    root = () if facts.as_root else ("sudo", "-n")
    return Remedy(
        title=title,
        node=node.name,
        commands=((*root, "systemctl", "enable", unit),),
        undo=((*root, "systemctl", "disable", unit),),
    )


def _wait_for(node: CheckedNode, facts: RuntimeFacts, unit: str, folder: str) -> Remedy | None:
    """Return the remedy that lets the engine's unit wait for a mount, from the next boot on."""
    if folder in facts.mounts or not (facts.as_root or facts.sudo):
        return None
    root = () if facts.as_root else ("sudo", "-n")
    place = f"/etc/systemd/system/{unit}.d"
    return Remedy(
        title=f"start {unit} after the mount of {folder}",
        node=node.name,
        commands=((*root, "sh", "-c", _WAIT, "sh", place, _DROP_IN, folder),),
        undo=((*root, "sh", "-c", _WAIT_NOT, "sh", place, _DROP_IN),),
    )
