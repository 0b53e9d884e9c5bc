"""Licence files: there, whole, readable by nobody else, and on their way to the right nodes only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from oz_installer.answers.licence_file import is_world_readable, json_error, read_licence
from oz_installer.answers.local_files import UnreadableFile, resolve_path
from oz_installer.checks.base import InstallationCheck
from oz_installer.checks.context import CheckContext, Finding
from oz_installer.errors import FAULT_HINT
from oz_installer.text import join_and, plural, safe_line
from oz_installer.topology.licences import nodes_by_licence

_ROLES = {"bio": "bio"}
"""The role that a licence is for; that of the web adapter is for whichever node runs it."""
_JSON = ("web_adapter",)
_SUBJECTS = {"bio": "BIO licence", "web_adapter": "Web adapter licence"}


@dataclass(frozen=True, kw_only=True)
class LicenceFacts:
    """One file: ``fault`` goes on after its path, ``size`` in bytes; ``public``: all here may read it."""

    path: str
    problem: str = ""
    size: int = 0
    public: bool = False


class LicenceCheck(InstallationCheck[Mapping[str, LicenceFacts]]):
    """Of the workstation: what the nodes get is read here."""

    name = "licence"
    title = "Licence"

    def probe(self, context: CheckContext) -> Mapping[str, LicenceFacts]:
        """Those that some service mounts, by key."""
        keys = sorted(nodes_by_licence(context.topology)) if context.topology else ()
        return {key: _examined(context, key) for key in keys}

    def judge(self, context: CheckContext, facts: Mapping[str, LicenceFacts]) -> Iterator[Finding]:
        """The file, then who may read it, then where it goes."""
        for key, file in facts.items():
            yield self._file(context, key, file)
            if file.public:
                yield self.finding(
                    None,
                    "warning",
                    f"everybody on this workstation may read {file.path}",
                    about=f"{key}-mode",
                    subject=_SUBJECTS.get(key, self.title),
                    needed="a file that only its owner reads",
                    why="Whoever has it can run what you pay for.",
                    hint=f"chmod 600 {file.path}",
                )

    def _file(self, context: CheckContext, key: str, file: LicenceFacts) -> Finding:
        subject = _SUBJECTS.get(key, self.title)
        if file.problem:
            return self.finding(
                None,
                "failure",
                f"{file.path} {file.problem}",
                about=key,
                subject=subject,
                why="What it licenses does not start without it.",
                hint=f"Name the file that Oz Forensics gave you (answers: license.{key}).",
            )
        holders = nodes_by_licence(context.topology).get(key, ()) if context.topology else ()
        role = _ROLES.get(key)
        if strangers := [node.name for node in holders if role and role not in node.roles]:
            return self.finding(
                None,
                "failure",
                f"{file.path} would go to {join_and(strangers)}, too",
                about=key,
                subject=subject,
                needed=f"only on nodes with the role {role}",
                why="A licence on other servers may be counted, or taken.",
                hint=FAULT_HINT,
            )
        names = join_and(node.name for node in holders)
        return self.finding(
            None, "ok", f"{plural(file.size, 'byte')}, goes only to {names}", about=key, subject=subject
        )


def _examined(context: CheckContext, key: str) -> LicenceFacts:
    file = resolve_path(getattr(context.answers.license, key), context.answers_dir)
    path = safe_line(file, 400)
    try:
        content = read_licence(file)
    except UnreadableFile as fault:
        return LicenceFacts(path=path, problem=safe_line(fault))
    wrong = json_error(content) if key in _JSON else ""
    return LicenceFacts(
        path=path, problem=safe_line(wrong), size=len(content), public=is_world_readable(file)
    )
