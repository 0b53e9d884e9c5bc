"""The check of the machine: cores, memory, disk, CPU flags, kernel, Python, install folder."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from oz_installer.catalog.engine import ENGINES
from oz_installer.checks.base import ShellCheck
from oz_installer.checks.context import CheckContext, CheckedNode, Finding
from oz_installer.checks.host.disk_query import disk_of, hung_disk_finding
from oz_installer.checks.host.engine_query import engine_query
from oz_installer.checks.host.facts import FolderOwner, HostFacts
from oz_installer.checks.host.install_folder import folder_findings, make_folder
from oz_installer.remote.docker_commands import parse_version
from oz_installer.remote.engine_requirements import check_disk, check_folder
from oz_installer.text import format_kib, parse_fields, parse_int, plural, safe_line

GIB = 1024 * 1024  # in KiB
OLDEST_KERNEL = (3, 10)
MEMORY_SHARE = 0.9
"""Tolerance: a machine of 32 GB reports less, because firmware and kernel reserve some."""

_SCRIPT = """
dir={dir} place=$disk_place
show cores nproc || show cores getconf _NPROCESSORS_ONLN
awk -F ': *' '$1 == "MemTotal" {{ print "memory", $2 + 0 }}
  /^(flags|Features)/ && !flags {{ print "flags", $2; flags = 1 }}
  /^model name/ && !model {{ print "model", $2; model = 1 }}' /proc/meminfo /proc/cpuinfo
show uname uname -srm
show id id
read -r enforced < /sys/fs/selinux/enforce
if command -v getenforce > /dev/null; then show selinux getenforce
elif [ "$enforced" = 1 ]; then echo "selinux Enforcing"; fi
show python python3 --version 2>&1
[ ! -r /etc/os-release ] || (. /etc/os-release; echo "os $PRETTY_NAME")
echo "$disks"
[ -z "$disk_hangs" ] || exit
[ ! -e "$dir/current" ] || echo "installed yes"
at=${{nl}}$disks at=${{at##*"$nl"here disk }} at=${{at%%"$nl"*}}
options=$(awk -v at="${{at##* }}" '$2 == at {{ options = $4 }} END {{ print options }}' /proc/mounts)
echo "options $options"
up=$place above=
[ "$place" != "$dir" ] || {{ stat -L -c 'owner %U %u %a %G' "$dir"; up=${{dir%/*}}; }}
while [ -n "$up" ]; do above="$above $(stat -L -c '%U:%u:%a:%G' "$up"):$up" up=${{up%/*}}; done
echo "above$above"
if [ -d "$dir/current" ] && [ ! -L "$dir/current" ]; then echo "access blocked $dir/current"
elif [ -r "$place" ] && [ -w "$place" ] && [ -x "$place" ]; then echo "access ok"; else
  case $options in ro | ro,*) echo "access read-only $place" ;; *)
    echo "access denied $place"
    [ "$(id -u)" = 0 ] || ! soon sudo -n true || echo "sudo yes" ;;
  esac
fi
"""
_ID = re.compile(r"uid=(\d+)(?:\(([^)]*)\))?")


class HostCheck(ShellCheck[HostFacts]):
    """Compare the machine with the layout.

    Too little is a warning only, because a test may need less."""

    name = "host"
    title = "Machine"

    def prelude(self, context: CheckContext) -> str:
        """Query the disks of the install folder and the engine."""
        return engine_query(context.answers.engine, context.install_dir)

    def script(self, context: CheckContext, node: CheckedNode) -> str:
        """Print the facts of the machine."""
        del node
        return _SCRIPT.format(dir=shlex.quote(context.install_dir))

    def parse(self, text: str) -> HostFacts:
        """Parse the facts."""
        values = parse_fields(text)
        disk = disk_of(text, "here")
        kernel, _, machine = values.get("uname", "").rpartition(" ")
        user = _ID.match(values.get("id", ""))
        owner = FolderOwner.parse(values.get("owner", "").split())
        return HostFacts(
            cores=parse_int(values.get("cores", "")),
            memory=parse_int(values.get("memory", "")),
            flags=frozenset(values.get("flags", "").split()),
            model=safe_line(values.get("model", "")),
            machine=safe_line(machine),
            kernel=safe_line(kernel),
            os=safe_line(values.get("os", "")),
            python=safe_line(values.get("python", "")),
            place=disk.place,
            disk_size=disk.size,
            disk_free=disk.free,
            inodes_free=disk.inodes,
            disk_hangs=disk.hangs,
            installed=values.get("installed") == "yes",
            access=values.get("access", "ok"),
            sudo=values.get("sudo") == "yes",
            uid=int(user[1]) if user else None,
            login=safe_line(user[2]) if user else "",
            selinux=safe_line(values.get("selinux", "")),
            owner=owner.owner,
            owner_uid=owner.uid,
            group=owner.group,
            mode=owner.mode,
            above=tuple(FolderOwner.parse(one.split(":")) for one in values.get("above", "").split()),
            options=frozenset(values.get("options", "").split(",")) - {""},
        )

    def display(self, facts: HostFacts) -> Iterator[tuple[str, str]]:
        """Yield OS, CPU, memory and disk."""
        yield "OS", facts.os or facts.kernel
        if facts.cores is not None:
            yield "CPU", f"{plural(facts.cores, 'core')}{f', {facts.model}' if facts.model else ''}"
        if facts.memory is not None:
            yield "Memory", format_kib(facts.memory)
        if facts.disk_hangs:
            yield "Disk", "does not answer"
        elif facts.disk_free is not None:
            yield (
                "Disk",
                f"{format_kib(facts.disk_free)} free of {format_kib(facts.disk_size or 0)} at {facts.place}",
            )

    def judge(self, context: CheckContext, node: CheckedNode, facts: HostFacts) -> Iterator[Finding]:
        """Judge the sizes, then the vendor's requirements, then access to the install folder."""
        yield self._cores(node, facts)
        yield self._memory(node, facts)
        yield self._disk(context, node, facts)
        if "bio" in node.roles:
            yield self._flags(context, node, facts)
        yield self._python(context, node, facts)
        yield self._kernel(node, facts)
        yield self._rights(context, node, facts)
        if facts.disk_hangs:
            return
        yield self._folder(context, node, facts)
        yield from folder_findings(self, context, node, facts)

    def _cores(self, node: CheckedNode, facts: HostFacts) -> Finding:
        needed = node.requirements.cpu if node.requirements else 0
        seen = "not reported" if facts.cores is None else plural(facts.cores, "core")
        return self._figure(
            node,
            "cpu",
            "CPU",
            seen,
            f"{needed} cores",
            (facts.cores or 0) >= needed,
            "With fewer cores the node processes fewer analyses per minute.",
            "Give the machine more cores, or accept this for a test installation.",
        )

    def _memory(self, node: CheckedNode, facts: HostFacts) -> Finding:
        needed = node.requirements.memory if node.requirements else 0
        seen = "not reported" if facts.memory is None else format_kib(facts.memory)
        return self._figure(
            node,
            "memory",
            "Memory",
            seen,
            f"{needed} GB",
            (facts.memory or 0) >= needed * GIB * MEMORY_SHARE,
            "When memory runs out, the kernel kills processes, BIO first.",
            "Give the machine more memory, or accept this for a test installation.",
        )

    def _disk(self, context: CheckContext, node: CheckedNode, facts: HostFacts) -> Finding:
        """Judge the free space; where Oz is installed, the size, as Oz itself uses some."""
        if facts.disk_hangs:
            return hung_disk_finding(self, node, context.install_dir, about="disk", subject="Disk")
        if unmet := check_disk(-1 if facts.disk_free is None else facts.disk_free, facts.inodes_free):
            return self.finding(node, "failure", unmet.message, about="disk", subject="Disk", hint=unmet.hint)
        needed = node.requirements.disk if node.requirements else 0
        have = facts.disk_size if facts.installed else facts.disk_free
        seen = (
            "not reported"
            if facts.disk_free is None
            else f"{format_kib(facts.disk_free)} free at {facts.place}"
        )
        if facts.installed and facts.disk_size is not None:
            seen += f", of {format_kib(facts.disk_size)}"
        return self._figure(
            node,
            "disk",
            "Disk",
            seen,
            f"{needed} GB",
            (have or 0) >= needed * GIB * MEMORY_SHARE,
            "Images, models and logs need space; a full disk stops the queues.",
            "Enlarge the disk, choose another install_dir, or accept this for a test installation.",
        )

    def _figure(
        self,
        node: CheckedNode,
        about: str,
        subject: str,
        seen: str,
        figure: str,
        enough: bool,
        why: str,
        hint: str,
    ) -> Finding:
        if node.requirements is None:
            return self.finding(node, "ok", seen, about=about, subject=subject)
        return self.finding(
            node,
            "ok" if enough else "warning",
            seen,
            about=about,
            subject=subject,
            needed=f"{figure} ({node.source})",
            why=why,
            hint=hint,
        )

    def _flags(self, context: CheckContext, node: CheckedNode, facts: HostFacts) -> Finding:
        wanted, subject = context.release.bio_cpu, "CPU flags"
        needed = f"{' '.join(wanted.required)} (the vendor's requirement for BIO)"
        missing = [flag for flag in wanted.required if flag not in facts.flags]
        if not missing:
            faster = [flag for flag in wanted.recommended if flag in facts.flags]
            without = [flag for flag in wanted.recommended if flag not in facts.flags]
            seen = "all required flags" + (f", and {' '.join(faster)}" if faster else "")
            return self.finding(
                node,
                "ok",
                seen,
                about="flags",
                subject=subject,
                needed=needed,
                hint_when_ok=f"With {' '.join(without)} the vendor's faster image could be used."
                if without
                else "",
            )
        return self.finding(
            node,
            "warning",
            f"{facts.machine or 'the processor'} without {' '.join(missing)}",
            about="flags",
            subject=subject,
            needed=needed,
            why="TensorFlow in BIO is built for these flags; without them BIO crashes.",
            hint="Use another machine, or configure the hypervisor to pass through the host's CPU model.",
        )

    def _python(self, context: CheckContext, node: CheckedNode, facts: HostFacts) -> Finding:
        oldest = context.release.python
        version = parse_version(facts.python)
        enough = version is not None and version >= (parse_version(oldest) or ())
        return self.finding(
            node,
            "ok" if enough else "warning",
            facts.python if version else "no python3",
            about="python",
            subject="Python",
            needed=f"{oldest} or newer (the vendor's requirement)",
            why="oz-install does not need Python on the node; the vendor's tools do.",
            hint="Install python3 from the distribution's packages.",
        )

    def _folder(self, context: CheckContext, node: CheckedNode, facts: HostFacts) -> Finding:
        if unmet := check_folder(facts.access):
            return self.finding(
                node,
                "failure",
                safe_line(unmet.message),
                about="folder",
                subject="Install folder",
                hint=unmet.hint,
                remedy=make_folder(context, node, facts),
            )
        seen = f"{context.install_dir} is writable"
        return self.finding(node, "ok", seen, about="folder", subject="Install folder")

    def _kernel(self, node: CheckedNode, facts: HostFacts) -> Finding:
        version = parse_version(facts.kernel.partition(" ")[2])
        old = version is not None and version < OLDEST_KERNEL
        return self.finding(
            node,
            "warning" if old else "ok",
            facts.kernel or "not reported",
            about="kernel",
            subject="Kernel",
            needed="3.10 or newer (Docker's requirement)",
            why="Current container images are not known to work with an older kernel.",
            hint="Upgrade the operating system.",
        )

    def _rights(self, context: CheckContext, node: CheckedNode, facts: HostFacts) -> Finding:
        """State the login. Whether it may use the engine is judged by the check of the engine."""
        about, subject = "rights", "Rights"
        if facts.uid in (0, None):
            return self.finding(node, "ok", "commands run as root", about=about, subject=subject)
        engine = ENGINES[context.answers.engine]
        needs = f"it must be in the group {engine.group}" if engine.group else f"rootless {engine.title}"
        seen = f"commands run as {facts.login}, not as root: {needs}"
        return self.finding(node, "ok", seen, about=about, subject=subject)
