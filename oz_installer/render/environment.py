"""Strict Jinja: the one module that finds ``templates/``, and the gate that nothing unquoted passes."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.exceptions import UndefinedError

from oz_installer.errors import OzError
from oz_installer.render.filters import FILTERS, Quoted

PACKAGE = Path(__file__).resolve().parent.parent


class UnquotedError(TypeError):
    """A template emits a value that went through no quoting filter; a fault of the template."""


@cache
def templates_folder() -> Path:
    """``templates/`` inside the installed package, or beside the package in a source checkout."""
    for folder in (PACKAGE / "templates", PACKAGE.parent / "templates"):
        if (folder / "config").is_dir():
            return folder
    raise OzError(f"the templates are missing from {PACKAGE}", "install oz-install again")


@cache
def environment() -> Environment:
    """The environment of every template; compiled templates are kept for the life of the process."""
    made = Environment(  # noqa: S701 - nothing here is HTML; ``_only_quoted`` is the stricter gate
        loader=FileSystemLoader(templates_folder()),
        undefined=StrictUndefined,
        finalize=_only_quoted,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    made.filters.update(FILTERS)
    return made


def render_template(name: str, context: dict[str, object]) -> str:
    """Render ``templates/NAME``. UnquotedError and UndefinedError are faults of the template."""
    return environment().get_template(name).render(context)


def _only_quoted(value: object) -> object:
    """Let pass what a quoting filter made, and whole numbers."""
    if isinstance(value, Quoted) or type(value) is int:
        return value
    if isinstance(value, StrictUndefined):
        raise UndefinedError(value._undefined_message)
    raise UnquotedError(f"a template emits a {type(value).__name__} that no filter has quoted")
