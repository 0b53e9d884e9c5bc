"""The check that the generated passwords beside the answers are the ones that are installed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from oz_installer.answers.secrets.store import mismatch_text, restore_hint
from oz_installer.checks.base import ShellCheck
from oz_installer.checks.context import CheckContext, CheckedNode, Finding, GeneratedSecrets
from oz_installer.checks.installed.record import mapping_in, parse_mapping, print_script
from oz_installer.render.project import INSTALLED_RECORD

Fingerprints = Mapping[str, str]
"""Fingerprints of passwords by slot."""


class SecretsCheck(ShellCheck[Fingerprints]):
    """Compare passwords by the fingerprints in a node's record.

    No finding where nothing is installed."""

    name = "passwords"
    title = "Passwords"

    def script(self, context: CheckContext, node: CheckedNode) -> str:
        """Print the record of the installed generation."""
        del node
        return print_script(context, INSTALLED_RECORD)

    def parse(self, text: str) -> Fingerprints:
        """Parse the fingerprints; none where nothing is installed, or where the record has none yet."""
        secrets = mapping_in(parse_mapping(text), "secrets")
        return {str(slot): str(fingerprint) for slot, fingerprint in secrets.items()}

    def judge(self, context: CheckContext, node: CheckedNode, facts: Fingerprints) -> Iterator[Finding]:
        """Compare the fingerprints.

        A password that only the node has is no longer part of the answers."""
        own = context.own_passwords
        common = [slot for slot in own.fingerprints if slot in facts] if own else []
        if own is None or not common:
            return
        changed = [slot for slot in common if own.fingerprints[slot] != facts[slot]]
        if not changed:
            yield self.finding(node, "ok", f"the same as in {own.file.name}")
            return
        yield self.finding(
            node,
            "failure",
            f"{own.file} {_mismatch_text(own, changed)}",
            needed="the passwords that are installed",
            why="With different passwords the services cannot log in to each other, "
            "so an installation stops first.",
            hint=f"{restore_hint(context.install_dir)}; or set new ones on purpose: "
            "install with --new-secrets.",
        )


def _mismatch_text(own: GeneratedSecrets, changed: Sequence[str]) -> str:
    missing = [slot for slot in changed if slot in own.lacking]
    return mismatch_text(own.is_lost, missing, [slot for slot in changed if slot not in missing])
