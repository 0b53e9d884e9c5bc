"""The strict Jinja environment, which rejects unquoted values. Also locates ``templates/``."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import jinja2
from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket

from oz_installer.errors import OzError
from oz_installer.render.filters import FILTERS, Quoted

PACKAGE = Path(__file__).resolve().parent.parent


class UnquotedError(TypeError):
    """A template emits a value without a quoting filter, which is a fault of the template."""


@cache
def templates_folder() -> Path:
    """Return ``templates/`` in the installed package, or next to it in a source checkout."""
    for folder in (PACKAGE / "templates", PACKAGE.parent / "templates"):
        if (folder / "config").is_dir():
            return folder
    raise OzError(f"the templates are missing from {PACKAGE}", "install oz-install again")


@cache
def environment() -> Environment:
    """Return the environment of all templates, cached for the life of the process."""
    made = Environment(
        loader=FileSystemLoader(templates_folder()),
        undefined=StrictUndefined,
        finalize=_only_quoted,
        autoescape=False,  # noqa: S701 - nothing here is HTML; ``_only_quoted`` is the stricter gate
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
        bytecode_cache=_bytecode_cache(),
    )
    made.filters.update(FILTERS)
    return made


def render_template(name: str, context: Mapping[str, object]) -> str:
    """Render ``templates/NAME``. UnquotedError and UndefinedError are faults of the template."""
    return environment().get_template(name).render(context)


def cache_folder() -> Path | None:
    """Return the user's folder for compiled templates, created if missing; None if unsafe.

    Its files are run as code, so it must be a real folder that only this user can write to.
    """
    try:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        folder = base / "oz-install" / "templates"
        if not base.is_absolute():
            return None
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return folder if _is_ours(folder.parent.lstat(), 0o022) and _is_ours(folder.lstat(), 0o077) else None
    except (OSError, RuntimeError):
        return None


def _is_ours(status: os.stat_result, forbidden: int) -> bool:
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & forbidden


def _bytecode_cache() -> _TemplateCache | None:
    folder = cache_folder()
    return None if folder is None else _TemplateCache(str(folder))


class _TemplateCache(FileSystemBytecodeCache):
    """A cache of compiled templates, valid for this version of the filters and of Jinja.

    Compiling takes about 35 ms per run, loading about 5. A cache that cannot be read or written costs only
    that time.
    """

    def get_source_checksum(self, source: str) -> str:
        """Return the checksum of the template and of everything that affects its compilation."""
        return hashlib.sha256((_compiler() + source).encode()).hexdigest()

    def load_bytecode(self, bucket: Bucket) -> None:
        """Load a compiled template; an invalid one is compiled again."""
        try:
            super().load_bytecode(bucket)
        except Exception:  # noqa: BLE001 - unpickling a broken file may raise anything
            bucket.reset()

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Save a compiled template, if possible."""
        with contextlib.suppress(OSError):
            super().dump_bytecode(bucket)


@cache
def _compiler() -> str:
    """Return a digest of Jinja's version and of the modules compiled into templates."""
    sources = [Path(__file__).read_bytes(), Path(__file__).with_name("filters.py").read_bytes()]
    return jinja2.__version__ + hashlib.sha256(b"".join(sources)).hexdigest()


def _only_quoted(value: object) -> object:
    """Return quoted text and integers unchanged. Raises UnquotedError for anything else."""
    if isinstance(value, Quoted) or type(value) is int:
        return value
    if isinstance(value, StrictUndefined):
        str(value)  # raises UndefinedError, with the name of what is undefined
    raise UnquotedError(f"a template emits a {type(value).__name__} without a quoting filter")
