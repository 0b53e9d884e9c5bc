"""Findings about the kind of engine: another machine's, rootless, with mapped users. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from oz_installer.catalog.engine import ENGINES
from oz_installer.checks.base import NodeCheck
from oz_installer.checks.context import CheckContext, CheckedNode, Finding
from oz_installer.checks.engine.container_facts import ContainerFacts
from oz_installer.text import join_and


def mode_findings(
    check: NodeCheck[Any], context: CheckContext, node: CheckedNode, facts: ContainerFacts
) -> Iterator[Finding]:
    """Yield what such an engine cannot do for Oz."""
    if facts.elsewhere:
        yield _elsewhere(check, context, node, facts.elsewhere)
        return
    if facts.maps_users:
        yield check.finding(
            node,
            "failure",
            "Docker maps the users of containers to others (userns-remap)",
            about="users",
            subject="Users of containers",
            needed="root of a container is root of the node",
            why="Containers could not write to the folders of the installation.",
            hint="Take userns-remap out of /etc/docker/daemon.json and restart Docker, which then lacks the "
            "containers and images of before; or use another node.",
        )
    if facts.media and facts.media[0] != facts.media[1]:
        yield _hidden_media(check, node, str(context.answers.storage.path))
    if facts.rootless:
        yield from _rootless(check, node, facts)


def _elsewhere(check: NodeCheck[Any], context: CheckContext, node: CheckedNode, address: str) -> Finding:
    engine = ENGINES[context.answers.engine]
    return check.finding(
        node,
        "failure",
        f"the command {engine.name} talks to the engine of {address}",
        about="engine",
        subject="Engine of the node",
        needed="the engine of this node, through its local socket",
        why="Containers would run there, and their folders would be made here.",
        hint="Unset DOCKER_HOST and DOCKER_CONTEXT for the login, and run docker context use default."
        if engine.has_daemon
        else "Unset CONTAINER_HOST and CONTAINER_CONNECTION for the login.",
    )


def _hidden_media(check: NodeCheck[Any], node: CheckedNode, folder: str) -> Finding:
    return check.finding(
        node,
        "failure",
        f"the running containers lack what is mounted at {folder}: they started before the mount",
        about="media",
        subject="Media storage",
        needed="the same device in the containers as on the node",
        why="Media are written beneath the mount, on this node alone.",
        hint=f"Stop Oz's containers, unmount {folder}, save what lies there, mount it, start them again.",
    )


def _rootless(check: NodeCheck[Any], node: CheckedNode, facts: ContainerFacts) -> Iterator[Finding]:
    low = sorted({port.host for port in node.ports if port.host < facts.ports_from})
    if low:
        yield check.finding(
            node,
            "failure",
            f"an engine without root may not publish port {join_and(map(str, low))}",
            about="ports",
            subject="Published ports",
            needed=f"net.ipv4.ip_unprivileged_port_start of at most {low[0]}",
            why="The services on these ports would not start.",
            hint=f"Run as root: sysctl -w net.ipv4.ip_unprivileged_port_start={low[0]}, and set it in "
            "/etc/sysctl.d/oz.conf, too; or use an engine of root.",
        )
    if not facts.lingers:
        yield check.finding(
            node,
            "warning",
            f"the engine belongs to {facts.login} and ends with its last session",
            about="linger",
            subject="Engine without root",
            needed="an engine that keeps running",
            why="All containers stop when the last session of the login ends.",
            hint=f"Run as root: loginctl enable-linger {facts.login}",
        )
