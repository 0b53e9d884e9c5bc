"""The machine itself: cores, memory, disk, CPU flags, Python, the install folder."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from oz_installer.checks.check import Look
from oz_installer.checks.model import Finding, Site, Spot
from oz_installer.checks.text import count, fields, gigabytes, number, said
from oz_installer.remote.commands import parse_version
from oz_installer.remote.fitness import disk_lack, folder_lack

GIB = 1024 * 1024  # in KiB
MEMORY_SHARE = 0.9
"""A machine of 32 GB shows a little less: firmware and kernel keep some."""

_SCRIPT = """
dir={dir}
echo "cores $(nproc || getconf _NPROCESSORS_ONLN)"
awk '$1 == "MemTotal:" {{ print "memory", $2 }}' /proc/meminfo
awk -F ': *' '/^(flags|Features)/ {{ print "flags", $2; exit }}' /proc/cpuinfo
awk -F ': *' '/^model name/ {{ print "model", $2; exit }}' /proc/cpuinfo
echo "machine $(uname -m)"
echo "kernel $(uname -sr)"
(. /etc/os-release && echo "os $PRETTY_NAME")
echo "python $(python3 --version 2>&1)"
[ ! -e "$dir/current" ] || echo "installed yes"
place=$dir
while [ ! -d "$place" ]; do place=$(dirname "$place"); done
echo "place $place"
soon df -Pk "$place" | awk 'END {{ print "disk", $2, $4, $6 }}'
if [ -r "$place" ] && [ -w "$place" ] && [ -x "$place" ]; then echo "access ok"; else
  mounted=$(soon df -P "$place" | awk 'END {{ print $6 }}')
  if awk -v at="$mounted" '$2 == at {{ options = $4 }} END {{ exit options !~ /^ro(,|$)/ }}' /proc/mounts
  then echo "access read-only $place"; else echo "access denied $place"; fi
fi
"""


@dataclass(frozen=True, kw_only=True)
class HostFacts:
    """A machine as it describes itself. Memory and disk in KiB; None where it could not tell.

    ``place`` is the install folder, or the nearest folder above it that is there.
    """

    cores: int | None = None
    memory: int | None = None
    flags: frozenset[str] = frozenset()
    model: str = ""
    machine: str = ""
    kernel: str = ""
    os: str = ""
    python: str = ""
    place: str = ""
    disk_size: int | None = None
    disk_free: int | None = None
    installed: bool = False
    access: str = "ok"


class Host(Look[HostFacts]):
    """Held against the figures of the layout: what falls short is a warning, for a test may do with less."""

    name = "host"
    title = "Machine"

    def script(self, site: Site, spot: Spot) -> str:
        """Everything that the machine says of itself."""
        del spot
        return _SCRIPT.format(dir=shlex.quote(site.install_dir))

    def parse(self, text: str) -> HostFacts:
        """Facts from its lines."""
        told = fields(text)
        size, _, rest = told.get("disk", "").partition(" ")
        return HostFacts(
            cores=number(told.get("cores", "")),
            memory=number(told.get("memory", "")),
            flags=frozenset(told.get("flags", "").split()),
            model=said(told.get("model", "")),
            machine=said(told.get("machine", "")),
            kernel=said(told.get("kernel", "")),
            os=said(told.get("os", "")),
            python=said(told.get("python", "")),
            place=said(told.get("place", "")),
            disk_size=number(size),
            disk_free=number(rest.partition(" ")[0]),
            installed=told.get("installed") == "yes",
            access=told.get("access", "ok"),
        )

    def shown(self, facts: HostFacts) -> Iterator[tuple[str, str]]:
        """What a person asks of a server first."""
        yield "OS", facts.os or facts.kernel
        if facts.cores is not None:
            yield "CPU", f"{count(facts.cores, 'core')}{f', {facts.model}' if facts.model else ''}"
        if facts.memory is not None:
            yield "Memory", gigabytes(facts.memory)
        if facts.disk_free is not None:
            yield (
                "Disk",
                f"{gigabytes(facts.disk_free)} free of {gigabytes(facts.disk_size or 0)} at {facts.place}",
            )

    def judge(self, site: Site, spot: Spot, facts: HostFacts) -> Iterator[Finding]:
        """Every figure, then what the vendor asks, then whether we may write at all."""
        yield self._cores(spot, facts)
        yield self._memory(spot, facts)
        yield self._disk(spot, facts)
        if "bio" in spot.roles:
            yield self._flags(site, spot, facts)
        yield self._python(site, spot, facts)
        yield self._folder(site, spot, facts)

    def _cores(self, spot: Spot, facts: HostFacts) -> Finding:
        needed = spot.needs.cpu if spot.needs else 0
        seen = "not told" if facts.cores is None else count(facts.cores, "core")
        return self._figure(
            spot,
            "cpu",
            "CPU",
            seen,
            f"{needed} cores",
            (facts.cores or 0) >= needed,
            "With fewer cores it carries fewer analyses a minute.",
            "Give the machine more cores, or accept this for a test installation.",
        )

    def _memory(self, spot: Spot, facts: HostFacts) -> Finding:
        needed = spot.needs.memory if spot.needs else 0
        seen = "not told" if facts.memory is None else gigabytes(facts.memory)
        return self._figure(
            spot,
            "memory",
            "Memory",
            seen,
            f"{needed} GB",
            (facts.memory or 0) >= needed * GIB * MEMORY_SHARE,
            "The kernel ends processes when memory runs out, first of all the BIO.",
            "Give the machine more memory, or accept this for a test installation.",
        )

    def _disk(self, spot: Spot, facts: HostFacts) -> Finding:
        """Where Oz is installed already, a part of the disk is used by it: there its size counts."""
        if facts.disk_free is not None and (lack := disk_lack(facts.disk_free)):
            return self.finding(spot, "failure", lack.message, about="disk", subject="Disk", hint=lack.hint)
        needed = spot.needs.disk if spot.needs else 0
        have = facts.disk_size if facts.installed else facts.disk_free
        seen = (
            "not told" if facts.disk_free is None else f"{gigabytes(facts.disk_free)} free at {facts.place}"
        )
        if facts.installed and facts.disk_size is not None:
            seen += f", of {gigabytes(facts.disk_size)}"
        return self._figure(
            spot,
            "disk",
            "Disk",
            seen,
            f"{needed} GB",
            (have or 0) >= needed * GIB * MEMORY_SHARE,
            "Images, models and logs need room; a full disk stops the queues.",
            "Enlarge the disk, choose another install_dir, or accept this for a test installation.",
        )

    def _figure(
        self, spot: Spot, about: str, subject: str, seen: str, figure: str, enough: bool, why: str, hint: str
    ) -> Finding:
        if spot.needs is None:
            return self.finding(spot, "ok", seen, about=about, subject=subject)
        needed = f"{figure} ({spot.source})"
        if enough:
            return self.finding(spot, "ok", seen, about=about, subject=subject, needed=needed)
        return self.finding(
            spot, "warning", seen, about=about, subject=subject, needed=needed, why=why, hint=hint
        )

    def _flags(self, site: Site, spot: Spot, facts: HostFacts) -> Finding:
        wanted, subject = site.release.bio_cpu, "CPU flags"
        needed = f"{' '.join(wanted.needed)} (the vendor's requirement for BIO)"
        missing = [flag for flag in wanted.needed if flag not in facts.flags]
        if not missing:
            faster = [flag for flag in wanted.advised if flag in facts.flags]
            without = [flag for flag in wanted.advised if flag not in facts.flags]
            seen = "all that are needed" + (f", and {' '.join(faster)}" if faster else "")
            hint = f"{' '.join(without)} would allow the vendor's faster image." if without else ""
            return self.finding(spot, "ok", seen, about="flags", subject=subject, needed=needed, hint=hint)
        return self.finding(
            spot,
            "warning",
            f"{facts.machine or 'the processor'} without {' '.join(missing)}",
            about="flags",
            subject=subject,
            needed=needed,
            why="The BIO's TensorFlow is built for them: without them it ends with an illegal instruction.",
            hint="Use another machine, or let the hypervisor pass the host's CPU model through.",
        )

    def _python(self, site: Site, spot: Spot, facts: HostFacts) -> Finding:
        oldest = site.release.python
        version = parse_version(facts.python)
        enough = version is not None and version >= (parse_version(oldest) or ())
        return self.finding(
            spot,
            "ok" if enough else "warning",
            facts.python if version else "no python3",
            about="python",
            subject="Python",
            needed=f"{oldest} or newer (the vendor's requirement)",
            why="" if enough else "oz-install does without it; the vendor's own tools do not.",
            hint="" if enough else "Install python3 from the distribution.",
        )

    def _folder(self, site: Site, spot: Spot, facts: HostFacts) -> Finding:
        if lack := folder_lack(facts.access):
            return self.finding(
                spot, "failure", said(lack.message), about="folder", subject="Install folder", hint=lack.hint
            )
        seen = f"{site.install_dir} can be written"
        return self.finding(spot, "ok", seen, about="folder", subject="Install folder")
