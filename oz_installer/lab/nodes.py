"""Lab nodes: containers with their own sshd and container engine."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from oz_installer.errors import DeployError
from oz_installer.lab.archive import Archive
from oz_installer.lab.docker import docker, inspect
from oz_installer.lab.options import Lab, LabNode, Say

READY_LIMIT = 180
_MARK = "/var/lib/docker/oz-lab-standins"
_STAND_IN = "label=com.ozforensics.stand-in=true"
# Equals --privileged, but also works where CAP_SYS_RESOURCE is not available.
_RIGHTS = (
    "--cap-add=ALL", "--cap-drop=SYS_RESOURCE", "--security-opt=seccomp=unconfined",
    "--security-opt=apparmor=unconfined", "--security-opt=systempaths=unconfined",
    "--device-cgroup-rule=a *:* rwm", "--cgroupns=host", "--volume=/sys/fs/cgroup:/sys/fs/cgroup:rw",
)  # fmt: skip


def engine_argv(container: str, image: str, volume: str, cgroup: str, *more: str, key: str = "") -> list[str]:
    """Return the docker arguments for a container whose engine keeps its data in ``volume``."""
    return [
        "run", "--detach", "--init", *_RIGHTS, "--name", container, *more,
        "--env", f"OZ_LAB_KEY={key}", "--env", f"OZ_LAB_CGROUP={cgroup}",
        "--volume", f"{volume}:/var/lib/docker", "--volume", "/var/lib/containers", image, "oz-lab-node",
    ]  # fmt: skip


def node_argv(lab: Lab, node: LabNode, image: str, public_key: str) -> list[str]:
    """Return the docker arguments that start a node."""
    return engine_argv(
        node.container, image, node.volume, node.cgroup,
        "--hostname", node.name, "--label", lab.label, "--network", lab.network, "--ip", str(node.address),
        "--volume", f"{lab.share}:/mnt/oz",
        "--volume", f"{lab.sudo_password}:/run/oz-lab/sudo_password:ro", key=public_key,
    )  # fmt: skip


def ensure_node(
    lab: Lab, node: LabNode, image: str, public_key: str, plant: Callable[[str], bool], say: Say
) -> bool:
    """Make the node run; return whether anything had to be done. Raises DeployError.

    ``plant`` may fill the new volume of a node's engine before the engine starts.
    """
    found = inspect("container", node.container)
    if found and found["Config"]["Image"] != image:
        say(f"{node.name} runs an older image; to replace it, run «lab down», then «lab up» again.")
    if found and not found["State"]["Running"]:
        say(f"Starting {node.name} again ...")
        docker("start", node.container)
    elif not found:
        docker("volume", "rm", "--force", node.volume)  # may be half filled
        docker("volume", "create", "--label", lab.label, node.volume)
        plant(node.volume)
        docker(*node_argv(lab, node, image, public_key))
    wait_for_engine(node)
    return not (found and found["State"]["Running"])


def wait_for_engine(node: LabNode) -> None:
    """Wait until the node's engine answers. Raises DeployError on a timeout."""
    wait_until(
        lambda: engine_version(node) is not None, f"{node.name}: its Docker Engine did not start", node
    )


def ensure_images(node: LabNode, archive: Archive) -> bool:
    """Load the stand-in images unless the node has them; return whether they were loaded."""
    mark = f"{_MARK}-{archive.base_digest[:12]}"
    listing = f"docker image ls --filter {_STAND_IN} --format '{{{{.Repository}}}}:{{{{.Tag}}}}'"
    script = f"cat {mark} 2>/dev/null; echo; {listing}"
    loaded_digest, *present = docker("exec", node.container, "sh", "-c", script).out.split("\n")
    if loaded_digest == archive.digest and set(archive.names) <= set(present):
        return False
    load = ["docker", "exec", "-i", node.container, "docker", "load", "--quiet"]
    try:
        if not (loaded_digest and set(archive.names) & set(present)):
            raise DeployError("the base layer is missing")
        load_into(load, lambda pipe: archive.write(pipe, with_base=False))
    except DeployError:
        load_into(load, archive.write)
    docker("exec", "-i", node.container, "tee", mark, text=archive.digest)
    docker("exec", node.container, "docker", "image", "prune", "--force", "--filter", _STAND_IN)
    return True


def ensure_podman_images(node: LabNode, archive: Archive) -> bool:
    """Load the stand-in images into Podman unless present; return whether they were loaded."""
    listing = ["podman", "images", "--filter", _STAND_IN, "--format", "{{.Repository}}:{{.Tag}}"]
    present = docker("exec", node.container, *listing).out.split()
    mark = f"/var/lib/containers/oz-lab-standins-{archive.base_digest[:12]}"
    loaded_digest = docker("exec", node.container, "cat", mark, check=False).out
    if loaded_digest == archive.digest and set(archive.full_names) <= set(present):
        return False
    load_into(["docker", "exec", "-i", node.container, "podman", "load", "--quiet"], archive.write)
    docker("exec", "-i", node.container, "tee", mark, text=archive.digest)
    return True


def load_into(command: list[str], write: Callable[[IO[bytes]], None]) -> None:
    """Run a command and stream an archive into it. Raises DeployError when it fails."""
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin is not None  # noqa: S101 (it is a pipe)
        assert process.stderr is not None  # noqa: S101 (it is a pipe)
        try:
            write(process.stdin)
            process.stdin.close()
        except BrokenPipeError:
            pass
        message = process.stderr.read().decode(errors="replace").strip()
    if process.returncode != 0:
        raise DeployError(f"{command[3]}: loading the stand-in images failed: {message}")


def known_hosts_lines(node: LabNode) -> list[str]:
    """Return the host keys as known_hosts lines, read inside the node, not over the network."""
    keys = docker("exec", node.container, "sh", "-c", "cat /etc/ssh/ssh_host_*_key.pub").out
    return [f"{node.address} {kind} {key}" for kind, key in (line.split()[:2] for line in keys.splitlines())]


def remove_cgroups(node_cgroup: str) -> None:
    """Remove the empty cgroups that a node's engine left on this machine."""
    if not node_cgroup.startswith("/oz-lab-"):
        return
    for root in [*Path("/sys/fs/cgroup").glob(f"*{node_cgroup}"), Path(f"/sys/fs/cgroup{node_cgroup}")]:
        if not root.is_dir():
            continue
        for folder in sorted((path for path in root.rglob("*") if path.is_dir()), reverse=True):
            folder.rmdir()
        root.rmdir()


def wait_until(ready: Callable[[], bool], failure: str, node: LabNode | None = None) -> None:
    """Poll until ``ready()``. Raises DeployError with the engine's last log lines on a timeout."""
    end = time.monotonic() + READY_LIMIT
    while not ready():
        if time.monotonic() > end:
            tail = ["tail", "-20", "/var/log/dockerd.log"]
            log = docker("exec", node.container, *tail, check=False).out if node else ""
            raise DeployError(
                f"{failure} within {READY_LIMIT} s", "run «lab down», then «lab up» again", details=log
            )
        time.sleep(0.2)


def engine_version(node: LabNode) -> str | None:
    """Return the version of the node's engine; None when it does not answer."""
    result = docker(
        "exec", node.container, "docker", "version", "--format", "{{.Server.Version}}", check=False
    )
    return result.out.strip() if result.status == 0 else None
