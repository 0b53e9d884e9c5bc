"""``oz-install lab``: throw-away nodes on this machine to rehearse on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

DEFAULT = "default"


@click.group()
def lab() -> None:
    """Run throw-away nodes on this machine to rehearse on.

    Needs Linux, root and Docker Engine.
    """


lab_name: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--name", default=DEFAULT, show_default=True, help="Name of the lab."
)


@lab.command("up")
@lab_name
@click.option("--nodes", type=click.IntRange(1, 8), default=2, show_default=True, help="Number of nodes.")
@click.option(
    "--suite",
    type=click.Choice(["trixie", "bookworm"]),
    default="trixie",
    show_default=True,
    help="Debian release of the nodes; bookworm has the older engines.",
)
@click.option(
    "--with",
    "extras",
    multiple=True,
    type=click.Choice(["rabbitmq", "podman"]),
    help="Also prepare RabbitMQ's image, or all images for Podman; may be repeated.",
)
def lab_up(name: str, nodes: int, suite: Any, extras: tuple[Any, ...]) -> None:
    """Start nodes and a database server.

    Also writes an inventory and an answers file that is ready to use, and prints where they are.
    """
    from oz_installer.lab import LabOptions, up

    made = up(LabOptions(name=name, nodes=nodes, suite=suite, extras=extras, say=_say))
    first, down = made.nodes(1)[0].address, _with_name("oz-install lab down", name)
    _say(f"To log in to a node: ssh -i {made.key} -o UserKnownHostsFile={made.known_hosts} root@{first}")
    _say(f"Next: oz-install --answers {made.answers}; at the end: {down}")


@lab.command("down")
@lab_name
@click.option("--engine", is_flag=True, help="Also stop the Docker Engine, if the lab started it.")
@click.option("--cache", is_flag=True, help="Also remove the images that all labs share.")
def lab_down(name: str, engine: bool, cache: bool) -> None:
    """Remove the lab and everything that belongs to it."""
    from oz_installer.lab import down, remove_cache, stop_engine

    down(name, say=_say)
    if cache:
        remove_cache(_say)
    if engine:
        stop_engine(_say)


@lab.command("status")
@lab_name
@click.pass_context
def lab_status(context: click.Context, name: str) -> None:
    """Show the parts of the lab; exit code 1 when one is not ready."""
    from oz_installer.lab import status as read_status

    found = read_status(name)
    if not found.parts:
        click.echo(f"There is no lab {name!r}; {_with_name('oz-install lab up', name)} makes one.", err=True)
    for part in found.parts:
        mark = "ready" if part.ready else "not ready"
        click.echo(f"{part.name:8} {part.address!s:15} {part.state:10} {mark:10} {part.detail}".rstrip())
    if not found.ready:
        context.exit(1)


def _say(text: str) -> None:
    click.echo(text, err=True)


def _with_name(command: str, name: str) -> str:
    return command if name == DEFAULT else f"{command} --name {name}"
