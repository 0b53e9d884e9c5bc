"""The commands of an unattended run: from flags to what is printed."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from oz_installer.answers.file import read
from oz_installer.deploy.events import Message, RunEnded
from oz_installer.deploy.gate import Change, DryGate
from oz_installer.errors import AGAIN, AnswersError, DeployError, Interrupted
from oz_installer.installation import (
    Prepared,
    draft_blueprint,
    execute,
    prepare,
    read_logs,
    summarise,
    with_diffs,
)
from oz_installer.installation.failures import keep_failure
from oz_installer.secret import Masker, Secret
from oz_installer.telling.plan_text import plan_text, total_text
from oz_installer.telling.tables import summary_text
from oz_installer.telling.words import clean_line, counted
from oz_installer.unattended.console import face, kind_for
from oz_installer.unattended.documents import plan_json, summary_json
from oz_installer.unattended.stopping import stoppable
from oz_installer.unattended.streams import colours, is_terminal, write

Opener = Callable[..., Any]


@dataclass(frozen=True, kw_only=True)
class Flags:
    """What the command line says."""

    yes: bool
    dry_run: bool
    limit: tuple[str, ...]
    json: bool
    health_timeout: float | None
    new_secrets: bool = False


class Shared(Protocol):
    """What the command line learns while a command runs, for its last error message."""

    debug: bool
    masker: Masker | None


def install(path: Path, flags: Flags, opener: Opener, shared: Shared) -> None:
    """Install, upgrade, repair, or say that there is nothing to do."""
    with _untouched():
        prepared = prepare_for(path, flags, opener, shared)
    try:
        with _untouched():
            wanted = _is_wanted(prepared, flags)
        if wanted:
            _carry_out(prepared, flags)
    finally:
        prepared.close()


def _is_wanted(prepared: Prepared, flags: Flags) -> bool:
    """Show what should be seen first; whether there is something to carry out, and leave to do so."""
    if prepared.plan.nothing_to_do:
        _nothing_to_do(prepared, flags)
        return False
    prepared.require_engines()
    if flags.dry_run:
        _show(prepared, flags)
        _rehearse(prepared, flags)
        return False
    if not flags.yes and is_terminal(sys.stdin):
        _show(prepared, flags)
        _confirm()
    return True


@contextlib.contextmanager
def _untouched() -> Iterator[None]:
    """Where a run is stopped before it changes anything."""
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted("stopped at your request; nothing was changed", AGAIN) from None


def show_plan(path: Path, flags: Flags, opener: Opener, shared: Shared, svg: Path | None) -> None:
    """Print what would change."""
    prepared = prepare_for(path, flags, opener, shared)
    try:
        if svg is not None:
            from oz_installer.topology.svg import draw_svg

            _write_file(svg, draw_svg(prepared.blueprint.topology))
        prepared.require_engines()
        _show(prepared, flags)
    finally:
        prepared.close()


def show_status(path: Path, flags: Flags, opener: Opener, shared: Shared) -> None:
    """Print what runs where."""
    prepared = prepare_for(path, flags, opener, shared)
    try:
        if not all(facts.engine_ok for facts in prepared.facts.values()):
            prepared.require_engines()
        _summary(prepared, flags)
    finally:
        prepared.close()


def show_logs(path: Path, service: str, lines: int, opener: Opener) -> None:
    """Print the last log lines of a service, wherever it runs."""
    loaded = read(path)
    open_node = functools.partial(opener, base=path.parent, known_hosts=loaded.answers.known_hosts)
    for key, text in read_logs(loaded, path, open_node, service, lines, ask=_asker()).items():
        write(
            sys.stdout, "".join(f"{key} | {clean_line(line)}\n" for line in text.splitlines() or ["(no log)"])
        )


def render_to(path: Path, out: Path, shared: Shared) -> None:
    """Write every node's bundle below ``out``."""
    blueprint = draft_blueprint(read(path), path, ask=_asker(), connecting=False)
    shared.masker = blueprint.secrets.masker()
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise AnswersError(
            f"{out} is there already and is not an empty folder", "Name a new folder with --out."
        )
    try:
        out.mkdir(parents=True, exist_ok=True)
        out.chmod(0o700)
        blueprint.keep_secrets()  # the files hold them, and an installation later must not make others
        for node, bundle in blueprint.bundles.items():
            for file in bundle.files:
                target = out / node / file.path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.touch(mode=0o600 if file.secret else file.mode)
                target.write_bytes(file.content)
    except OSError as error:
        raise AnswersError(
            f"cannot write to {out}: {error.strerror}", "Name another folder with --out."
        ) from error
    count = sum(len(bundle.files) for bundle in blueprint.bundles.values())
    write(sys.stdout, f"{count} files of {len(blueprint.bundles)} nodes are in {out}\n")


def prepare_for(path: Path, flags: Flags, opener: Opener, shared: Shared) -> Prepared:
    """Connect, look and compare, saying so where it takes long."""
    loaded = read(path)
    open_node = functools.partial(opener, base=path.parent, known_hosts=loaded.answers.known_hosts)
    count = len(flags.limit or loaded.answers.nodes)
    with _patience(f"Connecting to {counted(count, 'node')} ...", flags):
        prepared = prepare(
            loaded, path, open_node, ask=_asker(), limit=flags.limit, new_secrets=flags.new_secrets
        )
    shared.masker = prepared.blueprint.secrets.masker()
    return prepared


@contextlib.contextmanager
def _patience(text: str, flags: Flags) -> Iterator[None]:
    """Say what takes so long, once it has taken a second."""
    timer = threading.Timer(1.0, write, (sys.stderr, f"{text}\n"))
    timer.daemon = True
    if not flags.json:
        timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _asker() -> Callable[[str], Secret] | None:
    if not is_terminal(sys.stdin):
        return None
    import getpass

    return lambda label: Secret(getpass.getpass(f"{label}: ", stream=sys.stderr))


def _nothing_to_do(prepared: Prepared, flags: Flags) -> None:
    if flags.json:
        _json(RunEnded(outcome="nothing to do", seconds=0).as_json())
    else:
        write(sys.stdout, f"{total_text(prepared.plan)}\n")


def _show(prepared: Prepared, flags: Flags) -> None:
    plan = with_diffs(prepared)
    masker = prepared.blueprint.secrets.masker()
    if flags.json:
        _json(plan_json(plan, masker))
        return
    from oz_installer.topology.diagram import draw

    write(sys.stdout, draw(prepared.blueprint.topology) + "\n")
    write(sys.stdout, plan_text(plan, colour=colours(sys.stdout), masker=masker))


def _rehearse(prepared: Prepared, flags: Flags) -> None:
    """Go through the phases with the gate shut."""
    masker = prepared.blueprint.secrets.masker()
    screen = face(kind_for(flags.json, sys.stderr), sys.stdout, sys.stderr, masker)

    def tell(change: Change) -> None:
        screen.on_event(Message(level="info", text=f"would {change.what}", node=change.node or None))

    try:
        execute(prepared, screen.on_event, gate=DryGate(tell))
    finally:
        screen.close()


def _confirm() -> None:
    import click

    if not click.confirm("Go on?", default=False, err=True):
        raise Interrupted("stopped at your request", "Nothing was changed.")


def _carry_out(prepared: Prepared, flags: Flags) -> None:
    masker = prepared.blueprint.secrets.masker()
    screen = face(kind_for(flags.json, sys.stderr), sys.stdout, sys.stderr, masker)
    try:
        with stoppable() as stop:
            execute(prepared, screen.on_event, health_timeout=flags.health_timeout, stop=stop)
    except DeployError as error:
        keep_failure(prepared.blueprint.path, error, masker)
        raise
    finally:
        screen.close()
    try:
        _summary(prepared, flags)
    except KeyboardInterrupt:
        raise Interrupted(
            "stopped at your request; everything is installed", "oz-install status shows what runs where."
        ) from None
    if not flags.json:
        from oz_installer.topology.diagram import draw

        write(sys.stdout, "\n" + draw(prepared.blueprint.topology) + "\n")


def _summary(prepared: Prepared, flags: Flags) -> None:
    summary = summarise(prepared)
    if flags.json:
        _json(summary_json(summary))
    else:
        write(sys.stdout, summary_text(summary))


def _json(document: dict[str, Any]) -> None:
    write(sys.stdout, json.dumps(document, default=str) + "\n")


def _write_file(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise AnswersError(
            f"cannot write {path}: {os.strerror(error.errno or 0)}", "Name another file."
        ) from error
