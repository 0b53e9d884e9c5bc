"""A virtual machine: an emulated processor, a disk whose changes are forgotten, SSH at a port of loopback."""

from __future__ import annotations

import base64
import re
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from oz_installer.checks.engine import tiny_image
from oz_installer.errors import OzError
from oz_installer.remote.ssh.transport import SshTarget, SshTransport, connect
from tests.vm.image import Image

T = TypeVar("T")

BOOT_SECONDS = 600
"""An emulated processor on a busy machine may take this long; it takes half a minute."""
MEGABYTES = 1024
_TURN_SECONDS = 0.2
_KEY = re.compile(r"oz-vm key (SHA256:\S+) oz-vm")


@dataclass
class Machine:
    """One that runs; ``link`` is the socket of the cable between two of them."""

    name: str
    address: str
    port: int
    folder: Path
    key: Path
    process: subprocess.Popen[bytes]
    host_key: str = ""
    _transport: SshTransport | None = field(default=None, repr=False)

    @property
    def console(self) -> str:
        """What it has said at its console so far."""
        file = self.folder / f"{self.name}.log"
        return file.read_text(errors="replace") if file.is_file() else ""

    def wait(self) -> None:
        """Until it has booted and lets us in."""
        self.host_key = _until(self._told_key, BOOT_SECONDS, self)
        self._transport = _until(self._connected, BOOT_SECONDS, self)
        self.on("systemctl is-system-running --wait || systemctl --failed --no-legend")
        self._warm_up()

    def on(self, script: str, *, check: bool = True) -> str:
        """What a shell script prints there."""
        assert self._transport is not None, f"{self.name} is not up"
        result = self._transport.run(("bash", "-c", script), timeout=BOOT_SECONDS)
        if check and not result.ok:
            raise AssertionError(f"{self.name}: {script}: {result.text}{result.stderr_text}")
        return result.text

    def until(self, script: str, seconds: float = 120) -> None:
        """Until a shell script succeeds there."""
        self.on(f"end=$((SECONDS + {seconds:.0f})); until {script}; do "
                f"[ $SECONDS -lt $end ] || exit 1; sleep 0.2; done")  # fmt: skip

    def stop(self) -> None:
        """Pull the plug."""
        if self._transport is not None:
            self._transport.close()
        self.process.kill()
        self.process.wait()

    def _warm_up(self) -> None:
        """The first container that a machine starts reads what the later ones find in memory."""
        assert self._transport is not None
        script = (
            "image=$(docker import -); docker run --rm --network none $image /$(uname -m)/oz-install-check; "
            "docker rmi -f $image"
        )
        self._transport.run(("bash", "-c", script), stdin=tiny_image.image(), timeout=BOOT_SECONDS)

    def _told_key(self) -> str | None:
        found = _KEY.search(self.console)
        return found.group(1) if found else None

    def _connected(self) -> SshTransport | None:
        target = SshTarget(
            name=self.name, host="127.0.0.1", port=self.port, user="root", key_file=self.key,
            host_key=self.host_key,
        )  # fmt: skip
        try:
            return connect(target, timeout=60)
        except OzError:
            return None


def boot(
    image: Image, name: str, address: str, port: int, folder: Path, key: Path, *, first: bool
) -> Machine:
    """Start one; it dies with the thread that started it. The first is one end of the cable."""
    public = base64.b64encode(key.with_suffix(".pub").read_bytes()).decode()
    words = (
        "root=/dev/vda rootfstype=ext4 rw console=ttyS0 quiet net.ifnames=0 mitigations=off apparmor=0",
        # the kernel's test of the timer fails where the host is busy
        "no_timer_check panic=-1",
        f"systemd.show_status=false systemd.hostname={name} oz.address={address} oz.key={public}",
    )
    link = folder / "link"
    # QEMU 7.2 loses the flags when an interrupt comes right after cmpxchg16b, and the kernel panics.
    processor = "max,-cx16"
    # The limits of checks are for real machines: beside other work, emulated ones come first.
    argv = [
        "nice", "-n", "-10", "setpriv", "--pdeathsig", "KILL", "qemu-system-x86_64", "-name", name,
        "-accel", "tcg", "-cpu", processor, "-smp", "2", "-m", str(MEGABYTES), "-display", "none", "-monitor",
        "none", "-no-reboot", "-serial", f"file:{folder / name}.log", "-append", " ".join(words),
        "-kernel", str(image.kernel), "-initrd", str(image.initrd), "-device", "virtio-rng-pci",
        "-drive", f"file={image.disk},format=raw,if=virtio,snapshot=on",
        "-netdev", f"user,id=out,restrict=on,hostfwd=tcp:127.0.0.1:{port}-:22",
        "-device", "virtio-net-pci,netdev=out",
        "-netdev", f"stream,id=link,server={'on' if first else 'off'},addr.type=unix,addr.path={link}",
        "-device", f"virtio-net-pci,netdev=link,mac=52:54:00:77:00:{address.rpartition('.')[2]:0>2}",
    ]  # fmt: skip
    with (folder / f"{name}.qemu").open("wb") as said:
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
    machine = Machine(name=name, address=address, port=port, folder=folder, key=key, process=process)
    if first:
        _until(link.exists, 60, machine)
    return machine


def _until(ask: Callable[[], T | None], seconds: float, machine: Machine) -> T:
    """What it gives when it gives something."""
    end = time.monotonic() + seconds
    while not (answer := ask()):
        if machine.process.poll() is not None or time.monotonic() > end:
            said = (machine.folder / f"{machine.name}.qemu").read_text(errors="replace")
            raise AssertionError(f"{machine.name} did not start: {said}\n{machine.console[-3000:]}")
        time.sleep(_TURN_SECONDS)
    return answer
