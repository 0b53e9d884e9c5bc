"""The check of licence files: present, complete, private, and sent to the right nodes only."""

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
"""The role that a licence is limited to; the web adapter's goes to any node that runs it."""
_JSON = ("web_adapter",)
_SUBJECTS = {"bio": "BIO licence", "web_adapter": "Web adapter licence"}


@dataclass(frozen=True, kw_only=True)
class LicenceFacts:
    """A licence file: ``problem`` continues a sentence after the path, ``size`` is in bytes.

    ``public``: everyone on this workstation can read it."""

    path: str
    problem: str = ""
    size: int = 0
    public: bool = False


class LicenceCheck(InstallationCheck[Mapping[str, LicenceFacts]]):
    """Check the files on this workstation, where they are read from."""

    name = "licence"
    title = "Licence"

    def probe(self, context: CheckContext) -> Mapping[str, LicenceFacts]:
        """Read the licences that a service mounts, by key."""
        keys = sorted(nodes_by_licence(context.topology)) if context.topology else ()
        return {key: _read(context, key) for key in keys}

    def judge(self, context: CheckContext, facts: Mapping[str, LicenceFacts]) -> Iterator[Finding]:
        """Judge the file and its target nodes, then its permissions."""
        for key, file in facts.items():
            yield self._file(context, key, file)
            if file.public:
                yield self.finding(
                    None,
                    "warning",
                    f"everyone on this workstation can read {file.path}",
                    about=f"{key}-mode",
                    subject=_SUBJECTS.get(key, self.title),
                    needed="a file that only its owner can read",
                    why="Anyone who copies the licence can use what you pay for.",
                    hint=f"Run chmod 600 {file.path}",
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
                why="The licensed service does not start without its licence.",
                hint=f"Set the path of the file that Oz Forensics gave you (answers: license.{key}).",
            )
        holders = nodes_by_licence(context.topology).get(key, ()) if context.topology else ()
        role = _ROLES.get(key)
        if wrong := [node.name for node in holders if role and role not in node.roles]:
            return self.finding(
                None,
                "failure",
                f"{file.path} would also be sent to {join_and(wrong)}",
                about=key,
                subject=subject,
                needed=f"only on nodes with the role {role}",
                why="A licence on other servers may be counted as used, or stolen.",
                hint=FAULT_HINT,
            )
        names = join_and(node.name for node in holders)
        return self.finding(
            None, "ok", f"{plural(file.size, 'byte')}, sent only to {names}", about=key, subject=subject
        )


def _read(context: CheckContext, key: str) -> LicenceFacts:
    file = resolve_path(getattr(context.answers.license, key), context.answers_dir)
    path = safe_line(file, 400)
    try:
        content = read_licence(file)
    except UnreadableFile as error:
        return LicenceFacts(path=path, problem=safe_line(error))
    problem = json_error(content) if key in _JSON else ""
    return LicenceFacts(
        path=path, problem=safe_line(problem), size=len(content), public=is_world_readable(file)
    )
