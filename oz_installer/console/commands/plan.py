"""``oz-install plan``: the changes and the resulting topology."""

from __future__ import annotations

import sys
from pathlib import Path

from oz_installer.answers.file import read
from oz_installer.console.commands.prepare import prepare_for
from oz_installer.console.context import RunState, print_json
from oz_installer.console.output.json_documents import plan_json
from oz_installer.console.output.streams import colours, write
from oz_installer.formatting.plan import plan_text
from oz_installer.installation.plan_diffs import with_diffs
from oz_installer.installation.platform import Opener
from oz_installer.installation.prepare import Prepared


def show_plan(
    path: Path,
    opener: Opener,
    shared: RunState,
    *,
    limit: tuple[str, ...] = (),
    json: bool = False,
    svg: Path | None = None,
) -> None:
    """Print the changes; ``svg``: file for a picture of the topology."""
    from oz_installer.console.commands.render import check_picture, write_file

    loaded = read(path)
    if svg is not None:
        check_picture(svg, loaded, path)
    prepared = prepare_for(loaded, path, opener, shared, limit=limit, quiet=json)
    try:
        if svg is not None:
            from oz_installer.topology.drawing.svg import draw_svg

            write_file(svg, draw_svg(prepared.desired_state.topology))
        prepared.require_engines()
        print_plan(prepared, json=json)
    finally:
        prepared.close()


def print_plan(prepared: Prepared, *, json: bool) -> None:
    """Print the topology and the changes, secrets masked."""
    plan = with_diffs(prepared)
    masker = prepared.desired_state.secrets.masker()
    if json:
        print_json(plan_json(plan, masker))
        return
    print_diagram(prepared)
    colour = colours(sys.stdout)
    write(sys.stdout, plan_text(plan, colour=colour, masker=masker), coloured=colour)


def print_diagram(prepared: Prepared) -> None:
    """Print the topology as a text diagram."""
    from oz_installer.topology.drawing.diagram import draw

    write(sys.stdout, draw(prepared.desired_state.topology) + "\n")
